/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How many threads BLAS takes. Here the test is the host application, which has
 * BLAS to itself before our code comes. Each test is a process of its own. */

#include <cblas.h>
#include <check.h>
#include <glib.h>
#include <pthread.h>
#include <stdlib.h>

#include "gemm.h"
#include "process.h"

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

/* Threads that begin together, multiply, and stay until told. */
typedef struct {
  guint side, rounds; /* of the products, and how many each */
  gint n_wrong;       /* atomic */
  pthread_barrier_t start, done, end;
} Callers;

/* Products of matrices of ones. */
static gpointer
call (gpointer data)
{
  Callers *callers = data;
  const guint side = callers->side, size = side * side;
  g_autofree float *a = g_new (float, size);
  g_autofree float *c = g_new (float, size);

  for (guint i = 0; i < size; i++)
    a[i] = 1;
  pthread_barrier_wait (&callers->start);
  for (guint round = 0; round < callers->rounds; round++)
    vl_gemm (VL_NO_TRANS, VL_NO_TRANS, side, side, side, a, a, 0, c);
  for (guint i = 0; i < size; i++)
    if (c[i] != side)
      g_atomic_int_inc (&callers->n_wrong);
  pthread_barrier_wait (&callers->done);
  pthread_barrier_wait (&callers->end);
  return NULL;
}

/* Lets n threads call; returns the process's threads while they are there. */
static guint
run_callers (guint n, guint side, guint rounds)
{
  Callers callers = {side, rounds};
  g_autofree GThread **threads = g_new (GThread *, n);
  guint meanwhile;

  pthread_barrier_init (&callers.start, NULL, n);
  pthread_barrier_init (&callers.done, NULL, n + 1);
  pthread_barrier_init (&callers.end, NULL, n + 1);
  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("caller", call, &callers);
  pthread_barrier_wait (&callers.done);
  meanwhile = process_threads ();
  pthread_barrier_wait (&callers.end);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
  ck_assert_int_eq (callers.n_wrong, 0);
  return meanwhile;
}

START_TEST (test_callers_bring_no_threads_along)
{
  guint before;

  vl_gemm_use_one_thread ();
  before = process_threads ();
  if (before > 0)
    ck_assert_uint_eq (run_callers (8, 300, 5), before + 8);
}
END_TEST

/* More at once than OpenBLAS has buffers for, which it says on stderr. */
START_TEST (test_many_callers)
{
  const int err = dup (STDERR_FILENO);
  FILE *said = tmpfile ();

  vl_gemm_use_one_thread ();
  ck_assert_int_ge (dup2 (fileno (said), STDERR_FILENO), 0);
  run_callers (200, 400, 4);
  dup2 (err, STDERR_FILENO);
  close (err);
  fseek (said, 0, SEEK_END);
  ck_assert_int_eq (ftell (said), 0);
  fclose (said);
}
END_TEST

static Suite *
gemm_threads_suite (void)
{
  Suite *suite = suite_create ("gemm-threads");
  TCase *tcase = tcase_create ("gemm-threads");

  tcase_set_timeout (tcase, 60);
  tcase_add_checked_fixture (tcase, choose_nothing, NULL);
  tcase_add_test (tcase, test_default_becomes_one);
  tcase_add_test (tcase, test_number_of_the_host_stays);
  tcase_add_loop_test (tcase, test_environment_stays, 0, 3);
  tcase_add_test (tcase, test_team_of_the_host_stays);
  tcase_add_test (tcase, test_callers_bring_no_threads_along);
  tcase_add_test (tcase, test_many_callers);
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
