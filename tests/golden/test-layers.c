/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every layer, loss and the optimiser against PyTorch. */

#include "golden.h"

#include "activation.h"
#include "adam.h"
#include "conv.h"
#include "linear.h"
#include "loss.h"
#include "lstm.h"
#include "mdn.h"

#include <string.h>

#define NEW(n) g_new0 (VlReal, n)
#define FORWARD GOLDEN_FORWARD_TOL
#define GRAD GOLDEN_GRAD_TOL

static VlTensorFile *file;

static void
setup (void)
{
  file = golden_open ("layers.safetensors");
}

static void
teardown (void)
{
  vl_tensor_file_free (file);
}

/* --- convolutions --- */

typedef struct {
  const char *name;
  unsigned stride;
  gboolean transposed;
} ConvCase;

static const ConvCase conv_cases[] = {
    {"conv2d_k4s2", 2, FALSE},
    {"conv2d_k6s1", 1, FALSE},
    {"conv2d_k6s2", 2, FALSE},
    {"deconv2d_k5s2", 2, TRUE},
    {"deconv2d_k6s2", 2, TRUE},
};

static VlConvShape
conv_shape (const ConvCase *c)
{
  return (VlConvShape){
      .B = golden_dim (file, c->name, "x", 0),
      .IC = golden_dim (file, c->name, "x", 1),
      .H = golden_dim (file, c->name, "x", 2),
      .W = golden_dim (file, c->name, "x", 3),
      .OC = golden_dim (file, c->name, "bias", 0),
      .K = golden_dim (file, c->name, "weight", 2),
      .stride = c->stride,
  };
}

START_TEST (test_conv)
{
  const ConvCase *c = &conv_cases[_i];
  const VlConvShape s = conv_shape (c);
  g_autofree VlReal *x = golden_read_maps (file, c->name, "x");
  g_autofree VlReal *weight = golden_read_maps (file, c->name, "weight");
  g_autofree VlReal *bias = golden_read (file, c->name, "bias");
  g_autofree VlReal *dy = golden_read_maps (file, c->name, "dy");
  g_autofree VlReal *y = NEW (golden_size (file, c->name, "y"));
  g_autofree VlReal *dx = NEW (golden_size (file, c->name, "x"));
  g_autofree VlReal *dweight = NEW (golden_size (file, c->name, "weight"));
  g_autofree VlReal *dbias = NEW (s.OC);
  g_autofree VlReal *scratch =
      NEW (c->transposed ? vl_conv_transpose2d_scratch (&s)
                         : vl_conv2d_scratch (&s));

  if (c->transposed) {
    vl_conv_transpose2d_forward (y, x, weight, bias, &s, scratch);
    vl_conv_transpose2d_backward (
        dx, dweight, dbias, dy, x, weight, &s, scratch);
  } else {
    vl_conv2d_forward (y, x, weight, bias, &s, scratch);
    vl_conv2d_backward (dx, dweight, dbias, dy, x, weight, &s, scratch);
  }
  golden_expect_maps (file, c->name, "y", y, FORWARD);
  golden_expect_maps (file, c->name, "dx", dx, GRAD);
  golden_expect_maps (file, c->name, "dweight", dweight, GRAD);
  golden_expect (file, c->name, "dbias", dbias, GRAD);
}
END_TEST

/* --- linear, activations, sampling --- */

START_TEST (test_linear)
{
  const size_t B = golden_dim (file, "linear", "x", 0);
  const size_t IN = golden_dim (file, "linear", "x", 1);
  const size_t OUT = golden_dim (file, "linear", "y", 1);
  g_autofree VlReal *x = golden_read (file, "linear", "x");
  g_autofree VlReal *weight = golden_read (file, "linear", "weight");
  g_autofree VlReal *bias = golden_read (file, "linear", "bias");
  g_autofree VlReal *dy = golden_read (file, "linear", "dy");
  g_autofree VlReal *y = NEW (B * OUT);
  g_autofree VlReal *dx = NEW (B * IN);
  g_autofree VlReal *dweight = NEW (OUT * IN);
  g_autofree VlReal *dbias = NEW (OUT);

  vl_linear_forward (y, x, weight, bias, B, IN, OUT);
  vl_linear_backward (dx, dweight, dbias, dy, x, weight, B, IN, OUT);
  golden_expect (file, "linear", "y", y, FORWARD);
  golden_expect (file, "linear", "dx", dx, GRAD);
  golden_expect (file, "linear", "dweight", dweight, GRAD);
  golden_expect (file, "linear", "dbias", dbias, GRAD);
}
END_TEST

static const struct {
  const char *name;
  void (*forward) (VlReal *x, size_t n);
  void (*backward) (VlReal *dy, const VlReal *y, size_t n);
} activations[] = {
    {"relu", vl_relu_forward, vl_relu_backward},
    {"sigmoid", vl_sigmoid_forward, vl_sigmoid_backward},
};

