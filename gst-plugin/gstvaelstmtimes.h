/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When a frame is, and which frames follow one another. */

#pragma once

#include <gst/gst.h>

/* In ns; GST_CLOCK_TIME_NONE where the segment cannot say. */
typedef struct {
  GstClockTime timestamp;
  GstClockTime stream_time;
  GstClockTime running_time;
  guint64 time; /* as given to the detector: never decreases between resets */
} GstVaeLstmTimes;

/* A frame's times from its timestamp. Played backwards, `time` still runs
 * forwards. */
void gst_vae_lstm_times_init (
    GstVaeLstmTimes *times, const GstSegment *segment, GstClockTime timestamp);

/* Whether `timestamp` is at the same place and moment in both segments. */
gboolean gst_vae_lstm_segment_continues (
    const GstSegment *before, const GstSegment *after, GstClockTime timestamp);
