/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Frames at any time: what is analysed follows the clock of the video, and what
 * is said of a frame has the right times. */

#include "stream.h"

#include "tiny-model.h"

#define VARIABLE "video/x-raw,format=RGB,width=128,height=128,framerate=0/1"

static void
open_with_caps (Stream *stream, const gchar *caps)
{
  GstBus *bus;
  GstElement *element = stream_make_element (
      &bus, "model-file", stream_model, "attach-regions", FALSE, NULL);

  gst_util_set_object_arg (G_OBJECT (element), "post-messages", "all");
  stream_open (stream, caps, element, bus);
}

/* ---- when frames are analysed ---- */

/* The model wants 10 frames/s, where a frame may be early by a quarter: none
 * carries words older than that. */
GST_START_TEST (test_variable_frame_rate)
{
  GRand *random = g_rand_new_with_seed (3);
  GstClockTime pts = 0, analysed = 0;
  Stream stream;

  open_with_caps (&stream, VARIABLE);
  for (guint i = 0; i < 200; i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);
    GstVaeLstmAnomaly anomaly;

    GST_BUFFER_PTS (buffer) = pts;
    GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
    anomaly = stream_take_meta (stream_pass (&stream, buffer));
    if (anomaly.age == 0)
      analysed = pts;
    fail_unless_equals_uint64 (anomaly.age, pts - analysed);
    fail_unless (anomaly.age < GST_SECOND / TINY_RATE * 5 / 4);
    pts += g_rand_int_range (random, 5, 150) * GST_MSECOND;
  }
  /* and not oftener on average */
  fail_unless (
      stream_stat (&stream, "analysed") <= 1 + pts / (GST_SECOND / TINY_RATE));
  g_rand_free (random);
  stream_close (&stream);
}
GST_END_TEST

/* With nothing to go by, each frame counts for one of those the model wants. */
GST_START_TEST (test_neither_timestamps_nor_frame_rate)
{
  GstStructure *message;
  Stream stream;

  open_with_caps (&stream, VARIABLE);
  for (guint i = 0; i < 20; i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);

    GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
    buffer = stream_pass (&stream, buffer);
    fail_if (GST_BUFFER_PTS_IS_VALID (buffer));
    fail_unless_equals_uint64 (stream_take_meta (buffer).age, 0);

    message = stream_next_message (&stream, "vaelstmdetect", "frame");
    fail_unless_equals_uint64 (
        stream_get_time (message, "timestamp"), i * GST_SECOND / TINY_RATE);
    gst_structure_free (message);
  }
  stream_close (&stream);
}
GST_END_TEST

