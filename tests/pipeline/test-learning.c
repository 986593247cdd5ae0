/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Learning in whole pipelines: from recordings and from live streams, while
 * they seek, change and stop. */

#include "running.h"

#include "change.h"
#include "gstvaelstmmeta.h"
#include "recording.h"
#include "stream.h"
#include "tiny-model.h"

#define PATIENCE (100 * GST_SECOND) /* for training on a busy machine */
#define TEST_TIMEOUT 250            /* s */

/* 8 s of video are learned from, 80 frames. */
#define LEARN_FRAMES 80
#define LEARNER "vaelstmdetect learn-duration=8000000000 "
#define QUICK LEARNER "training-budget=2000000000 "
#define ENDLESS LEARNER "training-budget=3600000000000 "

/* Slow enough to leave the processor to the training. */
#define SOURCE                                                                 \
  "videotestsrc pattern=ball ! video/x-raw,format=I420,width=64,height=48,"    \
  "framerate=10/1 ! identity name=before sleep-time=5000 "

/* The next element message of that name, earlier others being dropped; NULL
 * when none comes in time. */
static GstMessage *
next_message (GstElement *pipeline, const gchar *name, GstClockTime timeout)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  while ((message = gst_bus_timed_pop_filtered (
              bus, timeout, GST_MESSAGE_ELEMENT)) &&
         !gst_message_has_name (message, name))
    gst_message_unref (message);
  gst_object_unref (bus);
  return message;
}

static const gchar *
get_field (GstMessage *message, const gchar *field)
{
  return gst_structure_get_string (gst_message_get_structure (message), field);
}

/* Waits for the next change of state. */
static void
check_next_state (GstElement *pipeline, const gchar *state)
{
  GstMessage *message =
      next_message (pipeline, "vaelstmdetect-state", PATIENCE);

  fail_unless (message != NULL, "nothing happened");
  fail_unless_equals_string (get_field (message, "state"), state);
  gst_message_unref (message);
}

/* What arrives at the sink. */
typedef struct {
  gint n;                       /* atomic: frames */
  gint n_learning, n_detecting; /* atomic: frames in these states */
} Arrivals;

static GstPadProbeReturn
note_arrival (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Arrivals *arrivals = user_data;
  GstVaeLstmAnomaly anomaly;

  fail_unless (gst_buffer_get_vaelstm_anomaly (
      GST_PAD_PROBE_INFO_BUFFER (info), &anomaly));
  if (g_str_equal (anomaly.state, "learning"))
    g_atomic_int_inc (&arrivals->n_learning);
  if (g_str_equal (anomaly.state, "detecting"))
    g_atomic_int_inc (&arrivals->n_detecting);
  g_atomic_int_inc (&arrivals->n);
  return GST_PAD_PROBE_OK;
}

/* ---- recordings ---- */

/* What is there when a recording has come to its end. */
typedef struct {
  const gchar *model_file;
  Arrivals arrivals;
  guint n_eos;
  gboolean model_at_eos; /* there was one before EOS came */
} Ending;

static GstPadProbeReturn
note_eos (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Ending *ending = user_data;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == GST_EVENT_EOS) {
    ending->model_at_eos =
        g_file_test (ending->model_file, G_FILE_TEST_IS_REGULAR);
    ending->n_eos++;
  }
  return GST_PAD_PROBE_OK;
}

/* Plays a recording to its end. Training may take longer than
 * running_play_to_eos() waits. */
static void
play_recording (const gchar *recording, const gchar *detector, Ending *ending)
{
  gchar *line = g_strdup_printf (
      "filesrc location=\"%s\" ! decodebin ! videoconvert ! %s "
      "model-file=\"%s\" ! fakesink name=sink",
      recording, detector, ending->model_file);
  GstElement *pipeline = running_launch (line);
  GstPad *pad = running_get_pad (pipeline, "sink", "sink");
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  running_probe_sink (pipeline, note_arrival, &ending->arrivals);
  gst_pad_add_probe (
      pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note_eos, ending, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);

  gst_message_unref (message);
  gst_object_unref (bus);
  gst_object_unref (pad);
  running_stop (pipeline);
  g_free (line);
}

/* A recording that ends in mid-training, or before enough of it was collected
 * for what was asked for, teaches all the same. */
GST_START_TEST (test_a_recording_teaches)
{
  static const gchar *const learners[] = {QUICK "mode=learn",
      "vaelstmdetect mode=learn training-budget=2000000000"};
  gchar *recording = recording_make ("matroskamux");
  gchar *model_file = recording_path ("learned.vaelstm");
  Ending learned = {.model_file = model_file};
  Ending detected = {.model_file = model_file};

  play_recording (recording, learners[__i__], &learned);
  fail_unless_equals_int (learned.n_eos, 1);
  fail_unless (learned.model_at_eos);
  fail_unless_equals_int (learned.arrivals.n, RECORDING_FRAMES);

  play_recording (recording, "vaelstmdetect mode=detect", &detected);
  fail_unless_equals_int (detected.arrivals.n, RECORDING_FRAMES);
  fail_unless (detected.arrivals.n_detecting > RECORDING_FRAMES * 8 / 10);
  g_free (model_file);
  g_free (recording);
}
GST_END_TEST

