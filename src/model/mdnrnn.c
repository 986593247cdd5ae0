/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "mdnrnn.h"

#include "activation.h"
#include "linear.h"
#include "lstm.h"

#include <glib.h>
#include <string.h>

/* Places in the table. The heads' weights lie side by side, and so do their
 * biases: together they are one linear layer. */
enum { FC1_W, FC1_B, LSTM };

static inline unsigned
head_w (const VlMdnRnn *rnn)
{
  return LSTM + 4 * rnn->layers;
}

static inline unsigned
head_b (const VlMdnRnn *rnn)
{
  return head_w (rnn) + 3;
}

static inline size_t
head_size (const VlMdnRnn *rnn)
{
  return (size_t)3 * rnn->K * rnn->Z;
}

static void
add_spec (VlMdnRnn *rnn, const char *name, size_t out, size_t in, size_t fan_in)
{
  const unsigned n_dims = in ? 2 : 1;

  rnn->specs[rnn->n_tensors++] =
      (VlTensorSpec){name, n_dims, {out, in ? in : 1, 1, 1}, 0, fan_in};
}

void
vl_mdnrnn_init (VlMdnRnn *rnn, unsigned Z, unsigned extra, unsigned D,
    unsigned H, unsigned layers, unsigned K, int residual)
{
#define LAYER(n)                                                               \
  {                                                                            \
    "lstm.weight_ih_l" #n, "lstm.weight_hh_l" #n, "lstm.bias_ih_l" #n,         \
        "lstm.bias_hh_l" #n                                                    \
  }
  static const char *const names[VL_MDNRNN_MAX_LAYERS][4] = {LAYER (0),
      LAYER (1), LAYER (2), LAYER (3), LAYER (4), LAYER (5), LAYER (6),
      LAYER (7)};
#undef LAYER
  static const char *const heads[] = {"z_pi.weight", "z_sigma.weight",
      "z_mu.weight", "z_pi.bias", "z_sigma.bias", "z_mu.bias"};

  *rnn = (VlMdnRnn){.Z = Z,
      .extra = extra,
      .D = D,
      .H = H,
      .layers = layers,
      .K = K,
      .residual = residual};
  add_spec (rnn, "fc1.weight", D, Z + extra, Z + extra);
  add_spec (rnn, "fc1.bias", D, 0, Z + extra);
  for (unsigned l = 0; l < layers; l++) {
    add_spec (rnn, names[l][0], 4 * H, l ? H : D, H);
    add_spec (rnn, names[l][1], 4 * H, H, H);
    add_spec (rnn, names[l][2], 4 * H, 0, H);
    add_spec (rnn, names[l][3], 4 * H, 0, H);
  }
  for (unsigned i = 0; i < G_N_ELEMENTS (heads); i++)
    add_spec (rnn, heads[i], (size_t)K * Z, i < 3 ? H : 0, H);
  rnn->n_params = vl_tensor_layout (rnn->specs, rnn->n_tensors);
}

static inline const VlReal *
at (const VlMdnRnn *rnn, const VlReal *arena, unsigned t)
{
  return arena + rnn->specs[t].offset;
}

static inline VlReal *
grad_at (const VlMdnRnn *rnn, VlReal *grads, unsigned t)
{
  return grads + rnn->specs[t].offset;
}

static VlLstmParams
lstm_params (const VlMdnRnn *rnn, const VlReal *params, unsigned layer)
{
  const unsigned t = LSTM + 4 * layer;

  return (VlLstmParams){at (rnn, params, t), at (rnn, params, t + 1),
      at (rnn, params, t + 2), at (rnn, params, t + 3)};
}

static VlLstmGrads
lstm_grads (const VlMdnRnn *rnn, VlReal *grads, unsigned layer)
{
  const unsigned t = LSTM + 4 * layer;

  return (VlLstmGrads){grad_at (rnn, grads, t), grad_at (rnn, grads, t + 1),
      grad_at (rnn, grads, t + 2), grad_at (rnn, grads, t + 3)};
}

/* Activations of a sequence of T steps; a state is one of a single step. */
typedef struct {
  const VlMdnRnn *rnn;
  unsigned T, B;
  VlReal *a;                           /* (T,B,D) fc1 after ReLU */
  VlReal *h[VL_MDNRNN_MAX_LAYERS];     /* (T+1,B,H) */
  VlReal *c[VL_MDNRNN_MAX_LAYERS];     /* (T+1,B,H) */
  VlReal *gates[VL_MDNRNN_MAX_LAYERS]; /* (T,B,4H) */
} VlActs;

