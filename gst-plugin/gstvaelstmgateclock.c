/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgateclock.h"

#include "gstvaelstmtimes.h"

/* Timestamps may go back by so much: they are not always exact. */
#define MAX_JITTER GST_SECOND

/* No decoder holds frames back for longer; a PTS that says so is wrong. */
#define MAX_DELAY (60 * GST_SECOND)

/* From one buffer to the next; longer is a gap. */
#define MAX_STEP GST_SECOND

/* About what an event takes in memory. */
#define EVENT_SIZE 256

void
gst_vae_lstm_gate_clock_init (GstVaeLstmGateClock *clock)
{
  gst_segment_init (&clock->segment, GST_FORMAT_UNDEFINED);
  gst_vae_lstm_gate_clock_reset (clock);
}

void
gst_vae_lstm_gate_clock_reset (GstVaeLstmGateClock *clock)
{
  clock->timestamp = GST_CLOCK_TIME_NONE;
  clock->newest = clock->order = GST_CLOCK_STIME_NONE;
  clock->step = 1;
  clock->told = FALSE;
}

/* FALSE when the stream does not simply go on. */
static gboolean
set_segment (GstVaeLstmGateClock *clock, GstEvent *event)
{
  const GstSegment before = clock->segment;
  GstClockTime timestamp = clock->timestamp;

  gst_event_copy_segment (event, &clock->segment);
  return !GST_CLOCK_TIME_IS_VALID (timestamp) ||
         !gst_vae_lstm_times_jump (&before, event, &timestamp);
}

GstClockTimeDiff
gst_vae_lstm_gate_clock_convert (
    const GstSegment *segment, GstClockTime timestamp)
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

GstVaeLstmGateItem
gst_vae_lstm_gate_clock_make_event_item (
    GstVaeLstmGateClock *clock, GstEvent *event)
{
  GstVaeLstmGateItem item = {
      .object = GST_MINI_OBJECT (event), .size = EVENT_SIZE};
  GstClockTime timestamp;

  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    item.cut = set_segment (clock, event) ? NULL : "segment";
  } else if (GST_EVENT_TYPE (event) == GST_EVENT_GAP) {
    gst_event_parse_gap (event, &timestamp, NULL);
    item.time = gst_vae_lstm_gate_clock_convert (&clock->segment, timestamp);
  }
  return item;
}

static GstClockTimeDiff
find_decoding_time (const GstVaeLstmGateClock *clock, GstBuffer *buffer)
{
  return gst_vae_lstm_gate_clock_convert (
      &clock->segment, GST_BUFFER_DTS_OR_PTS (buffer));
}

gboolean
gst_vae_lstm_gate_clock_goes_back (
    const GstVaeLstmGateClock *clock, GstBuffer *buffer)
{
  GstClockTimeDiff order = find_decoding_time (clock, buffer);

  return GST_CLOCK_STIME_IS_VALID (order) &&
         GST_CLOCK_STIME_IS_VALID (clock->order) &&
         order < clock->order - (GstClockTimeDiff)MAX_JITTER;
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
             : clock->step;
}

static void
take_step (GstVaeLstmGateClock *clock, GstClockTimeDiff order)
{
  if (GST_CLOCK_STIME_IS_VALID (clock->order) && order > clock->order &&
      order - clock->order <= (GstClockTimeDiff)MAX_STEP)
    clock->step = order - clock->order;
}

static GstClockTimeDiff
latest (GstClockTimeDiff before, GstClockTimeDiff time)
{
  return GST_CLOCK_STIME_IS_VALID (before) ? MAX (before, time) : time;
}

GstVaeLstmGateItem
gst_vae_lstm_gate_clock_make_item (
    GstVaeLstmGateClock *clock, GstBuffer *buffer, GstElement *element)
{
  GstClockTimeDiff decoded = find_decoding_time (clock, buffer);
  GstClockTimeDiff time = gst_vae_lstm_gate_clock_convert (
      &clock->segment, GST_BUFFER_PTS (buffer));
  GstClockTimeDiff order;

  if (!GST_CLOCK_STIME_IS_VALID (time) ||
      (GST_CLOCK_STIME_IS_VALID (decoded) &&
          time - decoded > (GstClockTimeDiff)MAX_DELAY))
    time = decoded;
  if (GST_CLOCK_STIME_IS_VALID (time)) {
    clock->told = TRUE;
    clock->timestamp = GST_BUFFER_DTS_OR_PTS (buffer);
  } else {
    time = guess_time (clock, element);
  }
  order = GST_CLOCK_STIME_IS_VALID (decoded) ? MIN (decoded, time) : time;
  take_step (clock, order);
  clock->newest = latest (clock->newest, time);
  clock->order = latest (clock->order, order);

  return (GstVaeLstmGateItem){
      .object = GST_MINI_OBJECT (buffer),
      .is_buffer = TRUE,
      .key = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT),
      .time = time,
      .end = time + played_duration (clock, buffer),
      .order = order,
      .size = gst_buffer_get_size (buffer),
  };
}
