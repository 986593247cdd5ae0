/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The gate behind a real detector, reached by each of the ways there are. */

#include "running.h"

#define SOURCE "video/x-raw,format=I420,width=128,height=128,framerate=30/1"
#define RECORDER                                                               \
  "x264enc tune=zerolatency key-int-max=10 ! h264parse ! vaelstmgate "         \
  "name=gate ! fakesink name=sink async=false"

/* What came out. */
typedef struct {
  guint n;
  guint n_starts; /* flagged DISCONT */
  gboolean key_starts;
  guint n_opened, n_closed;
  GThread *thread; /* of the buffers */
} Outcome;

static GstPadProbeReturn
note (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  Outcome *outcome = user_data;

  outcome->thread = g_thread_self ();
  fail_unless_equals_int (outcome->n_opened, outcome->n_closed + 1);
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT)) {
    outcome->key_starts =
        !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    outcome->n_starts++;
  }
  outcome->n++;
  return GST_PAD_PROBE_OK;
}

static void
on_opened (GstElement *gate, guint event_id, guint64 start, Outcome *outcome)
{
  outcome->n_opened++;
}

static void
on_closed (GstElement *gate, guint event_id, guint64 start, guint64 end,
    Outcome *outcome)
{
  fail_unless (g_thread_self () == outcome->thread);
  outcome->n_closed++;
}

/* Everything is one segment: the anomaly starts with the first frames. */
static void
check_run (GstElement *pipeline, guint n_frames)
{
  GstElement *gate = gst_bin_get_by_name (GST_BIN (pipeline), "gate");
  Outcome outcome = {0};

  g_signal_connect (gate, "opened", G_CALLBACK (on_opened), &outcome);
  g_signal_connect (gate, "closed", G_CALLBACK (on_closed), &outcome);
  gst_object_unref (gate);
  running_probe_sink (pipeline, note, &outcome);
  running_play_to_eos (pipeline);
  fail_unless_equals_int (outcome.n, n_frames);
  fail_unless_equals_int (outcome.n_starts, 1);
  fail_unless (outcome.key_starts);
  fail_unless_equals_int (outcome.n_closed, 1);
  running_stop (pipeline);
}

GST_START_TEST (test_meta_through_an_encoder)
{
  check_run (running_launch (
                 "videotestsrc num-buffers=90 ! " SOURCE " ! %s ! " RECORDER),
      90);
}
GST_END_TEST

GST_START_TEST (test_events_without_meta)
{
  GstElement *pipeline = running_launch (
      "videotestsrc num-buffers=90 ! " SOURCE " ! %s ! " RECORDER);
  GstElement *detect = gst_bin_get_by_name (GST_BIN (pipeline), "detect");

  g_object_set (detect, "attach-meta", FALSE, NULL);
  gst_object_unref (detect);
  check_run (pipeline, 90);
}
GST_END_TEST

static void
set_detector (GstElement *pipeline)
{
  GstElement *detect = gst_bin_get_by_name (GST_BIN (pipeline), "detect");
  GstElement *gate = gst_bin_get_by_name (GST_BIN (pipeline), "gate");

  g_object_set (gate, "detector", detect, NULL);
  gst_object_unref (gate);
  gst_object_unref (detect);
}

/* The stream that is recorded does not pass the detector. */
GST_START_TEST (test_detector_in_another_branch)
{
  GstElement *pipeline = running_launch (
      "videotestsrc is-live=true num-buffers=60 ! " SOURCE " ! tee name=t "
      "t. ! queue ! %s ! fakesink async=false t. ! queue ! " RECORDER);

  set_detector (pipeline);
  check_run (pipeline, 60);
}
GST_END_TEST

/* As a file is read faster than it can be analysed; its end is not lost. */
GST_START_TEST (test_detector_that_is_slow)
{
  GstElement *pipeline = running_launch (
      "videotestsrc num-buffers=90 ! " SOURCE " ! tee name=t "
      "t. ! queue ! identity sleep-time=20000 ! %s ! fakesink async=false "
      "t. ! queue ! " RECORDER);

  set_detector (pipeline);
  check_run (pipeline, 90);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_meta_through_an_encoder);
  tcase_add_test (tcase, test_events_without_meta);
  tcase_add_test (tcase, test_detector_in_another_branch);
  tcase_add_test (tcase, test_detector_that_is_slow);
}

int
main (int argc, char **argv)
{
  return running_test_main (argc, argv, "gate-detector", add_tests);
}
