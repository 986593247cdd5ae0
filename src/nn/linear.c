/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "linear.h"

#include "gemm.h"

#include <string.h>

void
vl_bias_fill (VlReal *y, const VlReal *bias, size_t n, size_t OUT)
{
  for (size_t i = 0; i < n; i++)
    memcpy (y + i * OUT, bias, OUT * sizeof *y);
}

void
vl_bias_backward (VlReal *dbias, const VlReal *dy, size_t n, size_t OUT)
{
  for (size_t i = 0; i < n; i++)
    for (size_t o = 0; o < OUT; o++)
      dbias[o] += dy[i * OUT + o];
}

void
vl_linear_forward (VlReal *y, const VlReal *x, const VlReal *weight,
    const VlReal *bias, size_t B, size_t IN, size_t OUT)
{
  vl_bias_fill (y, bias, B, OUT);
  vl_gemm (VL_NO_TRANS, VL_TRANS, B, OUT, IN, x, weight, 1, y);
}

/* y = x W^T + b, so now we have:
 *   dx = dy W,  dW = dy^T x,  db = sum of dy's rows */
void
vl_linear_backward (VlReal *dx, VlReal *dweight, VlReal *dbias,
    const VlReal *dy, const VlReal *x, const VlReal *weight, size_t B,
    size_t IN, size_t OUT)
{
  if (dx)
    vl_gemm (VL_NO_TRANS, VL_NO_TRANS, B, IN, OUT, dy, weight, 1, dx);
  vl_gemm (VL_TRANS, VL_NO_TRANS, OUT, IN, B, dy, x, 1, dweight);
  vl_bias_backward (dbias, dy, B, OUT);
}
