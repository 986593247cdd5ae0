/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-leaks.h"

#include <string.h>

#include "plugin-pipeline.h"

#define CHILD "--run-for-leaks"

/* ---- in the child: short lives ---- */

static void
make_for_nothing (const gchar *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  gst_object_unref (gst_object_ref_sink (element));
}

static void
play (const gchar *factory, const gchar *model, gint n_buffers)
{
  GstElement *pipeline = plugin_pipeline_new (factory, model, n_buffers, NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      n_buffers < 0 ? GST_MESSAGE_ANY : GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert (n_buffers < 0 || GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}

/* Where the element wants a model, an empty file is none. */
static void
fail_to_start (const gchar *factory)
{
  GstElement *element = plugin_element_new (factory, NULL, "/dev/null");

  gst_element_set_state (element, GST_STATE_PLAYING);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (gst_object_ref_sink (element));
}

/* ---- in the child: a life with learning ---- */

static gboolean
can_learn (const gchar *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);
  gboolean can = g_object_class_find_property (
                     G_OBJECT_GET_CLASS (element), "learn-duration") != NULL;

  gst_object_unref (gst_object_ref_sink (element));
  return can;
}

static GstElement *
make_learner (const gchar *factory)
{
  gchar *line = g_strdup_printf (
      "videotestsrc ! video/x-raw,format=I420,width=64,height=48,"
      "framerate=10/1 ! identity sleep-time=5000 ! %s name=tested "
      "learn-duration=1 training-budget=1000000000 ! fakesink async=false",
      factory);
  GstElement *pipeline = gst_parse_launch (line, NULL);

  g_assert (pipeline);
  g_free (line);
  return pipeline;
}

static void
wait_for_state (GstElement *pipeline, const gchar *state)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  gboolean reached = FALSE;

  while (!reached) {
    GstMessage *message = gst_bus_timed_pop_filtered (
        bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_ELEMENT);
    const GstStructure *structure = gst_message_get_structure (message);

    reached =
        g_strcmp0 (gst_structure_get_string (structure, "state"), state) == 0;
    gst_message_unref (message);
  }
  gst_object_unref (bus);
}

/* Learns, learns anew, and is stopped while it trains a third time. */
static void
learn (const gchar *factory)
{
  GstElement *pipeline = make_learner (factory);
  GstElement *tested = gst_bin_get_by_name (GST_BIN (pipeline), "tested");

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_for_state (pipeline, "detecting");
  g_signal_emit_by_name (tested, "relearn");
  wait_for_state (pipeline, "learning");
  wait_for_state (pipeline, "detecting");
  g_signal_emit_by_name (tested, "relearn");
  wait_for_state (pipeline, "training");
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (tested);
  gst_object_unref (pipeline);
}

/* ---- the child itself ---- */

gboolean
plugin_leaks_is_child (int argc, char **argv)
{
  return argc == 4 && g_str_equal (argv[1], CHILD);
}

int
plugin_leaks_child_main (int argc, char **argv)
{
  const gchar *factory = argv[2], *model = argv[3];

  gst_init (NULL, NULL);
  if (g_str_equal (factory, PLUGIN_LEAKS_ON_PURPOSE)) {
    gst_element_factory_make ("identity", "leaked");
  } else {
    make_for_nothing (factory);
    fail_to_start (factory);
    play (factory, model, -1);
    play (factory, model, 20);
    play (factory, NULL, 20);
    if (can_learn (factory))
      learn (factory);
  }
  gst_deinit ();
  return 0;
}

/* ---- in the test ---- */

static gchar *
lines_of_leaks (const gchar *log)
{
  GString *leaks = g_string_new (NULL);
  gchar **lines = g_strsplit (log, "\n", -1);

  for (guint i = 0; lines[i]; i++)
    if (strstr (lines[i], ":: object-alive,"))
      g_string_append_printf (leaks, "%s\n", lines[i]);
  g_strfreev (lines);
  return g_string_free (leaks, leaks->len == 0);
}

gchar *
plugin_leaks_report (
    const gchar *program, const gchar *factory, const gchar *model)
{
  const gchar *argv[] = {program, CHILD, factory, model, NULL};
  gchar **envp = g_get_environ ();
  GError *error = NULL;
  gchar *log, *leaks;
  gint status;

  envp = g_environ_setenv (envp, "GST_TRACERS", "leaks", TRUE);
  envp = g_environ_setenv (envp, "GST_DEBUG", "GST_TRACER:7", TRUE);
  envp = g_environ_setenv (envp, "GST_DEBUG_NO_COLOR", "1", TRUE);
  envp = g_environ_unsetenv (envp, "GST_DEBUG_FILE");
  /* a sanitizer's own report of leaks is for the other tests */
  envp = g_environ_setenv (envp, "ASAN_OPTIONS", "detect_leaks=0", TRUE);
  if (!g_spawn_sync (NULL, (gchar **)argv, envp, G_SPAWN_SEARCH_PATH, NULL,
          NULL, NULL, &log, &status, &error) ||
      !g_spawn_check_wait_status (status, &error))
    g_error ("%s %s: %s", program, CHILD, error->message);

  leaks = lines_of_leaks (log);
  g_strfreev (envp);
  g_free (log);
  return leaks;
}
