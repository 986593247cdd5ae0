/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a splitmuxsink behind the gate writes, read back frame by frame: every
 * frame shows its number. */

#include <gst/check/gstcheck.h>

#include "numbered.h"

#define SOURCE "appsrc name=source format=time caps=\"" NUMBERED_CAPS "\" "

/* Key frames only where they belong. %u: frames from one to the next. */
#define ENCODER                                                                \
  "x264enc name=encoder key-int-max=%u bframes=2 b-adapt=false pass=quant "    \
  "quantizer=20 option-string=scenecut=0 ! h264parse "

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

static void
watch_order (GstElement *pipeline, gpointer reordered)
{
  GstElement *encoder = gst_bin_get_by_name (GST_BIN (pipeline), "encoder");
  GstPad *pad = gst_element_get_static_pad (encoder, "src");

  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_BUFFER, count_reordered, reordered, NULL);
  gst_object_unref (pad);
  gst_object_unref (encoder);
}

typedef struct {
  guint key_interval; /* frames */
  const gchar *muxer;
  const gchar *is_live;
} Recorder;

static const Recorder recorders[] = {{10, "mp4mux", "false"},
    {20, "mp4mux", "false"}, {100, "mp4mux", "false"},
    {10, "matroskamux", "false"}, {20, "matroskamux", "false"},
    {100, "matroskamux", "false"}, {20, "matroskamux", "true"}};

/* Behind the encoder. */
static void
record (const Recorder *recorder, const gchar *directory, gboolean calm)
{
  Reordered reordered = {0};
  gchar *line = g_strdup_printf (SOURCE "is-live=%s ! videoconvert ! " ENCODER
                                        "! " NUMBERED_GATE " ! " NUMBERED_FILES
                                        " muxer=%s",
      recorder->is_live, recorder->key_interval, recorder->muxer);

  numbered_record (line, directory, calm, watch_order, &reordered);
  fail_unless (reordered.n > NUMBERED_FRAMES / 3, "there are no B-frames");
  g_free (line);
}

/* A key frame at or before the pre-roll; then everything to the post-roll's
 * end, and what decoding that needs. */
static void
check_clip (
    const NumberedClip *clip, const NumberedVisit *visit, guint key_interval)
{
  guint last = clip->first + clip->n - 1;
  guint wanted = visit->first - NUMBERED_ROLL;

  fail_unless (clip->n > 0 && clip->key_first);
  fail_unless_equals_int (clip->first % key_interval, 0);
  fail_unless (clip->first <= wanted, "starts at %u", clip->first);
  fail_unless (clip->first + key_interval + 3 > wanted, "starts as early as %u",
      clip->first);
  fail_unless (last >= visit->last + NUMBERED_ROLL, "ends at %u", last);
  fail_unless (
      last <= visit->last + NUMBERED_ROLL + 3, "ends as late as %u", last);
}

GST_START_TEST (test_each_segment_is_a_file)
{
  const Recorder *recorder = &recorders[__i__];
  gchar *directory = numbered_make_directory ();
  NumberedClip clip;
  guint i = 0;

  record (recorder, directory, FALSE);
  for (; numbered_read_clip (directory, i, &clip); i++) {
    fail_unless (i < NUMBERED_VISITS);
    check_clip (&clip, &numbered_visits[i], recorder->key_interval);
  }
  fail_unless_equals_int (i, NUMBERED_VISITS);
  numbered_remove_directory (directory);
}
GST_END_TEST

/* Not even an empty one. */
GST_START_TEST (test_no_segment_is_no_file)
{
  gchar *directory = numbered_make_directory ();
  NumberedClip clip;

  record (&recorders[__i__], directory, TRUE);
  fail_if (numbered_read_clip (directory, 0, &clip), "there is a file");
  numbered_remove_directory (directory);
}
GST_END_TEST

/* Encoders that make a key frame when they are asked to, and no other. */
static const gchar *const asked[] = {"openh264enc gop-size=100000",
    "x264enc key-int-max=100000 bframes=2 option-string=scenecut=0"};

