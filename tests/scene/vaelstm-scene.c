/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* vaelstm-scene: writes the generated scene as a video (MJPEG in Matroska) and
 * its truth as a table of labels. */

#include "scene.h"

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2

#define DEFAULT_WIDTH 320
#define DEFAULT_HEIGHT 240

typedef struct {
  char *out, *labels, *visits, *size;
  int frames, seed, rate;
  double noise;
  gboolean normal;
  guint width, height; /* what size says */
} Options;

/* ---- options ------------------------------------------------------------ */

static gboolean
parse_size (Options *options, GError **error)
{
  char end;

  if (!options->size)
    return TRUE;
  if (sscanf (options->size, "%ux%u%c", &options->width, &options->height,
          &end) == 2 &&
      options->width >= VL_SCENE_MIN_SIDE &&
      options->width <= VL_SCENE_MAX_SIDE &&
      options->height >= VL_SCENE_MIN_SIDE &&
      options->height <= VL_SCENE_MAX_SIDE)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
      "--size %s: expected WIDTHxHEIGHT, each %d to %d", options->size,
      VL_SCENE_MIN_SIDE, VL_SCENE_MAX_SIDE);
  return FALSE;
}

static gboolean
check_options (Options *options, GError **error)
{
  const char *problem = NULL;

  if (!options->out)
    problem = "--out FILE.mkv is missing";
  else if (options->frames < 1)
    problem = "--frames: expected 1 or more";
  else if (options->rate < 1 || options->rate > 1000)
    problem = "--rate: expected 1 to 1000";
  else if (!(options->noise >= 0 && options->noise <= 64))
    problem = "--noise: expected 0 to 64";
  else if (options->normal && options->visits)
    problem = "--normal and --visits exclude each other";
  if (!problem)
    return parse_size (options, error);
  g_set_error_literal (
      error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, problem);
  return FALSE;
}

static gboolean
parse_options (Options *options, int *argc, char ***argv, GError **error)
{
  GOptionEntry entries[] = {
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &options->out,
          "Video to write (Matroska)", "FILE.mkv"},
      {"labels", 0, 0, G_OPTION_ARG_FILENAME, &options->labels,
          "Table of labels to write", "FILE.csv"},
      {"frames", 0, 0, G_OPTION_ARG_INT, &options->frames,
          "Length in frames (600)", "N"},
      {"rate", 0, 0, G_OPTION_ARG_INT, &options->rate, "Frames per second (10)",
          "N"},
      {"size", 0, 0, G_OPTION_ARG_STRING, &options->size,
          "Size in pixels (320x240)", "WxH"},
      {"seed", 0, 0, G_OPTION_ARG_INT, &options->seed,
          "What chance does; the same seed gives the same frames (1)", "N"},
      {"noise", 0, 0, G_OPTION_ARG_DOUBLE, &options->noise,
          "Standard deviation of the sensor noise, of 255 (2.5)", "S"},
      {"normal", 0, 0, G_OPTION_ARG_NONE, &options->normal, "Nobody comes",
          NULL},
      {"visits", 0, 0, G_OPTION_ARG_STRING, &options->visits,
          "When somebody comes (two visits); a frame range may end in :left or "
          ":right",
          "FIRST:LAST,..."},
      {NULL}};
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (
      context, "Writes a generated scene and its truth.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
        "%s: unexpected argument", (*argv)[1]);
    return FALSE;
  }
  return check_options (options, error);
}

/* ---- visits ------------------------------------------------------------- */

/* "FIRST:LAST", "FIRST:LAST:left" or "FIRST:LAST:right". */
static gboolean
parse_visit (const char *text, VlVisit *visit)
{
  char edge[6] = "", end;
  int n =
      sscanf (text, "%u:%u:%5[a-z]%c", &visit->first, &visit->last, edge, &end);

  if (n == 3 && g_str_equal (edge, "left"))
    visit->edge = VL_EDGE_LEFT;
  else if (n == 3 && g_str_equal (edge, "right"))
    visit->edge = VL_EDGE_RIGHT;
  else if (n != 2 || strchr (text, ':') != strrchr (text, ':'))
    return FALSE;
  return visit->first <= visit->last;
}

/* Visits take turns at the edges unless the user says which. */
static gboolean
add_given_visits (VlScene *scene, const char *text, GError **error)
{
  g_auto (GStrv) ranges = g_strsplit (text, ",", -1);

  for (guint i = 0; ranges[i]; i++) {
    VlVisit visit = {.edge = i % 2 ? VL_EDGE_RIGHT : VL_EDGE_LEFT};

    if (!parse_visit (ranges[i], &visit)) {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
          "--visits %s: expected FIRST:LAST, or FIRST:LAST:left or :right",
          ranges[i]);
      return FALSE;
    }
    vl_scene_add_visit (scene, &visit);
  }
  return TRUE;
}

static void
add_two_visits (VlScene *scene, guint frames)
{
  VlVisit left = {frames * 0.2, frames * 0.45, VL_EDGE_LEFT};
  VlVisit right = {frames * 0.6, frames * 0.85, VL_EDGE_RIGHT};

  vl_scene_add_visit (scene, &left);
  vl_scene_add_visit (scene, &right);
}

