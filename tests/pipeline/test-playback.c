/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Recordings, played from files: to the end, backwards, at other rates and from
 * anywhere. */

#include "running.h"

#include "gstvaelstmmeta.h"
#include "recording.h"

/* Kinds of files, and what plays them; %s is the file or its URI. */
static const struct {
  const gchar *muxer;
  const gchar *source;
  gboolean uri;
} players[] = {
    {"matroskamux", "filesrc location=\"%s\" ! decodebin", FALSE},
    {"mp4mux", "filesrc location=\"%s\" ! decodebin", FALSE},
    {"matroskamux", "uridecodebin3 uri=\"%s\"", TRUE},
    {"mp4mux", "uridecodebin3 uri=\"%s\"", TRUE},
};

/* What arrives at the sink. */
typedef struct {
  guint n;                  /* frames */
  guint n_detected;         /* frames after the warming up */
  GstClockTime first, last; /* in the recording */
  gboolean in_order;        /* of this direction */
  gboolean backwards;
} Arrivals;

/* Where in the recording a buffer is. */
static GstClockTime
stream_time (GstPad *pad, GstBuffer *buffer)
{
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  GstClockTime time;

  gst_event_parse_segment (event, &segment);
  time = gst_segment_to_stream_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  gst_event_unref (event);
  return time;
}

static GstPadProbeReturn
note_arrival (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime time = stream_time (pad, buffer);
  Arrivals *arrivals = user_data;
  GstVaeLstmAnomaly anomaly;

  fail_unless (gst_buffer_get_vaelstm_anomaly (buffer, &anomaly));
  if (arrivals->n++ == 0)
    arrivals->first = time;
  else if (arrivals->backwards ? time >= arrivals->last
                               : time <= arrivals->last)
    arrivals->in_order = FALSE;
  arrivals->last = time;
  arrivals->n_detected += g_str_equal (anomaly.state, "detecting");
  return GST_PAD_PROBE_OK;
}

static void
forget_arrivals (Arrivals *arrivals, gboolean backwards)
{
  *arrivals = (Arrivals){.in_order = TRUE, .backwards = backwards};
}

/* Paused at the start of a recording. */
static GstElement *
open_recording (guint player, Arrivals *arrivals)
{
  gchar *file = recording_make (players[player].muxer);
  gchar *uri = gst_filename_to_uri (file, NULL);
  gchar *source = g_strdup_printf (
      players[player].source, players[player].uri ? uri : file);
  gchar *line = g_strconcat (source, " ! %s ! fakesink name=sink", NULL);
  GstElement *pipeline = running_launch (line);

  forget_arrivals (arrivals, FALSE);
  running_probe_sink (pipeline, note_arrival, arrivals);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_ASYNC_DONE));
  g_free (line);
  g_free (source);
  g_free (uri);
  g_free (file);
  return pipeline;
}

/* Seeks while paused: what is played next begins, or backwards ends, at
 * `position`. */
static void
seek (GstElement *pipeline, Arrivals *arrivals, double rate, GstSeekFlags flags,
    GstClockTime position)
{
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
  forget_arrivals (arrivals, rate < 0);
  fail_unless (gst_element_seek (pipeline, rate, GST_FORMAT_TIME,
      GST_SEEK_FLAG_FLUSH | flags, GST_SEEK_TYPE_SET, rate > 0 ? position : 0,
      GST_SEEK_TYPE_SET, rate > 0 ? GST_CLOCK_TIME_NONE : position));
  gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE);
}

/* ---- tests ---- */

GST_START_TEST (test_to_the_end)
{
  Arrivals arrivals;
  GstElement *pipeline = open_recording (__i__, &arrivals);

  running_play_to_eos (pipeline);
  fail_unless_equals_uint64 (running_frames_seen (pipeline), RECORDING_FRAMES);
  fail_unless_equals_int (arrivals.n, RECORDING_FRAMES);
  fail_unless (arrivals.in_order);
  running_stop (pipeline);
}
GST_END_TEST

/* The first frame after a flushing seek, and it alone: the sink is paused. */
static void
check_first_frame (const Arrivals *arrivals, double rate, GstSeekFlags flags,
    GstClockTime position)
{
  fail_unless_equals_int (arrivals->n, 1);
  fail_unless_equals_int (arrivals->n_detected, 0);
  if (rate > 0 && (flags & GST_SEEK_FLAG_ACCURATE))
    fail_unless (arrivals->first <= position &&
                 position < arrivals->first + GST_SECOND / 10);
}

