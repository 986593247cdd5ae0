/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a splitmuxsink behind the gate writes, read back frame by frame: every
 * frame shows its number. */

#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/check/gstcheck.h>

#include "gstvaelstmmeta.h"

#define RATE 10 /* frames/s */
#define FRAME (GST_SECOND / RATE)
#define N_FRAMES 330
#define ROLL 20 /* frames, before and after */

/* The number's bits are squares, black or white. */
#define SQUARE 16
#define SQUARES 4 /* in a row, and rows */
#define SIDE (SQUARE * SQUARES)

#define CAPS                                                                   \
  "video/x-raw,format=GRAY8,width=" G_STRINGIFY (                              \
      SIDE_TEXT) ",height=" G_STRINGIFY (SIDE_TEXT) ",framerate=10/1"
#define SIDE_TEXT 64
G_STATIC_ASSERT (SIDE == SIDE_TEXT);

#define PATIENCE (60 * GST_SECOND) /* for anything to happen at all */

/* Anomalous frames. */
typedef struct {
  guint first, last;
} Visit;

static const Visit visits[] = {{120, 130}, {230, 235}};

static gboolean calm; /* there are none */

static gboolean
is_anomalous (guint n)
{
  if (calm)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (visits); i++)
    if (n >= visits[i].first && n <= visits[i].last)
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
read_number (const guint8 *pixels, guint stride)
{
  guint n = 0;

  for (guint bit = 0; bit < SQUARES * SQUARES; bit++) {
    guint y = bit / SQUARES * SQUARE + SQUARE / 2;
    guint x = bit % SQUARES * SQUARE + SQUARE / 2;

    n |= (guint)(pixels[y * stride + x] > 128) << bit;
  }
  return n;
}

static GstBuffer *
make_frame (guint n)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, SIDE * SIDE, NULL);
  GstStructure *values;
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  draw (map.data, n);
  gst_buffer_unmap (buffer, &map);
  GST_BUFFER_PTS (buffer) = n * FRAME;
  GST_BUFFER_DURATION (buffer) = FRAME;

  values = gst_custom_meta_get_structure (
      gst_buffer_add_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME));
  gst_structure_set (values, "score", G_TYPE_DOUBLE, 1., "appearance",
      G_TYPE_DOUBLE, 1., "dynamics", G_TYPE_DOUBLE, 1., "threshold",
      G_TYPE_DOUBLE, 5., "anomalous", G_TYPE_BOOLEAN, is_anomalous (n),
      "event-id", G_TYPE_UINT, 1, "state", G_TYPE_STRING, "detecting", "age",
      G_TYPE_UINT64, G_GUINT64_CONSTANT (0), NULL);
  return buffer;
}

/* ---- recording ---- */

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

/* Frames that come later than one that is shown later. */
typedef struct {
  GstClockTime newest;
  guint n;
} Reordered;

static GstPadProbeReturn
count_reordered (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstClockTime pts = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  Reordered *reordered = user_data;

  if (pts < reordered->newest)
    reordered->n++;
  reordered->newest = MAX (reordered->newest, pts);
  return GST_PAD_PROBE_OK;
}

typedef struct {
  guint key_interval; /* frames */
  const gchar *muxer;
} Recorder;

static const Recorder recorders[] = {{10, "mp4mux"}, {20, "mp4mux"},
    {100, "mp4mux"}, {10, "matroskamux"}, {20, "matroskamux"},
    {100, "matroskamux"}};

/* Records all the frames to numbered files in the directory. */
static void
record (const Recorder *recorder, const gchar *directory)
{
  gchar *line = g_strdup_printf (
      "appsrc name=source format=time caps=\"" CAPS "\" ! videoconvert ! "
      "x264enc name=encoder key-int-max=%u bframes=2 b-adapt=false "
      "pass=quant quantizer=20 option-string=scenecut=0 ! h264parse ! "
      "vaelstmgate pre-roll=%" G_GUINT64_FORMAT " post-roll=%" G_GUINT64_FORMAT
      " ! splitmuxsink max-size-time=0 muxer=%s location=%s/%%03d",
      recorder->key_interval, ROLL * FRAME, ROLL * FRAME, recorder->muxer,
      directory);
  GstElement *pipeline = launch (line);
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  GstElement *encoder = gst_bin_get_by_name (GST_BIN (pipeline), "encoder");
  GstPad *pad = gst_element_get_static_pad (encoder, "src");
  Reordered reordered = {0};

  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, count_reordered, &reordered, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint n = 0; n < N_FRAMES; n++)
    gst_app_src_push_buffer (GST_APP_SRC (source), make_frame (n));
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  wait_for_eos (pipeline);
  stop (pipeline);

  fail_unless (reordered.n > N_FRAMES / 3, "there are no B-frames");
  gst_object_unref (pad);
  gst_object_unref (encoder);
  gst_object_unref (source);
  g_free (line);
}

