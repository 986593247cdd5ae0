/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "conv.h"

#include "gemm.h"
#include "linear.h"

#include <string.h>

/* Patches are unrolled a few rows of places at a time, as many as fit this many
 * numbers: small enough to stay in the second-level cache, large enough that
 * the deep layers' small maps, several images together, still make a tall
 * matrix. */
#define PATCH_NUMBERS (128 * 1024)

/* A map of places, each the corner of one patch of an image: the output of a
 * convolution, the input of a transposed one. */
typedef struct {
  unsigned rows, row; /* over all images; rows unrolled together */
  unsigned PH, PW;    /* places down and across an image */
  unsigned H, W, C;   /* of the images that patches are cut from */
  unsigned K, stride;
  size_t patch; /* numbers per patch */
} Places;

static Places
places_init (unsigned B, unsigned PH, unsigned PW, unsigned H, unsigned W,
    unsigned C, unsigned K, unsigned stride)
{
  Places p = {B * PH, 0, PH, PW, H, W, C, K, stride, (size_t)K * K * C};
  const size_t fit = PATCH_NUMBERS / (PW * p.patch);

  p.row = fit < 1 ? 1 : fit > p.rows ? p.rows : (unsigned)fit;
  return p;
}

static Places
conv2d_places (const VlConvShape *s)
{
  return places_init (s->B, vl_conv2d_out (s->H, s->K, s->stride),
      vl_conv2d_out (s->W, s->K, s->stride), s->H, s->W, s->IC, s->K,
      s->stride);
}

static Places
conv_transpose2d_places (const VlConvShape *s)
{
  return places_init (s->B, s->H, s->W,
      vl_conv_transpose2d_out (s->H, s->K, s->stride),
      vl_conv_transpose2d_out (s->W, s->K, s->stride), s->OC, s->K, s->stride);
}

/* Where the first patch of a row of places begins. */
static size_t
row_start (const Places *p, unsigned row)
{
  const size_t y = row / p->PH * (size_t)p->H + row % p->PH * p->stride;

  return y * p->W * p->C;
}

static unsigned
rows_left (const Places *p, unsigned row)
{
  return row + p->row > p->rows ? p->rows - row : p->row;
}

/* cols (n*PW,K*K*C) = the patches of x (B,H,W,C) at n rows of places */
static void
im2col (
    VlReal *cols, const VlReal *x, const Places *p, unsigned row, unsigned n)
{
  const size_t run = (size_t)p->K * p->C, line = (size_t)p->W * p->C;

  for (unsigned r = row; r < row + n; r++)
    for (unsigned px = 0; px < p->PW; px++) {
      const VlReal *x_p = x + row_start (p, r) + px * p->stride * p->C;
      for (unsigned ky = 0; ky < p->K; ky++, cols += run, x_p += line)
        memcpy (cols, x_p, run * sizeof *cols);
    }
}

/* The adjoint: x (B,H,W,C) += cols, each patch at its place. */
static void
col2im (VlReal *restrict x, const VlReal *restrict cols, const Places *p,
    unsigned row, unsigned n)
{
  const size_t run = (size_t)p->K * p->C, line = (size_t)p->W * p->C;

  for (unsigned r = row; r < row + n; r++)
    for (unsigned px = 0; px < p->PW; px++) {
      VlReal *x_p = x + row_start (p, r) + px * p->stride * p->C;
      for (unsigned ky = 0; ky < p->K; ky++, cols += run, x_p += line)
        for (size_t i = 0; i < run; i++)
          x_p[i] += cols[i];
    }
}

static size_t
scratch_size (const Places *p)
{
  return p->row * p->PW * p->patch;
}

size_t
vl_conv2d_scratch (const VlConvShape *s)
{
  const Places p = conv2d_places (s);

  return scratch_size (&p);
}

size_t
vl_conv_transpose2d_scratch (const VlConvShape *s)
{
  const Places p = conv_transpose2d_places (s);

  return scratch_size (&p);
}

/* y = im2col (x) W^T + b */
void
vl_conv2d_forward (VlReal *y, const VlReal *x, const VlReal *weight,
    const VlReal *bias, const VlConvShape *s, VlReal *scratch)
{
  const Places p = conv2d_places (s);

  for (unsigned row = 0; row < p.rows; row += p.row) {
    const unsigned n = rows_left (&p, row);
    im2col (scratch, x, &p, row, n);
    vl_linear_forward (y + (size_t)row * p.PW * s->OC, scratch, weight, bias,
        n * p.PW, p.patch, s->OC);
  }
}

/* With cols = im2col (x) and y = cols W^T + b we have:
 *   dW = dy^T cols,  db = sum of dy,  dx = col2im (dy W) */
void
vl_conv2d_backward (VlReal *dx, VlReal *dweight, VlReal *dbias,
    const VlReal *dy, const VlReal *x, const VlReal *weight,
    const VlConvShape *s, VlReal *scratch)
{
  const Places p = conv2d_places (s);

  for (unsigned row = 0; row < p.rows; row += p.row) {
    const unsigned n = rows_left (&p, row);
    const VlReal *dy_r = dy + (size_t)row * p.PW * s->OC;
    im2col (scratch, x, &p, row, n);
    vl_linear_backward (
        NULL, dweight, dbias, dy_r, scratch, weight, n * p.PW, p.patch, s->OC);
    if (dx) {
      vl_gemm (VL_NO_TRANS, VL_NO_TRANS, n * p.PW, p.patch, s->OC, dy_r, weight,
          0, scratch);
      col2im (dx, scratch, &p, row, n);
    }
  }
}

/* The adjoint of a convolution: y = col2im (x W) + b */
void
vl_conv_transpose2d_forward (VlReal *y, const VlReal *x, const VlReal *weight,
    const VlReal *bias, const VlConvShape *s, VlReal *scratch)
{
  const Places p = conv_transpose2d_places (s);

  vl_bias_fill (y, bias, (size_t)s->B * p.H * p.W, s->OC);
  for (unsigned row = 0; row < p.rows; row += p.row) {
    const unsigned n = rows_left (&p, row);
    vl_gemm (VL_NO_TRANS, VL_NO_TRANS, n * p.PW, p.patch, s->IC,
        x + (size_t)row * p.PW * s->IC, weight, 0, scratch);
    col2im (y, scratch, &p, row, n);
  }
}

/* With dcols = im2col (dy) and y = col2im (x W) + b we have:
 *   dx = dcols W^T,  dW = x^T dcols,  db = sum of dy */
void
vl_conv_transpose2d_backward (VlReal *dx, VlReal *dweight, VlReal *dbias,
    const VlReal *dy, const VlReal *x, const VlReal *weight,
    const VlConvShape *s, VlReal *scratch)
{
  const Places p = conv_transpose2d_places (s);

  vl_bias_backward (dbias, dy, (size_t)s->B * p.H * p.W, s->OC);
  for (unsigned row = 0; row < p.rows; row += p.row) {
    const unsigned n = rows_left (&p, row);
    const size_t at = (size_t)row * p.PW * s->IC;
    im2col (scratch, dy, &p, row, n);
    if (dx)
      vl_gemm (VL_NO_TRANS, VL_TRANS, n * p.PW, s->IC, p.patch, scratch, weight,
          1, dx + at);
    vl_gemm (VL_TRANS, VL_NO_TRANS, s->IC, p.patch, n * p.PW, x + at, scratch,
        1, dweight);
  }
}