/* One that is missing is counted on from the frame before. */
GST_START_TEST (test_some_timestamps_are_missing)
{
  GstStructure *message;
  Stream stream;

  open_with_caps (&stream, NULL);
  for (guint i = 0; i < 20; i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);

    if (i % 3)
      GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
    gst_buffer_unref (stream_pass (&stream, buffer));
    message = stream_next_message (&stream, "vaelstmdetect", "frame");
    fail_unless_equals_uint64 (
        stream_get_time (message, "timestamp"), i * GST_SECOND / TINY_RATE);
    gst_structure_free (message);
  }
  fail_unless_equals_string (stream_run (&stream, 1, FALSE).state, "detecting");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_flush_that_keeps_the_time)
{
  GstSegment segment;
  Stream stream;

  open_with_caps (&stream, NULL);
  stream_run (&stream, 20, FALSE);
  gst_harness_push_event (stream.harness, gst_event_new_flush_start ());
  gst_harness_push_event (stream.harness, gst_event_new_flush_stop (FALSE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = 2 * GST_SECOND;
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  fail_unless_equals_string (
      stream_run (&stream, 1, FALSE).state, "warming-up");
  fail_unless_equals_string (
      stream_run (&stream, 10, FALSE).state, "detecting");
  stream_close (&stream);
}
GST_END_TEST

/* ---- what times are said ---- */

static const double rates[] = {1, 2, 0.5, 8, -1, -2, -0.5};

/* Played from 10 s on, or from 20 s backwards. */
GST_START_TEST (test_times_at_a_playback_rate)
{
  const double rate = rates[__i__];
  GstSegment segment;
  Stream stream;

  open_with_caps (&stream, NULL);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = rate;
  segment.start = segment.time = 10 * GST_SECOND;
  segment.stop = 20 * GST_SECOND;
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));

  for (guint i = 0; i < 20; i++) {
    GstClockTime passed = i * GST_SECOND / TINY_RATE;
    GstClockTime pts =
        rate > 0 ? segment.start + passed : segment.stop - passed;
    GstStructure *message;

    stream.n = pts / (GST_SECOND / TINY_RATE);
    gst_buffer_unref (
        stream_pass (&stream, stream_next_buffer (&stream, FALSE)));
    message = stream_next_message (&stream, "vaelstmdetect", "frame");
    fail_unless_equals_uint64 (stream_get_time (message, "timestamp"), pts);
    fail_unless_equals_uint64 (stream_get_time (message, "stream-time"), pts);
    fail_unless_equals_uint64 (stream_get_time (message, "running-time"),
        (GstClockTime)(passed / ABS (rate)));
    gst_structure_free (message);
  }
  stream_close (&stream);
}
GST_END_TEST

/* An event told at double speed lasts as long as in the video. */
GST_START_TEST (test_duration_is_that_of_the_video)
{
  GstStructure *message;
  GstSegment segment;
  Stream stream;

  open_with_caps (&stream, NULL);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = 2;
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  stream_run (&stream, 20, FALSE);
  stream_run (&stream, 20, TRUE);
  gst_harness_push_event (stream.harness, gst_event_new_eos ());

  message = stream_next_message (&stream, "vaelstmdetect", "end");
  fail_unless (message != NULL);
  fail_unless (stream_get_time (message, "duration") >= 18 * 100 * GST_MSECOND);
  fail_unless_equals_uint64 (stream_get_time (message, "timestamp"),
      2 * stream_get_time (message, "running-time"));
  gst_structure_free (message);
  stream_close (&stream);
}
GST_END_TEST

static const GstFormat other_formats[] = {
    GST_FORMAT_BYTES, GST_FORMAT_DEFAULT, GST_FORMAT_PERCENT};

