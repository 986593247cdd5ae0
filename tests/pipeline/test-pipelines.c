/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element in whole pipelines. To the tiny model every test pattern is an
 * anomaly, so that each run has an event from its first frames to its end. */

#include <gst/check/gstcheck.h>
#include <string.h>

#include "gstvaelstmmeta.h"
#include "tiny-model.h"

#define PATIENCE (30 * GST_SECOND) /* for anything to happen at all */
#define SOURCE                                                                 \
  "videotestsrc num-buffers=30 ! video/x-raw,width=160,height=120,"            \
  "framerate=10/1 "

static gchar *model;

/* A launch line in which %s stands for the detector with its model. */
static GstElement *
launch (const gchar *format)
{
  gchar *detector =
      g_strdup_printf ("vaelstmdetect name=detect model-file=\"%s\"", model);
  gchar **parts = g_strsplit (format, "%s", -1);
  gchar *line = g_strjoinv (detector, parts);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);

  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  g_free (line);
  g_strfreev (parts);
  g_free (detector);
  return pipeline;
}

static GstMessage *
wait_for (GstElement *pipeline, GstMessageType type)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message =
      gst_bus_timed_pop_filtered (bus, PATIENCE, type | GST_MESSAGE_ERROR);

  fail_unless (message != NULL, "nothing happened");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR &&
      !(type & GST_MESSAGE_ERROR)) {
    GError *error;

    gst_message_parse_error (message, &error, NULL);
    fail ("%s", error->message);
  }
  gst_object_unref (bus);
  return message;
}

static void
stop (GstElement *pipeline)
{
  fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  gst_object_unref (pipeline);
}

static void
play_to_eos (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (wait_for (pipeline, GST_MESSAGE_EOS));
}

static guint64
frames_seen (GstElement *pipeline)
{
  GstElement *detect = gst_bin_get_by_name (GST_BIN (pipeline), "detect");
  GstStructure *stats;
  guint64 frames = 0;

  g_object_get (detect, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "frames", &frames);
  gst_structure_free (stats);
  gst_object_unref (detect);
  return frames;
}

GST_START_TEST (test_to_eos)
{
  GstElement *pipeline = launch (SOURCE "! %s ! fakesink");

  play_to_eos (pipeline);
  fail_unless_equals_uint64 (frames_seen (pipeline), 30);
  stop (pipeline);
}
GST_END_TEST

GST_START_TEST (test_live)
{
  GstElement *pipeline = launch ("videotestsrc is-live=true num-buffers=10 ! "
                                 "video/x-raw,framerate=20/1 ! %s ! fakesink "
                                 "sync=true");

  play_to_eos (pipeline);
  fail_unless_equals_uint64 (frames_seen (pipeline), 10);
  stop (pipeline);
}
GST_END_TEST

/* On the bus: a start, its end, and only then EOS. */
GST_START_TEST (test_event_ends_before_eos)
{
  GstElement *pipeline = launch (SOURCE "! %s ! fakesink");
  GString *story = g_string_new (NULL);
  gboolean eos = FALSE;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!eos) {
    GstMessage *message =
        wait_for (pipeline, GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS);
    const GstStructure *structure = gst_message_get_structure (message);

    if (gst_message_has_name (message, "vaelstmdetect"))
      g_string_append_printf (
          story, "%s ", gst_structure_get_string (structure, "event"));
    eos = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
    gst_message_unref (message);
  }
  fail_unless_equals_string (story->str, "start update update end ");
  g_string_free (story, TRUE);
  stop (pipeline);
}
GST_END_TEST

GST_START_TEST (test_tee_with_two_branches)
{
  GstElement *pipeline = launch (
      SOURCE "! tee name=t ! queue ! %s ! fakesink  t. ! queue ! fakesink");

  play_to_eos (pipeline);
  fail_unless_equals_uint64 (frames_seen (pipeline), 30);
  stop (pipeline);
}
GST_END_TEST

