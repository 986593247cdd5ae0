/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Adam (Kingma and Ba 2015) and clipping by the gradient's global norm. */

#pragma once

#include "real.h"

#define VL_ADAM_BETA1 0.9
#define VL_ADAM_BETA2 0.999
#define VL_ADAM_TOL 1e-8

/* One step on n parameters. m and v are the running moments, zero before the
 * first step; step counts from 1. */
void vl_adam_step (VlReal *params, VlReal *m, VlReal *v, const VlReal *grads,
    size_t n, double learning_rate, unsigned step);

/* Scales grads so that their Euclidean norm is at most max_norm, and returns
 * the norm they had: NaN or infinity when a gradient is not finite (grads are
 * then left alone). */
double vl_clip_grad_norm (VlReal *grads, size_t n, double max_norm);
