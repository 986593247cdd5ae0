/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "conv.h"

#include "gemm.h"
#include "linear.h"

#include <string.h>

/* Patches are unrolled for as many images at a time as fit this many numbers:
 * small enough to stay in the second-level cache, large enough that the deep
 * layers' small maps still make a tall matrix. */
#define PATCH_NUMBERS (512 * 1024)

static size_t
patch_size (unsigned K, unsigned C)
{
  return (size_t)K * K * C;
}

/* Images to unroll together, where each makes `places` patches. */
static unsigned
chunk_images (unsigned B, size_t places, size_t patch)
{
  size_t n = PATCH_NUMBERS / (places * patch);

  return n < 1 ? 1 : n > B ? B : (unsigned)n;
}

/* cols (B*PH*PW, K*K*C) = the patches of x (B,H,W,C) */
static void
im2col (VlReal *cols, const VlReal *x, unsigned B, unsigned H, unsigned W,
    unsigned C, unsigned K, unsigned stride)
{
  const unsigned PH = vl_conv2d_out (H, K, stride);
  const unsigned PW = vl_conv2d_out (W, K, stride);
  const size_t run = (size_t)K * C, row = (size_t)W * C;

  for (unsigned b = 0; b < B; b++)
    for (unsigned py = 0; py < PH; py++)
      for (unsigned px = 0; px < PW; px++) {
        const VlReal *x_p =
            x + ((size_t)b * H + py * stride) * row + px * stride * C;
        for (unsigned ky = 0; ky < K; ky++, cols += run, x_p += row)
          memcpy (cols, x_p, run * sizeof *cols);
      }
}

/* The adjoint: x (B,H,W,C) += cols, each patch at its place. */
static void
col2im (VlReal *x, const VlReal *cols, unsigned B, unsigned H, unsigned W,
    unsigned C, unsigned K, unsigned stride)
{
  const unsigned PH = vl_conv2d_out (H, K, stride);
  const unsigned PW = vl_conv2d_out (W, K, stride);
  const size_t run = (size_t)K * C, row = (size_t)W * C;

  for (unsigned b = 0; b < B; b++)
    for (unsigned py = 0; py < PH; py++)
      for (unsigned px = 0; px < PW; px++) {
        VlReal *x_p = x + ((size_t)b * H + py * stride) * row + px * stride * C;
        for (unsigned ky = 0; ky < K; ky++, cols += run, x_p += row)
          for (size_t i = 0; i < run; i++)
            x_p[i] += cols[i];
      }
}

size_t
vl_conv2d_scratch (const VlConvShape *s)
{
  const size_t places = (size_t)vl_conv2d_out (s->H, s->K, s->stride) *
                        vl_conv2d_out (s->W, s->K, s->stride);
  const size_t patch = patch_size (s->K, s->IC);

  return chunk_images (s->B, places, patch) * places * patch;
}

size_t
vl_conv_transpose2d_scratch (const VlConvShape *s)
{
  const size_t places = (size_t)s->H * s->W;
  const size_t patch = patch_size (s->K, s->OC);

  return chunk_images (s->B, places, patch) * places * patch;
}

/* y = im2col (x) W^T + b */
void
vl_conv2d_forward (VlReal *y, const VlReal *x, const VlReal *weight,
    const VlReal *bias, const VlConvShape *s, VlReal *scratch)
{
  const size_t places = (size_t)vl_conv2d_out (s->H, s->K, s->stride) *
                        vl_conv2d_out (s->W, s->K, s->stride);
  const size_t patch = patch_size (s->K, s->IC);
  const size_t image = (size_t)s->H * s->W * s->IC;
  const unsigned chunk = chunk_images (s->B, places, patch);

  for (unsigned b = 0; b < s->B; b += chunk) {
    const unsigned n = b + chunk > s->B ? s->B - b : chunk;
    im2col (scratch, x + b * image, n, s->H, s->W, s->IC, s->K, s->stride);
    vl_linear_forward (y + b * places * s->OC, scratch, weight, bias,
        n * places, patch, s->OC);
  }
}

