/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From a number to a decision: schedule, channel statistic, tail, trigger. */

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "calibration.h"
#include "channel.h"
#include "schedule.h"
#include "trigger.h"

#define MS G_GUINT64_CONSTANT (1000000)

/* --- schedule --- */

/* Frames due of n at a frame rate, each late or early by up to jitter ns. */
static guint
count_due (guint n, double frame_rate, guint64 jitter, guint rate)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  VlSchedule schedule;
  guint due = 0;

  vl_schedule_init (&schedule, rate, 1);
  for (guint i = 0; i < n; i++) {
    const double shift = g_rand_double_range (random, -1, 1) * jitter;
    due += vl_schedule_is_due (
        &schedule, (guint64)(1000 * MS + i * 1e9 / frame_rate + shift));
  }
  return due;
}

START_TEST (test_schedule_rates)
{
  ck_assert_uint_eq (count_due (100, 10, 0, 10), 100);
  ck_assert_uint_eq (count_due (300, 30, 0, 10), 100);
  ck_assert_uint_eq (count_due (250, 25, 0, 10), 100);
  ck_assert_uint_eq (count_due (299, 29.97, 0, 10), 100);
  ck_assert_uint_eq (count_due (50, 5, 0, 10), 50);
}
END_TEST

START_TEST (test_schedule_absorbs_jitter)
{
  ck_assert_uint_ge (count_due (1000, 10, 20 * MS, 10), 995);
}
END_TEST

/* Far fewer frames than there are: none is taken much too early. */
START_TEST (test_schedule_keeps_its_grid)
{
  VlSchedule schedule;

  vl_schedule_init (&schedule, 1, 1);
  for (guint i = 0; i < 300; i++) {
    const guint64 time = i * G_GUINT64_CONSTANT (1000000000) / 30;
    if (vl_schedule_is_due (&schedule, time))
      ck_assert_uint_eq (i % 30, 0);
  }
}
END_TEST

START_TEST (test_schedule_gap_and_reset)
{
  VlSchedule schedule;

  vl_schedule_init (&schedule, 10, 1);
  ck_assert (vl_schedule_is_due (&schedule, 0));
  ck_assert (!vl_schedule_is_due (&schedule, 50 * MS));
  /* after a gap the next frame is due, and no burst follows */
  ck_assert (vl_schedule_is_due (&schedule, 5000 * MS));
  ck_assert (!vl_schedule_is_due (&schedule, 5050 * MS));
  vl_schedule_reset (&schedule);
  ck_assert (vl_schedule_is_due (&schedule, 10 * MS));
  ck_assert (vl_schedule_is_due (&schedule, G_MAXUINT64));
  ck_assert (vl_schedule_is_due (&schedule, G_MAXUINT64));
}
END_TEST

/* --- channel --- */

static int
falling (const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;

  return (x < y) - (x > y);
}

START_TEST (test_channel_takes_the_largest)
{
  enum { N = 45 };
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  float mean[N], spread[N], values[N], sorted[N], expected = 0;
  const VlChannelCalibration normal = {mean, spread};
  VlChannelState state;

  vl_channel_init (&state, N);
  for (guint i = 0; i < N; i++) {
    mean[i] = g_rand_double_range (random, -1, 1);
    spread[i] = g_rand_double_range (random, 1, 2);
    values[i] = g_rand_double_range (random, -9, 9);
    sorted[i] = (values[i] - mean[i]) / spread[i];
  }
  qsort (sorted, N, sizeof *sorted, falling);
  for (guint i = 0; i < 6; i++)
    expected += sorted[i] / 6;

  ck_assert_uint_eq (state.k, 6);
  /* averages of fewer frames vary more */
  for (guint n = 1; n <= VL_CHANNEL_AVERAGE; n++)
    ck_assert_float_eq_tol (vl_channel_statistic (&state,
                                vl_channel_average (&state, values), &normal),
        expected * sqrt (n / (double)VL_CHANNEL_AVERAGE), 1e-5);
  for (guint i = 0; i < 6; i++)
    ck_assert_float_eq_tol (state.top_value[i], sorted[i], 1e-6);
  vl_channel_clear (&state);
}
END_TEST

