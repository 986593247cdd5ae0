/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What breaks the flow of time starts the detector afresh. */

#include "stream.h"

/* A detector in the middle of an event, with an empty bus. */
static void
open_in_event (Stream *stream)
{
  stream_open_default (stream);
  stream_run (stream, 30, FALSE);
  fail_unless (stream_run (stream, 15, TRUE).anomalous);
  stream_count_messages (stream, "vaelstmdetect", NULL);
}

/* The event ended, once, and the state was lost for `reason`. */
static void
check_interrupted (Stream *stream, const gchar *reason)
{
  GstStructure *end = stream_next_message (stream, "vaelstmdetect", NULL);
  GstStructure *state =
      stream_next_message (stream, "vaelstmdetect-state", NULL);

  fail_unless (end != NULL && state != NULL);
  fail_unless_equals_string (gst_structure_get_string (end, "event"), "end");
  fail_unless_equals_string (
      gst_structure_get_string (state, "state"), "warming-up");
  fail_unless_equals_string (
      gst_structure_get_string (state, "reason"), reason);
  gst_structure_free (end);
  gst_structure_free (state);
}

static void
check_not_interrupted (Stream *stream)
{
  GstMessage *message;

  while ((message = gst_bus_pop (stream->bus))) {
    fail_if (gst_message_has_name (message, "vaelstmdetect-state"));
    gst_message_unref (message);
  }
}

GST_START_TEST (test_discont)
{
  GstBuffer *buffer;
  Stream stream;

  open_in_event (&stream);
  buffer = stream_next_buffer (&stream, FALSE);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  fail_unless_equals_string (
      stream_take_meta (stream_pass (&stream, buffer)).state, "warming-up");
  check_interrupted (&stream, "discont");
  fail_unless_equals_string (
      stream_run (&stream, 20, FALSE).state, "detecting");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_flush)
{
  GstSegment segment;
  GstStructure *event;
  Stream stream;

  open_in_event (&stream);
  gst_harness_push_event (stream.harness, gst_event_new_flush_start ());
  gst_harness_push_event (stream.harness, gst_event_new_flush_stop (TRUE));
  check_interrupted (&stream, "flush");
  event = stream_next_event (&stream, "vaelstm-anomaly", "end");
  fail_unless (event != NULL);
  gst_structure_free (event);

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  fail_unless_equals_string (
      stream_run (&stream, 1, FALSE).state, "warming-up");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_segment_that_jumps)
{
  GstSegment segment;
  Stream stream;

  open_in_event (&stream);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = 60 * GST_SECOND;
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  check_interrupted (&stream, "segment");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_segment_of_another_rate)
{
  GstSegment segment;
  Stream stream;

  open_in_event (&stream);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = 2;
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  check_interrupted (&stream, "segment");
  stream_close (&stream);
}
GST_END_TEST

/* The next part of the same line of time, as fragmented sources announce. */
GST_START_TEST (test_segment_that_continues)
{
  GstSegment segment;
  Stream stream;

  open_in_event (&stream);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.base = stream.n * GST_SECOND / 10;
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  fail_unless (stream_run (&stream, 1, TRUE).anomalous);
  check_not_interrupted (&stream);
  stream_close (&stream);
}
GST_END_TEST

/* Where stream time is unknown, nothing says that it continues. */
GST_START_TEST (test_segment_without_stream_time)
{
  GstSegment segment;
  Stream stream;

  open_in_event (&stream);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.time = GST_CLOCK_TIME_NONE;
  for (guint i = 0; i < 2; i++) {
    gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
    check_interrupted (&stream, "segment");
    stream_run (&stream, 20, FALSE);
    fail_unless (stream_run (&stream, 15, TRUE).anomalous);
    stream_count_messages (&stream, "vaelstmdetect", NULL);
  }
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_gap_event)
{
  Stream stream;

  open_in_event (&stream);
  gst_harness_push_event (
      stream.harness, gst_event_new_gap (5 * GST_SECOND, GST_SECOND));
  check_interrupted (&stream, "gap");
  stream_close (&stream);
}
GST_END_TEST

