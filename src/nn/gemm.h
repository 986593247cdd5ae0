/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The one door to BLAS: every matrix product of the project goes through
 * vl_gemm(), and gemm.c is the only file that includes <cblas.h>. */

#pragma once

#include "real.h"

typedef enum { VL_NO_TRANS, VL_TRANS } VlTrans;

/* C (M,N) = op(A) (M,K) * op(B) (K,N) + beta * C, all row-major and dense.
 * op(X) is X or, under VL_TRANS, the transpose of X, which is then stored as
 * (K,M) or (N,K). beta 0 overwrites C, beta 1 accumulates.
 *
 * Any number of threads may call. At most 32 products are under way, others
 * wait: OpenBLAS bears no more for sure. */
void vl_gemm (VlTrans trans_a, VlTrans trans_b, size_t M, size_t N, size_t K,
    const VlReal *A, const VlReal *B, VlReal beta, VlReal *C);

/* Makes our products single-threaded: batches and streams have threads of our
 * own. Call once, before any thread computes.
 *
 * OpenBLAS on pthreads has one number of threads and one pool for the whole
 * process. The number becomes 1, unless somebody chose: OPENBLAS_NUM_THREADS,
 * GOTO_NUM_THREADS or OMP_NUM_THREADS is set, or the number is not OpenBLAS's
 * default. A number chosen later stays as well.
 *
 * OpenBLAS on OpenMP gives every calling thread a team of its own. Our calls do
 * with a team of 1, whatever was chosen; the thread's number for its own
 * parallel work is the same after as before. */
void vl_gemm_use_one_thread (void);

/* Name of the kernel BLAS picked for this processor, such as "SkylakeX".
 * Static storage. */
const char *vl_gemm_kernel (void);
