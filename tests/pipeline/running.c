/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "running.h"

#include "tiny-model.h"

#define PATIENCE (30 * GST_SECOND) /* for anything to happen at all */

gchar *running_model;

GstElement *
running_launch (const gchar *format)
{
  gchar *detector = g_strdup_printf (
      "vaelstmdetect name=detect model-file=\"%s\"", running_model);
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

GstMessage *
running_wait_for (GstElement *pipeline, GstMessageType type)
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

void
running_stop (GstElement *pipeline)
{
  fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  gst_object_unref (pipeline);
}

void
running_play_to_eos (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_EOS));
}

guint64
running_frames_seen (GstElement *pipeline)
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

GstPad *
running_get_pad (
    GstElement *pipeline, const gchar *element, const gchar *pad_name)
{
  GstElement *found = gst_bin_get_by_name (GST_BIN (pipeline), element);
  GstPad *pad = gst_element_get_static_pad (found, pad_name);

  gst_object_unref (found);
  return pad;
}

void
running_probe_sink (
    GstElement *pipeline, GstPadProbeCallback callback, gpointer user_data)
{
  GstPad *pad = running_get_pad (pipeline, "sink", "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, callback, user_data, NULL);
  gst_object_unref (pad);
}

static GstPadProbeReturn
count_frame (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  g_atomic_int_inc ((gint *)n);
  return GST_PAD_PROBE_OK;
}

void
running_count_at_sink (GstElement *pipeline, gint *n)
{
  running_probe_sink (pipeline, count_frame, n);
}

void
running_wait_until (const gint *atomic_counter, gint n)
{
  gint64 patience = g_get_monotonic_time () + GST_TIME_AS_USECONDS (PATIENCE);

  while (g_atomic_int_get (atomic_counter) < n) {
    fail_if (g_get_monotonic_time () > patience, "nothing happened");
    g_usleep (1000);
  }
}

int
running_test_main (
    int argc, char **argv, const gchar *name, void (*add_tests) (TCase *))
{
  Suite *suite = suite_create (name);
  TCase *tcase = tcase_create (name);
  int failed;

  gst_check_init (&argc, &argv);
  running_model = tiny_model_make ();

  add_tests (tcase);
  suite_add_tcase (suite, tcase);
  failed = gst_check_run_suite (suite, name, __FILE__);

  tiny_model_remove (running_model);
  return failed != 0;
}
