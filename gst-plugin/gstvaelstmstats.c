/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmstats.h"

#include <stdlib.h>

void
gst_vae_lstm_stats_add (GstVaeLstmStats *stats, double ms, double score)
{
  guint i = stats->analysed % GST_VAE_LSTM_STATS_RECENT;

  stats->ms[i] = ms;
  stats->score[i] = score;
  stats->total_ms += ms;
  stats->analysed++;
}

static int
compare_floats (const void *a, const void *b)
{
  float x = *(const float *)a, y = *(const float *)b;

  return (x > y) - (x < y);
}

/* The value that a share q of the n sorted values do not exceed; 0 of none. */
static double
quantile (const float *sorted, guint n, double q)
{
  return n ? sorted[(guint)(q * (n - 1) + 0.5)] : 0;
}

GstStructure *
gst_vae_lstm_stats_to_structure (GstVaeLstmStats *stats)
{
  guint n = MIN (stats->analysed, GST_VAE_LSTM_STATS_RECENT);
  double mean_ms = stats->analysed ? stats->total_ms / stats->analysed : 0;

  qsort (stats->ms, n, sizeof (float), compare_floats);
  qsort (stats->score, n, sizeof (float), compare_floats);

  return gst_structure_new ("vaelstmdetect-stats", "frames", G_TYPE_UINT64,
      stats->frames, "analysed", G_TYPE_UINT64, stats->analysed, "skipped",
      G_TYPE_UINT64, stats->skipped, "events", G_TYPE_UINT64, stats->events,
      "mean-ms", G_TYPE_DOUBLE, mean_ms, "p99-ms", G_TYPE_DOUBLE,
      quantile (stats->ms, n, 0.99), "score-p50", G_TYPE_DOUBLE,
      quantile (stats->score, n, 0.5), "score-p90", G_TYPE_DOUBLE,
      quantile (stats->score, n, 0.9), "score-p99", G_TYPE_DOUBLE,
      quantile (stats->score, n, 0.99), "score-max", G_TYPE_DOUBLE,
      quantile (stats->score, n, 1), NULL);
}