/* With cols = im2col (x) and y = cols W^T + b we have:
 *   dW = dy^T cols,  db = sum of dy,  dx = col2im (dy W) */
void
vl_conv2d_backward (VlReal *dx, VlReal *dweight, VlReal *dbias,
    const VlReal *dy, const VlReal *x, const VlReal *weight,
    const VlConvShape *s, VlReal *scratch)
{
  const size_t places = (size_t)vl_conv2d_out (s->H, s->K, s->stride) *
                        vl_conv2d_out (s->W, s->K, s->stride);
  const size_t patch = patch_size (s->K, s->IC);
  const size_t image = (size_t)s->H * s->W * s->IC;
  const unsigned chunk = chunk_images (s->B, places, patch);

  for (unsigned b = 0; b < s->B; b += chunk) {
    const unsigned n = b + chunk > s->B ? s->B - b : chunk;
    const VlReal *dy_b = dy + b * places * s->OC;
    im2col (scratch, x + b * image, n, s->H, s->W, s->IC, s->K, s->stride);
    vl_linear_backward (
        NULL, dweight, dbias, dy_b, scratch, weight, n * places, patch, s->OC);
    if (dx) {
      vl_gemm (VL_NO_TRANS, VL_NO_TRANS, n * places, patch, s->OC, dy_b, weight,
          0, scratch);
      col2im (dx + b * image, scratch, n, s->H, s->W, s->IC, s->K, s->stride);
    }
  }
}

/* The adjoint of a convolution: y = col2im (x W) + b */
void
vl_conv_transpose2d_forward (VlReal *y, const VlReal *x, const VlReal *weight,
    const VlReal *bias, const VlConvShape *s, VlReal *scratch)
{
  const unsigned OH = vl_conv_transpose2d_out (s->H, s->K, s->stride);
  const unsigned OW = vl_conv_transpose2d_out (s->W, s->K, s->stride);
  const size_t places = (size_t)s->H * s->W, image = (size_t)OH * OW * s->OC;
  const size_t patch = patch_size (s->K, s->OC);
  const unsigned chunk = chunk_images (s->B, places, patch);

  vl_bias_fill (y, bias, (size_t)s->B * OH * OW, s->OC);
  for (unsigned b = 0; b < s->B; b += chunk) {
    const unsigned n = b + chunk > s->B ? s->B - b : chunk;
    vl_gemm (VL_NO_TRANS, VL_NO_TRANS, n * places, patch, s->IC,
        x + b * places * s->IC, weight, 0, scratch);
    col2im (y + b * image, scratch, n, OH, OW, s->OC, s->K, s->stride);
  }
}

/* With dcols = im2col (dy) and y = col2im (x W) + b we have:
 *   dx = dcols W^T,  dW = x^T dcols,  db = sum of dy */
void
vl_conv_transpose2d_backward (VlReal *dx, VlReal *dweight, VlReal *dbias,
    const VlReal *dy, const VlReal *x, const VlReal *weight,
    const VlConvShape *s, VlReal *scratch)
{
  const unsigned OH = vl_conv_transpose2d_out (s->H, s->K, s->stride);
  const unsigned OW = vl_conv_transpose2d_out (s->W, s->K, s->stride);
  const size_t places = (size_t)s->H * s->W, image = (size_t)OH * OW * s->OC;
  const size_t patch = patch_size (s->K, s->OC);
  const unsigned chunk = chunk_images (s->B, places, patch);

  vl_bias_backward (dbias, dy, (size_t)s->B * OH * OW, s->OC);
  for (unsigned b = 0; b < s->B; b += chunk) {
    const unsigned n = b + chunk > s->B ? s->B - b : chunk;
    im2col (scratch, dy + b * image, n, OH, OW, s->OC, s->K, s->stride);
    if (dx)
      vl_gemm (VL_NO_TRANS, VL_TRANS, n * places, s->IC, patch, scratch, weight,
          1, dx + b * places * s->IC);
    vl_gemm (VL_TRANS, VL_NO_TRANS, s->IC, patch, n * places,
        x + b * places * s->IC, scratch, 1, dweight);
  }
}
