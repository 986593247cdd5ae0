/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every layer and loss: the gradient of every parameter and every input by
 * central differences, and that backward adds to what is there. */

#include "grad.h"

#include "activation.h"
#include "conv.h"
#include "linear.h"
#include "loss.h"
#include "lstm.h"
#include "mdn.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DELTA 1e-3
#define MAX_INPUTS 7

typedef struct Layer Layer;

/* A layer as a function y = f (inputs); the loss is the sum of dy * y. */
struct Layer {
  void (*forward) (Layer *layer);
  void (*backward) (Layer *layer); /* input gradients += */
  const void *shape;
  GradTensor in[MAX_INPUTS]; /* x is the value, g the gradient */
  unsigned n_in;
  VlReal *y, *dy;
  size_t n_y;
  VlReal *work[3]; /* whatever forward leaves to backward */
};

static VlReal *
layer_x (const Layer *layer, unsigned i)
{
  return layer->in[i].x;
}

static VlReal *
layer_dx (const Layer *layer, unsigned i)
{
  return (VlReal *)layer->in[i].g;
}

static void
add_input (Layer *layer, const char *name, size_t n, double scale)
{
  VlReal *x = g_new (VlReal, n);

  grad_fill (x, n, scale);
  layer->in[layer->n_in++] = (GradTensor){name, x, g_new0 (VlReal, n), n};
}

static void
set_output (Layer *layer, size_t n)
{
  layer->n_y = n;
  layer->y = g_new0 (VlReal, n);
  layer->dy = g_new (VlReal, n);
  grad_fill (layer->dy, n, 1);
}

static double
layer_loss (gpointer data)
{
  Layer *layer = data;
  double sum = 0;

  layer->forward (layer);
  for (size_t i = 0; i < layer->n_y; i++)
    sum += layer->dy[i] * layer->y[i];
  return sum;
}

static void
layer_clear (Layer *layer)
{
  for (unsigned i = 0; i < layer->n_in; i++) {
    g_free (layer_x (layer, i));
    g_free (layer_dx (layer, i));
  }
  for (unsigned i = 0; i < G_N_ELEMENTS (layer->work); i++)
    g_free (layer->work[i]);
  g_free (layer->y);
  g_free (layer->dy);
}

/* A second backward pass must double every gradient. */
static void
check_accumulates (Layer *layer)
{
  for (unsigned i = 0; i < layer->n_in; i++)
    for (size_t j = 0; j < layer->in[i].n; j++)
      layer_dx (layer, i)[j] *= -1;
  layer->forward (layer);
  layer->backward (layer);
  for (unsigned i = 0; i < layer->n_in; i++)
    for (size_t j = 0; j < layer->in[i].n; j++)
      ck_assert_msg (fabs (layer_dx (layer, i)[j]) < 1e-12,
          "%s[%zu] is not added to: %g left of g - g", layer->in[i].name, j,
          layer_dx (layer, i)[j]);
}

/* Consumes the layer. */
static void
check_layer (Layer *layer)
{
  layer->forward (layer);
  layer->backward (layer);
  for (unsigned i = 0; i < layer->n_in; i++)
    grad_check (&layer->in[i], layer_loss, layer, DELTA);
  check_accumulates (layer);
  layer_clear (layer);
}

/* --- convolutions --- */

static void
conv2d_forward (Layer *l)
{
  vl_conv2d_forward (l->y, layer_x (l, 0), layer_x (l, 1), layer_x (l, 2),
      l->shape, l->work[0]);
}

static void
conv2d_backward (Layer *l)
{
  vl_conv2d_backward (layer_dx (l, 0), layer_dx (l, 1), layer_dx (l, 2), l->dy,
      layer_x (l, 0), layer_x (l, 1), l->shape, l->work[0]);
}

START_TEST (test_conv2d)
{
  static const VlConvShape shapes[] = {
      {2, 7, 8, 3, 2, 4, 2}, {1, 7, 6, 2, 3, 6, 1}, {3, 10, 8, 2, 1, 6, 2}};
  const VlConvShape *s = &shapes[_i];
  Layer l = {conv2d_forward, conv2d_backward, s};

  add_input (&l, "x", s->B * s->H * s->W * s->IC, 1);
  add_input (&l, "weight", s->OC * s->K * s->K * s->IC, 1);
  add_input (&l, "bias", s->OC, 1);
  set_output (&l, s->B * vl_conv2d_out (s->H, s->K, s->stride) *
                      vl_conv2d_out (s->W, s->K, s->stride) * s->OC);
  l.work[0] = g_new (VlReal, vl_conv2d_scratch (s));
  check_layer (&l);
}
END_TEST

