/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The numbers of the `stats` property, in bounded memory. */

#pragma once

#include <gst/gst.h>

#define GST_VAE_LSTM_STATS_RECENT 1024

typedef struct {
  guint64 frames;   /* that went through */
  guint64 analysed; /* that were scored */
  guint64 skipped;  /* due but not scored */
  guint64 events;   /* that started */
  double total_ms;  /* of all analyses */
  /* Rings of the last analysed frames. */
  float ms[GST_VAE_LSTM_STATS_RECENT];
  float score[GST_VAE_LSTM_STATS_RECENT];
} GstVaeLstmStats;

/* Counts one analysed frame. */
void gst_vae_lstm_stats_add (GstVaeLstmStats *stats, double ms, double score);

/* The numbers as a structure. Sorts the rings: hand in a copy. */
GstStructure *gst_vae_lstm_stats_to_structure (GstVaeLstmStats *stats);
