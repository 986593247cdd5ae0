/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "adam.h"

#include "scalar.h"

/* The bias corrections 1 - beta^step are folded into the step size and into
 * the root of v, so that the loop holds one division and one root. */
void
vl_adam_step (VlReal *params, VlReal *m, VlReal *v, const VlReal *grads,
    size_t n, double learning_rate, unsigned step)
{
  const VlReal beta1 = VL_ADAM_BETA1, beta2 = VL_ADAM_BETA2;
  const VlReal tol = VL_ADAM_TOL;
  const VlReal one_minus_beta1 = 1 - VL_ADAM_BETA1;
  const VlReal one_minus_beta2 = 1 - VL_ADAM_BETA2;
  const VlReal rate = learning_rate / (1 - pow (VL_ADAM_BETA1, step));
  const VlReal v_scale = 1 / sqrt (1 - pow (VL_ADAM_BETA2, step));
  for (size_t i = 0; i < n; i++) {
    m[i] = beta1 * m[i] + one_minus_beta1 * grads[i];
    v[i] = beta2 * v[i] + one_minus_beta2 * grads[i] * grads[i];
    params[i] -= rate * m[i] / (vl_sqrt (v[i]) * v_scale + tol);
  }
}

double
vl_clip_grad_norm (VlReal *grads, size_t n, double max_norm)
{
  double norm = sqrt (vl_sum_squares (grads, n));
  if (!isfinite (norm) || norm <= max_norm)
    return norm;
  const VlReal scale = max_norm / norm;
  for (size_t i = 0; i < n; i++)
    grads[i] *= scale;
  return norm;
}
