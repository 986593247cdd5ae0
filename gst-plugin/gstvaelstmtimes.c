/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmtimes.h"

static void
place_in_segment (
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

void
gst_vae_lstm_times_find (GstVaeLstmTimes *times, const GstSegment *segment,
    GstBuffer *buffer, GstClockTime nominal, GstClockTime *next)
{
  GstClockTime timestamp = GST_BUFFER_PTS (buffer);
  GstClockTime duration = GST_BUFFER_DURATION (buffer);

  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    timestamp = *next;
  if (!GST_CLOCK_TIME_IS_VALID (duration))
    duration = nominal;

  *next = segment->rate > 0 ? timestamp + duration
                            : timestamp - MIN (timestamp, duration);
  place_in_segment (times, segment, timestamp);
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

/* Whether `timestamp` is at the same place and moment in both segments. */
static gboolean
segment_continues (
    const GstSegment *before, const GstSegment *after, GstClockTime timestamp)
{
  return before->format == GST_FORMAT_TIME &&
         after->format == GST_FORMAT_TIME && before->rate == after->rate &&
         same_time (
             gst_segment_to_running_time_full, before, after, timestamp) &&
         same_time (gst_segment_to_stream_time_full, before, after, timestamp);
}

gboolean
gst_vae_lstm_times_jump (
    const GstSegment *before, GstEvent *event, GstClockTime *next)
{
  const GstSegment *after;

  gst_event_parse_segment (event, &after);
  if (segment_continues (before, after, *next))
    return FALSE;

  *next = after->rate > 0 ? after->start : after->stop;
  if (!GST_CLOCK_TIME_IS_VALID (*next))
    *next = 0;
  return TRUE;
}
