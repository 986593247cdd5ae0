/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Adam over one arena of parameters whose gradients come from several workers,
 * summed in the workers' order: same seed and thread count, same bits. */

#pragma once

#include "workers.h"
#include "tensor.h"

typedef struct {
  gsize n;
  float *params; /* (n), the model's */
  float *m, *v;  /* (n), Adam's moments */
  float **grads; /* [worker](n), zero between steps */
  guint n_workers;
  guint step; /* steps taken */
} VlOptimizer;

void vl_optimizer_init (
    VlOptimizer *optimizer, float *params, gsize n, guint n_workers);
void vl_optimizer_clear (VlOptimizer *optimizer);

/* Weights and biases uniform in +-1/sqrt(fan_in), PyTorch's default; forget
 * gates begin open, b_ih 1 (Jozefowicz et al. 2015). Draws from stage and step
 * 0 of the seed. */
void vl_optimizer_draw_params (VlOptimizer *optimizer,
    const VlTensorSpec *specs, guint n_specs, guint seed, guint stage);

/* Sums the workers' gradients, clips their norm to max_norm (INFINITY: not at
 * all) and steps. FALSE, with the parameters as they were, when a gradient is
 * not finite. */
gboolean vl_optimizer_step (
    VlOptimizer *optimizer, double learning_rate, double max_norm);

/* Name of a tensor with a gradient that is not finite. */
const char *vl_optimizer_find_bad (
    const VlOptimizer *optimizer, const VlTensorSpec *specs, guint n_specs);
