/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One LSTM layer over a sequence (Hochreiter and Schmidhuber 1997, with forget
 * gates), weights and gate order i, f, g, o as torch.nn.LSTM.
 *
 *   i, f, o = sigmoid (x W_ih^T + b_ih + h W_hh^T + b_hh),  g = tanh (same)
 *   c' = f * c + i * g,  h' = o * tanh (c')
 *
 * Here H is the hidden size. */

#pragma once

#include "real.h"

typedef struct {
  unsigned T; /* steps */
  unsigned B; /* sequences side by side */
  unsigned D; /* input size */
  unsigned H; /* hidden size */
} VlLstmShape;

typedef struct {
  const VlReal *w_ih; /* (4H,D) */
  const VlReal *w_hh; /* (4H,H) */
  const VlReal *b_ih; /* (4H) */
  const VlReal *b_hh; /* (4H) */
} VlLstmParams;

typedef struct {
  VlReal *w_ih, *w_hh, *b_ih, *b_hh; /* as VlLstmParams; accumulated */
} VlLstmGrads;

/* x (T,B,D). h and c are (T+1,B,H): row 0 holds the state before the sequence
 * and is read, rows 1..T are written. gates (T,B,4H) receives the activated
 * gates, which backward needs. */
void vl_lstm_forward (VlReal *h, VlReal *c, VlReal *gates, const VlReal *x,
    const VlLstmParams *params, const VlLstmShape *s);

/* dh (T+1,B,H) holds dL/dh of every row as seen from above the layer (row 0 is
 * normally zero); on return row 0 holds dL/dh of the initial state, the other
 * rows what backpropagation through time made of them. dc (B,H) holds dL/dc of
 * the last row and returns dL/dc of the initial state. dx (T,B,D) accumulates
 * and may be NULL. gates is consumed: it becomes dL/d(gate pre-activation). */
void vl_lstm_backward (VlReal *dx, const VlLstmGrads *grads, VlReal *dh,
    VlReal *dc, VlReal *gates, const VlReal *h, const VlReal *c,
    const VlReal *x, const VlLstmParams *params, const VlLstmShape *s);
