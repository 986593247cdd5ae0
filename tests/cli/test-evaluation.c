/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "evaluation.h"
#include "report.h"

#define TOL 1e-9

/* A clip of 10 frames a second with the given scores. */
static VlTrack *
make_track (const char *clip, const double *scores, guint n)
{
  VlTrack *track = g_new0 (VlTrack, 1);

  track->clip = g_strdup (clip);
  track->n_read = n;
  track->threshold = 5;
  track->frames = g_array_new (FALSE, FALSE, sizeof (VlScoredFrame));
  track->events = g_array_new (FALSE, FALSE, sizeof (VlTrackEvent));
  for (guint i = 0; i < n; i++) {
    VlScoredFrame frame = {.frame = i, .time = i * GST_SECOND / 10};

    for (int s = 0; s < VL_N_SERIES; s++)
      frame.values[s] = s == VL_SERIES_BASELINE ? -scores[i] : scores[i];
    g_array_append_val (track->frames, frame);
  }
  return track;
}

static void
add_event (VlTrack *track, guint first, guint raised, guint last)
{
  const VlTrackEvent event = {track->events->len + 1, first, raised, last, 9.5};

  g_array_append_val (track->events, event);
}

static VlLabels *
make_labels (void)
{
  VlLabels *labels = g_new0 (VlLabels, 1);

  labels->ranges = g_array_new (FALSE, TRUE, sizeof (VlLabelRange));
  return labels;
}

static void
add_label (
    VlLabels *labels, char *clip, guint64 first, guint64 last, VlLabel label)
{
  const VlLabelRange range = {clip, first, last, label, 1};

  g_array_append_val (labels->ranges, range);
}

static GPtrArray *
make_tracks (VlTrack *first, VlTrack *second)
{
  GPtrArray *tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vl_track_free);

  g_ptr_array_add (tracks, first);
  if (second != NULL)
    g_ptr_array_add (tracks, second);
  return tracks;
}

START_TEST (test_two_protocols)
{
  /* Clip a lives at 10 to 12, clip b at 0 to 2; in each the anomaly is on
   * top. Pooled as they are, all of a lies above all of b. */
  const double a[] = {10, 11, 12}, b[] = {0, 1, 2};
  g_autoptr (GPtrArray) tracks =
      make_tracks (make_track ("a", a, 3), make_track ("b", b, 3));
  g_autoptr (VlLabels) labels = make_labels ();
  g_autoptr (VlEvaluation) evaluation = NULL;

  add_label (labels, "a", 2, 2, VL_LABEL_ANOMALY);
  add_label (labels, "b", 2, 2, VL_LABEL_ANOMALY);
  evaluation = vl_evaluate (tracks, labels);
  /* pairs: 12 beats 4 of 4 normal frames, 2 beats 2 of 4 */
  ck_assert_double_eq_tol (evaluation->auc[VL_SERIES_SCORE].live, 6 / 8.0, TOL);
  ck_assert_double_eq_tol (evaluation->auc[VL_SERIES_SCORE].published, 1, TOL);
  ck_assert_double_eq_tol (
      evaluation->auc[VL_SERIES_BASELINE].live, 2 / 8.0, TOL);
  ck_assert_double_eq_tol (
      evaluation->auc[VL_SERIES_BASELINE].published, 0, TOL);
  ck_assert_uint_eq (evaluation->n_events, 0);
  ck_assert (isnan (evaluation->delay_median));
}
END_TEST

START_TEST (test_ignored_frames_take_no_part)
{
  const double scores[] = {0, 1, 100, 2, 3};
  g_autoptr (GPtrArray) tracks =
      make_tracks (make_track ("a", scores, 5), NULL);
  g_autoptr (VlLabels) labels = make_labels ();
  g_autoptr (VlEvaluation) evaluation = NULL;

  add_label (labels, "a", 2, 2, VL_LABEL_IGNORE);
  add_label (labels, "a", 3, 4, VL_LABEL_ANOMALY);
  evaluation = vl_evaluate (tracks, labels);
  ck_assert_double_eq_tol (evaluation->auc[VL_SERIES_SCORE].live, 1, TOL);
  ck_assert_double_eq_tol (evaluation->auc[VL_SERIES_SCORE].published, 1, TOL);
  ck_assert_double_eq_tol (evaluation->eer, 0, TOL);
  ck_assert_double_eq_tol (evaluation->normal_seconds, 0.2, TOL);
  ck_assert_double_eq_tol (evaluation->video_seconds, 0.5, TOL);
}
END_TEST

