/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The segments of a recording, as its leading stream makes them and others
 * follow. Times are running times; every function locks. */

#pragma once

#include <gst/gst.h>

typedef struct {
  guint number;           /* of the segment, from 1 */
  GstClockTimeDiff start; /* of its first frame */
  GstClockTimeDiff end;   /* of its last one so far */
  GstClockTime shift;     /* as of gst_vae_lstm_gate_output_begin() */
} GstVaeLstmGateSpan;

typedef enum {
  GST_VAE_LSTM_GATE_OUTSIDE,
  GST_VAE_LSTM_GATE_INSIDE,
  GST_VAE_LSTM_GATE_UNDECIDED
} GstVaeLstmGatePlace;

typedef struct _GstVaeLstmGateSpans GstVaeLstmGateSpans;

GstVaeLstmGateSpans *gst_vae_lstm_gate_spans_new (void);
void gst_vae_lstm_gate_spans_free (GstVaeLstmGateSpans *spans);

/* A leading stream begins. */
void gst_vae_lstm_gate_spans_reset (GstVaeLstmGateSpans *spans);

/* It has ended: there will be no other segments, unless it goes on after all.
 */
void gst_vae_lstm_gate_spans_finish (GstVaeLstmGateSpans *spans);

/* It has begun a segment. */
void gst_vae_lstm_gate_spans_begin (
    GstVaeLstmGateSpans *spans, GstClockTimeDiff start, GstClockTime shift);

/* Its newest segment goes on to `end`, and no segment that is not known yet has
 * anything before `decided`. */
void gst_vae_lstm_gate_spans_advance (
    GstVaeLstmGateSpans *spans, GstClockTimeDiff end, GstClockTimeDiff decided);

/* Its newest segment ended at `end`, before what was said of it: what is from
 * there on is undecided again. */
void gst_vae_lstm_gate_spans_close (
    GstVaeLstmGateSpans *spans, GstClockTimeDiff end);

/* Where `time` is; span (or NULL) tells in which one, if inside. */
GstVaeLstmGatePlace gst_vae_lstm_gate_spans_find (GstVaeLstmGateSpans *spans,
    GstClockTimeDiff time, GstVaeLstmGateSpan *span);

/* Waits until that is decided, or *interrupted has been set and
 * gst_vae_lstm_gate_spans_wake() called. */
void gst_vae_lstm_gate_spans_wait (
    GstVaeLstmGateSpans *spans, GstClockTimeDiff time, const gint *interrupted);
void gst_vae_lstm_gate_spans_wake (GstVaeLstmGateSpans *spans);
