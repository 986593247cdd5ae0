/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "lstm.h"

#include "gemm.h"
#include "linear.h"
#include "scalar.h"

/* One cell's gates, (4H) as i, f, g, o, from pre-activation to activation,
 * and its next state:  c' = f c + i g,  h' = o tanh (c') */
static void
cell_forward (VlReal *restrict h_next, VlReal *restrict c_next,
    VlReal *restrict gates, const VlReal *restrict c, size_t H)
{
  VlReal *i = gates, *f = gates + H, *g = gates + 2 * H, *o = gates + 3 * H;
  for (size_t j = 0; j < H; j++) {
    i[j] = vl_sigmoid (i[j]);
    f[j] = vl_sigmoid (f[j]);
    g[j] = vl_tanh (g[j]);
    o[j] = vl_sigmoid (o[j]);
    c_next[j] = f[j] * c[j] + i[j] * g[j];
    h_next[j] = o[j] * vl_tanh (c_next[j]);
  }
}

/* Turns gates into the gradients of their pre-activations, and dc, which is
 * dL/dc' on entry, into dL/dc. sigmoid' = s (1 - s), tanh' = 1 - t^2. */
static void
cell_backward (VlReal *restrict dc, VlReal *restrict gates,
    const VlReal *restrict dh_next, const VlReal *restrict c_next,
    const VlReal *restrict c, size_t H)
{
  VlReal *gi = gates, *gf = gates + H, *gg = gates + 2 * H, *go = gates + 3 * H;
  for (size_t j = 0; j < H; j++) {
    VlReal i = gi[j], f = gf[j], g = gg[j], o = go[j];
    VlReal tanh_c = vl_tanh (c_next[j]);
    VlReal dc_next = dc[j] + dh_next[j] * o * (1 - tanh_c * tanh_c);
    gi[j] = dc_next * g * i * (1 - i);
    gf[j] = dc_next * c[j] * f * (1 - f);
    gg[j] = dc_next * i * (1 - g * g);
    go[j] = dh_next[j] * tanh_c * o * (1 - o);
    dc[j] = dc_next * f;
  }
}

/* Every one of the n rows of gates (n,4H) becomes b_ih + b_hh. */
static void
fill_biases (VlReal *gates, const VlLstmParams *params, size_t n, size_t H)
{
  for (size_t row = 0; row < n; row++)
    for (size_t j = 0; j < 4 * H; j++)
      gates[row * 4 * H + j] = params->b_ih[j] + params->b_hh[j];
}

void
vl_lstm_forward (VlReal *h, VlReal *c, VlReal *gates, const VlReal *x,
    const VlLstmParams *params, const VlLstmShape *s)
{
  const size_t T = s->T, B = s->B, D = s->D, H = s->H;
  fill_biases (gates, params, T * B, H);
  vl_gemm (VL_NO_TRANS, VL_TRANS, T * B, 4 * H, D, x, params->w_ih, 1, gates);
  for (size_t t = 0; t < T; t++) {
    VlReal *h_t = h + t * B * H, *c_t = c + t * B * H;
    VlReal *gates_t = gates + t * B * 4 * H;
    vl_gemm (VL_NO_TRANS, VL_TRANS, B, 4 * H, H, h_t, params->w_hh, 1, gates_t);
    for (size_t b = 0; b < B; b++)
      cell_forward (h_t + (B + b) * H, c_t + (B + b) * H, gates_t + b * 4 * H,
          c_t + b * H, H);
  }
}

void
vl_lstm_backward (VlReal *dx, const VlLstmGrads *grads, VlReal *dh, VlReal *dc,
    VlReal *gates, const VlReal *h, const VlReal *c, const VlReal *x,
    const VlLstmParams *params, const VlLstmShape *s)
{
  const size_t T = s->T, B = s->B, D = s->D, H = s->H;
  for (size_t t = T; t-- > 0;) {
    VlReal *dh_t = dh + t * B * H, *gates_t = gates + t * B * 4 * H;
    const VlReal *c_t = c + t * B * H;
    for (size_t b = 0; b < B; b++)
      cell_backward (dc + b * H, gates_t + b * 4 * H, dh_t + (B + b) * H,
          c_t + (B + b) * H, c_t + b * H, H);
    vl_gemm (
        VL_NO_TRANS, VL_NO_TRANS, B, H, 4 * H, gates_t, params->w_hh, 1, dh_t);
  }
  /* gates now holds dL/d(x W_ih^T + b_ih + h W_hh^T + b_hh), (T*B,4H) */
  vl_gemm (VL_TRANS, VL_NO_TRANS, 4 * H, D, T * B, gates, x, 1, grads->w_ih);
  vl_gemm (VL_TRANS, VL_NO_TRANS, 4 * H, H, T * B, gates, h, 1, grads->w_hh);
  vl_bias_backward (grads->b_ih, gates, T * B, 4 * H);
  vl_bias_backward (grads->b_hh, gates, T * B, 4 * H);
  if (dx != NULL)
    vl_gemm (
        VL_NO_TRANS, VL_NO_TRANS, T * B, D, 4 * H, gates, params->w_ih, 1, dx);
}