START_TEST (test_activation)
{
  const char *name = activations[_i].name;
  const size_t n = golden_size (file, name, "x");
  g_autofree VlReal *x = golden_read (file, name, "x");
  g_autofree VlReal *dy = golden_read (file, name, "dy");

  activations[_i].forward (x, n);
  golden_expect (file, name, "y", x, FORWARD);
  activations[_i].backward (dy, x, n);
  golden_expect (file, name, "dx", dy, GRAD);
}
END_TEST

START_TEST (test_reparameterize)
{
  const char *name = "reparameterize";
  const size_t n = golden_size (file, name, "mu");
  g_autofree VlReal *mu = golden_read (file, name, "mu");
  g_autofree VlReal *logvar = golden_read (file, name, "logvar");
  g_autofree VlReal *eps = golden_read (file, name, "eps");
  g_autofree VlReal *dz = golden_read (file, name, "dy");
  g_autofree VlReal *z = NEW (n);
  g_autofree VlReal *dmu = NEW (n);
  g_autofree VlReal *dlogvar = NEW (n);

  vl_reparameterize_forward (z, mu, logvar, eps, n);
  vl_reparameterize_backward (dmu, dlogvar, dz, logvar, eps, n);
  golden_expect (file, name, "y", z, FORWARD);
  golden_expect (file, name, "dmu", dmu, GRAD);
  golden_expect (file, name, "dlogvar", dlogvar, GRAD);
}
END_TEST

/* --- LSTM: two layers, one above the other --- */

#define LAYERS 2

typedef struct {
  VlReal *w_ih, *w_hh, *b_ih, *b_hh;
  VlReal *dw_ih, *dw_hh, *db_ih, *db_hh;
  VlReal *h, *c, *gates;
} LstmLayer;

static VlReal *
read_layer (const char *format, unsigned layer, VlReal **grad)
{
  g_autofree char *name = g_strdup_printf (format, layer);

  *grad = NEW (golden_size (file, "lstm", name));
  return golden_read (file, "lstm", name);
}

static void
lstm_layer_init (LstmLayer *l, unsigned layer, const VlLstmShape *s)
{
  const size_t state = (size_t)s->B * s->H;
  g_autofree VlReal *h0 = golden_read (file, "lstm", "h0");
  g_autofree VlReal *c0 = golden_read (file, "lstm", "c0");

  l->w_ih = read_layer ("weight_ih_l%u", layer, &l->dw_ih);
  l->w_hh = read_layer ("weight_hh_l%u", layer, &l->dw_hh);
  l->b_ih = read_layer ("bias_ih_l%u", layer, &l->db_ih);
  l->b_hh = read_layer ("bias_hh_l%u", layer, &l->db_hh);
  l->h = NEW ((s->T + 1) * state);
  l->c = NEW ((s->T + 1) * state);
  l->gates = NEW (s->T * 4 * state);
  memcpy (l->h, h0 + layer * state, state * sizeof *h0);
  memcpy (l->c, c0 + layer * state, state * sizeof *c0);
}

static void
lstm_layer_clear (LstmLayer *l)
{
  VlReal *buffers[] = {l->w_ih, l->w_hh, l->b_ih, l->b_hh, l->dw_ih, l->dw_hh,
      l->db_ih, l->db_hh, l->h, l->c, l->gates};

  for (unsigned i = 0; i < G_N_ELEMENTS (buffers); i++)
    g_free (buffers[i]);
}

static void
expect_lstm_grads (const LstmLayer *l, unsigned layer)
{
  const struct {
    const char *format;
    const VlReal *grad;
  } grads[] = {{"dweight_ih_l%u", l->dw_ih}, {"dweight_hh_l%u", l->dw_hh},
      {"dbias_ih_l%u", l->db_ih}, {"dbias_hh_l%u", l->db_hh}};

  for (unsigned i = 0; i < G_N_ELEMENTS (grads); i++) {
    g_autofree char *name = g_strdup_printf (grads[i].format, layer);
    golden_expect (file, "lstm", name, grads[i].grad, GRAD);
  }
}

/* Rows of layer `layer` in a stored (LAYERS,B,H) tensor. */
static void
expect_state (
    const char *name, unsigned layer, const VlReal *ours, size_t n, double tol)
{
  g_autofree VlReal *all = golden_read (file, "lstm", name);

  golden_expect_close (name, ours, all + layer * n, n, tol);
}

