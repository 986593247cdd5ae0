/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Fully connected layer. Gradients accumulate. */

#pragma once

#include "real.h"

/* y (B,OUT) = x (B,IN) * weight^T (OUT,IN) + bias (OUT) */
void vl_linear_forward (VlReal *y, const VlReal *x, const VlReal *weight,
    const VlReal *bias, size_t B, size_t IN, size_t OUT);

/* dx may be NULL where the input needs no gradient. */
void vl_linear_backward (VlReal *dx, VlReal *dweight, VlReal *dbias,
    const VlReal *dy, const VlReal *x, const VlReal *weight, size_t B,
    size_t IN, size_t OUT);

/* Every one of the n rows of y (n,OUT) becomes bias (OUT). */
void vl_bias_fill (VlReal *y, const VlReal *bias, size_t n, size_t OUT);

/* dbias (OUT) += the sum of the n rows of dy (n,OUT). */
void vl_bias_backward (VlReal *dbias, const VlReal *dy, size_t n, size_t OUT);