START_TEST (test_events_and_delays)
{
  const double scores[100] = {0};
  VlTrack *track = make_track ("a", scores, 100);
  g_autoptr (GPtrArray) tracks = make_tracks (track, NULL);
  g_autoptr (VlLabels) labels = make_labels ();
  g_autoptr (VlEvaluation) evaluation = NULL;
  const VlInterval *intervals;

  add_label (labels, "a", 10, 19, VL_LABEL_ANOMALY); /* found after 0.4 s */
  add_label (labels, "a", 30, 39, VL_LABEL_ANOMALY); /* an alarm stands */
  add_label (labels, "a", 50, 59, VL_LABEL_ANOMALY); /* missed */
  add_label (labels, "a", 70, 79, VL_LABEL_IGNORE);
  add_event (track, 12, 14, 18);
  add_event (track, 28, 29, 33);
  add_event (track, 62, 63, 65); /* false */
  add_event (track, 69, 69, 71); /* touches what is ignored */
  evaluation = vl_evaluate (tracks, labels);
  intervals = (const VlInterval *)(const void *)evaluation->intervals->data;

  ck_assert_uint_eq (evaluation->n_events, 4);
  ck_assert_uint_eq (evaluation->n_detected, 2);
  ck_assert_uint_eq (evaluation->n_false_alarms, 1);
  ck_assert_uint_eq (evaluation->intervals->len, 3);
  ck_assert (intervals[0].detected);
  ck_assert_uint_eq (intervals[0].alarm_frame, 14);
  ck_assert_double_eq_tol (intervals[0].delay, 0.4, TOL);
  ck_assert_uint_eq (intervals[1].alarm_frame, 29);
  ck_assert_double_eq_tol (intervals[1].delay, 0, TOL);
  ck_assert (!intervals[2].detected);
  ck_assert_double_eq_tol (evaluation->delay_median, 0.2, TOL);
  ck_assert_double_eq_tol (evaluation->normal_seconds, 6, TOL);
}
END_TEST

START_TEST (test_reports_say_null_not_nan)
{
  const double scores[] = {0, 1, 2};
  g_autoptr (GPtrArray) tracks =
      make_tracks (make_track ("a", scores, 3), NULL);
  g_autoptr (VlLabels) labels = make_labels ();
  g_autoptr (VlEvaluation) evaluation = vl_evaluate (tracks, labels);
  const VlSpeed speed = {3, 0.5, 0.25};
  g_autofree char *text = vl_report_text (evaluation, tracks, labels, &speed);
  g_autofree char *json = vl_report_json (evaluation, tracks, labels, &speed);
  g_autoptr (JsonNode) root = json_from_string (json, NULL);
  JsonObject *object;

  ck_assert_ptr_nonnull (strstr (text, "auc_live: n/a\n"));
  ck_assert_ptr_nonnull (strstr (text, "frames_per_second: 6.0000\n"));
  ck_assert_ptr_null (strstr (text, "nan"));
  ck_assert_ptr_nonnull (root);
  object = json_node_get_object (root);
  ck_assert (json_object_get_null_member (object, "auc_live"));
  ck_assert (json_object_get_null_member (object, "delay_s_median"));
  ck_assert_int_eq (json_object_get_int_member (object, "events"), 0);
  ck_assert_double_eq_tol (
      json_object_get_double_member (object, "false_alarms_per_hour"), 0, TOL);
  ck_assert (json_object_has_member (
      json_object_get_object_member (object, "channels"), "dynamics"));
  ck_assert (json_object_has_member (
      json_object_get_object_member (object, "baseline"), "auc_published"));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("evaluation");
  TCase *tcase = tcase_create ("evaluation");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_test (tcase, test_two_protocols);
  tcase_add_test (tcase, test_ignored_frames_take_no_part);
  tcase_add_test (tcase, test_events_and_delays);
  tcase_add_test (tcase, test_reports_say_null_not_nan);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
