/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Convolution and transposed convolution without padding, square kernels.
 *
 * Activations are channels-last, (B,H,W,C): a row of a patch is then K*C
 * adjacent numbers, so that im2col copies and col2im adds whole runs. Weights
 * are (OC,K,K,IC) for conv2d and (IC,K,K,OC) for conv_transpose2d; tensor.h
 * says how PyTorch's layout maps to these.
 *
 * Gradients accumulate: d* += . Output and input buffers do not alias. */

#pragma once

#include "real.h"

typedef struct {
  unsigned B;      /* images */
  unsigned H, W;   /* input height and width */
  unsigned IC, OC; /* channels in and out */
  unsigned K;      /* kernel height and width */
  unsigned stride;
} VlConvShape;

/* Output side of a convolution over n input pixels; 0 when none fits. */
static inline unsigned
vl_conv2d_out (unsigned n, unsigned K, unsigned stride)
{
  return n < K ? 0 : (n - K) / stride + 1;
}

/* Output side of a transposed convolution of n input pixels. */
static inline unsigned
vl_conv_transpose2d_out (unsigned n, unsigned K, unsigned stride)
{
  return (n - 1) * stride + K;
}

/* Numbers of scratch that the four functions below need for a shape. */
size_t vl_conv2d_scratch (const VlConvShape *s);
size_t vl_conv_transpose2d_scratch (const VlConvShape *s);

/* y (B,OH,OW,OC) = x (B,H,W,IC) * weight (OC,K,K,IC) + bias (OC) */
void vl_conv2d_forward (VlReal *y, const VlReal *x, const VlReal *weight,
    const VlReal *bias, const VlConvShape *s, VlReal *scratch);

/* dx may be NULL where the input needs no gradient (the first layer). */
void vl_conv2d_backward (VlReal *dx, VlReal *dweight, VlReal *dbias,
    const VlReal *dy, const VlReal *x, const VlReal *weight,
    const VlConvShape *s, VlReal *scratch);

/* y (B,(H-1)*stride+K,(W-1)*stride+K,OC): x (B,H,W,IC) spread through
 * weight (IC,K,K,OC), + bias (OC) */
void vl_conv_transpose2d_forward (VlReal *y, const VlReal *x,
    const VlReal *weight, const VlReal *bias, const VlConvShape *s,
    VlReal *scratch);

void vl_conv_transpose2d_backward (VlReal *dx, VlReal *dweight, VlReal *dbias,
    const VlReal *dy, const VlReal *x, const VlReal *weight,
    const VlConvShape *s, VlReal *scratch);
