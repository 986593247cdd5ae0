/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The recent scores of a stream, in bounded memory: a ring of equal spans of
 * time that keep their largest score, so that no peak is lost however long the
 * curve. */

#pragma once

#include <gst/gst.h>

#define GST_VAE_LSTM_HISTORY_SPANS 300

typedef struct {
  GstClockTime span;   /* length of each */
  guint64 newest;      /* number of the newest span: its time / span */
  GstClockTime latest; /* time of the latest score; NONE: there is none */
  gboolean joined;     /* no break since then */
  float scores[GST_VAE_LSTM_HISTORY_SPANS]; /* NAN: none in this span */
} GstVaeLstmHistory;

/* Empties the history, which from then on covers `duration` > 0. */
void gst_vae_lstm_history_init (
    GstVaeLstmHistory *history, GstClockTime duration);

/* Empties it. */
void gst_vae_lstm_history_reset (GstVaeLstmHistory *history);

/* The next score does not continue the last one. */
void gst_vae_lstm_history_break (GstVaeLstmHistory *history);

/* Adds the score at `time`. Spans between it and the last one are filled
 * linearly, unless there was a break. Times may fall back a little; one that
 * lies a second or more before the latest empties the history first. */
void gst_vae_lstm_history_add (
    GstVaeLstmHistory *history, GstClockTime time, double score);

/* Scores from the oldest to the newest span, NAN where there is none.
 * curve: (GST_VAE_LSTM_HISTORY_SPANS). */
void gst_vae_lstm_history_copy (const GstVaeLstmHistory *history, float *curve);
