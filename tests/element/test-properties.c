/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Properties: the contract's names, types and defaults, and what they do. */

#include "stream.h"

#include <string.h>

/* Name, default as text, and a flag that says when it acts. */
static const struct {
  const gchar *name;
  const gchar *value;
  GParamFlags flag;
} contract[] = {
    {"model-file", NULL, GST_PARAM_MUTABLE_READY},
    {"mode", "auto", GST_PARAM_MUTABLE_READY},
    {"learn-duration", "60000000000", GST_PARAM_MUTABLE_READY},
    {"training-budget", "120000000000", GST_PARAM_MUTABLE_READY},
    {"analysis-rate", "0/1", GST_PARAM_MUTABLE_PLAYING},
    {"false-alarms-per-day", "1", GST_PARAM_MUTABLE_PLAYING},
    {"threshold", "0", GST_PARAM_MUTABLE_PLAYING},
    {"release-ratio", "0.69999999999999996", GST_PARAM_MUTABLE_PLAYING},
    {"min-duration", "200000000", GST_PARAM_MUTABLE_PLAYING},
    {"hold", "2000000000", GST_PARAM_MUTABLE_PLAYING},
    {"post-messages", "events", GST_PARAM_MUTABLE_PLAYING},
    {"attach-meta", "true", GST_PARAM_MUTABLE_PLAYING},
    {"attach-regions", "true", GST_PARAM_MUTABLE_PLAYING},
    {"drop-analysis", "false", GST_PARAM_MUTABLE_READY},
    {"exclude", NULL, GST_PARAM_MUTABLE_PLAYING},
    {"qos", "false", G_PARAM_READWRITE},
    {"state", "warming-up", G_PARAM_READABLE},
    {"score", "0", G_PARAM_READABLE},
};

static void
check_default (GstElement *element, GParamSpec *pspec, const gchar *expected)
{
  GValue value = G_VALUE_INIT, wanted = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_value_init (&wanted, pspec->value_type);
  g_object_get_property (G_OBJECT (element), pspec->name, &value);
  if (expected)
    fail_unless (gst_value_deserialize (&wanted, expected));
  fail_unless_equals_int (gst_value_compare (&value, &wanted), GST_VALUE_EQUAL);
  fail_unless_equals_int (g_param_values_cmp (pspec, &value,
                              g_param_spec_get_default_value (pspec)),
      0);
  g_value_unset (&value);
  g_value_unset (&wanted);
}

GST_START_TEST (test_contract)
{
  GstElement *element = gst_element_factory_make ("vaelstmdetect", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (contract); i++) {
    GParamSpec *pspec = g_object_class_find_property (
        G_OBJECT_GET_CLASS (element), contract[i].name);

    fail_unless (pspec != NULL, "no property %s", contract[i].name);
    fail_unless ((pspec->flags & contract[i].flag) == contract[i].flag);
    check_default (element, pspec, contract[i].value);
  }
  gst_object_unref (element);
}
GST_END_TEST

GST_START_TEST (test_everything_is_documented)
{
  GstElement *element = gst_element_factory_make ("vaelstmdetect", NULL);
  GParamSpec **pspecs;
  guint n;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    const gchar *blurb = g_param_spec_get_blurb (pspecs[i]);
    fail_unless (blurb && strlen (blurb) > 10, "%s", pspecs[i]->name);
  }
  fail_unless_equals_string (
      gst_element_get_metadata (element, "klass"), "Filter/Analyzer/Video");
  g_free (pspecs);
  gst_object_unref (element);
}
GST_END_TEST

/* What is out of range is brought into it, and what is in range is kept. */
static double
set_double (GstElement *element, const gchar *name, double value)
{
  g_object_set (element, name, value, NULL);
  g_object_get (element, name, &value, NULL);
  return value;
}

GST_START_TEST (test_ranges)
{
  GstElement *element = gst_element_factory_make ("vaelstmdetect", NULL);
  GObjectClass *klass = G_OBJECT_GET_CLASS (element);
  static const gchar *const doubles[] = {
      "false-alarms-per-day", "threshold", "release-ratio"};

  for (guint i = 0; i < G_N_ELEMENTS (doubles); i++) {
    GParamSpecDouble *pspec =
        G_PARAM_SPEC_DOUBLE (g_object_class_find_property (klass, doubles[i]));

    fail_unless (pspec->minimum >= 0);
    fail_unless (
        set_double (element, doubles[i], pspec->minimum) == pspec->minimum);
    fail_unless (
        set_double (element, doubles[i], pspec->maximum) == pspec->maximum);
  }
  fail_unless (G_PARAM_SPEC_DOUBLE (
                   g_object_class_find_property (klass, "release-ratio"))
                   ->maximum == 1);
  fail_unless (G_PARAM_SPEC_DOUBLE (
                   g_object_class_find_property (klass, "false-alarms-per-day"))
                   ->minimum > 0);
  gst_object_unref (element);
}
GST_END_TEST