/* Neutral pixels are not video: they pass, and are not analysed. */
GST_START_TEST (test_gap_buffer)
{
  guint64 analysed;
  GstVaeLstmAnomaly anomaly;
  GstBuffer *buffer;
  Stream stream;

  open_in_event (&stream);
  analysed = stream_stat (&stream, "analysed");
  buffer = stream_next_buffer (&stream, FALSE);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_GAP);
  anomaly = stream_take_meta (stream_pass (&stream, buffer));
  fail_unless_equals_string (anomaly.state, "warming-up");
  fail_unless_equals_uint64 (anomaly.age, GST_CLOCK_TIME_NONE);
  fail_unless_equals_uint64 (stream_stat (&stream, "analysed"), analysed);
  check_interrupted (&stream, "gap");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_new_caps)
{
  GstBuffer *buffer;
  Stream stream;

  open_in_event (&stream);
  gst_harness_set_src_caps_str (stream.harness,
      "video/x-raw,format=I420,width=64,height=48,framerate=25/1");
  check_interrupted (&stream, "caps");

  buffer = gst_buffer_new_allocate (NULL, 64 * 48 * 3 / 2, NULL);
  gst_buffer_memset (buffer, 0, 128, -1);
  GST_BUFFER_PTS (buffer) = 5 * GST_SECOND;
  fail_unless_equals_string (
      stream_take_meta (stream_pass (&stream, buffer)).state, "warming-up");
  fail_unless_equals_uint64 (stream_stat (&stream, "skipped"), 0);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_reset_signal)
{
  Stream stream;

  open_in_event (&stream);
  g_signal_emit_by_name (stream.element, "reset");
  fail_unless_equals_string (
      stream_run (&stream, 1, FALSE).state, "warming-up");
  check_interrupted (&stream, "reset");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_timestamps_that_fall_far_back)
{
  Stream stream;

  open_in_event (&stream);
  stream.n = 0;
  fail_unless_equals_string (
      stream_run (&stream, 1, FALSE).state, "warming-up");
  check_interrupted (&stream, "timestamps");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_timestamps_that_jitter)
{
  Stream stream;

  open_in_event (&stream);
  stream.n -= 3;
  fail_unless (stream_run (&stream, 5, TRUE).anomalous);
  check_not_interrupted (&stream);
  stream_close (&stream);
}
GST_END_TEST

/* Ids go on counting: two events are never taken for one. */
GST_START_TEST (test_event_after_an_interruption_has_a_new_id)
{
  GstBuffer *buffer;
  Stream stream;

  open_in_event (&stream);
  buffer = stream_next_buffer (&stream, FALSE);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_buffer_unref (stream_pass (&stream, buffer));
  stream_run (&stream, 20, FALSE);
  fail_unless_equals_int (stream_run (&stream, 15, TRUE).event_id, 2);
  stream_close (&stream);
}
GST_END_TEST

/* A file played backwards: timestamps fall, and are not taken for jumps. */
GST_START_TEST (test_reverse_playback)
{
  GstSegment segment;
  Stream stream;

  stream_open_default (&stream);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = -1;
  segment.stop = 10 * GST_SECOND;
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  for (guint i = 0; i < 50; i++) {
    stream.n = 90 - i;
    gst_buffer_unref (
        stream_pass (&stream, stream_next_buffer (&stream, FALSE)));
  }
  fail_unless_equals_uint64 (stream_stat (&stream, "analysed"), 50);
  stream.n = 40;
  fail_unless_equals_string (stream_run (&stream, 1, FALSE).state, "detecting");
  stream_close (&stream);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_discont);
  tcase_add_test (tcase, test_flush);
  tcase_add_test (tcase, test_segment_that_jumps);
  tcase_add_test (tcase, test_segment_of_another_rate);
  tcase_add_test (tcase, test_segment_that_continues);
  tcase_add_test (tcase, test_segment_without_stream_time);
  tcase_add_test (tcase, test_gap_event);
  tcase_add_test (tcase, test_gap_buffer);
  tcase_add_test (tcase, test_new_caps);
  tcase_add_test (tcase, test_reset_signal);
  tcase_add_test (tcase, test_timestamps_that_fall_far_back);
  tcase_add_test (tcase, test_timestamps_that_jitter);
  tcase_add_test (tcase, test_event_after_an_interruption_has_a_new_id);
  tcase_add_test (tcase, test_reverse_playback);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "interruptions", add_tests);
}