static void
lstm_forward (LstmLayer *layers, const VlReal *x, VlLstmShape s)
{
  const size_t state = (size_t)s.B * s.H;

  for (unsigned i = 0; i < LAYERS; i++) {
    LstmLayer *l = &layers[i];
    const VlLstmParams params = {l->w_ih, l->w_hh, l->b_ih, l->b_hh};
    vl_lstm_forward (l->h, l->c, l->gates, x, &params, &s);
    expect_state ("h", i, l->h + s.T * state, state, FORWARD);
    expect_state ("c", i, l->c + s.T * state, state, FORWARD);
    x = l->h + state;
    s.D = s.H;
  }
  golden_expect (file, "lstm", "y", x, FORWARD);
}

static void
lstm_backward (LstmLayer *layers, const VlReal *x, VlLstmShape s)
{
  const size_t state = (size_t)s.B * s.H, D = s.D;
  g_autofree VlReal *dy = golden_read (file, "lstm", "dy");
  g_autofree VlReal *dh_last = golden_read (file, "lstm", "dh");
  g_autofree VlReal *dc = golden_read (file, "lstm", "dc");
  g_autofree VlReal *dx = NEW (s.T * s.B * D);
  g_autofree VlReal *dh = NEW ((s.T + 1) * state);
  g_autofree VlReal *dh_below = NEW ((s.T + 1) * state);

  memcpy (dh + state, dy, s.T * state * sizeof *dh);
  for (unsigned i = LAYERS; i-- > 0;) {
    LstmLayer *l = &layers[i];
    const VlLstmParams params = {l->w_ih, l->w_hh, l->b_ih, l->b_hh};
    const VlLstmGrads grads = {l->dw_ih, l->dw_hh, l->db_ih, l->db_hh};
    s.D = i ? s.H : D;
    for (size_t j = 0; j < state; j++)
      dh[s.T * state + j] += dh_last[i * state + j];
    vl_lstm_backward (i ? dh_below + state : dx, &grads, dh, dc + i * state,
        l->gates, l->h, l->c, i ? layers[i - 1].h + state : x, &params, &s);
    expect_state ("dh0", i, dh, state, GRAD);
    expect_state ("dc0", i, dc + i * state, state, GRAD);
    expect_lstm_grads (l, i);
    memcpy (dh, dh_below, (s.T + 1) * state * sizeof *dh);
  }
  golden_expect (file, "lstm", "dx", dx, GRAD);
}

START_TEST (test_lstm)
{
  const VlLstmShape s = {
      .T = golden_dim (file, "lstm", "x", 0),
      .B = golden_dim (file, "lstm", "x", 1),
      .D = golden_dim (file, "lstm", "x", 2),
      .H = golden_dim (file, "lstm", "y", 2),
  };
  g_autofree VlReal *x = golden_read (file, "lstm", "x");
  LstmLayer layers[LAYERS];

  for (unsigned i = 0; i < LAYERS; i++)
    lstm_layer_init (&layers[i], i, &s);
  lstm_forward (layers, x, s);
  lstm_backward (layers, x, s);
  for (unsigned i = 0; i < LAYERS; i++)
    lstm_layer_clear (&layers[i]);
}
END_TEST

/* --- mixture density --- */

static const struct {
  const char *name;
  gboolean has_base;
} mdn_cases[] = {
    {"mdn", TRUE},
    {"mdn_direct", FALSE},
    {"mdn_wide", TRUE}, /* more dimensions than mdn.c works on at once */
    {"mdn_wide_direct", FALSE},
};

static VlMdnShape
mdn_shape (const char *name)
{
  return (VlMdnShape){
      .B = golden_dim (file, name, "head", 0),
      .K = golden_dim (file, name, "head", 2),
      .Z = golden_dim (file, name, "head", 3),
  };
}

START_TEST (test_mdn_nll)
{
  const char *name = mdn_cases[_i].name;
  const gboolean has_base = mdn_cases[_i].has_base;
  const VlMdnShape s = mdn_shape (name);
  g_autofree VlReal *head = golden_read (file, name, "head");
  g_autofree VlReal *target = golden_read (file, name, "target");
  g_autofree VlReal *base = has_base ? golden_read (file, name, "base") : NULL;
  g_autofree VlReal *dnll = golden_read (file, name, "dy");
  g_autofree VlReal *nll = NEW (s.B);
  g_autofree VlReal *dhead = NEW (golden_size (file, name, "head"));
  g_autofree VlReal *dbase = NEW (s.B * s.Z);
  g_autofree VlReal *dtarget = NEW (s.B * s.Z);

  vl_mdn_nll_forward (nll, head, base, target, &s);
  vl_mdn_nll_backward (
      dhead, has_base ? dbase : NULL, dtarget, dnll, head, base, target, &s);
  golden_expect (file, name, "y", nll, FORWARD);
  golden_expect (file, name, "dhead", dhead, GRAD);
  golden_expect (file, name, "dtarget", dtarget, GRAD);
  if (has_base)
    golden_expect (file, name, "dbase", dbase, GRAD);
}
END_TEST

