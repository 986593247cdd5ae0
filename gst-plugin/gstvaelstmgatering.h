/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a stream has brought and nobody has decided about yet: buffers and
 * serialized events, in the order in which they came. */

#pragma once

#include <gst/gst.h>

/* One of them. Times are running times. */
typedef struct {
  GstMiniObject *object; /* owned: a buffer or an event */
  gboolean is_buffer;
  const gchar *cut; /* an event that ends a segment: why; else NULL */
  gsize size;       /* bytes */

  /* Of buffers; of a gap its time, or NONE. */
  gboolean key;           /* can be decoded without those before */
  GstClockTimeDiff time;  /* when it is shown */
  GstClockTimeDiff end;   /* when it is no longer */
  GstClockTimeDiff order; /* when it is decoded, <= time: no later buffer is
                             shown before */
} GstVaeLstmGateItem;

typedef struct _GstVaeLstmGateRing GstVaeLstmGateRing;

GstVaeLstmGateRing *gst_vae_lstm_gate_ring_new (void);
void gst_vae_lstm_gate_ring_free (GstVaeLstmGateRing *ring);

/* Takes the item's object. */
void gst_vae_lstm_gate_ring_push (
    GstVaeLstmGateRing *ring, const GstVaeLstmGateItem *item);

/* The oldest, whose object the caller then owns. There must be one. */
GstVaeLstmGateItem gst_vae_lstm_gate_ring_pop (GstVaeLstmGateRing *ring);

/* Number of items, and of bytes in them. */
guint gst_vae_lstm_gate_ring_length (const GstVaeLstmGateRing *ring);
guint64 gst_vae_lstm_gate_ring_bytes (const GstVaeLstmGateRing *ring);

/* Item i, 0 being the oldest; NULL when there is none. Valid until the next
 * push or pop. */
const GstVaeLstmGateItem *gst_vae_lstm_gate_ring_peek (
    const GstVaeLstmGateRing *ring, guint i);

/* Index of the first key buffer from index `from` on; the length when there is
 * none. */
guint gst_vae_lstm_gate_ring_find_key (
    const GstVaeLstmGateRing *ring, guint from);

/* Index of the newest key buffer at or before `time`; -1 when there is none. */
gint gst_vae_lstm_gate_ring_find_key_before (
    const GstVaeLstmGateRing *ring, GstClockTimeDiff time);

/* Number of the oldest items that are needed to show every buffer up to and at
 * `time`: as buffers may come in another order than they are shown in, some of
 * them can be later. */
guint gst_vae_lstm_gate_ring_count_until (
    const GstVaeLstmGateRing *ring, GstClockTimeDiff time);
