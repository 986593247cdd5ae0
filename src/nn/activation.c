/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "activation.h"

#include "scalar.h"

void
vl_relu_forward (VlReal *x, size_t n)
{
  for (size_t i = 0; i < n; i++)
    x[i] = x[i] > 0 ? x[i] : 0;
}

void
vl_relu_backward (VlReal *dy, const VlReal *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    dy[i] = y[i] > 0 ? dy[i] : 0;
}

void
vl_sigmoid_forward (VlReal *x, size_t n)
{
  for (size_t i = 0; i < n; i++)
    x[i] = vl_sigmoid (x[i]);
}

/* y' = y (1 - y) */
void
vl_sigmoid_backward (VlReal *dy, const VlReal *y, size_t n)
{
  for (size_t i = 0; i < n; i++)
    dy[i] *= y[i] * (1 - y[i]);
}