START_TEST (test_mdn_mixture)
{
  const char *name = _i ? "mdn_wide" : "mdn";
  const VlMdnShape s = mdn_shape (name);
  const size_t n = (size_t)s.B * s.K * s.Z;
  g_autofree VlReal *head = golden_read (file, name, "head");
  g_autofree VlReal *base = golden_read (file, name, "base");
  g_autofree VlReal *pi = NEW (n);
  g_autofree VlReal *sigma = NEW (n);
  g_autofree VlReal *mu = NEW (n);

  vl_mdn_mixture (pi, sigma, mu, head, base, &s);
  golden_expect (file, name, "pi", pi, FORWARD);
  golden_expect (file, name, "sigma", sigma, FORWARD);
  golden_expect (file, name, "mu", mu, FORWARD);
}
END_TEST

/* --- losses --- */

static void
expect_loss (const char *layer, double loss)
{
  VlReal ours = loss;

  golden_expect (file, layer, "loss", &ours, FORWARD);
}

START_TEST (test_reconstruction_losses)
{
  const size_t n = golden_size (file, "loss", "x");
  g_autofree VlReal *x = golden_read (file, "loss", "x");
  g_autofree VlReal *scale = golden_read (file, "loss", "scale");
  g_autofree VlReal *sigma = golden_read (file, "loss", "sigma");
  g_autofree VlReal *x_hat = golden_read (file, "gaussian", "x_hat");
  g_autofree VlReal *logit = golden_read (file, "bernoulli", "logit");
  g_autofree VlReal *dx_hat = NEW (n);
  g_autofree VlReal *dlogit = NEW (n);

  expect_loss (
      "gaussian", vl_gaussian_loss (dx_hat, x_hat, x, *sigma, *scale, n));
  golden_expect (file, "gaussian", "dx_hat", dx_hat, GRAD);
  expect_loss ("bernoulli", vl_bernoulli_loss (dlogit, logit, x, *scale, n));
  golden_expect (file, "bernoulli", "dlogit", dlogit, GRAD);
}
END_TEST

START_TEST (test_kld)
{
  const size_t n = golden_size (file, "kld", "mu");
  g_autofree VlReal *mu = golden_read (file, "kld", "mu");
  g_autofree VlReal *logvar = golden_read (file, "kld", "logvar");
  g_autofree VlReal *scale = golden_read (file, "loss", "scale");
  g_autofree VlReal *dmu = NEW (n);
  g_autofree VlReal *dlogvar = NEW (n);

  expect_loss ("kld", vl_kld (dmu, dlogvar, mu, logvar, *scale, n));
  golden_expect (file, "kld", "dmu", dmu, GRAD);
  golden_expect (file, "kld", "dlogvar", dlogvar, GRAD);
}
END_TEST

/* --- optimiser --- */

START_TEST (test_adam)
{
  const unsigned steps = golden_dim (file, "adam", "grads", 0);
  const size_t n = golden_dim (file, "adam", "grads", 1);
  g_autofree VlReal *params = golden_read (file, "adam", "before");
  g_autofree VlReal *grads = golden_read (file, "adam", "grads");
  g_autofree VlReal *after = golden_read (file, "adam", "after");
  g_autofree VlReal *m = NEW (n);
  g_autofree VlReal *v = NEW (n);

  for (unsigned i = 0; i < steps; i++) {
    vl_adam_step (params, m, v, grads + i * n, n, 0.01, i + 1);
    golden_expect_close ("adam", params, after + i * n, n, FORWARD);
  }
}
END_TEST

START_TEST (test_clip)
{
  const size_t n = golden_size (file, "clip", "grads");
  g_autofree VlReal *grads = golden_read (file, "clip", "grads");
  VlReal norm = vl_clip_grad_norm (grads, n, 1);

  golden_expect (file, "clip", "norm", &norm, FORWARD);
  golden_expect (file, "clip", "after", grads, FORWARD);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("layers");
  TCase *tcase = tcase_create ("pytorch");

  tcase_add_checked_fixture (tcase, setup, teardown);
  tcase_add_loop_test (tcase, test_conv, 0, G_N_ELEMENTS (conv_cases));
  tcase_add_test (tcase, test_linear);
  tcase_add_loop_test (tcase, test_activation, 0, G_N_ELEMENTS (activations));
  tcase_add_test (tcase, test_reparameterize);
  tcase_add_test (tcase, test_lstm);
  tcase_add_loop_test (tcase, test_mdn_nll, 0, G_N_ELEMENTS (mdn_cases));
  tcase_add_loop_test (tcase, test_mdn_mixture, 0, 2);
  tcase_add_test (tcase, test_reconstruction_losses);
  tcase_add_test (tcase, test_kld);
  tcase_add_test (tcase, test_adam);
  tcase_add_test (tcase, test_clip);
  suite_add_tcase (suite, tcase);
  return golden_run (suite);
}
