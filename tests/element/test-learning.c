/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Learning from the stream: what is collected, trained, saved and said, and
 * that nothing on the way holds up the stream. */

#include "stream.h"
#include "tiny-model.h"

#include <glib/gstdio.h>
#include <string.h>

#define LEARN_FRAMES 80 /* in the time to learn */
#define LEARN_DURATION (LEARN_FRAMES * GST_SECOND / TINY_RATE)
#define SHORT_BUDGET (2 * GST_SECOND)
#define ENDLESS_BUDGET (3600 * GST_SECOND)
#define PATIENCE 6000 /* hundredths of seconds */

static const gchar *
get_state (GstElement *element)
{
  gint state;
  GEnumValue *value;

  g_object_get (element, "state", &state, NULL);
  value = g_enum_get_value (
      g_type_class_peek (g_type_from_name ("GstVaeLstmState")), state);
  return value->value_nick;
}

static void
open_learner (Stream *stream, const gchar *mode, const gchar *model_file,
    GstClockTime budget)
{
  GstBus *bus;
  GstElement *element =
      stream_make_element (&bus, "model-file", model_file, "learn-duration",
          (guint64)LEARN_DURATION, "training-budget", (guint64)budget, NULL);

  gst_util_set_object_arg (G_OBJECT (element), "mode", mode);
  stream_open (stream, NULL, element, bus);
}

static gchar *
make_path (void)
{
  gchar *dir = g_dir_make_tmp ("vaelstm-learning-XXXXXX", NULL);
  gchar *path = g_build_filename (dir, "room.vaelstm", NULL);

  g_free (dir);
  return path;
}

/* Runs the scene in its own time until the state is another one. */
static void
run_while (Stream *stream, const gchar *state)
{
  for (guint i = 0;
       i < PATIENCE && g_str_equal (get_state (stream->element), state); i++) {
    stream_run (stream, 1, FALSE);
    g_usleep (G_USEC_PER_SEC / 100);
  }
  g_assert_cmpstr (get_state (stream->element), !=, state);
}

/* Takes the next PROGRESS message, earlier others being dropped. */
static gboolean
next_progress (Stream *stream, GstProgressType *type)
{
  GstMessage *message =
      gst_bus_pop_filtered (stream->bus, GST_MESSAGE_PROGRESS);
  gchar *code, *text;

  if (!message)
    return FALSE;
  gst_message_parse_progress (message, type, &code, &text);
  g_assert_cmpstr (code, ==, "learn");
  g_assert_cmpuint (strlen (text), >, 0);
  g_free (code);
  g_free (text);
  gst_message_unref (message);
  return TRUE;
}

/* A START, any number of CONTINUE, and this end. */
static void
check_next_progress_ends_with (Stream *stream, GstProgressType end)
{
  GstProgressType type;

  fail_unless (next_progress (stream, &type));
  fail_unless_equals_int (type, GST_PROGRESS_TYPE_START);
  do
    fail_unless (next_progress (stream, &type), "no end of the progress");
  while (type == GST_PROGRESS_TYPE_CONTINUE);
  fail_unless_equals_int (type, end);
}

static void
check_progress_ends_with (Stream *stream, GstProgressType end)
{
  GstProgressType type;

  check_next_progress_ends_with (stream, end);
  fail_if (next_progress (stream, &type));
}

/* Whether the next warning's text has that word; earlier other messages are
 * dropped. */
static gboolean
next_warning_has (Stream *stream, const gchar *word)
{
  GstMessage *message = gst_bus_pop_filtered (stream->bus, GST_MESSAGE_WARNING);
  gboolean has;
  GError *error;

  fail_unless (message != NULL, "no warning has \"%s\"", word);
  gst_message_parse_warning (message, &error, NULL);
  has = strstr (error->message, word) != NULL;
  g_error_free (error);
  gst_message_unref (message);
  return has;
}

/* One warning whose text has that word, and no other. */
static void
check_one_warning (Stream *stream, const gchar *word)
{
  fail_unless (next_warning_has (stream, word), "%s", word);
  fail_unless (gst_bus_pop_filtered (stream->bus, GST_MESSAGE_WARNING) == NULL);
}