/* ---- reading back ---- */

/* What a file holds. */
typedef struct {
  guint n;            /* frames */
  guint first;        /* number shown by the first one, from which they count */
  gboolean key_first; /* as the file has it */
} Clip;

static GstPadProbeReturn
note_key (GstPad *pad, GstPadProbeInfo *info, gpointer clip)
{
  ((Clip *)clip)->key_first = !GST_BUFFER_FLAG_IS_SET (
      GST_PAD_PROBE_INFO_BUFFER (info), GST_BUFFER_FLAG_DELTA_UNIT);
  return GST_PAD_PROBE_REMOVE;
}

/* Frames follow on one another, in their numbers and in time. */
static void
read_frames (GstAppSink *sink, Clip *clip)
{
  GstClockTime first_pts = 0;
  GstSample *sample;

  while ((sample = gst_app_sink_pull_sample (sink))) {
    GstBuffer *buffer = gst_sample_get_buffer (sample);
    GstMapInfo map;
    guint number;

    gst_buffer_map (buffer, &map, GST_MAP_READ);
    number = read_number (map.data, SIDE);
    gst_buffer_unmap (buffer, &map);
    if (clip->n == 0) {
      clip->first = number;
      first_pts = GST_BUFFER_PTS (buffer);
    }
    fail_unless_equals_int (number, clip->first + clip->n);
    fail_unless (ABS (GST_CLOCK_DIFF (first_pts + clip->n * FRAME,
                     GST_BUFFER_PTS (buffer))) <= (gint64)GST_MSECOND);
    clip->n++;
    gst_sample_unref (sample);
  }
}

static Clip
read_clip (const gchar *path)
{
  gchar *line = g_strdup_printf (
      "filesrc location=%s ! parsebin ! avdec_h264 name=decoder ! videoconvert "
      "! video/x-raw,format=GRAY8 ! appsink name=sink sync=false",
      path);
  GstElement *pipeline = launch (line);
  GstElement *decoder = gst_bin_get_by_name (GST_BIN (pipeline), "decoder");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstPad *pad = gst_element_get_static_pad (decoder, "sink");
  Clip clip = {0};

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_key, &clip, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  read_frames (GST_APP_SINK (sink), &clip);
  wait_for_eos (pipeline);
  stop (pipeline);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (decoder);
  g_free (line);
  return clip;
}

/* A key frame at or before the pre-roll; then everything to the post-roll's
 * end, and what decoding that needs. */
static void
check_clip (const Clip *clip, const Visit *visit, guint key_interval)
{
  guint last = clip->first + clip->n - 1;

  fail_unless (clip->n > 0 && clip->key_first);
  fail_unless_equals_int (clip->first % key_interval, 0);
  fail_unless (clip->first <= visit->first - ROLL, "starts at %u", clip->first);
  fail_unless (clip->first + key_interval + 3 > visit->first - ROLL,
      "starts as early as %u", clip->first);
  fail_unless (last >= visit->last + ROLL, "ends at %u", last);
  fail_unless (last <= visit->last + ROLL + 3, "ends as late as %u", last);
}

GST_START_TEST (test_each_segment_is_a_file)
{
  const Recorder *recorder = &recorders[__i__];
  gchar *directory = g_dir_make_tmp (NULL, NULL);
  guint n_files = 0;

  record (recorder, directory);
  for (;; n_files++) {
    gchar *path = g_strdup_printf ("%s/%03u", directory, n_files);
    gboolean exists = g_file_test (path, G_FILE_TEST_EXISTS);

    if (exists) {
      Clip clip = read_clip (path);

      fail_unless (n_files < G_N_ELEMENTS (visits));
      check_clip (&clip, &visits[n_files], recorder->key_interval);
      g_unlink (path);
    }
    g_free (path);
    if (!exists)
      break;
  }
  fail_unless_equals_int (n_files, G_N_ELEMENTS (visits));
  g_rmdir (directory);
  g_free (directory);
}
GST_END_TEST

/* Not even an empty one. */
GST_START_TEST (test_no_segment_is_no_file)
{
  gchar *directory = g_dir_make_tmp (NULL, NULL);

  calm = TRUE;
  record (&recorders[__i__], directory);
  fail_unless (g_rmdir (directory) == 0, "there is a file");
  calm = FALSE;
  g_free (directory);
}
GST_END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("gate-recording");
  TCase *tcase = tcase_create ("gate-recording");

  gst_check_init (&argc, &argv);
  tcase_add_loop_test (
      tcase, test_each_segment_is_a_file, 0, G_N_ELEMENTS (recorders));
  tcase_add_loop_test (
      tcase, test_no_segment_is_no_file, 2, G_N_ELEMENTS (recorders) - 2);
  suite_add_tcase (suite, tcase);
  return gst_check_run_suite (suite, "gate-recording", __FILE__) != 0;
}
