/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Elementwise activations, in place. The backward functions turn dL/dy into
 * dL/dx in the same buffer; y is what the forward function left. */

#pragma once

#include "real.h"

void vl_relu_forward (VlReal *x, size_t n);
void vl_relu_backward (VlReal *dy, const VlReal *y, size_t n);
void vl_sigmoid_forward (VlReal *x, size_t n);
void vl_sigmoid_backward (VlReal *dy, const VlReal *y, size_t n);