static void
conv_transpose2d_forward (Layer *l)
{
  vl_conv_transpose2d_forward (l->y, layer_x (l, 0), layer_x (l, 1),
      layer_x (l, 2), l->shape, l->work[0]);
}

static void
conv_transpose2d_backward (Layer *l)
{
  vl_conv_transpose2d_backward (layer_dx (l, 0), layer_dx (l, 1),
      layer_dx (l, 2), l->dy, layer_x (l, 0), layer_x (l, 1), l->shape,
      l->work[0]);
}

START_TEST (test_conv_transpose2d)
{
  static const VlConvShape shapes[] = {
      {2, 3, 2, 3, 2, 5, 2}, {1, 2, 4, 2, 3, 6, 2}};
  const VlConvShape *s = &shapes[_i];
  Layer l = {conv_transpose2d_forward, conv_transpose2d_backward, s};

  add_input (&l, "x", s->B * s->H * s->W * s->IC, 1);
  add_input (&l, "weight", s->IC * s->K * s->K * s->OC, 1);
  add_input (&l, "bias", s->OC, 1);
  set_output (&l, s->B * vl_conv_transpose2d_out (s->H, s->K, s->stride) *
                      vl_conv_transpose2d_out (s->W, s->K, s->stride) * s->OC);
  l.work[0] = g_new (VlReal, vl_conv_transpose2d_scratch (s));
  check_layer (&l);
}
END_TEST

/* --- linear, activations, sampling --- */

#define LINEAR_B 3
#define LINEAR_IN 5
#define LINEAR_OUT 4

static void
linear_forward (Layer *l)
{
  vl_linear_forward (l->y, layer_x (l, 0), layer_x (l, 1), layer_x (l, 2),
      LINEAR_B, LINEAR_IN, LINEAR_OUT);
}

static void
linear_backward (Layer *l)
{
  vl_linear_backward (layer_dx (l, 0), layer_dx (l, 1), layer_dx (l, 2), l->dy,
      layer_x (l, 0), layer_x (l, 1), LINEAR_B, LINEAR_IN, LINEAR_OUT);
}

START_TEST (test_linear)
{
  Layer l = {linear_forward, linear_backward};

  add_input (&l, "x", LINEAR_B * LINEAR_IN, 1);
  add_input (&l, "weight", LINEAR_OUT * LINEAR_IN, 1);
  add_input (&l, "bias", LINEAR_OUT, 1);
  set_output (&l, LINEAR_B * LINEAR_OUT);
  check_layer (&l);
}
END_TEST

typedef struct {
  const char *name;
  void (*forward) (VlReal *x, size_t n);
  void (*backward) (VlReal *dy, const VlReal *y, size_t n);
} Activation;

static void
activation_forward (Layer *l)
{
  const Activation *a = l->shape;

  memcpy (l->y, layer_x (l, 0), l->n_y * sizeof *l->y);
  a->forward (l->y, l->n_y);
}

static void
activation_backward (Layer *l)
{
  const Activation *a = l->shape;

  memcpy (l->work[0], l->dy, l->n_y * sizeof *l->dy);
  a->backward (l->work[0], l->y, l->n_y);
  for (size_t i = 0; i < l->n_y; i++)
    layer_dx (l, 0)[i] += l->work[0][i];
}

START_TEST (test_activation)
{
  static const Activation activations[] = {
      {"relu", vl_relu_forward, vl_relu_backward},
      {"sigmoid", vl_sigmoid_forward, vl_sigmoid_backward}};
  const size_t n = 31;
  Layer l = {activation_forward, activation_backward, &activations[_i]};

  add_input (&l, activations[_i].name, n, 1);
  for (size_t i = 0; i < n; i++) /* off the kink at 0 */
    layer_x (&l, 0)[i] += layer_x (&l, 0)[i] > 0 ? 0.1 : -0.1;
  set_output (&l, n);
  l.work[0] = g_new (VlReal, n);
  check_layer (&l);
}
END_TEST

