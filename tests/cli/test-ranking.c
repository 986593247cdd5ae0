/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "baseline.h"
#include "ranking.h"

#define TOL 1e-12

START_TEST (test_auc_by_hand)
{
  /* anomalous 3, 1 against normal 2, 0: of four pairs, three are in order */
  const double values[] = {3, 2, 1, 0};
  const guint8 anomalous[] = {1, 0, 1, 0};

  ck_assert_double_eq_tol (vl_auc (values, anomalous, 4), 0.75, TOL);
}
END_TEST

START_TEST (test_auc_counts_ties_half)
{
  /* pairs: 2>1, 2>1, 1=1, 1=1 -> (2 + 2 * 0.5) / 4 */
  const double values[] = {2, 1, 1, 1};
  const guint8 anomalous[] = {1, 1, 0, 0};
  const double equal[] = {5, 5, 5};
  const guint8 mixed[] = {0, 1, 0};

  ck_assert_double_eq_tol (vl_auc (values, anomalous, 4), 0.75, TOL);
  ck_assert_double_eq_tol (vl_auc (equal, mixed, 3), 0.5, TOL);
}
END_TEST

START_TEST (test_auc_equals_the_share_of_ordered_pairs)
{
  enum { N = 300 };
  GRand *rand = g_rand_new_with_seed (1);
  double values[N], pairs = 0, ordered = 0;
  guint8 anomalous[N];

  for (int i = 0; i < N; i++) {
    anomalous[i] = g_rand_boolean (rand);
    values[i] = g_rand_int_range (rand, 0, 20) + anomalous[i];
  }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      if (anomalous[i] && !anomalous[j]) {
        pairs++;
        ordered += values[i] > values[j] ? 1 : values[i] == values[j] ? 0.5 : 0;
      }
  ck_assert_double_eq_tol (vl_auc (values, anomalous, N), ordered / pairs, TOL);
  g_rand_free (rand);
}
END_TEST

START_TEST (test_one_class_has_no_rank)
{
  const double values[] = {1, 2};
  const guint8 normal[] = {0, 0}, anomalous[] = {1, 1};

  ck_assert (isnan (vl_auc (values, normal, 2)));
  ck_assert (isnan (vl_auc (values, anomalous, 2)));
  ck_assert (isnan (vl_auc (values, normal, 0)));
  ck_assert (isnan (vl_eer (values, normal, 2)));
  ck_assert (isnan (vl_eer (values, anomalous, 2)));
}
END_TEST

START_TEST (test_eer_by_hand)
{
  const double apart[] = {4, 3, 2, 1};
  const guint8 good[] = {1, 1, 0, 0}, bad[] = {0, 0, 1, 1};
  /* falling: 1 0 1 0: misses 1/2, false alarms 1/2 after the second */
  const guint8 mixed[] = {1, 0, 1, 0};
  /* all tie: the ROC is the diagonal */
  const double equal[] = {7, 7, 7, 7};
  /* four normal, one of them above both anomalous ones: the ROC rises from
   * (1/4, 0) to (1/4, 1) and crosses the line of equal rates at 1/4 */
  const double five[] = {9, 8, 7, 3, 2, 1};
  const guint8 first_wrong[] = {0, 1, 1, 0, 0, 0};

  ck_assert_double_eq_tol (vl_eer (apart, good, 4), 0, TOL);
  ck_assert_double_eq_tol (vl_eer (apart, bad, 4), 1, TOL);
  ck_assert_double_eq_tol (vl_eer (apart, mixed, 4), 0.5, TOL);
  ck_assert_double_eq_tol (vl_eer (equal, mixed, 4), 0.5, TOL);
  ck_assert_double_eq_tol (vl_eer (five, first_wrong, 6), 0.25, TOL);
}
END_TEST

START_TEST (test_scaling_to_unit)
{
  double values[] = {3, -1, 1}, equal[] = {4, 4};

  vl_scale_to_unit (values, 3);
  ck_assert_double_eq_tol (values[0], 1, TOL);
  ck_assert_double_eq_tol (values[1], 0, TOL);
  ck_assert_double_eq_tol (values[2], 0.5, TOL);
  vl_scale_to_unit (equal, 2);
  ck_assert_double_eq (equal[0], 0);
  ck_assert_double_eq (equal[1], 0);
}
END_TEST

/* 40x24: 4x2 blocks */
static void
fill (guint8 *luma, guint8 value, unsigned x0, unsigned side)
{
  for (unsigned y = 0; y < 24; y++)
    for (unsigned x = 0; x < 40; x++)
      luma[y * 40 + x] = x >= x0 && x < x0 + side && y < side ? value : 10;
}

START_TEST (test_baseline_by_hand)
{
  g_autoptr (VlBaseline) baseline = vl_baseline_new (40, 24);
  guint8 luma[40 * 24];

  fill (luma, 10, 0, 8);
  ck_assert_double_eq (vl_baseline_update (baseline, luma), 0);
  /* 8x8 pixels in the corner change by 120: one block has a mean of 30, so the
   * mean of the six largest is 5 */
  fill (luma, 130, 0, 8);
  ck_assert_double_eq_tol (vl_baseline_update (baseline, luma), 5, 1e-5);
  /* stillness: averaged over two frames, then three, then forgotten */
  ck_assert_double_eq_tol (vl_baseline_update (baseline, luma), 2.5, 1e-5);
  ck_assert_double_eq_tol (vl_baseline_update (baseline, luma), 5 / 3.0, 1e-5);
  ck_assert_double_eq_tol (vl_baseline_update (baseline, luma), 0, 1e-5);
}
END_TEST

START_TEST (test_baseline_blocks_overlap)
{
  g_autoptr (VlBaseline) baseline = vl_baseline_new (40, 24);
  guint8 luma[40 * 24];

  /* at x = 8 the same change lies in two blocks */
  fill (luma, 10, 8, 8);
  vl_baseline_update (baseline, luma);
  fill (luma, 130, 8, 8);
  ck_assert_double_eq_tol (vl_baseline_update (baseline, luma), 10, 1e-5);
  vl_baseline_reset (baseline);
  fill (luma, 250, 8, 8);
  ck_assert_double_eq (vl_baseline_update (baseline, luma), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("ranking");
  TCase *tcase = tcase_create ("ranking");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_test (tcase, test_auc_by_hand);
  tcase_add_test (tcase, test_auc_counts_ties_half);
  tcase_add_test (tcase, test_auc_equals_the_share_of_ordered_pairs);
  tcase_add_test (tcase, test_one_class_has_no_rank);
  tcase_add_test (tcase, test_eer_by_hand);
  tcase_add_test (tcase, test_scaling_to_unit);
  tcase_add_test (tcase, test_baseline_by_hand);
  tcase_add_test (tcase, test_baseline_blocks_overlap);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
