/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A result in words that travel: the structure of element messages and of the
 * downstream event. */

#pragma once

#include <gst/gst.h>

#include "detector.h"

/* When a frame is, in ns; GST_CLOCK_TIME_NONE where the segment cannot say. */
typedef struct {
  GstClockTime timestamp;
  GstClockTime stream_time;
  GstClockTime running_time;
  guint64 time; /* as given to the detector: never decreases between resets */
} GstVaeLstmTimes;

/* A structure `name` with every field the element documents. event is "start",
 * "update", "end" or "frame"; duration (ns) is that of the event so far. */
GstStructure *gst_vae_lstm_report_new (const gchar *name, const gchar *event,
    const VlResult *result, const GstVaeLstmTimes *times,
    GstClockTime duration);
