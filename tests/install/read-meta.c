/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* read-meta PLUGIN-FOLDER MODEL: somebody else's program. It is compiled by the
 * script beside it, knows of vaelstm what pkg-config tells, and exits with 0
 * when each frame that passed the plugin in that folder carries a meta. */

#include <gstvaelstmmeta.h>

#include <math.h>

#define N_FRAMES 5

static void
count (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer n)
{
  GstVaeLstmAnomaly anomaly;

  if (gst_buffer_get_vaelstm_anomaly (buffer, &anomaly) &&
      isfinite (anomaly.score) && anomaly.threshold > 0)
    ++*(guint *)n;
}

/* As long as no plugin has made the name of the meta known, too. */
static gboolean
is_silent_on_other_buffers (void)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstVaeLstmAnomaly anomaly;
  gboolean ret = !gst_buffer_get_vaelstm_anomaly (buffer, &anomaly);

  gst_buffer_unref (buffer);
  return ret;
}

static gboolean
is_plugin_of (const gchar *folder)
{
  GstPlugin *plugin = gst_registry_find_plugin (gst_registry_get (), "vaelstm");
  gboolean ret;

  if (!plugin)
    return FALSE;
  ret = g_str_has_prefix (gst_plugin_get_filename (plugin), folder);
  gst_object_unref (plugin);
  return ret;
}

/* How many frames carry a meta. */
static guint
play (const gchar *model)
{
  GstElement *pipeline = gst_parse_launch (
      "videotestsrc num-buffers=" G_STRINGIFY (
          N_FRAMES) " ! "
                    "video/x-raw,width=160,height=120,framerate=10/1 ! "
                    "vaelstmdetect name=detect ! fakesink name=sink "
                    "signal-handoffs=true",
      NULL);
  GstElement *detect = gst_bin_get_by_name (GST_BIN (pipeline), "detect");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstBus *bus = gst_element_get_bus (pipeline);
  guint n = 0;

  g_object_set (detect, "model-file", model, NULL);
  g_signal_connect (sink, "handoff", G_CALLBACK (count), &n);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  gst_element_set_state (pipeline, GST_STATE_NULL);

  gst_object_unref (bus);
  gst_object_unref (sink);
  gst_object_unref (detect);
  gst_object_unref (pipeline);
  return n;
}

int
main (int argc, char **argv)
{
  guint n;

  gst_init (&argc, &argv);
  if (!is_silent_on_other_buffers ()) {
    g_printerr ("a meta where there is none\n");
    return 1;
  }
  if (argc != 3 || !is_plugin_of (argv[1])) {
    g_printerr ("no plugin vaelstm in the folder that was given\n");
    return 1;
  }
  n = play (argv[2]);
  g_print ("%u of %d frames carry a meta\n", n, N_FRAMES);
  return n != N_FRAMES;
}