/* Extremes of every property at once must not harm a running stream. */
GST_START_TEST (test_extremes_while_playing)
{
  Stream stream;

  stream_open_default (&stream);
  g_object_set (stream.element, "analysis-rate", G_MAXINT, 1,
      "false-alarms-per-day", 1e6, "threshold", G_MAXDOUBLE, "release-ratio",
      1.0, "min-duration", (guint64)G_MAXINT64, "hold", (guint64)G_MAXINT64,
      NULL);
  stream_run (&stream, 5, TRUE);
  g_object_set (stream.element, "analysis-rate", 1, G_MAXINT,
      "false-alarms-per-day", 1e-6, "threshold", 0.0, "release-ratio", 0.01,
      "min-duration", (guint64)0, "hold", (guint64)0, NULL);
  stream_run (&stream, 5, TRUE);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_threshold_acts_while_playing)
{
  GstVaeLstmAnomaly anomaly;
  Stream stream;

  stream_open_default (&stream);
  g_object_set (stream.element, "threshold", 1e9, NULL);
  stream_run (&stream, 20, FALSE);
  anomaly = stream_run (&stream, 10, TRUE);
  fail_if (anomaly.anomalous);
  fail_unless (anomaly.threshold == 1e9);

  g_object_set (stream.element, "threshold", 5.0, NULL);
  anomaly = stream_run (&stream, 5, TRUE);
  fail_unless (anomaly.anomalous);
  fail_unless (anomaly.threshold == 5.0);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_false_alarms_per_day_moves_the_threshold)
{
  double strict, lax;
  Stream stream;

  stream_open_default (&stream);
  g_object_set (stream.element, "false-alarms-per-day", 0.01, NULL);
  strict = stream_run (&stream, 1, FALSE).threshold;
  g_object_set (stream.element, "false-alarms-per-day", 1000.0, NULL);
  lax = stream_run (&stream, 1, FALSE).threshold;
  fail_unless (strict > lax && lax > 0);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_min_duration_and_hold)
{
  GstStructure *start, *end;
  Stream stream;

  stream_open_default (&stream);
  g_object_set (
      stream.element, "min-duration", GST_SECOND, "hold", 4 * GST_SECOND, NULL);
  stream_run (&stream, 20, FALSE);
  stream_run (&stream, 20, TRUE);
  stream_run (&stream, 60, FALSE);

  start = stream_next_message (&stream, "vaelstmdetect", "start");
  fail_unless_equals_uint64 (stream_get_time (start, "duration"), GST_SECOND);
  fail_unless_equals_uint64 (
      stream_get_time (start, "timestamp"), 3 * GST_SECOND);
  end = stream_next_message (&stream, "vaelstmdetect", "end");
  fail_unless (end != NULL);
  gst_structure_free (start);
  gst_structure_free (end);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_score_state_and_stats)
{
  GstStructure *stats;
  GstVaeLstmAnomaly anomaly;
  double score, largest;
  Stream stream;
  gint state;

  stream_open_default (&stream);
  anomaly = stream_run (&stream, 10, TRUE);
  g_object_get (
      stream.element, "score", &score, "state", &state, "stats", &stats, NULL);
  fail_unless (score == anomaly.score);
  fail_unless_equals_int (state, 3);
  fail_unless_equals_uint64 (stream_get_time (stats, "frames"), 10);
  fail_unless_equals_uint64 (stream_get_time (stats, "analysed"), 10);
  fail_unless_equals_uint64 (stream_get_time (stats, "skipped"), 0);
  fail_unless_equals_uint64 (stream_get_time (stats, "events"), 1);
  fail_unless (stream_get_double (stats, "mean-ms") > 0);
  fail_unless (stream_get_double (stats, "p99-ms") > 0);
  largest = stream_get_double (stats, "score-max");
  fail_unless (largest >= stream_get_double (stats, "score-p99"));
  fail_unless (stream_get_double (stats, "score-p99") >=
               stream_get_double (stats, "score-p50"));
  fail_unless (largest >= (float)score);
  gst_structure_free (stats);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_excluded_rectangle_is_not_seen)
{
  Stream stream;

  stream_open_default (&stream);
  g_object_set (
      stream.element, "exclude", "0,0,0.1,0.1; 0.3,0.35,0.4,0.42;", NULL);
  stream_run (&stream, 20, FALSE);
  fail_if (stream_run (&stream, 20, TRUE).anomalous);

  g_object_set (stream.element, "exclude", NULL, NULL);
  fail_unless (stream_run (&stream, 20, TRUE).anomalous);
  stream_close (&stream);
}
GST_END_TEST

