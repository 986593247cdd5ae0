/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A vaelstmgate in a harness, fed with made-up encoded frames: frame n is
 * shown at n / 10 s, and its number is the buffer's offset. */

#pragma once

#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>

#define GATED_FRAME (GST_SECOND / 10)

typedef struct {
  GstHarness *harness;
  GstElement *element; /* owned by the harness */
  GstBus *bus;
  guint key_interval; /* frames from key frame to key frame; 10 */
  guint event_id;     /* that messages have; 7, as anomalous frames */
} Gated;

/* Where frames carry the meta. */
typedef enum { GATED_NORMAL, GATED_ANOMALOUS, GATED_NO_META } GatedKind;

/* Properties as g_object_set() takes them, e.g. before the first frame. */
void gated_open (Gated *gated, const gchar *property, ...);
void gated_close (Gated *gated);

/* A frame of the stream, for gated_push(). */
GstBuffer *gated_frame (Gated *gated, guint n, GatedKind kind);

/* Pushes it, and lets it through or not. */
void gated_push (Gated *gated, GstBuffer *buffer);

/* Pushes frames from..to. */
void gated_run (Gated *gated, guint from, guint to, GatedKind kind);

void gated_push_event (Gated *gated, GstEvent *event);

/* The number of the next frame that came through; -1 when there is none.
 * discont: whether it has the flag; may be NULL. */
gint gated_pull (Gated *gated, gboolean *discont);

/* Fails unless exactly the frames from..to come next, of which the first one
 * alone has the DISCONT flag. */
void gated_expect (Gated *gated, guint from, guint to);

/* Fails if a frame came through that was not pulled. */
void gated_expect_none (Gated *gated);

/* The next message of the gate's, which must be this one: what happened, and
 * the segment's true start and the message's running time in frames. reason:
 * NULL for none. */
void gated_expect_message (Gated *gated, const gchar *event, gdouble start,
    gdouble time, const gchar *reason);
void gated_expect_no_message (Gated *gated);