START_TEST (test_channel_averages_causally)
{
  const float values[] = {6, 12, 0, 0, 0, 0, 0};
  const float averages[] = {6, 9, 6, 4, 0, 0, 0};
  VlChannelState state;

  vl_channel_init (&state, 1);
  for (guint round = 0; round < 2; round++) {
    for (guint i = 0; i < G_N_ELEMENTS (values); i++)
      ck_assert_float_eq_tol (
          *vl_channel_average (&state, &values[i]), averages[i], 1e-6);
    vl_channel_reset (&state);
  }
  vl_channel_clear (&state);
}
END_TEST

/* --- tail --- */

static void
fit_exponential (VlTail *tail, guint n, guint seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_autofree float *values = g_new (float, n);

  for (guint i = 0; i < n; i++)
    values[i] = -log (1 - g_rand_double (random));
  vl_tail_fit (tail, values, n);
}

/* P (X >= x) = exp (-x), also far beyond what was seen. */
START_TEST (test_tail_of_exponential)
{
  VlTail tail;

  fit_exponential (&tail, 20000, 3);
  for (double x = 0.5; x < 12; x += 0.5)
    ck_assert_double_eq_tol (
        vl_tail_score (&tail, x), x / M_LN10, 0.02 + 0.03 * x);
}
END_TEST

START_TEST (test_tail_is_continuous_and_rises)
{
  VlTail tail;
  double last = 0;

  fit_exponential (&tail, 300, 4);
  for (double x = tail.body[0] + 0.01; x < 50; x += 0.01) {
    const double score = vl_tail_score (&tail, x);
    ck_assert_double_gt (score, last);
    ck_assert_double_lt (score - last, 0.1);
    last = score;
  }
  ck_assert (isfinite (vl_tail_score (&tail, 1e30)));
  ck_assert_double_eq (vl_tail_score (&tail, -1e30), 0);
}
END_TEST

/* A lifeless scene, and hardly any frames. */
START_TEST (test_tail_of_little)
{
  float equal[100], two[] = {1, 2};
  VlTail tail;

  for (guint i = 0; i < 100; i++)
    equal[i] = 7;
  vl_tail_fit (&tail, equal, 100);
  ck_assert (isfinite (vl_tail_score (&tail, 7)));
  ck_assert_double_gt (vl_tail_score (&tail, 8), 3);
  vl_tail_fit (&tail, two, 2);
  ck_assert (isfinite (vl_tail_score (&tail, 1.5)));
  ck_assert_double_gt (vl_tail_score (&tail, 100), vl_tail_score (&tail, 2));
}
END_TEST

/* Frames that come alike five at a time make a fifth of the clusters. */
START_TEST (test_tail_counts_clusters)
{
  enum { N = 20000 };
  g_autoptr (GRand) random = g_rand_new_with_seed (8);
  g_autofree float *values = g_new (float, N);
  VlTail tail;

  fit_exponential (&tail, N, 9);
  ck_assert_double_gt (tail.theta, 0.9);
  for (guint i = 0; i < N; i++)
    values[i] = i % 5 ? values[i - 1] : -log (1 - g_rand_double (random));
  vl_tail_fit (&tail, values, N);
  ck_assert_double_gt (tail.theta, 0.12);
  ck_assert_double_lt (tail.theta, 0.3);
}
END_TEST

/* On independent frames the threshold for n false alarms a day is passed about
 * n times in a day of new frames. */
START_TEST (test_threshold_keeps_its_promise)
{
  enum { DAY = 864000 };
  g_autoptr (GRand) random = g_rand_new_with_seed (6);
  VlCalibration calibration = {0};
  guint alarms = 0;

  fit_exponential (&calibration.combined, 50000, 5);
  const double threshold = vl_calibration_threshold (&calibration, 100, 10);
  for (guint i = 0; i < DAY; i++)
    alarms += vl_tail_score (&calibration.combined,
                  -log (1 - g_rand_double (random))) >= threshold;
  ck_assert_uint_ge (alarms, 40);
  ck_assert_uint_le (alarms, 250);
  ck_assert_double_gt (
      vl_calibration_threshold (&calibration, 1, 10), threshold);
}
END_TEST

