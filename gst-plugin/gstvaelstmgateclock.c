/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgateclock.h"

#include "gstvaelstmtimes.h"

void
gst_vae_lstm_gate_clock_reset (GstVaeLstmGateClock *clock)
{
  *clock = (GstVaeLstmGateClock){
      .timestamp = GST_CLOCK_TIME_NONE, .newest = GST_CLOCK_STIME_NONE};
  gst_segment_init (&clock->segment, GST_FORMAT_UNDEFINED);
}

gboolean
gst_vae_lstm_gate_clock_set_segment (
    GstVaeLstmGateClock *clock, GstEvent *event)
{
  const GstSegment before = clock->segment;
  GstClockTime timestamp = clock->timestamp;

  gst_event_copy_segment (event, &clock->segment);
  return !GST_CLOCK_TIME_IS_VALID (timestamp) ||
         !gst_vae_lstm_times_jump (&before, event, &timestamp);
}

/* NONE where the segment cannot tell. */
static GstClockTimeDiff
to_running_time (const GstSegment *segment, GstClockTime timestamp)
{
  guint64 time;
  gint sign;

  if (segment->format != GST_FORMAT_TIME ||
      !GST_CLOCK_TIME_IS_VALID (timestamp))
    return GST_CLOCK_STIME_NONE;

  sign = gst_segment_to_running_time_full (
      segment, GST_FORMAT_TIME, timestamp, &time);
  return sign == 0 ? GST_CLOCK_STIME_NONE
                   : (sign > 0 ? (gint64)time : -(gint64)time);
}

/* Of a buffer that does not tell. */
static GstClockTimeDiff
guess_time (const GstVaeLstmGateClock *clock, GstElement *element)
{
  GstClockTime now;

  if (!clock->told) {
    now = gst_element_get_current_running_time (element);
    if (GST_CLOCK_TIME_IS_VALID (now))
      return now;
  }
  return GST_CLOCK_STIME_IS_VALID (clock->newest) ? clock->newest : 0;
}

/* Its length, at the rate it is played; more than nothing. */
static GstClockTime
played_duration (const GstVaeLstmGateClock *clock, GstBuffer *buffer)
{
  GstClockTime duration = GST_BUFFER_DURATION (buffer);

  return GST_CLOCK_TIME_IS_VALID (duration)
             ? MAX (1, duration / ABS (clock->segment.rate))
             : 1;
}

GstVaeLstmGateItem
gst_vae_lstm_gate_clock_make_item (
    GstVaeLstmGateClock *clock, GstBuffer *buffer, GstElement *element)
{
  GstClockTime timestamp = GST_BUFFER_DTS_OR_PTS (buffer);
  GstClockTimeDiff decoded = to_running_time (&clock->segment, timestamp);
  GstClockTimeDiff time =
      to_running_time (&clock->segment, GST_BUFFER_PTS (buffer));

  if (!GST_CLOCK_STIME_IS_VALID (time))
    time = decoded;
  if (GST_CLOCK_STIME_IS_VALID (time)) {
    clock->told = TRUE;
    clock->timestamp = timestamp;
  } else {
    time = guess_time (clock, element);
  }
  if (!GST_CLOCK_STIME_IS_VALID (clock->newest) || time > clock->newest)
    clock->newest = time;

  return (GstVaeLstmGateItem){
      .object = GST_MINI_OBJECT (buffer),
      .is_buffer = TRUE,
      .key = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT),
      .time = time,
      .end = time + played_duration (clock, buffer),
      .order = GST_CLOCK_STIME_IS_VALID (decoded) ? MIN (decoded, time) : time,
      .size = gst_buffer_get_size (buffer),
  };
}
