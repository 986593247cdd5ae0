/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Analysis beside the stream: what it says, and that the stream does not wait
 * for it. */

#include "stream.h"
#include "tiny-model.h"

#define FRAMES 40
#define PERIOD (GST_SECOND / TINY_RATE)
#define PATIENCE 600 /* tenths of seconds */

static void
open_model (Stream *stream, const gchar *model)
{
  GstBus *bus;
  GstElement *element = stream_make_element (
      &bus, "model-file", model, "drop-analysis", TRUE, NULL);

  stream_open (stream, NULL, element, bus);
}

/* Passes frames, with time for each to be analysed, until as many were. */
static GstVaeLstmAnomaly
run_until_analysed (Stream *stream, guint n, gboolean object)
{
  GstVaeLstmAnomaly anomaly = {0};

  for (guint i = 0; i < PATIENCE && stream_stat (stream, "analysed") < n; i++) {
    anomaly = stream_run (stream, 1, object);
    g_usleep (G_USEC_PER_SEC / 10);
  }
  fail_unless (stream_stat (stream, "analysed") >= n);
  return anomaly;
}

/* A model that takes far longer than a frame: every frame goes on at once, each
 * due one is either analysed or counted as skipped, and nothing piles up. */
GST_START_TEST (test_a_slow_model_does_not_hold_up_the_stream)
{
  gchar *slow = slow_model_make ();
  guint64 analysed, skipped;
  Stream stream;

  open_model (&stream, slow);
  stream_run (&stream, FRAMES, FALSE);
  fail_unless (gst_harness_push_event (stream.harness, gst_event_new_eos ()));
  analysed = stream_stat (&stream, "analysed");
  skipped = stream_stat (&stream, "skipped");
  fail_unless_equals_uint64 (stream_stat (&stream, "frames"), FRAMES);
  fail_unless (analysed >= 1 && analysed < FRAMES / 2,
      "%u of %u frames were waited for", (guint)analysed, FRAMES);
  fail_unless_equals_uint64 (analysed + skipped, FRAMES);

  stream_close (&stream);
  tiny_model_remove (slow);
}
GST_END_TEST

/* The values' age is the time since the very frame they are of. */
GST_START_TEST (test_age_is_true)
{
  gchar *slow = slow_model_make ();
  GstClockTime analysed;
  GstStructure *message;
  GstVaeLstmAnomaly anomaly;
  Stream stream;

  open_model (&stream, slow);
  g_object_set (stream.element, "post-messages", 2, NULL);
  anomaly = run_until_analysed (&stream, 2, FALSE);

  message = stream_next_message (&stream, "vaelstmdetect", "frame");
  fail_unless_equals_uint64 (stream_get_time (message, "timestamp"), 0);
  gst_structure_free (message);
  message = stream_next_message (&stream, "vaelstmdetect", "frame");
  analysed = stream_get_time (message, "timestamp");
  gst_structure_free (message);

  fail_unless (analysed > PERIOD, "the newest frame did not win");
  fail_unless_equals_uint64 (anomaly.age, (stream.n - 1) * PERIOD - analysed);
  anomaly = stream_run (&stream, 1, FALSE);
  fail_unless_equals_uint64 (anomaly.age, (stream.n - 1) * PERIOD - analysed);

  stream_close (&stream);
  tiny_model_remove (slow);
}
GST_END_TEST

GST_START_TEST (test_events_are_reported)
{
  GstStructure *structure;
  Stream stream;

  open_model (&stream, stream_model);
  run_until_analysed (&stream, 10, FALSE);
  fail_unless_equals_uint64 (stream_stat (&stream, "events"), 0);

  run_until_analysed (&stream, 25, TRUE);
  structure = stream_next_event (&stream, "vaelstm-anomaly", "start");
  fail_unless (structure != NULL);
  gst_structure_free (structure);

  fail_unless (gst_harness_push_event (stream.harness, gst_event_new_eos ()));
  structure = stream_next_event (&stream, "vaelstm-anomaly", "end");
  fail_unless (structure != NULL);
  gst_structure_free (structure);
  fail_unless_equals_int (
      stream_count_messages (&stream, "vaelstmdetect", "start"), 1);
  stream_close (&stream);
}
GST_END_TEST

/* An interruption does not wait for the analysis that is on, and its result
 * counts no more. */
GST_START_TEST (test_interruptions_void_what_is_under_way)
{
  gchar *slow = slow_model_make ();
  GstBuffer *buffer;
  Stream stream;

  open_model (&stream, slow);
  stream_run (&stream, 3, FALSE);
  buffer = stream_next_buffer (&stream, FALSE);
  GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  fail_unless_equals_uint64 (
      stream_take_meta (stream_pass (&stream, buffer)).age,
      GST_CLOCK_TIME_NONE);

  /* The first picture's result came to nothing; the next one is after it. */
  run_until_analysed (&stream, 1, FALSE);
  fail_unless (stream_stat (&stream, "skipped") >= 3);
  stream_close (&stream);
  tiny_model_remove (slow);
}
GST_END_TEST

GST_START_TEST (test_changes_while_an_analysis_is_on)
{
  gchar *slow = slow_model_make ();
  Stream stream;

  open_model (&stream, slow);
  stream_run (&stream, 2, FALSE);
  g_object_set (stream.element, "threshold", 5.0, "analysis-rate", 5, 1,
      "exclude", "0,0,0.5,0.5", NULL);
  stream_run (&stream, 2, FALSE);
  gst_harness_set_src_caps_str (stream.harness,
      "video/x-raw,format=BGR,width=128,height=128,framerate=10/1");
  stream_run (&stream, 2, FALSE);
  g_signal_emit_by_name (stream.element, "reset");
  stream_run (&stream, 2, FALSE);
  gst_harness_push_event (stream.harness, gst_event_new_flush_start ());
  gst_harness_push_event (stream.harness, gst_event_new_flush_stop (TRUE));
  stream_close (&stream);
  tiny_model_remove (slow);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_a_slow_model_does_not_hold_up_the_stream);
  tcase_add_test (tcase, test_age_is_true);
  tcase_add_test (tcase, test_events_are_reported);
  tcase_add_test (tcase, test_interruptions_void_what_is_under_way);
  tcase_add_test (tcase, test_changes_while_an_analysis_is_on);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "drop-analysis", add_tests);
}
