/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Both whole networks, from the loss back to every tensor of weights. */

#include "grad.h"

#include "mdnrnn.h"
#include "vae.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DELTA 1e-3

typedef struct {
  VlReal *params, *grads;
  const VlTensorSpec *specs;
  unsigned n_specs;
  size_t n_params;
} Network;

/* Inputs that meet in one output. */
static size_t
meeting_inputs (const VlTensorSpec *spec)
{
  const size_t kernel = spec->dims[2] * spec->dims[3];

  if (g_str_has_suffix (spec->name, ".bias"))
    return 1;
  if (g_str_equal (spec->name, "deconv1.weight"))
    return spec->dims[0];
  if (g_str_has_prefix (spec->name, "deconv")) /* stride 2 */
    return spec->dims[0] * kernel / 4;
  return spec->fan_in;
}

static gboolean
is_positive (const VlTensorSpec *spec, gboolean is_vae)
{
  if (!is_vae)
    return g_str_has_prefix (spec->name, "fc1.");
  return strstr (spec->name, "conv") != NULL &&
         !g_str_equal (spec->name, "deconv5.bias");
}

/* Convolutions' weights are positive, so that all ReLUs are on, but for every
 * third unit, whose bias turns it off: none is near its kink, and gradients of
 * one sign stand out from the rounding of the loss. */
static void
fill_tensor (VlReal *x, const VlTensorSpec *spec, gboolean is_vae)
{
  const size_t n = vl_tensor_size (spec), in = meeting_inputs (spec);
  const gboolean is_bias = g_str_has_suffix (spec->name, ".bias");

  grad_fill (x, n, 0.5 / sqrt (in));
  if (!is_positive (spec, is_vae))
    return;
  for (size_t i = 0; i < n; i++)
    if (is_bias)
      x[i] = i % 3 == 2 ? -30 : is_vae ? 1 : 3;
    else
      x[i] = 2 * fabs (x[i]) / sqrt (in);
}

static void
network_init (Network *net, const VlTensorSpec *specs, unsigned n_specs,
    size_t n_params, gboolean is_vae)
{
  *net = (Network){g_new (VlReal, n_params), g_new0 (VlReal, n_params), specs,
      n_specs, n_params};
  for (unsigned i = 0; i < n_specs; i++)
    fill_tensor (net->params + specs[i].offset, &specs[i], is_vae);
}

static void
network_clear (Network *net)
{
  g_free (net->params);
  g_free (net->grads);
}

/* count 0: every element */
static void
check_network (Network *net, GradLoss loss, gpointer data, unsigned count)
{
  for (unsigned i = 0; i < net->n_specs; i++) {
    const VlTensorSpec *spec = &net->specs[i];
    const GradTensor tensor = {spec->name, net->params + spec->offset,
        net->grads + spec->offset, vl_tensor_size (spec)};
    if (count == 0)
      grad_check (&tensor, loss, data, DELTA);
    else
      grad_check_some (&tensor, loss, data, DELTA, count);
  }
}

/* --- VAE --- */

#define VAE_WIDTH 2
#define VAE_Z 3
#define VAE_BATCH 2 /* of which one image is given: scales differ from 1 */

typedef struct {
  Network net;
  VlVae vae;
  VlVaeWork *work;
  VlVaeLoss loss;
  VlReal *x, *eps;
} VaeCase;

static VlVaeLosses
vae_losses (VaeCase *c, VlReal *grads)
{
  return vl_vae_loss (
      c->work, grads, c->net.params, c->x, c->eps, 1, VAE_BATCH, &c->loss);
}

/* The batch's mean loss, as vae.h defines each kind. */
static double
vae_loss (gpointer data)
{
  VaeCase *c = data;
  const double numbers = VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS;
  const VlVaeLosses l = vae_losses (c, NULL);

  if (c->loss.kind == VL_LOSS_PUBLISHED)
    return (l.recon / (numbers * VAE_BATCH) + 3 * l.kld) / VAE_BATCH;
  return (l.recon + c->loss.beta * l.kld) / VAE_BATCH;
}

START_TEST (test_vae)
{
  static const struct {
    VlVaeLoss loss;
    unsigned count; /* few: an evaluation takes milliseconds */
  } cases[] = {{{VL_LOSS_GAUSSIAN, 0.5, 1.5}, 4},
      {{VL_LOSS_BERNOULLI, 0.5, 0.7}, 2}, {{VL_LOSS_PUBLISHED, 0.5, 1}, 2}};
  const size_t size = VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS;
  VaeCase c = {.loss = cases[_i].loss};

  vl_vae_init (&c.vae, VAE_WIDTH, VAE_Z);
  network_init (&c.net, c.vae.specs, VL_VAE_N_TENSORS, c.vae.n_params, TRUE);
  c.work = vl_vae_work_new (&c.vae, 1);
  c.x = g_new (VlReal, size);
  c.eps = g_new (VlReal, VAE_Z);
  grad_fill (c.eps, VAE_Z, 0.3);
  for (size_t i = 0; i < size; i++)
    c.x[i] = 0.3 + 0.2 * cos (0.01 * i);

  vae_losses (&c, c.net.grads);
  check_network (&c.net, vae_loss, &c, cases[_i].count);

  vl_vae_work_free (c.work);
  network_clear (&c.net);
  g_free (c.x);
  g_free (c.eps);
}
END_TEST

/* --- LSTM-MDN --- */

typedef struct {
  Network net;
  VlMdnRnn rnn;
  VlMdnRnnWork *work;
  VlReal *input, *base, *target;
} RnnCase;

#define RNN_T 4
#define RNN_B 3
#define RNN_SCALE 0.25

static double
rnn_loss (gpointer data)
{
  RnnCase *c = data;

  return RNN_SCALE * vl_mdnrnn_loss (c->work, NULL, c->net.params, c->input,
                         c->base, c->target, RNN_B, RNN_SCALE);
}

START_TEST (test_mdnrnn)
{
  const unsigned Z = 3, extra = 2;
  RnnCase c = {0};

  vl_mdnrnn_init (&c.rnn, Z, extra, 4, 5, 2, 3, _i);
  network_init (&c.net, c.rnn.specs, c.rnn.n_tensors, c.rnn.n_params, FALSE);
  c.work = vl_mdnrnn_work_new (&c.rnn, RNN_T, RNN_B);
  c.input = g_new (VlReal, RNN_T * RNN_B * (Z + extra));
  c.base = g_new (VlReal, RNN_T * RNN_B * Z);
  c.target = g_new (VlReal, RNN_T * RNN_B * Z);
  grad_fill (c.input, RNN_T * RNN_B * (Z + extra), 1);
  grad_fill (c.base, RNN_T * RNN_B * Z, 1);
  grad_fill (c.target, RNN_T * RNN_B * Z, 1);

  vl_mdnrnn_loss (c.work, c.net.grads, c.net.params, c.input, c.base, c.target,
      RNN_B, RNN_SCALE);
  check_network (&c.net, rnn_loss, &c, 0);

  vl_mdnrnn_work_free (c.work);
  network_clear (&c.net);
  g_free (c.input);
  g_free (c.base);
  g_free (c.target);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("grad-networks");
  TCase *tcase = tcase_create ("central-differences");

  tcase_set_timeout (tcase, 60);
  tcase_add_checked_fixture (tcase, grad_reseed, NULL);
  tcase_add_loop_test (tcase, test_vae, 0, 3);
  tcase_add_loop_test (tcase, test_mdnrnn, 0, 2);
  suite_add_tcase (suite, tcase);

  SRunner *runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
