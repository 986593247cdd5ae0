/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "optimizer.h"

#include "adam.h"
#include "random.h"

#include <math.h>
#include <string.h>

void
vl_optimizer_init (
    VlOptimizer *optimizer, float *params, gsize n, guint n_workers)
{
  *optimizer = (VlOptimizer){.n = n, .params = params, .n_workers = n_workers};
  optimizer->m = g_new0 (float, n);
  optimizer->v = g_new0 (float, n);
  optimizer->grads = g_new (float *, n_workers);
  for (guint w = 0; w < n_workers; w++)
    optimizer->grads[w] = g_new0 (float, n);
}

void
vl_optimizer_clear (VlOptimizer *optimizer)
{
  for (guint w = 0; w < optimizer->n_workers; w++)
    g_free (optimizer->grads[w]);
  g_free (optimizer->grads);
  g_free (optimizer->m);
  g_free (optimizer->v);
}

void
vl_optimizer_draw_params (VlOptimizer *optimizer, const VlTensorSpec *specs,
    guint n_specs, guint seed, guint stage)
{
  g_autoptr (GRand) random = g_rand_new ();

  vl_random_seek (random, seed, stage, 0);
  for (guint t = 0; t < n_specs; t++) {
    const double bound = 1 / sqrt ((double)specs[t].fan_in);
    const gsize size = vl_tensor_size (&specs[t]);
    float *params = optimizer->params + specs[t].offset;
    for (gsize i = 0; i < size; i++)
      params[i] = (float)g_rand_double_range (random, -bound, bound);
    if (g_str_has_prefix (specs[t].name, "lstm.bias_ih"))
      for (gsize i = size / 4; i < size / 2; i++)
        params[i] = 1;
  }
}

static void
sum_grads (VlOptimizer *optimizer)
{
  float *sum = optimizer->grads[0];

  for (guint w = 1; w < optimizer->n_workers; w++) {
    const float *other = optimizer->grads[w];
    for (gsize i = 0; i < optimizer->n; i++)
      sum[i] += other[i];
  }
}

gboolean
vl_optimizer_step (
    VlOptimizer *optimizer, double learning_rate, double max_norm)
{
  sum_grads (optimizer);
  if (!isfinite (
          vl_clip_grad_norm (optimizer->grads[0], optimizer->n, max_norm)))
    return FALSE;

  vl_adam_step (optimizer->params, optimizer->m, optimizer->v,
      optimizer->grads[0], optimizer->n, learning_rate, ++optimizer->step);
  for (guint w = 0; w < optimizer->n_workers; w++)
    memset (optimizer->grads[w], 0, optimizer->n * sizeof (float));
  return TRUE;
}

const char *
vl_optimizer_find_bad (
    const VlOptimizer *optimizer, const VlTensorSpec *specs, guint n_specs)
{
  for (guint t = 0; t < n_specs; t++) {
    const float *grads = optimizer->grads[0] + specs[t].offset;
    for (gsize i = 0; i < vl_tensor_size (&specs[t]); i++)
      if (!isfinite (grads[i]))
        return specs[t].name;
  }
  return "the gradient's norm";
}