/* Two detectors, one model, at once. */
GST_START_TEST (test_two_detectors)
{
  GstElement *pipeline =
      launch (SOURCE "! tee name=t ! queue ! %s ! fakesink  t. ! queue ! "
                     "vaelstmdetect name=other ! fakesink");
  GstElement *other = gst_bin_get_by_name (GST_BIN (pipeline), "other");

  g_object_set (other, "model-file", model, NULL);
  gst_object_unref (other);
  play_to_eos (pipeline);
  fail_unless_equals_uint64 (frames_seen (pipeline), 30);
  stop (pipeline);
}
GST_END_TEST

GST_START_TEST (test_seeks)
{
  GstElement *pipeline =
      launch ("videotestsrc num-buffers=100000 ! video/x-raw,width=160,"
              "height=120,framerate=10/1 ! %s ! fakesink");
  GRand *random = g_rand_new_with_seed (1);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (wait_for (pipeline, GST_MESSAGE_ASYNC_DONE));
  for (guint i = 0; i < 15; i++) {
    gint64 start = g_rand_int_range (random, 0, 3600) * GST_SECOND;

    fail_unless (gst_element_seek_simple (
        pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, start));
    gst_message_unref (wait_for (pipeline, GST_MESSAGE_ASYNC_DONE));
  }
  /* Backwards, then a piece to its end. */
  fail_unless (
      gst_element_seek (pipeline, -1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET, 2 * GST_SECOND));
  gst_message_unref (wait_for (pipeline, GST_MESSAGE_EOS));
  fail_unless (
      gst_element_seek (pipeline, 2, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, GST_SECOND, GST_SEEK_TYPE_SET, 3 * GST_SECOND));
  gst_message_unref (wait_for (pipeline, GST_MESSAGE_EOS));
  g_rand_free (random);
  stop (pipeline);
}
GST_END_TEST

/* Every caps in turn is negotiated while frames flow. */
GST_START_TEST (test_renegotiation)
{
  static const gchar *const caps[] = {
      "video/x-raw,format=NV12,width=320,height=240",
      "video/x-raw,format=BGRx,width=33,height=17",
      "video/x-raw,format=YUY2,width=640,height=360"};
  GstElement *pipeline =
      launch ("videotestsrc ! capsfilter name=caps caps=video/x-raw,"
              "format=I420,width=160,height=120 ! %s ! fakesink name=sink");
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "caps");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (wait_for (pipeline, GST_MESSAGE_ASYNC_DONE));
  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    GstCaps *wanted = gst_caps_from_string (caps[i]);
    gboolean arrived = FALSE;

    g_object_set (filter, "caps", wanted, NULL);
    for (guint wait = 0; wait < 500 && !arrived; wait++) {
      GstCaps *now = gst_pad_get_current_caps (pad);

      arrived = now && gst_caps_is_subset (now, wanted);
      gst_clear_caps (&now);
      g_usleep (10000);
    }
    fail_unless (arrived, "%s never arrived", caps[i]);
    gst_caps_unref (wanted);
  }
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (filter);
  stop (pipeline);
}
GST_END_TEST

static GstPadProbeReturn
count_metas (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstVaeLstmAnomaly anomaly;

  if (gst_buffer_get_vaelstm_anomaly (
          GST_PAD_PROBE_INFO_BUFFER (info), &anomaly))
    (*(guint *)user_data)++;
  return GST_PAD_PROBE_OK;
}

/* Of the source's 30 frames, how many carry the meta at the end. */
static guint
metas_at_the_end (const gchar *line)
{
  GstElement *pipeline = launch (line);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  guint n = 0;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_metas, &n, NULL);
  play_to_eos (pipeline);
  gst_object_unref (pad);
  gst_object_unref (sink);
  stop (pipeline);
  return n;
}