GST_START_TEST (test_learns_then_detects)
{
  Stream stream;
  GstStructure *start;

  open_learner (&stream, "auto", NULL, SHORT_BUDGET);
  fail_unless_equals_string (
      stream_run (&stream, LEARN_FRAMES / 2, FALSE).state, "learning");
  fail_unless_equals_string (get_state (stream.element), "learning");

  run_while (&stream, "learning");
  fail_unless_equals_string (get_state (stream.element), "training");
  run_while (&stream, "training");
  stream_run (&stream, 10, FALSE);
  fail_unless_equals_string (get_state (stream.element), "detecting");
  check_progress_ends_with (&stream, GST_PROGRESS_TYPE_COMPLETE);

  stream_run (&stream, 10, TRUE);
  start = stream_next_event (&stream, "vaelstm-anomaly", "start");
  fail_unless (start != NULL);
  gst_structure_free (start);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_the_model_is_found_again)
{
  gchar *path = make_path ();
  Stream stream;

  open_learner (&stream, "auto", path, SHORT_BUDGET);
  run_while (&stream, "learning");
  run_while (&stream, "training");
  stream_close (&stream);
  fail_unless (g_file_test (path, G_FILE_TEST_IS_REGULAR));

  open_learner (&stream, "auto", path, SHORT_BUDGET);
  stream_run (&stream, 10, FALSE);
  fail_unless_equals_string (get_state (stream.element), "detecting");
  stream_close (&stream);
  tiny_model_remove (path);
}
GST_END_TEST

/* What is known must not be lost by learning from a stream that is too short.
 */
GST_START_TEST (test_learn_mode_replaces_a_model_only_by_another)
{
  gchar *path = make_path ();
  gchar *before, *after;
  gsize size[2];
  Stream stream;

  fail_unless (g_file_get_contents (stream_model, &before, &size[0], NULL));
  fail_unless (g_file_set_contents (path, before, size[0], NULL));

  open_learner (&stream, "learn", path, SHORT_BUDGET);
  stream_run (&stream, 5, FALSE);
  fail_unless_equals_string (get_state (stream.element), "learning");
  gst_harness_push_event (stream.harness, gst_event_new_eos ());
  stream_close (&stream);
  fail_unless (g_file_get_contents (path, &after, &size[1], NULL));
  fail_unless (size[0] == size[1] && !memcmp (before, after, size[0]));
  g_free (after);

  open_learner (&stream, "learn", path, SHORT_BUDGET);
  run_while (&stream, "learning");
  run_while (&stream, "training");
  stream_close (&stream);
  fail_unless (g_file_get_contents (path, &after, &size[1], NULL));
  fail_unless (size[0] != size[1] || memcmp (before, after, size[0]));

  g_free (after);
  g_free (before);
  tiny_model_remove (path);
}
GST_END_TEST

GST_START_TEST (test_eos_waits_for_the_model_in_learn_mode)
{
  gchar *path = make_path ();
  Stream stream;

  open_learner (&stream, "learn", path, SHORT_BUDGET);
  stream_run (&stream, LEARN_FRAMES - 10, FALSE);
  fail_unless_equals_string (get_state (stream.element), "learning");

  fail_unless (gst_harness_push_event (stream.harness, gst_event_new_eos ()));
  fail_unless (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  check_progress_ends_with (&stream, GST_PROGRESS_TYPE_COMPLETE);
  stream_close (&stream);
  tiny_model_remove (path);
}
GST_END_TEST

GST_START_TEST (test_eos_does_not_wait_in_auto_mode)
{
  Stream stream;

  open_learner (&stream, "auto", NULL, ENDLESS_BUDGET);
  run_while (&stream, "learning");
  fail_unless (gst_harness_push_event (stream.harness, gst_event_new_eos ()));
  check_one_warning (&stream, "mode=learn");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_a_flush_frees_eos)
{
  GstHarnessThread *thread;
  Stream stream;

  open_learner (&stream, "learn", NULL, ENDLESS_BUDGET);
  run_while (&stream, "learning");
  thread = gst_harness_stress_push_event_start (
      stream.harness, gst_event_new_eos ());
  g_usleep (G_USEC_PER_SEC / 5);
  fail_unless (
      gst_harness_push_event (stream.harness, gst_event_new_flush_start ()));
  gst_harness_stress_thread_stop (thread);
  fail_unless (
      gst_harness_push_event (stream.harness, gst_event_new_flush_stop (TRUE)));
  fail_unless_equals_string (get_state (stream.element), "training");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_too_little_to_learn_from)
{
  Stream stream;

  open_learner (&stream, "learn", NULL, SHORT_BUDGET);
  stream_run (&stream, 10, FALSE);
  fail_unless (gst_harness_push_event (stream.harness, gst_event_new_eos ()));
  fail_unless_equals_string (get_state (stream.element), "blind");
  check_one_warning (&stream, "Learning failed");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_blind_video_flows_and_can_be_learned_anew)
{
  GstSegment segment;
  Stream stream;

  open_learner (&stream, "learn", NULL, SHORT_BUDGET);
  stream_run (&stream, 10, FALSE);
  gst_harness_push_event (stream.harness, gst_event_new_eos ());
  gst_harness_push_event (stream.harness, gst_event_new_flush_start ());
  gst_harness_push_event (stream.harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));

  fail_unless_equals_string (stream_run (&stream, 5, TRUE).state, "blind");
  g_signal_emit_by_name (stream.element, "relearn");
  fail_unless_equals_string (stream_run (&stream, 5, FALSE).state, "learning");
  run_while (&stream, "learning");
  run_while (&stream, "training");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_relearn_while_learning_starts_over)
{
  Stream stream;

  open_learner (&stream, "auto", NULL, ENDLESS_BUDGET);
  stream_run (&stream, LEARN_FRAMES - 10, FALSE);
  g_signal_emit_by_name (stream.element, "relearn");
  fail_unless_equals_string (
      stream_run (&stream, LEARN_FRAMES - 10, FALSE).state, "learning");
  check_next_progress_ends_with (&stream, GST_PROGRESS_TYPE_CANCELED);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_relearn_while_training_starts_over)
{
  Stream stream;

  open_learner (&stream, "auto", NULL, ENDLESS_BUDGET);
  run_while (&stream, "learning");
  g_signal_emit_by_name (stream.element, "relearn");
  run_while (&stream, "training");
  fail_unless_equals_string (get_state (stream.element), "learning");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_relearn_while_detecting_ends_the_event)
{
  GstStructure *end;
  Stream stream;

  open_learner (&stream, "auto", stream_model, ENDLESS_BUDGET);
  stream_run (&stream, 10, FALSE);
  fail_unless (stream_run (&stream, 10, TRUE).anomalous);
  g_signal_emit_by_name (stream.element, "relearn");
  fail_if (stream_run (&stream, 1, TRUE).anomalous);
  fail_unless_equals_string (get_state (stream.element), "learning");
  end = stream_next_event (&stream, "vaelstm-anomaly", "end");
  fail_unless (end != NULL);
  gst_structure_free (end);
  stream_close (&stream);
}
GST_END_TEST