/* The encoder behind the gate is asked for a key frame for each file: what is
 * wanted is there and nothing else. */
GST_START_TEST (test_raw_video)
{
  gchar *directory = numbered_make_directory ();
  gchar *line = g_strdup_printf (SOURCE
      "! " NUMBERED_GATE " ! videoconvert ! %s ! h264parse "
      "! " NUMBERED_FILES " muxer=matroskamux",
      asked[__i__]);
  NumberedClip clip;
  guint i = 0;

  numbered_record (line, directory, FALSE, NULL, NULL);
  for (; numbered_read_clip (directory, i, &clip); i++) {
    const NumberedVisit *visit = &numbered_visits[i];

    fail_unless (i < NUMBERED_VISITS);
    fail_unless (clip.key_first);
    fail_unless_equals_int (clip.first, visit->first - NUMBERED_ROLL);
    fail_unless_equals_int (
        clip.first + clip.n - 1, visit->last + NUMBERED_ROLL);
  }
  fail_unless_equals_int (i, NUMBERED_VISITS);
  g_free (line);
  numbered_remove_directory (directory);
}
GST_END_TEST

typedef struct {
  const gchar *encoder, *muxer;
} Sound;

static const Sound sounds[] = {{"avenc_aac ! aacparse", "mp4mux"},
    {"opusenc", "matroskamux"}, {"vorbisenc", "matroskamux"}};

/* Ticks are heard with the frames that they belong to, all that are in the
 * clip. */
static void
check_ticks (const NumberedClip *clip, const GArray *ticks)
{
  guint n = 0;

  for (guint frame = clip->first; frame < clip->first + clip->n; frame++) {
    GstClockTime shown = clip->start + (frame - clip->first) * NUMBERED_FRAME,
                 heard;

    if (frame % NUMBERED_RATE != NUMBERED_TICK)
      continue;
    fail_unless (n < ticks->len, "that of frame %u is missing", frame);
    heard = g_array_index (ticks, guint64, n++);
    fail_unless (
        ABS (GST_CLOCK_DIFF (shown, heard)) < (gint64)NUMBERED_FRAME / 2,
        "frame %u is shown at %" GST_TIME_FORMAT ", heard at %" GST_TIME_FORMAT,
        frame, GST_TIME_ARGS (shown), GST_TIME_ARGS (heard));
  }
  fail_unless_equals_int (n, ticks->len);
}

GST_START_TEST (test_sound_follows)
{
  const Sound *sound = &sounds[__i__];
  gchar *directory = numbered_make_directory ();
  gchar *line = g_strdup_printf (SOURCE
      "! videoconvert ! " ENCODER "! queue ! gate.sink " NUMBERED_GATE
      " gate.src ! queue ! files.video " NUMBERED_FILES " muxer=%s "
      "appsrc name=sound format=time caps=\"" NUMBERED_SOUND_CAPS
      "\" ! audioconvert ! %s ! queue ! gate.sink_0 gate.src_0 ! queue ! "
      "files.audio_0",
      10, sound->muxer, sound->encoder);
  NumberedClip clip;
  guint i = 0;

  numbered_record (line, directory, FALSE, NULL, NULL);
  for (; numbered_read_clip (directory, i, &clip); i++) {
    GArray *ticks = numbered_read_sounds (directory, i);

    fail_unless (i < NUMBERED_VISITS);
    check_clip (&clip, &numbered_visits[i], 10);
    check_ticks (&clip, ticks);
    g_array_unref (ticks);
  }
  fail_unless_equals_int (i, NUMBERED_VISITS);
  g_free (line);
  numbered_remove_directory (directory);
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
      tcase, test_no_segment_is_no_file, 2, G_N_ELEMENTS (recorders) - 3);
  tcase_add_loop_test (tcase, test_raw_video, 0, G_N_ELEMENTS (asked));
  tcase_add_loop_test (tcase, test_sound_follows, 0, G_N_ELEMENTS (sounds));
  suite_add_tcase (suite, tcase);
  return gst_check_run_suite (suite, "gate-recording", __FILE__) != 0;
}
