/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a gate does next: pure decisions about what its stream has brought, in
 * running times, with no pads and no locks.
 *
 * Wanted is every buffer from `pre_roll` before an anomaly to `post_roll` after
 * it, each in one segment, once; and segments start at key buffers. What
 * follows an open segment is therefore kept back until the next segment could
 * start without it: at once where a key buffer follows, else when the next key
 * buffer has grown older than any pre-roll can reach back. An anomaly that
 * comes before makes the segment go on up to the next key buffer, so that
 * nothing is lost in between. */

#pragma once

#include "gstvaelstmgateanomalies.h"
#include "gstvaelstmgatering.h"

typedef struct {
  GstClockTime pre_roll, post_roll; /* ns */
  GstClockTime max_duration;        /* ns; 0: none */
  guint64 max_bytes;                /* undecided; 0: as many as it takes */
} GstVaeLstmGateLimits;

typedef struct {
  GstVaeLstmGateLimits limits;
  GstVaeLstmGateRing *ring;
  GstVaeLstmGateAnomalies *anomalies;
  GstClockTimeDiff newest; /* shown last of all that came */
  GstClockTimeDiff bound;  /* no buffer to come is shown before */
  GstClockTimeDiff due;    /* a user wants it open from then on; G_MAXINT64
                              where that is not to come */
  const gchar *ended;      /* none is to come: why; else NULL */
  GstClockTimeDiff told;   /* of anomalies before this; G_MAXINT64 where they
                              are told of as buffers come */

  gboolean open; /* between an OPEN and a CLOSE */

  /* Of the open segment. */
  GstClockTimeDiff start;  /* its first buffer's time */
  GstClockTimeDiff latest; /* that is shown of those to be sent so far */
} GstVaeLstmGatePlan;

typedef enum {
  GST_VAE_LSTM_GATE_WAIT, /* for more */
  GST_VAE_LSTM_GATE_SKIP, /* the n oldest items are not wanted */
  GST_VAE_LSTM_GATE_OPEN, /* a segment starts with the oldest item, a key */
  GST_VAE_LSTM_GATE_SEND, /* the n oldest items belong to the segment */
  GST_VAE_LSTM_GATE_CLOSE /* the segment has no more items */
} GstVaeLstmGateAction;

typedef struct {
  GstVaeLstmGateAction action;
  guint n;             /* SKIP and SEND, > 0 */
  const gchar *reason; /* CLOSE: `quiet`, `max-duration`, `ended` or a cut */
  gboolean for_space;  /* SKIP: only because of max_bytes */
} GstVaeLstmGateStep;

/* An empty plan, and its end. */
void gst_vae_lstm_gate_plan_init (GstVaeLstmGatePlan *plan);
void gst_vae_lstm_gate_plan_clear (GstVaeLstmGatePlan *plan);

/* Forgets the stream, but for the limits, what the ring holds and what a user
 * has opened. */
void gst_vae_lstm_gate_plan_reset (GstVaeLstmGatePlan *plan);

/* A user wants it open from `time` on, which may be still to come. */
void gst_vae_lstm_gate_plan_summon (
    GstVaeLstmGatePlan *plan, GstClockTimeDiff time);

/* Up to the newest buffer, that is. */
void gst_vae_lstm_gate_plan_dismiss (GstVaeLstmGatePlan *plan);

/* Takes the item's object. */
void gst_vae_lstm_gate_plan_push (
    GstVaeLstmGatePlan *plan, const GstVaeLstmGateItem *item);

/* The next step, for the caller to take: items to remove from the ring, a
 * segment to open or close with the functions below. */
GstVaeLstmGateStep gst_vae_lstm_gate_plan_next (GstVaeLstmGatePlan *plan);

/* Returns: the anomaly to record. Valid until the next call. */
const GstVaeLstmGateAnomaly *gst_vae_lstm_gate_plan_open (
    GstVaeLstmGatePlan *plan);
void gst_vae_lstm_gate_plan_close (GstVaeLstmGatePlan *plan);

/* Up to, but not at, this moment it is decided what is in a segment: while one
 * is open, everything since its start. */
GstClockTimeDiff gst_vae_lstm_gate_plan_get_decided (
    const GstVaeLstmGatePlan *plan);