/* --- trigger --- */

static const VlTriggerSettings settings = {4, 0.5, 200 * MS, 1000 * MS};

/* Feeds scores at 10 frames a second and writes what came of each: '.' none,
 * 'S' start, 'u' update, 'E' end. */
static char *
feed (VlTrigger *trigger, const double *scores, guint n)
{
  GString *events = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_c (
        events, ".SuE"[vl_trigger_update (trigger, scores[i], i * 100 * MS)]);
  return g_string_free (events, FALSE);
}

START_TEST (test_trigger_waits_for_min_duration)
{
  const double scores[] = {0, 5, 5, 0, 5, 5, 9, 5};
  VlTrigger trigger;

  vl_trigger_init (&trigger, &settings);
  g_autofree char *events = feed (&trigger, scores, G_N_ELEMENTS (scores));
  ck_assert_str_eq (events, "......Su");
  ck_assert_uint_eq (trigger.start, 400 * MS);
  ck_assert_uint_eq (trigger.last_high, 700 * MS);
  ck_assert_uint_eq (trigger.id, 1);
  ck_assert_double_eq (trigger.peak, 9);
}
END_TEST

START_TEST (test_trigger_releases_and_holds)
{
  /* 3 is under the threshold, not under half of it */
  const double scores[] = {
      5, 5, 5, 3, 3, 1, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  VlTrigger trigger;

  vl_trigger_init (&trigger, &settings);
  g_autofree char *events = feed (&trigger, scores, G_N_ELEMENTS (scores));
  ck_assert_str_eq (events, "..SuuuuuuuuuuuuuuuuuE.");
  ck_assert_uint_eq (trigger.last_high, 1000 * MS);
  ck_assert (!trigger.open);
}
END_TEST

START_TEST (test_trigger_closes_once)
{
  const double scores[] = {5, 5, 5};
  VlTrigger trigger;

  vl_trigger_init (&trigger, &settings);
  g_free (feed (&trigger, scores, 3));
  ck_assert_int_eq (vl_trigger_close (&trigger), VL_EVENT_END);
  ck_assert_int_eq (vl_trigger_close (&trigger), VL_EVENT_NONE);
  g_free (feed (&trigger, scores, 3));
  ck_assert_uint_eq (trigger.id, 2);
}
END_TEST

START_TEST (test_trigger_survives_time_running_backwards)
{
  VlTrigger trigger;

  vl_trigger_init (&trigger, &settings);
  for (guint i = 0; i < 3; i++)
    vl_trigger_update (&trigger, 5, 10000 * MS + i * 100 * MS);
  ck_assert (trigger.open);
  ck_assert_int_eq (vl_trigger_update (&trigger, 0, 0), VL_EVENT_UPDATE);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("detect");
  TCase *tcase = tcase_create ("decisions");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_test (tcase, test_schedule_rates);
  tcase_add_test (tcase, test_schedule_absorbs_jitter);
  tcase_add_test (tcase, test_schedule_keeps_its_grid);
  tcase_add_test (tcase, test_schedule_gap_and_reset);
  tcase_add_test (tcase, test_channel_takes_the_largest);
  tcase_add_test (tcase, test_channel_averages_causally);
  tcase_add_test (tcase, test_tail_of_exponential);
  tcase_add_test (tcase, test_tail_is_continuous_and_rises);
  tcase_add_test (tcase, test_tail_of_little);
  tcase_add_test (tcase, test_tail_counts_clusters);
  tcase_add_test (tcase, test_threshold_keeps_its_promise);
  tcase_add_test (tcase, test_trigger_waits_for_min_duration);
  tcase_add_test (tcase, test_trigger_releases_and_holds);
  tcase_add_test (tcase, test_trigger_closes_once);
  tcase_add_test (tcase, test_trigger_survives_time_running_backwards);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed != 0;
}
