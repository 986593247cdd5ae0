/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A network camera that shows real video: a man enters a conference room, in a
 * stream with B-frames. The threshold is the model's own. The video is in
 * $VAELSTM_DATA; where it is not, nothing is tested. */

#include <gst/gst.h>
#include <stdlib.h>

#include "live.h"
#include "studio.h"

#define SKIPPED 77
#define RATE 10 /* frames/s */

/* Of the video: the empty room to learn from, and what the camera shows. */
#define NORMAL_FRAMES "0:500"
#define FIRST 580
#define ENTERS 639
#define LAST 699

static LiveFilm room = {.visit = (ENTERS - FIRST) / (double)RATE,
    .length = (LAST + 1 - FIRST) / (double)RATE};
static char *video, *model;

/* ---- the film ----------------------------------------------------------- */

static GstPadProbeReturn
drop_others (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  guint frame = (*(guint *)n)++;

  return frame < FIRST || frame > LAST ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

/* Frames FIRST to LAST, with B-frames. */
static void
cut (const char *from, const char *to)
{
  g_autofree char *line = g_strdup_printf (
      "filesrc location=\"%s\" ! decodebin ! videoconvert name=all ! "
      "x264enc key-int-max=20 bframes=2 threads=1 ! h264parse ! mp4mux ! "
      "filesink location=\"%s\"",
      from, to);
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
  g_autoptr (GstElement) all = gst_bin_get_by_name (GST_BIN (pipeline), "all");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (all, "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = NULL;
  guint n = 0;

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, drop_others, &n, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  ck_assert (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
}

static void
prepare (void)
{
  room.file = studio_path ("room.mp4");
  cut (video, room.file);
  model = studio_path ("real.vaelstm");
  studio_run ((const char *const[]){studio_arguments[1], "train", "-o", model,
      "--frames", NORMAL_FRAMES, "--size", "160x128", "--width", "8", "--steps",
      "200", "--lstm-steps", "200", video, NULL});
}

START_TEST (test_real_camera_comes_back)
{
  g_autofree char *directory = studio_make_directory ("real");

  live_check_comes_back (
      &room, directory, (const char *const[]){"-m", model, LIVE_ROLLS, NULL});
}
END_TEST

static void
add_tests (TCase *tests)
{
  tcase_add_test (tests, test_real_camera_comes_back);
}

int
main (int argc, char **argv)
{
  int status;

  video = g_build_filename (
      g_getenv ("VAELSTM_DATA") ? g_getenv ("VAELSTM_DATA") : argv[3],
      "moved_object.mp4", NULL);
  status = g_file_test (video, G_FILE_TEST_EXISTS)
               ? studio_main (argc, argv, "watch-real", prepare, add_tests)
               : SKIPPED;
  g_free (room.file);
  g_free (video);
  g_free (model);
  return status;
}