static void
reparameterize_forward (Layer *l)
{
  vl_reparameterize_forward (
      l->y, layer_x (l, 0), layer_x (l, 1), l->work[0], l->n_y);
}

static void
reparameterize_backward (Layer *l)
{
  vl_reparameterize_backward (layer_dx (l, 0), layer_dx (l, 1), l->dy,
      layer_x (l, 1), l->work[0], l->n_y);
}

START_TEST (test_reparameterize)
{
  const size_t n = 17;
  Layer l = {reparameterize_forward, reparameterize_backward};

  add_input (&l, "mu", n, 1);
  add_input (&l, "logvar", n, 1);
  set_output (&l, n);
  l.work[0] = g_new (VlReal, n);
  grad_fill (l.work[0], n, 1);
  check_layer (&l);
}
END_TEST

/* --- LSTM: inputs x, h0, c0 and the weights; y is every h, and the last c ---
 */

enum { X, H0, C0, W_IH, W_HH, B_IH, B_HH };

static VlLstmParams
lstm_params (const Layer *l)
{
  return (VlLstmParams){layer_x (l, W_IH), layer_x (l, W_HH), layer_x (l, B_IH),
      layer_x (l, B_HH)};
}

static void
lstm_forward (Layer *l)
{
  const VlLstmShape *s = l->shape;
  const VlLstmParams params = lstm_params (l);
  const size_t state = (size_t)s->B * s->H;
  VlReal *h = l->work[0], *c = l->work[1];

  memcpy (h, layer_x (l, H0), state * sizeof *h);
  memcpy (c, layer_x (l, C0), state * sizeof *c);
  vl_lstm_forward (h, c, l->work[2], layer_x (l, X), &params, s);
  memcpy (l->y, h + state, s->T * state * sizeof *h);
  memcpy (l->y + s->T * state, c + s->T * state, state * sizeof *c);
}

static void
lstm_backward (Layer *l)
{
  const VlLstmShape *s = l->shape;
  const VlLstmParams params = lstm_params (l);
  const VlLstmGrads grads = {layer_dx (l, W_IH), layer_dx (l, W_HH),
      layer_dx (l, B_IH), layer_dx (l, B_HH)};
  const size_t state = (size_t)s->B * s->H;
  g_autofree VlReal *dh = g_new0 (VlReal, (s->T + 1) * state);
  g_autofree VlReal *dc = g_new (VlReal, state);

  memcpy (dh + state, l->dy, s->T * state * sizeof *dh);
  memcpy (dc, l->dy + s->T * state, state * sizeof *dc);
  vl_lstm_backward (layer_dx (l, X), &grads, dh, dc, l->work[2], l->work[0],
      l->work[1], layer_x (l, X), &params, s);
  for (size_t i = 0; i < state; i++) {
    layer_dx (l, H0)[i] += dh[i];
    layer_dx (l, C0)[i] += dc[i];
  }
}

START_TEST (test_lstm)
{
  static const VlLstmShape s = {.T = 4, .B = 2, .D = 3, .H = 5};
  const size_t state = (size_t)s.B * s.H;
  Layer l = {lstm_forward, lstm_backward, &s};

  add_input (&l, "x", s.T * s.B * s.D, 1);
  add_input (&l, "h0", state, 0.5);
  add_input (&l, "c0", state, 1);
  add_input (&l, "w_ih", 4 * s.H * s.D, 0.5);
  add_input (&l, "w_hh", 4 * s.H * s.H, 0.5);
  add_input (&l, "b_ih", 4 * s.H, 0.5);
  add_input (&l, "b_hh", 4 * s.H, 0.5);
  set_output (&l, (s.T + 1) * state);
  l.work[0] = g_new (VlReal, (s.T + 1) * state);
  l.work[1] = g_new (VlReal, (s.T + 1) * state);
  l.work[2] = g_new (VlReal, s.T * 4 * state);
  check_layer (&l);
}
END_TEST

/* --- mixture density: inputs head, target and, in one case, base --- */

static void
mdn_forward (Layer *l)
{
  const VlReal *base = l->n_in > 2 ? layer_x (l, 2) : NULL;

  vl_mdn_nll_forward (l->y, layer_x (l, 0), base, layer_x (l, 1), l->shape);
}

