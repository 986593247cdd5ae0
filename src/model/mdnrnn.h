/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* LSTM with a mixture density output: predicts the next latent vector.
 *
 *   fc1 (Z + inputs for the tile's place) -> D, ReLU
 *   lstm D -> H, one or more layers
 *   z_pi, z_sigma, z_mu: H -> K*Z each, laid out (K,Z) */

#pragma once

#include "tensor.h"
#include "mdn.h"

#define VL_MDNRNN_MAX_LAYERS 8
#define VL_MDNRNN_MAX_TENSORS (8 + 4 * VL_MDNRNN_MAX_LAYERS)

typedef struct {
  unsigned Z;      /* latent size */
  unsigned extra;  /* inputs beside the latent: 2 for the tile's (x, y), or 0 */
  unsigned D;      /* width of fc1 */
  unsigned H;      /* hidden units */
  unsigned layers; /* 1..VL_MDNRNN_MAX_LAYERS */
  unsigned K;      /* mixture components */
  int residual;    /* mu is z_t plus the head's output, not the output alone */
  unsigned n_tensors;
  VlTensorSpec specs[VL_MDNRNN_MAX_TENSORS];
  size_t n_params;
} VlMdnRnn;

/* Fills in the architecture's table. */
void vl_mdnrnn_init (VlMdnRnn *rnn, unsigned Z, unsigned extra, unsigned D,
    unsigned H, unsigned layers, unsigned K, int residual);

/* State and buffers of B sequences that advance together, step by step. */
typedef struct VlMdnRnnState VlMdnRnnState;

VlMdnRnnState *vl_mdnrnn_state_new (const VlMdnRnn *rnn, unsigned B);
void vl_mdnrnn_state_free (VlMdnRnnState *state);

/* Hidden and cell state back to zero. */
void vl_mdnrnn_state_reset (VlMdnRnnState *state);

/* Reads input (B,Z+extra), advances the state, and leaves the mixture of the
 * next latent in head (B,3,K,Z), as mdn.h has it. No allocation. */
void vl_mdnrnn_step (VlMdnRnnState *state, VlReal *head, const VlReal *input,
    const VlReal *params);

/* Buffers of one training worker: sequences of T steps, up to B at once. */
typedef struct VlMdnRnnWork VlMdnRnnWork;

VlMdnRnnWork *vl_mdnrnn_work_new (const VlMdnRnn *rnn, unsigned T, unsigned B);
void vl_mdnrnn_work_free (VlMdnRnnWork *work);

/* Sum over T steps and n <= B sequences of the NLL of target (T,n,Z), in nats,
 * with input (T,n,Z+extra) and a zero state at the start. base (T,n,Z) is what
 * the residual is added to; ignored unless the network is residual. grads
 * (n_params) accumulates scale times the gradient; NULL: loss only. */
double vl_mdnrnn_loss (VlMdnRnnWork *work, VlReal *grads, const VlReal *params,
    const VlReal *input, const VlReal *base, const VlReal *target, unsigned n,
    VlReal scale);