static VlScene *
build_scene (const Options *options, GError **error)
{
  g_autoptr (VlScene) scene =
      vl_scene_new (options->seed, options->width, options->height);

  vl_scene_set_rate (scene, options->rate);
  vl_scene_set_noise (scene, options->noise);
  if (options->visits) {
    if (!add_given_visits (scene, options->visits, error))
      return NULL;
  } else if (!options->normal) {
    add_two_visits (scene, options->frames);
  }
  return g_steal_pointer (&scene);
}

/* ---- video -------------------------------------------------------------- */

static GstElement *
build_pipeline (const Options *options, GError **error)
{
  GstElement *pipeline = gst_parse_launch (
      "appsrc name=source format=time max-bytes=8000000 block=true ! "
      "videoconvert ! video/x-raw,format=I420 ! jpegenc quality=95 ! "
      "matroskamux ! filesink name=sink",
      error);
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-raw", "format",
      G_TYPE_STRING, "RGB", "width", G_TYPE_INT, options->width, "height",
      G_TYPE_INT, options->height, "framerate", GST_TYPE_FRACTION,
      options->rate, 1, NULL);

  if (!pipeline)
    return NULL;
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (source, "caps", caps, NULL);
  g_object_set (sink, "location", options->out, NULL);
  return pipeline;
}

/* Packed rows, padded to the 4 bytes GStreamer's RGB wants. */
static GstBuffer *
frame_buffer_new (const guint8 *rgb, const Options *options, guint frame)
{
  gsize packed = options->width * 3, stride = GST_ROUND_UP_4 (packed);
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, stride * options->height, NULL);

  for (guint y = 0; y < options->height; y++)
    gst_buffer_fill (buffer, y * stride, rgb + y * packed, packed);
  GST_BUFFER_PTS (buffer) =
      gst_util_uint64_scale (frame, GST_SECOND, options->rate);
  GST_BUFFER_DURATION (buffer) =
      gst_util_uint64_scale (1, GST_SECOND, options->rate);
  return buffer;
}

/* Adds a row for each stretch of frames that show somebody. */
static void
label_frame (GString *labels, const char *clip, gint64 *since, guint frame,
    gboolean seen)
{
  if (seen && *since < 0)
    *since = frame;
  if (!seen && *since >= 0) {
    g_string_append_printf (labels, "%s,%" G_GINT64_FORMAT ",%u,anomaly\n",
        clip, *since, frame - 1);
    *since = -1;
  }
}

/* Draws every frame into the source; labels receives the truth. */
static void
push_frames (
    VlScene *scene, GstAppSrc *source, const Options *options, GString *labels)
{
  g_autofree guint8 *rgb = g_malloc (3 * options->width * options->height);
  g_autofree char *clip = g_path_get_basename (options->out);
  gint64 since = -1;
  guint frame;

  for (frame = 0; frame < (guint)options->frames; frame++) {
    gboolean seen = vl_scene_draw (scene, frame, TRUE, rgb);

    label_frame (labels, clip, &since, frame, seen);
    if (gst_app_src_push_buffer (
            source, frame_buffer_new (rgb, options, frame)) != GST_FLOW_OK)
      return;
  }
  label_frame (labels, clip, &since, frame, FALSE);
  gst_app_src_end_of_stream (source);
}

/* Waits until the file is complete. */
static gboolean
await_end (GstElement *pipeline, GError **error)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    return TRUE;
  gst_message_parse_error (message, error, NULL);
  return FALSE;
}

static gboolean
write_video (
    VlScene *scene, const Options *options, GString *labels, GError **error)
{
  GstElement *pipeline = build_pipeline (options, error);
  g_autoptr (GstElement) source = NULL;
  gboolean written;

  if (!pipeline)
    return FALSE;
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  if (gst_element_set_state (pipeline, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE)
    push_frames (scene, GST_APP_SRC (source), options, labels);
  written = await_end (pipeline, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return written;
}

static gboolean
write_labels (const Options *options, const GString *labels, GError **error)
{
  return !options->labels || g_file_set_contents (options->labels, labels->str,
                                 (gssize)labels->len, error);
}

static int
fail (const GError *error, int status)
{
  g_printerr ("vaelstm-scene: %s\n", error->message);
  return status;
}

int
main (int argc, char **argv)
{
  Options options = {.frames = 600,
      .seed = 1,
      .rate = VL_SCENE_RATE,
      .noise = VL_SCENE_NOISE,
      .width = DEFAULT_WIDTH,
      .height = DEFAULT_HEIGHT};
  g_autoptr (GError) error = NULL;
  g_autoptr (VlScene) scene = NULL;
  g_autoptr (GString) labels = g_string_new ("clip,first,last,label\n");
  int status = EXIT_SUCCESS;

  if (!parse_options (&options, &argc, &argv, &error) ||
      !(scene = build_scene (&options, &error)))
    status = fail (error, EXIT_USAGE);
  else if (!gst_init_check (NULL, NULL, &error) ||
           !write_video (scene, &options, labels, &error) ||
           !write_labels (&options, labels, &error))
    status = fail (error, EXIT_FAILURE);
  g_free (options.out);
  g_free (options.labels);
  g_free (options.visits);
  g_free (options.size);
  return status;
}