static void
acts_init (VlActs *acts, const VlMdnRnn *rnn, unsigned T, unsigned B)
{
  const size_t state = (size_t)B * rnn->H;

  *acts = (VlActs){.rnn = rnn, .T = T, .B = B};
  acts->a = g_new (VlReal, (size_t)T * B * rnn->D);
  for (unsigned l = 0; l < rnn->layers; l++) {
    acts->h[l] = g_new0 (VlReal, (T + 1) * state);
    acts->c[l] = g_new0 (VlReal, (T + 1) * state);
    acts->gates[l] = g_new (VlReal, T * 4 * state);
  }
}

static void
acts_clear (VlActs *acts)
{
  g_free (acts->a);
  for (unsigned l = 0; l < acts->rnn->layers; l++) {
    g_free (acts->h[l]);
    g_free (acts->c[l]);
    g_free (acts->gates[l]);
  }
}

/* The whole network: head (T,n,3,K,Z) of input (T,n,Z+extra), from the state
 * in row 0 of h and c. */
static void
forward (VlActs *acts, VlReal *head, const VlReal *input, const VlReal *params,
    unsigned n)
{
  const VlMdnRnn *rnn = acts->rnn;
  const size_t rows = (size_t)acts->T * n, state = (size_t)n * rnn->H;
  const VlReal *x = acts->a;

  vl_linear_forward (acts->a, input, at (rnn, params, FC1_W),
      at (rnn, params, FC1_B), rows, rnn->Z + rnn->extra, rnn->D);
  vl_relu_forward (acts->a, rows * rnn->D);
  for (unsigned l = 0; l < rnn->layers; l++) {
    const VlLstmShape s = {acts->T, n, l ? rnn->H : rnn->D, rnn->H};
    const VlLstmParams lstm = lstm_params (rnn, params, l);
    vl_lstm_forward (acts->h[l], acts->c[l], acts->gates[l], x, &lstm, &s);
    x = acts->h[l] + state;
  }
  vl_linear_forward (head, x, at (rnn, params, head_w (rnn)),
      at (rnn, params, head_b (rnn)), rows, rnn->H, head_size (rnn));
}

/* --- one step at a time --- */

struct VlMdnRnnState {
  VlActs acts;
};

VlMdnRnnState *
vl_mdnrnn_state_new (const VlMdnRnn *rnn, unsigned B)
{
  VlMdnRnnState *state = g_new (VlMdnRnnState, 1);

  acts_init (&state->acts, rnn, 1, B);
  return state;
}

void
vl_mdnrnn_state_free (VlMdnRnnState *state)
{
  if (!state)
    return;
  acts_clear (&state->acts);
  g_free (state);
}

void
vl_mdnrnn_state_reset (VlMdnRnnState *state)
{
  const VlActs *acts = &state->acts;
  const size_t size = (size_t)acts->B * acts->rnn->H * sizeof (VlReal);

  for (unsigned l = 0; l < acts->rnn->layers; l++) {
    memset (acts->h[l], 0, size);
    memset (acts->c[l], 0, size);
  }
}

void
vl_mdnrnn_step (VlMdnRnnState *state, VlReal *head, const VlReal *input,
    const VlReal *params)
{
  VlActs *acts = &state->acts;
  const size_t size = (size_t)acts->B * acts->rnn->H;

  forward (acts, head, input, params, acts->B);
  for (unsigned l = 0; l < acts->rnn->layers; l++) {
    memcpy (acts->h[l], acts->h[l] + size, size * sizeof (VlReal));
    memcpy (acts->c[l], acts->c[l] + size, size * sizeof (VlReal));
  }
}

/* --- training --- */

struct VlMdnRnnWork {
  VlActs acts;
  VlReal *head, *dhead;  /* (T,B,3,K,Z) */
  VlReal *da;            /* (T,B,D) */
  VlReal *dh, *dh_below; /* (T+1,B,H) */
  VlReal *dc;            /* (B,H) */
  VlReal *nll, *dnll;    /* (T,B) */
};

VlMdnRnnWork *
vl_mdnrnn_work_new (const VlMdnRnn *rnn, unsigned T, unsigned B)
{
  VlMdnRnnWork *work = g_new0 (VlMdnRnnWork, 1);
  const size_t rows = (size_t)T * B, state = (size_t)B * rnn->H;

  acts_init (&work->acts, rnn, T, B);
  work->head = g_new (VlReal, rows * head_size (rnn));
  work->dhead = g_new (VlReal, rows * head_size (rnn));
  work->da = g_new (VlReal, rows * rnn->D);
  work->dh = g_new (VlReal, (T + 1) * state);
  work->dh_below = g_new (VlReal, (T + 1) * state);
  work->dc = g_new (VlReal, state);
  work->nll = g_new (VlReal, rows);
  work->dnll = g_new (VlReal, rows);
  return work;
}