/* Frames have timestamps, and no place on any line of time. */
GST_START_TEST (test_segment_of_another_format)
{
  GstStructure *message;
  GstSegment segment;
  Stream stream;

  open_with_caps (&stream, NULL);
  gst_segment_init (&segment, other_formats[__i__]);
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  fail_unless_equals_string (
      stream_run (&stream, 10, FALSE).state, "detecting");

  message = stream_next_message (&stream, "vaelstmdetect", "frame");
  fail_unless_equals_uint64 (
      stream_get_time (message, "stream-time"), GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (
      stream_get_time (message, "running-time"), GST_CLOCK_TIME_NONE);
  gst_structure_free (message);
  stream_close (&stream);
}
GST_END_TEST

/* ---- anything at all ---- */

static GstClockTime
random_time (GRand *random)
{
  switch (g_rand_int_range (random, 0, 6)) {
  case 0:
    return GST_CLOCK_TIME_NONE;
  case 1:
    return GST_CLOCK_TIME_NONE - 1;
  case 2:
    return 0;
  case 3:
    return (guint64)g_rand_int (random) << 32 | g_rand_int (random);
  default:
    return g_rand_int_range (random, 0, 1000000) * (GstClockTime)GST_MSECOND;
  }
}

static void
push_random_segment (Stream *stream, GRand *random)
{
  GstSegment segment;

  gst_segment_init (&segment,
      g_rand_int_range (random, 0, 4) ? GST_FORMAT_TIME : GST_FORMAT_DEFAULT);
  do
    segment.rate = g_rand_double_range (random, -4, 4);
  while (segment.rate == 0);
  segment.start = g_rand_int_range (random, 0, 100) * GST_SECOND;
  segment.stop = segment.rate < 0 || g_rand_boolean (random)
                     ? segment.start + 10 * GST_SECOND
                     : GST_CLOCK_TIME_NONE;
  segment.time = random_time (random);
  segment.base = g_rand_int_range (random, 0, 100) * GST_SECOND;
  gst_harness_push_event (stream->harness, gst_event_new_segment (&segment));
}

static void
push_random_event (Stream *stream, GRand *random)
{
  switch (g_rand_int_range (random, 0, 5)) {
  case 0:
    gst_harness_push_event (stream->harness,
        gst_event_new_gap (g_rand_int (random), random_time (random)));
    break;
  case 1:
    gst_harness_push_event (stream->harness, gst_event_new_flush_start ());
    gst_harness_push_event (
        stream->harness, gst_event_new_flush_stop (g_rand_boolean (random)));
    push_random_segment (stream, random);
    break;
  case 2:
    gst_harness_set_src_caps_str (
        stream->harness, g_rand_boolean (random) ? VARIABLE : stream_caps);
    push_random_segment (stream, random);
    break;
  case 3:
    g_signal_emit_by_name (stream->element, "reset");
    break;
  default:
    push_random_segment (stream, random);
    break;
  }
}

static void
pass_random_buffer (Stream *stream, GRand *random)
{
  GstBuffer *buffer = stream_next_buffer (stream, g_rand_boolean (random));
  GstClockTime pts = random_time (random), dts = random_time (random);
  GstClockTime duration = random_time (random);

  GST_BUFFER_PTS (buffer) = pts;
  GST_BUFFER_DTS (buffer) = dts;
  GST_BUFFER_DURATION (buffer) = duration;
  if (g_rand_int_range (random, 0, 8) == 0)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  if (g_rand_int_range (random, 0, 8) == 0)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);

  buffer = stream_pass (stream, buffer);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), pts);
  fail_unless_equals_uint64 (GST_BUFFER_DTS (buffer), dts);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (buffer), duration);
  stream_take_meta (buffer);
}

GST_START_TEST (test_random_times_and_events_harm_nothing)
{
  GRand *random = g_rand_new_with_seed (5);
  Stream stream;

  open_with_caps (&stream, NULL);
  for (guint i = 0; i < 1000; i++) {
    if (g_rand_int_range (random, 0, 5) == 0)
      push_random_event (&stream, random);
    pass_random_buffer (&stream, random);
    stream_count_messages (&stream, "vaelstmdetect", NULL);
  }

  /* and it is as good as new */
  gst_harness_push_event (stream.harness, gst_event_new_flush_start ());
  gst_harness_push_event (stream.harness, gst_event_new_flush_stop (TRUE));
  gst_harness_set_src_caps_str (stream.harness, stream_caps);
  stream.n = 0;
  fail_if (stream_run (&stream, 20, FALSE).anomalous);
  fail_unless (stream_run (&stream, 20, TRUE).anomalous);
  g_rand_free (random);
  stream_close (&stream);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_variable_frame_rate);
  tcase_add_test (tcase, test_neither_timestamps_nor_frame_rate);
  tcase_add_test (tcase, test_some_timestamps_are_missing);
  tcase_add_test (tcase, test_flush_that_keeps_the_time);
  tcase_add_loop_test (
      tcase, test_times_at_a_playback_rate, 0, G_N_ELEMENTS (rates));
  tcase_add_test (tcase, test_duration_is_that_of_the_video);
  tcase_add_loop_test (
      tcase, test_segment_of_another_format, 0, G_N_ELEMENTS (other_formats));
  tcase_add_test (tcase, test_random_times_and_events_harm_nothing);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "timing", add_tests);
}