static const gchar *const bad_excludes[] = {"x", "0,0,1", "0,0,1,1,1",
    "0,0,0,1", "-0.1,0,1,1", "0.5,0,0.6,1", "0,0,nan,1", "0,0,inf,1", "0 0 1 1",
    "0,0,1,1;junk", "0,0,1,1 px", ",,,"};

GST_START_TEST (test_bad_exclude_fails_to_start)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad_excludes); i++) {
    GstBus *bus;
    GstElement *element = stream_make_element (
        &bus, "model-file", stream_model, "exclude", bad_excludes[i], NULL);
    GstMessage *message;

    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
        GST_STATE_CHANGE_FAILURE);
    message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
    fail_unless (message != NULL, "%s", bad_excludes[i]);
    gst_message_unref (message);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_object_unref (element);
    gst_object_unref (bus);
  }
}
GST_END_TEST

GST_START_TEST (test_bad_exclude_while_playing_warns)
{
  GstMessage *message;
  Stream stream;

  stream_open_default (&stream);
  stream_run (&stream, 2, FALSE);
  g_object_set (stream.element, "exclude", "everything", NULL);
  stream_run (&stream, 2, FALSE);
  message = gst_bus_pop_filtered (stream.bus, GST_MESSAGE_WARNING);
  fail_unless (message != NULL);
  gst_message_unref (message);
  fail_unless (gst_bus_pop_filtered (stream.bus, GST_MESSAGE_WARNING) == NULL);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_what_acts_at_the_start_only_is_refused_with_a_warning)
{
  static const gchar *const names[] = {"model-file", "mode", "learn-duration",
      "training-budget", "drop-analysis"};
  static const gchar *const values[] = {
      "/nowhere", "learn", "123", "456", "true"};
  Stream stream;

  stream_open_default (&stream);
  stream_run (&stream, 2, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    GParamSpec *pspec = g_object_class_find_property (
        G_OBJECT_GET_CLASS (stream.element), names[i]);
    GValue before = G_VALUE_INIT, after = G_VALUE_INIT;
    GstMessage *message;

    g_value_init (&before, pspec->value_type);
    g_value_init (&after, pspec->value_type);
    g_object_get_property (G_OBJECT (stream.element), names[i], &before);
    gst_util_set_object_arg (G_OBJECT (stream.element), names[i], values[i]);
    g_object_get_property (G_OBJECT (stream.element), names[i], &after);
    fail_unless_equals_int (g_param_values_cmp (pspec, &before, &after), 0);

    message = gst_bus_pop_filtered (stream.bus, GST_MESSAGE_WARNING);
    fail_unless (message != NULL, "%s", names[i]);
    gst_message_unref (message);
    g_value_unset (&before);
    g_value_unset (&after);
  }
  fail_unless_equals_string (
      stream_run (&stream, 10, FALSE).state, "detecting");

  gst_element_set_state (stream.element, GST_STATE_READY);
  g_object_set (stream.element, "drop-analysis", TRUE, NULL);
  fail_unless (gst_bus_pop_filtered (stream.bus, GST_MESSAGE_WARNING) == NULL);
  stream_close (&stream);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_contract);
  tcase_add_test (tcase, test_everything_is_documented);
  tcase_add_test (tcase, test_ranges);
  tcase_add_test (tcase, test_extremes_while_playing);
  tcase_add_test (tcase, test_threshold_acts_while_playing);
  tcase_add_test (tcase, test_false_alarms_per_day_moves_the_threshold);
  tcase_add_test (tcase, test_min_duration_and_hold);
  tcase_add_test (tcase, test_score_state_and_stats);
  tcase_add_test (tcase, test_excluded_rectangle_is_not_seen);
  tcase_add_test (tcase, test_bad_exclude_fails_to_start);
  tcase_add_test (tcase, test_bad_exclude_while_playing_warns);
  tcase_add_test (
      tcase, test_what_acts_at_the_start_only_is_refused_with_a_warning);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "properties", add_tests);
}