/* Interruptions cost nothing of what was collected before. */
GST_START_TEST (test_learning_survives_flushes_and_new_caps)
{
  GstSegment segment;
  Stream stream;

  open_learner (&stream, "auto", NULL, ENDLESS_BUDGET);
  stream_run (&stream, LEARN_FRAMES / 2, FALSE);
  gst_harness_push_event (stream.harness, gst_event_new_flush_start ());
  gst_harness_push_event (stream.harness, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  fail_unless_equals_string (get_state (stream.element), "learning");

  gst_harness_set_src_caps_str (stream.harness,
      "video/x-raw,format=BGR,width=128,height=128,framerate=10/1");
  stream_run (&stream, LEARN_FRAMES / 2 + 5, FALSE);
  fail_unless_equals_string (get_state (stream.element), "training");

  gst_harness_set_src_caps_str (stream.harness, stream_caps);
  stream_run (&stream, 5, FALSE);
  fail_unless_equals_string (get_state (stream.element), "training");
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_stopping_cancels_the_training)
{
  Stream stream;
  GstElement *element;

  open_learner (&stream, "auto", NULL, ENDLESS_BUDGET);
  run_while (&stream, "learning");
  stream_run (&stream, 1, FALSE);
  element = gst_object_ref (stream.element);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  check_progress_ends_with (&stream, GST_PROGRESS_TYPE_CANCELED);
  fail_unless_equals_string (get_state (element), "warming-up");
  gst_object_unref (element);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_a_model_that_cannot_be_saved_still_detects)
{
  gchar *path = make_path ();
  gchar *dir = g_path_get_dirname (path);
  Stream stream;

  open_learner (&stream, "auto", path, SHORT_BUDGET);
  run_while (&stream, "learning");
  g_rmdir (dir);
  run_while (&stream, "training");
  stream_run (&stream, 10, FALSE);
  fail_unless_equals_string (get_state (stream.element), "detecting");
  while (!next_warning_has (&stream, "could not be saved"))
    ;
  stream_close (&stream);
  g_free (dir);
  g_free (path);
}
GST_END_TEST

/* What the user mistypes meanwhile costs nothing of what is learned. */
GST_START_TEST (test_a_bad_exclude_does_not_cost_the_model)
{
  Stream stream;

  open_learner (&stream, "auto", NULL, SHORT_BUDGET);
  g_object_set (stream.element, "exclude", "0,0,0.1,0.1", NULL);
  stream_run (&stream, 2, FALSE);
  g_object_set (stream.element, "exclude", "garbage", NULL);
  run_while (&stream, "learning");
  check_one_warning (&stream, "garbage");
  run_while (&stream, "training");
  stream_run (&stream, 10, FALSE);
  fail_unless_equals_string (get_state (stream.element), "detecting");
  stream_close (&stream);
}
GST_END_TEST

/* Frames that follow no other teach nothing, and somebody has to say so. */
GST_START_TEST (test_a_stream_in_pieces_is_warned_about_once)
{
  Stream stream;

  open_learner (&stream, "auto", NULL, SHORT_BUDGET);
  for (guint i = 0; i < 3 * LEARN_FRAMES; i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
    gst_buffer_unref (stream_pass (&stream, buffer));
  }
  fail_unless_equals_string (get_state (stream.element), "learning");
  check_one_warning (&stream, "longer than learn-duration");
  stream_close (&stream);
}
GST_END_TEST

/* The video has 10 frames a second, so a model of a thousand would be wrong
 * about what a second is. */
GST_START_TEST (test_the_rate_to_learn_at)
{
  gchar *path = make_path ();
  gchar *model;
  Stream stream;
  GstBus *bus;
  GstElement *element = stream_make_element (&bus, "model-file", path,
      "learn-duration", (guint64)LEARN_DURATION, "training-budget",
      (guint64)SHORT_BUDGET, "analysis-rate", 2000000, 1, NULL);

  stream_open (&stream, NULL, element, bus);
  stream_run (&stream, 2, FALSE);
  g_object_set (stream.element, "analysis-rate", 5, 1, NULL);
  stream_run (&stream, 2, FALSE);
  check_one_warning (&stream, "analysis-rate");
  run_while (&stream, "learning");
  run_while (&stream, "training");
  stream_close (&stream);

  fail_unless (g_file_get_contents (path, &model, NULL, NULL));
  fail_unless (strstr (model + 8, "10/1") != NULL);
  g_free (model);
  tiny_model_remove (path);
}
GST_END_TEST

GST_START_TEST (test_relearn_warns_while_stopped)
{
  GstBus *bus;
  GstElement *element = stream_make_element (&bus, NULL);
  GstMessage *message;

  g_signal_emit_by_name (element, "relearn");
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
  fail_unless (message != NULL);
  gst_message_unref (message);
  gst_object_unref (element);
  gst_object_unref (bus);
}
GST_END_TEST

/* An application that waits in PAUSED for a progress to end would wait for
 * frames that come in PLAYING only. */
GST_START_TEST (test_no_progress_before_playing)
{
  GstElement *pipeline = gst_parse_launch (
      "videotestsrc num-buffers=200 ! video/x-raw,width=64,height=48 ! "
      "vaelstmdetect ! queue ! fakesink sync=true",
      NULL);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  fail_unless_equals_int (
      gst_element_get_state (pipeline, NULL, NULL, GST_CLOCK_TIME_NONE),
      GST_STATE_CHANGE_SUCCESS);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_PROGRESS) == NULL);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_PROGRESS | GST_MESSAGE_EOS);
  fail_unless_equals_int (GST_MESSAGE_TYPE (message), GST_MESSAGE_PROGRESS);

  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_learns_then_detects);
  tcase_add_test (tcase, test_the_model_is_found_again);
  tcase_add_test (tcase, test_learn_mode_replaces_a_model_only_by_another);
  tcase_add_test (tcase, test_eos_waits_for_the_model_in_learn_mode);
  tcase_add_test (tcase, test_eos_does_not_wait_in_auto_mode);
  tcase_add_test (tcase, test_a_flush_frees_eos);
  tcase_add_test (tcase, test_too_little_to_learn_from);
  tcase_add_test (tcase, test_blind_video_flows_and_can_be_learned_anew);
  tcase_add_test (tcase, test_relearn_while_learning_starts_over);
  tcase_add_test (tcase, test_relearn_while_training_starts_over);
  tcase_add_test (tcase, test_relearn_while_detecting_ends_the_event);
  tcase_add_test (tcase, test_learning_survives_flushes_and_new_caps);
  tcase_add_test (tcase, test_stopping_cancels_the_training);
  tcase_add_test (tcase, test_a_model_that_cannot_be_saved_still_detects);
  tcase_add_test (tcase, test_a_bad_exclude_does_not_cost_the_model);
  tcase_add_test (tcase, test_a_stream_in_pieces_is_warned_about_once);
  tcase_add_test (tcase, test_the_rate_to_learn_at);
  tcase_add_test (tcase, test_relearn_warns_while_stopped);
  tcase_add_test (tcase, test_no_progress_before_playing);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "learning", add_tests);
}
