/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One connection to a camera: the pipeline that reads, decodes, detects and
 * gates, from connecting until the connection is lost. What is coded as H.264
 * or H.265 is recorded as it comes, everything else is encoded. */

#pragma once

#include <gst/gst.h>

#include "event.h"
#include "source.h"

/* The same for every connection of a camera. */
typedef struct {
  const VlSource *source;
  char *model; /* path; also where a learned model is kept */
  gboolean record, display;
  GstClockTime pre_roll, post_roll; /* ns */
  GstClockTime max_event;           /* ns; 0: no limit */
  GstClockTime learn;               /* ns; 0: the model must exist */
  char **settings;                  /* PROPERTY=VALUE of vaelstmdetect */
} VlFeedOptions;

/* All but `number` from the main thread. */
typedef struct {
  guint (*number) (gpointer user_data); /* of the next event; any thread */
  void (*begun) (VlEvent *event, gpointer user_data);
  void (*over) (VlEvent *event, gpointer user_data);
  /* vaelstmdetect changed its state */
  void (*state) (const char *state, const char *reason, gpointer user_data);
  /* some element warns */
  void (*warning) (const char *text, gpointer user_data);
  /* It is lost: why; NULL: the end was reached. Once. */
  void (*lost) (const char *why, gpointer user_data);
} VlFeedFuncs;

typedef struct VlFeed VlFeed;

/* Checks that the elements are there that every feed needs, that the settings
 * are properties of vaelstmdetect, and that there is a display where one is
 * wanted. FALSE with error set, naming what is missing. */
gboolean vl_feed_check (const VlFeedOptions *options, GError **error);

/* Connects. options and what funcs refer to must outlive the last call of
 * `over`, which may come after vl_feed_free(). */
VlFeed *vl_feed_new (
    const VlFeedOptions *options, const VlFeedFuncs *funcs, gpointer user_data);

/* Disconnects at once; an open event is over. */
void vl_feed_free (VlFeed *feed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlFeed, vl_feed_free)

/* Ends the stream properly; `lost` follows. */
void vl_feed_end (VlFeed *feed);

/* Frames that vaelstmdetect has let through. */
guint vl_feed_n_frames (VlFeed *feed);