static void
mdn_backward (Layer *l)
{
  const gboolean has_base = l->n_in > 2;

  vl_mdn_nll_backward (layer_dx (l, 0), has_base ? layer_dx (l, 2) : NULL,
      layer_dx (l, 1), l->dy, layer_x (l, 0), has_base ? layer_x (l, 2) : NULL,
      layer_x (l, 1), l->shape);
}

START_TEST (test_mdn)
{
  static const VlMdnShape s = {.B = 2, .K = 3, .Z = 34};
  const size_t part = s.K * s.Z;
  Layer l = {mdn_forward, mdn_backward, &s};

  add_input (&l, "head", s.B * 3 * part, 0.7);
  add_input (&l, "target", s.B * s.Z, 1);
  if (_i)
    add_input (&l, "base", s.B * s.Z, 1);
  layer_x (&l, 0)[part] = VL_MDN_LOG_SIGMA_MIN - 1; /* no gradient there */
  layer_x (&l, 0)[part + s.Z] = VL_MDN_LOG_SIGMA_MAX + 1;
  /* a component pinned to sigma e^-4 has steep higher derivatives */
  layer_x (&l, 0)[2 * part] = 8;
  set_output (&l, s.B);
  check_layer (&l);
}
END_TEST

/* --- losses: y is the loss, dy its scale --- */

#define N_LOSS 70
#define SIGMA 0.3

static void
gaussian_forward (Layer *l)
{
  *l->y = vl_gaussian_loss (
      NULL, layer_x (l, 0), l->work[0], SIGMA, *l->dy, N_LOSS);
}

static void
gaussian_backward (Layer *l)
{
  vl_gaussian_loss (
      layer_dx (l, 0), layer_x (l, 0), l->work[0], SIGMA, *l->dy, N_LOSS);
}

static void
bernoulli_forward (Layer *l)
{
  *l->y = vl_bernoulli_loss (NULL, layer_x (l, 0), l->work[0], *l->dy, N_LOSS);
}

static void
bernoulli_backward (Layer *l)
{
  vl_bernoulli_loss (
      layer_dx (l, 0), layer_x (l, 0), l->work[0], *l->dy, N_LOSS);
}

START_TEST (test_reconstruction_loss)
{
  Layer l = {_i ? bernoulli_forward : gaussian_forward,
      _i ? bernoulli_backward : gaussian_backward};

  add_input (&l, _i ? "logit" : "x_hat", N_LOSS, 2);
  set_output (&l, 1);
  l.work[0] = g_new (VlReal, N_LOSS);
  grad_fill (l.work[0], N_LOSS, 0.2);
  for (unsigned i = 0; i < N_LOSS; i++)
    l.work[0][i] = fabs (l.work[0][i]);
  check_layer (&l);
}
END_TEST

static void
kld_forward (Layer *l)
{
  *l->y = vl_kld (NULL, NULL, layer_x (l, 0), layer_x (l, 1), *l->dy, N_LOSS);
}

static void
kld_backward (Layer *l)
{
  vl_kld (layer_dx (l, 0), layer_dx (l, 1), layer_x (l, 0), layer_x (l, 1),
      *l->dy, N_LOSS);
}

START_TEST (test_kld)
{
  Layer l = {kld_forward, kld_backward};

  add_input (&l, "mu", N_LOSS, 1);
  add_input (&l, "logvar", N_LOSS, 1);
  set_output (&l, 1);
  check_layer (&l);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("grad-layers");
  TCase *tcase = tcase_create ("central-differences");

  tcase_add_checked_fixture (tcase, grad_reseed, NULL);
  tcase_add_loop_test (tcase, test_conv2d, 0, 3);
  tcase_add_loop_test (tcase, test_conv_transpose2d, 0, 2);
  tcase_add_test (tcase, test_linear);
  tcase_add_loop_test (tcase, test_activation, 0, 2);
  tcase_add_test (tcase, test_reparameterize);
  tcase_add_test (tcase, test_lstm);
  tcase_add_loop_test (tcase, test_mdn, 0, 2);
  tcase_add_loop_test (tcase, test_reconstruction_loss, 0, 2);
  tcase_add_test (tcase, test_kld);
  suite_add_tcase (suite, tcase);

  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
