/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gemm.h"

#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#ifdef VL_NN_DOUBLE
#define GEMM cblas_dgemm
#define GEMV cblas_dgemv
#else
#define GEMM cblas_sgemm
#define GEMV cblas_sgemv
#endif

/* OpenBLAS holds a buffer for each call under way, in a table whose size is
 * fixed when it is built: 50 places at least, 128 in Debian's. One call more,
 * and it warns on stderr and may crash (0.3.21); earlier versions end the
 * process. */
#define MAX_CALLERS 32

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t place_left = PTHREAD_COND_INITIALIZER;
static unsigned n_callers;

static void
enter (void)
{
  pthread_mutex_lock (&lock);
  while (n_callers == MAX_CALLERS)
    pthread_cond_wait (&place_left, &lock);
  n_callers++;
  pthread_mutex_unlock (&lock);
}

static void
leave (void)
{
  pthread_mutex_lock (&lock);
  n_callers--;
  pthread_cond_signal (&place_left);
  pthread_mutex_unlock (&lock);
}

/* OpenMP's, where BLAS is built on it: the calling thread's own number. */
extern int omp_get_max_threads (void) __attribute__ ((weak));
extern void omp_set_num_threads (int n) __attribute__ ((weak));

/* Every calling thread would get a team of its own. Written before any
 * computes. */
static int has_team_per_caller;

static void
multiply (VlTrans trans_a, VlTrans trans_b, size_t M, size_t N, size_t K,
    const VlReal *A, const VlReal *B, VlReal beta, VlReal *C)
{
  const enum CBLAS_TRANSPOSE ta =
      trans_a == VL_TRANS ? CblasTrans : CblasNoTrans;
  const enum CBLAS_TRANSPOSE tb =
      trans_b == VL_TRANS ? CblasTrans : CblasNoTrans;

  if (M == 1) {
    /* a row times op(B) is op(B)^T times the row: half of gemm's overhead */
    if (trans_b == VL_TRANS)
      GEMV (CblasRowMajor, CblasNoTrans, N, K, 1, B, K, A, 1, beta, C, 1);
    else
      GEMV (CblasRowMajor, CblasTrans, K, N, 1, B, N, A, 1, beta, C, 1);
    return;
  }

  GEMM (CblasRowMajor, ta, tb, M, N, K, 1, A, trans_a == VL_TRANS ? M : K, B,
      trans_b == VL_TRANS ? K : N, beta, C, N);
}

/* Has the calling thread do without a team. Returns the number that it has. */
static int
dismiss_team (void)
{
  const int n = has_team_per_caller ? omp_get_max_threads () : 0;

  if (n)
    omp_set_num_threads (1);
  return n;
}

static void
recall_team (int n)
{
  if (n)
    omp_set_num_threads (n);
}

void
vl_gemm (VlTrans trans_a, VlTrans trans_b, size_t M, size_t N, size_t K,
    const VlReal *A, const VlReal *B, VlReal beta, VlReal *C)
{
  int team;

  enter ();
  team = dismiss_team ();
  multiply (trans_a, trans_b, M, N, K, A, B, beta, C);
  recall_team (team);
  leave ();
}

/* How many threads OpenBLAS takes when nobody says: one for each processor, up
 * to what it was built for. */
static int
default_threads (void)
{
  static const char key[] = "MAX_THREADS=";
  const int n = openblas_get_num_procs ();
  const char *max = strstr (openblas_get_config (), key);
  const int built_for = max ? atoi (max + strlen (key)) : n;

  return n < built_for ? n : built_for;
}

static int
somebody_chose (void)
{
  return getenv ("OPENBLAS_NUM_THREADS") || getenv ("GOTO_NUM_THREADS") ||
         getenv ("OMP_NUM_THREADS") ||
         openblas_get_num_threads () != default_threads ();
}

void
vl_gemm_use_one_thread (void)
{
  if (openblas_get_parallel () == OPENBLAS_OPENMP && omp_get_max_threads &&
      omp_set_num_threads)
    has_team_per_caller = 1;
  else if (!somebody_chose ())
    openblas_set_num_threads (1);
}

const char *
vl_gemm_kernel (void)
{
  return openblas_get_corename ();
}
