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

/* A frame's times. Where the buffer does not tell, *next stands in for its
 * timestamp and `nominal` for its duration; *next becomes the timestamp that
 * the frame after it should have. Played backwards, `time` still runs forwards.
 */
void gst_vae_lstm_times_find (GstVaeLstmTimes *times, const GstSegment *segment,
    GstBuffer *buffer, GstClockTime nominal, GstClockTime *next);

/* Whether a SEGMENT event leads elsewhere than the segment `before`, whose
 * frames have come to *next: that timestamp has another place or moment. *next
 * then becomes where the new segment begins. */
gboolean gst_vae_lstm_times_jump (
    const GstSegment *before, GstEvent *event, GstClockTime *next);
