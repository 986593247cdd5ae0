/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How many threads BLAS takes. Here the test is the host application, which has
 * BLAS to itself before our code comes. Each test is a process of its own. */

#include <cblas.h>
#include <check.h>
#include <glib.h>
#include <stdlib.h>

#include "gemm.h"
#include "process.h"

#define SIDE 300 /* of a product large enough for several threads */
#define N_CALLERS 8

/* OpenMP's, where BLAS is built on it. */
extern int omp_get_max_threads (void) __attribute__ ((weak));
extern void omp_set_num_threads (int n) __attribute__ ((weak));

/* As if the process had begun with nothing said about threads. */
static void
choose_nothing (void)
{
  g_unsetenv ("OPENBLAS_NUM_THREADS");
  g_unsetenv ("GOTO_NUM_THREADS");
  g_unsetenv ("OMP_NUM_THREADS");
  openblas_set_num_threads (openblas_get_num_procs ());
}

static gboolean
has_pool (void)
{
  return openblas_get_parallel () == OPENBLAS_THREAD;
}

START_TEST (test_default_becomes_one)
{
  if (!has_pool ())
    return;
  vl_gemm_use_one_thread ();
  ck_assert_int_eq (openblas_get_num_threads (), 1);
}
END_TEST

START_TEST (test_number_of_the_host_stays)
{
  const int chosen = openblas_get_num_procs () + 1;

  if (!has_pool ())
    return;
  openblas_set_num_threads (chosen);
  vl_gemm_use_one_thread ();
  ck_assert_int_eq (openblas_get_num_threads (), chosen);
}
END_TEST

START_TEST (test_environment_stays)
{
  static const char *const names[] = {
      "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"};
  const int before = openblas_get_num_threads ();

  if (!has_pool ())
    return;
  g_setenv (names[_i], "2", TRUE);
  vl_gemm_use_one_thread ();
  ck_assert_int_eq (openblas_get_num_threads (), before);
}
END_TEST

/* The thread that calls us may be the host's. */
START_TEST (test_team_of_the_host_stays)
{
  float x = 2, y = 0;

  if (openblas_get_parallel () != OPENBLAS_OPENMP)
    return;
  vl_gemm_use_one_thread ();
  omp_set_num_threads (3);
  vl_gemm (VL_NO_TRANS, VL_NO_TRANS, 1, 1, 1, &x, &x, 0, &y);
  ck_assert_float_eq (y, 4);
  ck_assert_int_eq (omp_get_max_threads (), 3);
}
END_TEST

typedef struct {
  GMutex mutex;
  GCond changed;
  guint n_done;
  gboolean quit;
} Callers;

/* Multiplies, then stays until told, so that its team can be counted. */
static gpointer
call (gpointer data)
{
  Callers *callers = data;
  g_autofree float *a = g_new (float, SIDE *SIDE);
  g_autofree float *c = g_new (float, SIDE *SIDE);
  gboolean right = TRUE;

  for (guint i = 0; i < SIDE * SIDE; i++)
    a[i] = 1;
  for (guint i = 0; i < 5; i++)
    vl_gemm (VL_NO_TRANS, VL_NO_TRANS, SIDE, SIDE, SIDE, a, a, 0, c);
  for (guint i = 0; i < SIDE * SIDE; i++)
    right = right && c[i] == SIDE;

  g_mutex_lock (&callers->mutex);
  callers->n_done++;
  g_cond_broadcast (&callers->changed);
  while (!callers->quit)
    g_cond_wait (&callers->changed, &callers->mutex);
  g_mutex_unlock (&callers->mutex);
  return GINT_TO_POINTER (right);
}

START_TEST (test_callers_bring_no_threads_along)
{
  Callers callers = {0};
  GThread *threads[N_CALLERS];
  guint before, meanwhile;

  g_mutex_init (&callers.mutex);
  g_cond_init (&callers.changed);
  vl_gemm_use_one_thread ();
  before = process_threads ();

  for (guint i = 0; i < N_CALLERS; i++)
    threads[i] = g_thread_new ("caller", call, &callers);
  g_mutex_lock (&callers.mutex);
  while (callers.n_done < N_CALLERS)
    g_cond_wait (&callers.changed, &callers.mutex);
  meanwhile = process_threads ();
  callers.quit = TRUE;
  g_cond_broadcast (&callers.changed);
  g_mutex_unlock (&callers.mutex);

  for (guint i = 0; i < N_CALLERS; i++)
    ck_assert (GPOINTER_TO_INT (g_thread_join (threads[i])));
  if (before > 0)
    ck_assert_uint_eq (meanwhile, before + N_CALLERS);
}
END_TEST

static Suite *
gemm_threads_suite (void)
{
  Suite *suite = suite_create ("gemm-threads");
  TCase *tcase = tcase_create ("gemm-threads");

  tcase_add_checked_fixture (tcase, choose_nothing, NULL);
  tcase_add_test (tcase, test_default_becomes_one);
  tcase_add_test (tcase, test_number_of_the_host_stays);
  tcase_add_loop_test (tcase, test_environment_stays, 0, 3);
  tcase_add_test (tcase, test_team_of_the_host_stays);
  tcase_add_test (tcase, test_callers_bring_no_threads_along);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (void)
{
  SRunner *runner = srunner_create (gemm_threads_suite ());
  int failed;

  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
