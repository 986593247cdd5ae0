/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "numbered.h"

#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/check/gstcheck.h>

#include "gstvaelstmmeta.h"

/* The number's bits are squares, black or white. */
#define SQUARE 16
#define SQUARES 4 /* in a row, and rows */
#define SIDE (SQUARE * SQUARES)

#define PATIENCE (60 * GST_SECOND) /* for anything to happen at all */

/* Of sound. */
#define SAMPLE_RATE NUMBERED_SAMPLE_RATE
#define SAMPLES (SAMPLE_RATE / NUMBERED_RATE) /* in a buffer */
#define TICK (SAMPLES / 5)                    /* samples */
#define LOUD (G_MAXINT16 / 8)
#define SILENCE (GST_SECOND / 4) /* before it becomes loud again */

const NumberedVisit numbered_visits[NUMBERED_VISITS] = {{120, 130}, {230, 235}};

static gboolean
is_anomalous (guint n)
{
  for (guint i = 0; i < NUMBERED_VISITS; i++)
    if (n >= numbered_visits[i].first && n <= numbered_visits[i].last)
      return TRUE;
  return FALSE;
}

/* ---- frames that show their number ---- */

static void
draw (guint8 *pixels, guint n)
{
  for (guint y = 0; y < SIDE; y++)
    for (guint x = 0; x < SIDE; x++) {
      guint bit = y / SQUARE * SQUARES + x / SQUARE;

      pixels[y * SIDE + x] = n >> bit & 1 ? 235 : 16;
    }
}

static guint
read_number (const guint8 *pixels)
{
  guint n = 0;

  for (guint bit = 0; bit < SQUARES * SQUARES; bit++) {
    guint y = bit / SQUARES * SQUARE + SQUARE / 2;
    guint x = bit % SQUARES * SQUARE + SQUARE / 2;

    n |= (guint)(pixels[y * SIDE + x] > 128) << bit;
  }
  return n;
}

static GstBuffer *
make_frame (guint n, gboolean anomalous)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, SIDE * SIDE, NULL);
  GstStructure *values;
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  draw (map.data, n);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = n * NUMBERED_FRAME;
  GST_BUFFER_DURATION (buffer) = NUMBERED_FRAME;

  values = gst_custom_meta_get_structure (
      gst_buffer_add_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME));
  gst_structure_set (values, "score", G_TYPE_DOUBLE, 1., "appearance",
      G_TYPE_DOUBLE, 1., "dynamics", G_TYPE_DOUBLE, 1., "threshold",
      G_TYPE_DOUBLE, 5., "anomalous", G_TYPE_BOOLEAN, anomalous, "event-id",
      G_TYPE_UINT, 1, "state", G_TYPE_STRING, "detecting", "age", G_TYPE_UINT64,
      G_GUINT64_CONSTANT (0), NULL);
  return buffer;
}

/* Silence, or a tick and silence. */
static GstBuffer *
make_sound (guint n)
{
  gint16 *samples = g_new0 (gint16, SAMPLES);
  GstBuffer *buffer;

  for (guint i = 0; i < TICK && n % NUMBERED_RATE == NUMBERED_TICK; i++)
    samples[i] = i / 24 % 2 ? G_MAXINT16 / 2 : -G_MAXINT16 / 2;
  buffer = gst_buffer_new_wrapped (samples, SAMPLES * sizeof (gint16));
  GST_BUFFER_PTS (buffer) = n * NUMBERED_FRAME;
  GST_BUFFER_DURATION (buffer) = NUMBERED_FRAME;
  return buffer;
}

/* ---- files ---- */

gchar *
numbered_make_directory (void)
{
  gchar *directory = g_dir_make_tmp (NULL, NULL);

  fail_unless (directory != NULL);
  return directory;
}

void
numbered_remove_directory (gchar *directory)
{
  GDir *dir = g_dir_open (directory, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    gchar *path = g_build_filename (directory, name, NULL);

    g_unlink (path);
    g_free (path);
  }
  g_dir_close (dir);
  g_rmdir (directory);
  g_free (directory);
}

static gchar *
make_path (const gchar *directory, guint index)
{
  return g_strdup_printf ("%s/%03u", directory, index);
}

/* ---- pipelines ---- */

static GstElement *
launch (const gchar *line)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);

  fail_unless (error == NULL, "%s: %s", line, error ? error->message : "");
  return pipeline;
}

static void
wait_for_eos (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GError *error;

  fail_unless (message != NULL, "nothing happened");
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    fail ("%s", error->message);
  }
  gst_message_unref (message);
  gst_object_unref (bus);
}

