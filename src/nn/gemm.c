/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gemm.h"

#include <cblas.h>
#include <stdlib.h>

#ifdef VL_NN_DOUBLE
#define GEMM cblas_dgemm
#define GEMV cblas_dgemv
#else
#define GEMM cblas_sgemm
#define GEMV cblas_sgemv
#endif

void
vl_gemm (VlTrans trans_a, VlTrans trans_b, size_t M, size_t N, size_t K,
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

void
vl_gemm_use_one_thread (void)
{
  if (getenv ("OPENBLAS_NUM_THREADS") || getenv ("GOTO_NUM_THREADS") ||
      getenv ("OMP_NUM_THREADS"))
    return;
  openblas_set_num_threads (1);
}

const char *
vl_gemm_kernel (void)
{
  return openblas_get_corename ();
}