void
vl_mdnrnn_work_free (VlMdnRnnWork *work)
{
  if (!work)
    return;
  VlReal *buffers[] = {work->head, work->dhead, work->da, work->dh,
      work->dh_below, work->dc, work->nll, work->dnll};
  acts_clear (&work->acts);
  for (unsigned i = 0; i < G_N_ELEMENTS (buffers); i++)
    g_free (buffers[i]);
  g_free (work);
}

/* Back through the LSTM layers. dh holds dL/dh of the top layer's rows; da
 * receives dL/da. */
static void
lstm_backward (
    VlMdnRnnWork *work, VlReal *grads, const VlReal *params, unsigned n)
{
  VlActs *acts = &work->acts;
  const VlMdnRnn *rnn = acts->rnn;
  const size_t state = (size_t)n * rnn->H, rows = (size_t)acts->T * n;

  for (unsigned l = rnn->layers; l-- > 0;) {
    const VlLstmShape s = {acts->T, n, l ? rnn->H : rnn->D, rnn->H};
    const VlLstmParams lstm = lstm_params (rnn, params, l);
    const VlLstmGrads dlstm = lstm_grads (rnn, grads, l);
    const VlReal *x = l ? acts->h[l - 1] + state : acts->a;
    VlReal *dx = l ? work->dh_below + state : work->da;

    memset (work->dc, 0, state * sizeof (VlReal));
    if (l)
      memset (work->dh_below, 0, (acts->T + 1) * state * sizeof (VlReal));
    else
      memset (work->da, 0, rows * rnn->D * sizeof (VlReal));
    vl_lstm_backward (dx, &dlstm, work->dh, work->dc, acts->gates[l],
        acts->h[l], acts->c[l], x, &lstm, &s);

    VlReal *swap = work->dh;
    work->dh = work->dh_below;
    work->dh_below = swap;
  }
}

/* From dL/dhead to the weights. */
static void
backward (VlMdnRnnWork *work, VlReal *grads, const VlReal *params,
    const VlReal *input, unsigned n)
{
  VlActs *acts = &work->acts;
  const VlMdnRnn *rnn = acts->rnn;
  const size_t rows = (size_t)acts->T * n, state = (size_t)n * rnn->H;

  memset (work->dh, 0, (acts->T + 1) * state * sizeof (VlReal));
  vl_linear_backward (work->dh + state, grad_at (rnn, grads, head_w (rnn)),
      grad_at (rnn, grads, head_b (rnn)), work->dhead,
      acts->h[rnn->layers - 1] + state, at (rnn, params, head_w (rnn)), rows,
      rnn->H, head_size (rnn));
  lstm_backward (work, grads, params, n);
  vl_relu_backward (work->da, acts->a, rows * rnn->D);
  vl_linear_backward (NULL, grad_at (rnn, grads, FC1_W),
      grad_at (rnn, grads, FC1_B), work->da, input, at (rnn, params, FC1_W),
      rows, rnn->Z + rnn->extra, rnn->D);
}

double
vl_mdnrnn_loss (VlMdnRnnWork *work, VlReal *grads, const VlReal *params,
    const VlReal *input, const VlReal *base, const VlReal *target, unsigned n,
    VlReal scale)
{
  VlActs *acts = &work->acts;
  const VlMdnRnn *rnn = acts->rnn;
  const unsigned rows = acts->T * n;
  const VlMdnShape mdn = {rows, rnn->K, rnn->Z};
  const VlReal *residual = rnn->residual ? base : NULL;
  double sum = 0;

  for (unsigned l = 0; l < rnn->layers; l++) {
    memset (acts->h[l], 0, (size_t)n * rnn->H * sizeof (VlReal));
    memset (acts->c[l], 0, (size_t)n * rnn->H * sizeof (VlReal));
  }
  forward (acts, work->head, input, params, n);
  vl_mdn_nll_forward (work->nll, work->head, residual, target, &mdn);
  for (unsigned i = 0; i < rows; i++)
    sum += work->nll[i];

  if (grads) {
    for (unsigned i = 0; i < rows; i++)
      work->dnll[i] = scale;
    memset (work->dhead, 0, rows * head_size (rnn) * sizeof (VlReal));
    vl_mdn_nll_backward (work->dhead, NULL, NULL, work->dnll, work->head,
        residual, target, &mdn);
    backward (work, grads, params, input, n);
  }
  return sum;
}
