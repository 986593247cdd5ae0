/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The element in whole pipelines. */

#include "running.h"

#include <string.h>

#include "gstvaelstmmeta.h"

#define SOURCE                                                                 \
  "videotestsrc num-buffers=30 ! video/x-raw,width=160,height=120,"            \
  "framerate=10/1 "

GST_START_TEST (test_to_eos)
{
  GstElement *pipeline = running_launch (SOURCE "! %s ! fakesink");

  running_play_to_eos (pipeline);
  fail_unless_equals_uint64 (running_frames_seen (pipeline), 30);
  running_stop (pipeline);
}
GST_END_TEST

/* On the bus: a start, its end, and only then EOS. */
GST_START_TEST (test_event_ends_before_eos)
{
  GstElement *pipeline = running_launch (SOURCE "! %s ! fakesink");
  GString *story = g_string_new (NULL);
  gboolean eos = FALSE;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!eos) {
    GstMessage *message =
        running_wait_for (pipeline, GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS);
    const GstStructure *structure = gst_message_get_structure (message);

    if (gst_message_has_name (message, "vaelstmdetect"))
      g_string_append_printf (
          story, "%s ", gst_structure_get_string (structure, "event"));
    eos = GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
    gst_message_unref (message);
  }
  fail_unless_equals_string (story->str, "start update update end ");
  g_string_free (story, TRUE);
  running_stop (pipeline);
}
GST_END_TEST

/* Two detectors, one model, at once. */
GST_START_TEST (test_two_detectors)
{
  GstElement *pipeline = running_launch (
      SOURCE "! tee name=t ! queue ! %s ! fakesink  t. ! queue ! "
             "vaelstmdetect name=other ! fakesink");
  GstElement *other = gst_bin_get_by_name (GST_BIN (pipeline), "other");

  g_object_set (other, "model-file", running_model, NULL);
  gst_object_unref (other);
  running_play_to_eos (pipeline);
  fail_unless_equals_uint64 (running_frames_seen (pipeline), 30);
  running_stop (pipeline);
}
GST_END_TEST

GST_START_TEST (test_seeks)
{
  GstElement *pipeline =
      running_launch ("videotestsrc num-buffers=100000 ! video/x-raw,width=160,"
                      "height=120,framerate=10/1 ! %s ! fakesink");
  GRand *random = g_rand_new_with_seed (1);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_ASYNC_DONE));
  for (guint i = 0; i < 15; i++) {
    gint64 start = g_rand_int_range (random, 0, 3600) * GST_SECOND;

    fail_unless (gst_element_seek_simple (
        pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, start));
    gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_ASYNC_DONE));
  }
  /* Backwards, then a piece to its end. */
  fail_unless (
      gst_element_seek (pipeline, -1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, 0, GST_SEEK_TYPE_SET, 2 * GST_SECOND));
  gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_EOS));
  fail_unless (
      gst_element_seek (pipeline, 2, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
          GST_SEEK_TYPE_SET, GST_SECOND, GST_SEEK_TYPE_SET, 3 * GST_SECOND));
  gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_EOS));
  g_rand_free (random);
  running_stop (pipeline);
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
  GstElement *pipeline = running_launch (line);
  guint n = 0;

  running_probe_sink (pipeline, count_metas, &n);
  running_play_to_eos (pipeline);
  running_stop (pipeline);
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
  GstElement *pipeline = running_launch (
      "fakesrc num-buffers=5 ! %s attach-meta=false ! fakesink");

  running_play_to_eos (pipeline);
  fail_unless_equals_uint64 (running_frames_seen (pipeline), 5);
  running_stop (pipeline);
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
    GstElement *pipeline =
        running_launch ("videotestsrc ! %s ! fakesink sync=true");

    gst_element_set_state (pipeline, GST_STATE_PLAYING);
    gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_ASYNC_DONE));
    running_stop (pipeline);
  }
}
GST_END_TEST

GST_START_TEST (test_missing_model_is_an_error_not_a_hang)
{
  GstElement *pipeline = running_launch (
      SOURCE "! vaelstmdetect mode=detect model-file=/nowhere ! fakesink");
  GstMessage *message;
  GError *error;

  fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);
  message = running_wait_for (pipeline, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (strstr (error->message, "/nowhere") != NULL);
  g_error_free (error);
  gst_message_unref (message);
  running_stop (pipeline);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_to_eos);
  tcase_add_test (tcase, test_event_ends_before_eos);
  tcase_add_test (tcase, test_two_detectors);
  tcase_add_test (tcase, test_seeks);
  tcase_add_test (tcase, test_meta_survives_conversion);
  tcase_add_test (tcase, test_meta_survives_encoding);
  tcase_add_test (tcase, test_passthrough_of_buffers_without_caps);
  tcase_add_test (tcase, test_other_memory_is_refused_at_negotiation);
  tcase_add_test (tcase, test_stop_in_mid_stream);
  tcase_add_test (tcase, test_missing_model_is_an_error_not_a_hang);
}

int
main (int argc, char **argv)
{
  return running_test_main (argc, argv, "pipelines", add_tests);
}
