/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmreport.h"

/* The place that drove the score most, else the whole picture: "x,y,w,h" with
 * decimal points in every locale. */
static gchar *
region_text (const VlResult *result)
{
  static const VlRect whole = {0, 0, 1, 1};
  const VlRect *rect = result->n_regions ? &result->regions[0].rect : &whole;
  gchar text[4][G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text[0], sizeof text[0], "%.4f", rect->x);
  g_ascii_formatd (text[1], sizeof text[1], "%.4f", rect->y);
  g_ascii_formatd (text[2], sizeof text[2], "%.4f", rect->w);
  g_ascii_formatd (text[3], sizeof text[3], "%.4f", rect->h);
  return g_strdup_printf ("%s,%s,%s,%s", text[0], text[1], text[2], text[3]);
}

GstStructure *
gst_vae_lstm_report_new (const gchar *name, const gchar *event,
    const VlResult *result, const GstVaeLstmTimes *times, GstClockTime duration)
{
  g_autofree gchar *region = region_text (result);

  return gst_structure_new (name, "event", G_TYPE_STRING, event, "event-id",
      G_TYPE_UINT, result->event_id, "score", G_TYPE_DOUBLE, result->score,
      "peak-score", G_TYPE_DOUBLE, result->peak, "appearance", G_TYPE_DOUBLE,
      result->appearance, "dynamics", G_TYPE_DOUBLE, result->dynamics,
      "threshold", G_TYPE_DOUBLE, result->threshold, "region", G_TYPE_STRING,
      region, "timestamp", G_TYPE_UINT64, times->timestamp, "stream-time",
      G_TYPE_UINT64, times->stream_time, "running-time", G_TYPE_UINT64,
      times->running_time, "duration", G_TYPE_UINT64, duration, NULL);
}