GST_START_TEST (test_random_seeks)
{
  static const double rates[] = {1, 1, 1, 2, 0.5, -1};
  static const GstSeekFlags kinds[] = {
      GST_SEEK_FLAG_KEY_UNIT, GST_SEEK_FLAG_ACCURATE};
  GRand *random = g_rand_new_with_seed (17 + __i__);
  Arrivals arrivals;
  GstElement *pipeline = open_recording (__i__, &arrivals);

  for (guint i = 0; i < 50; i++) {
    double rate = rates[g_rand_int_range (random, 0, G_N_ELEMENTS (rates))];
    GstSeekFlags kind = kinds[g_rand_boolean (random)];
    GstClockTime position = g_rand_int_range (random, 500, 9500) * GST_MSECOND;

    seek (pipeline, &arrivals, rate, kind, position);
    check_first_frame (&arrivals, rate, kind, position);
  }
  seek (pipeline, &arrivals, 1, GST_SEEK_FLAG_ACCURATE, 0);
  running_play_to_eos (pipeline);
  fail_unless_equals_int (arrivals.n, RECORDING_FRAMES);
  g_rand_free (random);
  running_stop (pipeline);
}
GST_END_TEST

/* Decoders mark each group of frames that they turn round as DISCONT, after
 * which the detector warms up. */
GST_START_TEST (test_backwards)
{
  Arrivals arrivals;
  GstElement *pipeline = open_recording (__i__, &arrivals);

  seek (pipeline, &arrivals, -1, GST_SEEK_FLAG_ACCURATE, RECORDING_DURATION);
  running_play_to_eos (pipeline);
  fail_unless (arrivals.in_order);
  fail_unless (arrivals.first > 9 * GST_SECOND);
  fail_unless_equals_uint64 (arrivals.last, 0);
  fail_unless (arrivals.n >= RECORDING_FRAMES * 9 / 10);
  fail_unless (arrivals.n_detected >= RECORDING_FRAMES / 2);
  running_stop (pipeline);
}
GST_END_TEST

/* Whatever the rate, the same frames are detected. */
GST_START_TEST (test_at_other_rates)
{
  static const double rates[] = {2, 0.5, 4};
  Arrivals arrivals;
  GstElement *pipeline = open_recording (__i__, &arrivals);
  guint n_detected;

  running_play_to_eos (pipeline);
  n_detected = arrivals.n_detected;
  fail_unless (n_detected > 90);
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    seek (pipeline, &arrivals, rates[i], GST_SEEK_FLAG_ACCURATE, 0);
    running_play_to_eos (pipeline);
    fail_unless (arrivals.in_order);
    fail_unless_equals_int (arrivals.n, RECORDING_FRAMES);
    fail_unless_equals_int (arrivals.n_detected, n_detected);
  }
  running_stop (pipeline);
}
GST_END_TEST

/* A loop without a seam, as the bus's SEGMENT_DONE is for. */
GST_START_TEST (test_loop)
{
  Arrivals arrivals;
  GstElement *pipeline = open_recording (__i__, &arrivals);

  seek (pipeline, &arrivals, 1, GST_SEEK_FLAG_SEGMENT, 0);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 3; i++) {
    gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_SEGMENT_DONE));
    fail_unless (gst_element_seek (pipeline, 1, GST_FORMAT_TIME,
        i < 2 ? GST_SEEK_FLAG_SEGMENT : GST_SEEK_FLAG_NONE, GST_SEEK_TYPE_SET,
        0, GST_SEEK_TYPE_SET, GST_CLOCK_TIME_NONE));
  }
  gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_EOS));
  fail_unless (arrivals.n >= 3 * RECORDING_FRAMES);
  running_stop (pipeline);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  const guint n = G_N_ELEMENTS (players);

  tcase_add_checked_fixture (tcase, recording_set_up, recording_tear_down);
  tcase_add_loop_test (tcase, test_to_the_end, 0, n);
  tcase_add_loop_test (tcase, test_random_seeks, 0, n);
  tcase_add_loop_test (tcase, test_backwards, 0, n);
  tcase_add_loop_test (tcase, test_at_other_rates, 0, n);
  tcase_add_loop_test (tcase, test_loop, 0, 2);
}

int
main (int argc, char **argv)
{
  return running_test_main (argc, argv, "playback", add_tests);
}