GST_START_TEST (test_meta_survives_conversion)
{
  fail_unless_equals_int (
      metas_at_the_end (
          SOURCE "! %s ! videoconvert ! video/x-raw,format=BGRx ! videoscale ! "
                 "video/x-raw,width=64,height=48 ! videocrop left=8 ! queue ! "
                 "fakesink name=sink"),
      30);
}
GST_END_TEST

static gboolean
exists (const gchar *factory)
{
  GstElementFactory *found = gst_element_factory_find (factory);

  gst_clear_object (&found);
  return found != NULL;
}

GST_START_TEST (test_meta_survives_encoding)
{
  if (exists ("jpegenc"))
    fail_unless_equals_int (
        metas_at_the_end (SOURCE "! %s ! jpegenc ! fakesink name=sink"), 30);
  if (exists ("x264enc") && exists ("h264parse"))
    fail_unless_equals_int (
        metas_at_the_end (SOURCE "! %s ! x264enc speed-preset=ultrafast ! "
                                 "h264parse ! fakesink name=sink"),
        30);
}
GST_END_TEST

/* What is no video cannot be analysed, and is let through. */
GST_START_TEST (test_passthrough_of_buffers_without_caps)
{
  GstElement *pipeline =
      launch ("fakesrc num-buffers=5 ! %s attach-meta=false ! fakesink");

  play_to_eos (pipeline);
  fail_unless_equals_uint64 (frames_seen (pipeline), 5);
  stop (pipeline);
}
GST_END_TEST

GST_START_TEST (test_other_memory_is_refused_at_negotiation)
{
  GstElement *detect = gst_element_factory_make ("vaelstmdetect", NULL);
  GstPad *pad = gst_element_get_static_pad (detect, "sink");
  GstCaps *gl = gst_caps_from_string (
      "video/x-raw(memory:GLMemory),format=RGBA,width=64,height=64");

  fail_if (gst_pad_query_accept_caps (pad, gl));
  gst_caps_unref (gl);
  gst_object_unref (pad);
  gst_object_unref (detect);
}
GST_END_TEST

GST_START_TEST (test_stop_in_mid_stream)
{
  for (guint i = 0; i < 5; i++) {
    GstElement *pipeline = launch ("videotestsrc ! %s ! fakesink sync=true");

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    gst_message_unref (wait_for (pipeline, GST_MESSAGE_ASYNC_DONE));
    stop (pipeline);
  }
}
GST_END_TEST

GST_START_TEST (test_missing_model_is_an_error_not_a_hang)
{
  GstElement *pipeline = launch (
      SOURCE "! vaelstmdetect mode=detect model-file=/nowhere ! fakesink");
  GstMessage *message;
  GError *error;

  fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  message = wait_for (pipeline, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "/nowhere") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  stop (pipeline);
}
GST_END_TEST

static Suite *
pipelines_suite (void)
{
  Suite *suite = suite_create ("pipelines");
  TCase *tcase = tcase_create ("pipelines");

  tcase_add_test (tcase, test_to_eos);
  tcase_add_test (tcase, test_live);
  tcase_add_test (tcase, test_event_ends_before_eos);
  tcase_add_test (tcase, test_tee_with_two_branches);
  tcase_add_test (tcase, test_two_detectors);
  tcase_add_test (tcase, test_seeks);
  tcase_add_test (tcase, test_renegotiation);
  tcase_add_test (tcase, test_meta_survives_conversion);
  tcase_add_test (tcase, test_meta_survives_encoding);
  tcase_add_test (tcase, test_passthrough_of_buffers_without_caps);
  tcase_add_test (tcase, test_other_memory_is_refused_at_negotiation);
  tcase_add_test (tcase, test_stop_in_mid_stream);
  tcase_add_test (tcase, test_missing_model_is_an_error_not_a_hang);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  int failed;

  gst_check_init (&argc, &argv);
  model = tiny_model_make ();
  failed = gst_check_run_suite (pipelines_suite (), "pipelines", __FILE__);
  tiny_model_remove (model);
  return failed != 0;
}