/* ---- a live stream ---- */

/* The tiny scene, filmed at a pace of its own. */
typedef struct {
  GstElement *pipeline, *source;
  guint n; /* frames so far */
} Camera;

static void
open_camera (Camera *camera, gboolean drop_analysis)
{
  camera->pipeline =
      running_launch ("appsrc name=source is-live=true format=time block=true "
                      "! " QUICK "name=detect ! fakesink async=false");
  camera->source = gst_bin_get_by_name (GST_BIN (camera->pipeline), "source");
  camera->n = 0;
  gst_util_set_object_arg (G_OBJECT (camera->source), "caps", stream_caps);
  gst_child_proxy_set (GST_CHILD_PROXY (camera->pipeline),
      "detect::drop-analysis", drop_analysis, NULL);
  gst_element_set_state (camera->pipeline, GST_STATE_PLAYING);
}

static void
close_camera (Camera *camera)
{
  gst_object_unref (camera->source);
  running_stop (camera->pipeline);
}

static void
film (Camera *camera, gboolean object)
{
  GstBuffer *buffer = stream_make_buffer (camera->n++, object);
  GstFlowReturn ret;

  g_signal_emit_by_name (camera->source, "push-buffer", buffer, &ret);
  fail_unless_equals_int (ret, GST_FLOW_OK);
  gst_buffer_unref (buffer);
  g_usleep (G_USEC_PER_SEC / 40);
}

/* Films until there is such a message. */
static GstMessage *
film_until_message (Camera *camera, const gchar *name, gboolean object)
{
  gint64 patience = g_get_monotonic_time () + GST_TIME_AS_USECONDS (PATIENCE);
  GstMessage *message;

  while (!(message = next_message (camera->pipeline, name, 0))) {
    fail_if (g_get_monotonic_time () > patience, "no %s", name);
    film (camera, object);
  }
  return message;
}

static void
film_until_state (Camera *camera, const gchar *state)
{
  GstMessage *message =
      film_until_message (camera, "vaelstmdetect-state", FALSE);

  fail_unless_equals_string (get_field (message, "state"), state);
  gst_message_unref (message);
}

/* Films the object until it is noticed; when that was is returned. */
static GstClockTime
film_object (Camera *camera)
{
  GstMessage *message = film_until_message (camera, "vaelstmdetect", TRUE);
  guint64 timestamp;

  fail_unless_equals_string (get_field (message, "event"), "start");
  fail_unless (gst_structure_get_uint64 (
      gst_message_get_structure (message), "timestamp", &timestamp));
  gst_message_unref (message);
  return timestamp;
}

/* What was learned is normal, and what comes after it is not. Without
 * drop-analysis and with it. */
GST_START_TEST (test_learns_live_then_detects)
{
  GstClockTime came;
  Camera camera;

  open_camera (&camera, __i__);
  film_until_state (&camera, "learning");
  film_until_state (&camera, "training");
  film_until_state (&camera, "warming-up");
  film_until_state (&camera, "detecting");

  came = camera.n * GST_SECOND / TINY_RATE;
  fail_unless (film_object (&camera) >= came);
  close_camera (&camera);
}
GST_END_TEST

/* ---- seeks ---- */

/* Anywhere, ten times, with a few frames between. */
static void
seek_around (GstElement *pipeline, Arrivals *arrivals, GRand *random)
{
  for (guint i = 0; i < 10; i++) {
    GstClockTime position = g_rand_int_range (random, 0, 100) * GST_SECOND;
    gint n;

    fail_unless (gst_element_seek_simple (
        pipeline, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, position));
    n = g_atomic_int_get (&arrivals->n);
    running_wait_until (&arrivals->n, n + g_rand_int_range (random, 1, 4));
  }
}

/* Nothing of what was collected is lost, nor the training. */
GST_START_TEST (test_seeks_while_learning)
{
  GstElement *pipeline =
      running_launch (SOURCE "! " QUICK "! fakesink name=sink");
  GRand *random = g_rand_new_with_seed (19);
  Arrivals arrivals = {0};

  running_probe_sink (pipeline, note_arrival, &arrivals);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  check_next_state (pipeline, "learning");
  running_wait_until (&arrivals.n, LEARN_FRAMES / 3);
  seek_around (pipeline, &arrivals, random);
  check_next_state (pipeline, "training");
  fail_unless (g_atomic_int_get (&arrivals.n_learning) < LEARN_FRAMES * 5 / 4);
  seek_around (pipeline, &arrivals, random);
  check_next_state (pipeline, "warming-up");
  check_next_state (pipeline, "detecting");
  g_rand_free (random);
  running_stop (pipeline);
}
GST_END_TEST

