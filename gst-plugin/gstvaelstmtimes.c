/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmtimes.h"

void
gst_vae_lstm_times_init (
    GstVaeLstmTimes *times, const GstSegment *segment, GstClockTime timestamp)
{
  *times = (GstVaeLstmTimes){
      timestamp, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, timestamp};

  if (segment->format == GST_FORMAT_TIME) {
    times->stream_time =
        gst_segment_to_stream_time (segment, GST_FORMAT_TIME, timestamp);
    times->running_time =
        gst_segment_to_running_time (segment, GST_FORMAT_TIME, timestamp);
  }
  if (segment->rate < 0)
    times->time = G_MAXINT64 - MIN (timestamp, G_MAXINT64);
}

typedef gint (*SegmentToTime) (
    const GstSegment *segment, GstFormat format, guint64 position, guint64 *);

/* Whether both segments give `timestamp` a time, and the same. */
static gboolean
same_time (SegmentToTime to_time, const GstSegment *before,
    const GstSegment *after, GstClockTime timestamp)
{
  guint64 time[2] = {0};
  gint sign = to_time (before, GST_FORMAT_TIME, timestamp, &time[0]);

  return sign != 0 &&
         sign == to_time (after, GST_FORMAT_TIME, timestamp, &time[1]) &&
         time[0] == time[1];
}

gboolean
gst_vae_lstm_segment_continues (
    const GstSegment *before, const GstSegment *after, GstClockTime timestamp)
{
  return before->format == GST_FORMAT_TIME &&
         after->format == GST_FORMAT_TIME && before->rate == after->rate &&
         same_time (
             gst_segment_to_running_time_full, before, after, timestamp) &&
         same_time (gst_segment_to_stream_time_full, before, after, timestamp);
}