static void
stop (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

/* ---- recording ---- */

static void
set_location (GstElement *pipeline, const gchar *directory)
{
  GstElement *files = gst_bin_get_by_name (GST_BIN (pipeline), "files");
  gchar *location = g_build_filename (directory, "%03d", NULL);

  g_object_set (files, "location", location, NULL);
  g_free (location);
  gst_object_unref (files);
}

static void
push_frames (GstElement *pipeline, gboolean calm)
{
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  GstElement *sound = gst_bin_get_by_name (GST_BIN (pipeline), "sound");

  for (guint n = 0; n < NUMBERED_FRAMES; n++) {
    gst_app_src_push_buffer (
        GST_APP_SRC (source), make_frame (n, !calm && is_anomalous (n)));
    if (sound)
      gst_app_src_push_buffer (GST_APP_SRC (sound), make_sound (n));
  }
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  if (sound)
    gst_app_src_end_of_stream (GST_APP_SRC (sound));
  gst_clear_object (&sound);
  gst_object_unref (source);
}

void
numbered_record (const gchar *line, const gchar *directory, gboolean calm,
    void (*prepare) (GstElement *pipeline, gpointer user_data),
    gpointer user_data)
{
  GstElement *pipeline = launch (line);

  set_location (pipeline, directory);
  if (prepare)
    prepare (pipeline, user_data);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  push_frames (pipeline, calm);
  wait_for_eos (pipeline);
  stop (pipeline);
}

/* ---- reading back ---- */

static GstPadProbeReturn
note_key (GstPad *pad, GstPadProbeInfo *info, gpointer clip)
{
  ((NumberedClip *)clip)->key_first = !GST_BUFFER_FLAG_IS_SET (
      GST_PAD_PROBE_INFO_BUFFER (info), GST_BUFFER_FLAG_DELTA_UNIT);
  return GST_PAD_PROBE_REMOVE;
}

static GstClockTime
get_stream_time (GstSample *sample)
{
  return gst_segment_to_stream_time (gst_sample_get_segment (sample),
      GST_FORMAT_TIME, GST_BUFFER_PTS (gst_sample_get_buffer (sample)));
}

/* Frames follow on one another, in their numbers and in time. */
static void
read_frame (GstSample *sample, gpointer user_data)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstClockTime time = get_stream_time (sample);
  NumberedClip *clip = user_data;
  GstMapInfo map;
  guint number;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  number = read_number (map.data);
  gst_buffer_unmap (buffer, &map);
  if (clip->n == 0) {
    clip->first = number;
    clip->start = time;
  }
  fail_unless_equals_int (number, clip->first + clip->n);
  fail_unless (ABS (GST_CLOCK_DIFF (clip->start + clip->n * NUMBERED_FRAME,
                   time)) <= (gint64)GST_MSECOND);
  clip->n++;
}

typedef struct {
  GArray *onsets;
  GstClockTime last_loud;
} Sounds;

static void
read_sound (GstSample *sample, gpointer user_data)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstClockTime start = get_stream_time (sample);
  Sounds *sounds = user_data;
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  for (gsize i = 0; i < map.size / sizeof (gint16); i++) {
    guint64 time = start + gst_util_uint64_scale (i, GST_SECOND, SAMPLE_RATE);

    if (ABS (((const gint16 *)map.data)[i]) < LOUD)
      continue;
    if (!GST_CLOCK_TIME_IS_VALID (sounds->last_loud) ||
        time > sounds->last_loud + SILENCE)
      g_array_append_val (sounds->onsets, time);
    sounds->last_loud = time;
  }
  gst_buffer_unmap (buffer, &map);
}

/* Plays to the end of a pipeline with an appsink `sink`. */
static void
read_all (GstElement *pipeline, void (*read) (GstSample *sample, gpointer data),
    gpointer data)
{
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink)))) {
    read (sample, data);
    gst_sample_unref (sample);
  }
  wait_for_eos (pipeline);
  stop (pipeline);
  gst_object_unref (sink);
}

gboolean
numbered_read_clip (const gchar *directory, guint index, NumberedClip *clip)
{
  gchar *path = make_path (directory, index);
  gboolean exists = g_file_test (path, G_FILE_TEST_EXISTS);
  gchar *line = g_strdup_printf (
      "filesrc location=%s ! parsebin ! video/x-h264 ! avdec_h264 name=decoder "
      "! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=sink "
      "sync=false",
      path);

  *clip = (NumberedClip){0};
  if (exists) {
    GstElement *pipeline = launch (line);
    GstElement *decoder = gst_bin_get_by_name (GST_BIN (pipeline), "decoder");
    GstPad *pad = gst_element_get_static_pad (decoder, "sink");

    gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_key, clip, NULL);
    read_all (pipeline, read_frame, clip);
    gst_object_unref (pad);
    gst_object_unref (decoder);
  }
  g_free (line);
  g_free (path);
  return exists;
}

GArray *
numbered_read_sounds (const gchar *directory, guint index)
{
  gchar *path = make_path (directory, index);
  gchar *line = g_strdup_printf (
      "filesrc location=%s ! decodebin caps=audio/x-raw "
      "expose-all-streams=false ! audioconvert ! audioresample ! "
      "audio/x-raw,format=S16LE,channels=1,rate=" G_STRINGIFY (
          SAMPLE_RATE) " ! appsink name=sink sync=false",
      path);
  Sounds sounds = {
      g_array_new (FALSE, FALSE, sizeof (guint64)), GST_CLOCK_TIME_NONE};

  read_all (launch (line), read_sound, &sounds);
  g_free (line);
  g_free (path);
  return sounds.onsets;
}