/* ---- ends in mid-training ---- */

static void
play_until_training (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  check_next_state (pipeline, "learning");
  check_next_state (pipeline, "training");
}

/* The last that was said of the learning. */
static GstProgressType
last_progress (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstProgressType type = GST_PROGRESS_TYPE_START;
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_PROGRESS))) {
    gst_message_parse_progress (message, &type, NULL, NULL);
    gst_message_unref (message);
  }
  gst_object_unref (bus);
  return type;
}

/* The pipeline plays on without it. */
GST_START_TEST (test_the_detector_goes_while_training)
{
  GstElement *pipeline = running_launch (SOURCE
      "! " ENDLESS "name=detect ! identity name=after ! fakesink name=sink");
  gint n = 0;
  Change change;

  running_count_at_sink (pipeline, &n);
  change_init (&change, pipeline);
  change.detect = gst_bin_get_by_name (GST_BIN (pipeline), "detect");
  play_until_training (pipeline);
  change_remove_detector (&change);
  gst_object_unref (change.detect);
  fail_unless_equals_int (last_progress (pipeline), GST_PROGRESS_TYPE_CANCELED);

  running_wait_until (&n, g_atomic_int_get (&n) + 20);
  change_clear (&change);
  running_stop (pipeline);
}
GST_END_TEST

/* Again and again: nothing is left of the run before. */
GST_START_TEST (test_the_pipeline_stops_while_training)
{
  GstElement *pipeline = running_launch (SOURCE "! " ENDLESS "! fakesink");

  for (guint i = 0; i < 3; i++) {
    play_until_training (pipeline);
    fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_NULL),
        GST_STATE_CHANGE_SUCCESS);
  }
  gst_object_unref (pipeline);
}
GST_END_TEST

/* ---- two learners ---- */

/* Who had to wait for whom. */
typedef struct {
  GstObject *waiting[2], *complete[2];
  guint n_waiting, n_complete;
} Turns;

static void
note_progress (Turns *turns, GstMessage *message)
{
  GstProgressType type;

  gst_message_parse_progress (message, &type, NULL, NULL);
  if (g_strcmp0 (get_field (message, "stage"), "waiting") == 0) {
    fail_unless (turns->n_waiting < G_N_ELEMENTS (turns->waiting));
    turns->waiting[turns->n_waiting++] = GST_MESSAGE_SRC (message);
  }
  if (type == GST_PROGRESS_TYPE_COMPLETE)
    turns->complete[turns->n_complete++] = GST_MESSAGE_SRC (message);
}

static void
wait_for_two_models (GstElement *pipeline, Turns *turns)
{
  GstBus *bus = gst_element_get_bus (pipeline);

  while (turns->n_complete < G_N_ELEMENTS (turns->complete)) {
    GstMessage *message =
        gst_bus_timed_pop_filtered (bus, PATIENCE, GST_MESSAGE_PROGRESS);

    fail_unless (message != NULL, "nothing happened");
    note_progress (turns, message);
    gst_message_unref (message);
  }
  gst_object_unref (bus);
}

/* Both have collected enough with the same frame. */
GST_START_TEST (test_two_learn_one_after_the_other)
{
  gchar *model_file = recording_path ("first.vaelstm");
  gchar *other_file = recording_path ("second.vaelstm");
  gchar *line = g_strdup_printf (SOURCE
      "! tee name=tee tee. ! " QUICK "model-file=\"%s\" ! fakesink async=false "
      "tee. ! " QUICK "model-file=\"%s\" ! fakesink async=false",
      model_file, other_file);
  GstElement *pipeline = running_launch (line);
  Turns turns = {.n_waiting = 0};

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  wait_for_two_models (pipeline, &turns);
  fail_unless_equals_int (turns.n_waiting, 1);
  fail_unless (turns.complete[0] != turns.complete[1]);
  fail_unless (turns.waiting[0] == turns.complete[1]);
  fail_unless (g_file_test (model_file, G_FILE_TEST_IS_REGULAR));
  fail_unless (g_file_test (other_file, G_FILE_TEST_IS_REGULAR));
  running_stop (pipeline);
  g_free (line);
  g_free (other_file);
  g_free (model_file);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_set_timeout (tcase, TEST_TIMEOUT);
  tcase_add_checked_fixture (tcase, recording_set_up, recording_tear_down);
  tcase_add_loop_test (tcase, test_a_recording_teaches, 0, 2);
  tcase_add_loop_test (tcase, test_learns_live_then_detects, 0, 2);
  tcase_add_test (tcase, test_seeks_while_learning);
  tcase_add_test (tcase, test_the_detector_goes_while_training);
  tcase_add_test (tcase, test_the_pipeline_stops_while_training);
  tcase_add_test (tcase, test_two_learn_one_after_the_other);
}

int
main (int argc, char **argv)
{
  return running_test_main (argc, argv, "learning", add_tests);
}
