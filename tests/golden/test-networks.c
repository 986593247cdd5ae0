/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Both whole networks against PyTorch: losses, the gradient of every
 * parameter, five training steps, and the sliding grid. */

#include "golden.h"

#include "adam.h"
#include "mdnrnn.h"
#include "vae.h"

#include <string.h>

#define WIDTH 4 /* of the VAE in vae.safetensors */
#define BATCH 2

/* --- VAE --- */

static VlVae vae;
static VlReal *vae_params, *images, *vae_eps; /* eps (steps,BATCH,Z) */
static unsigned vae_steps;

static void
vae_setup (void)
{
  g_autoptr (VlTensorFile) file = golden_open ("vae.safetensors");
  const size_t size = VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS;

  vl_vae_init (&vae, WIDTH, golden_dim (file, "", "fc1.bias", 0));
  vae_params =
      golden_read_arena (file, "", vae.specs, VL_VAE_N_TENSORS, vae.n_params);
  vae_eps = golden_read (file, "", "eps");
  vae_steps = golden_dim (file, "", "eps", 0);
  images = g_new (VlReal, BATCH * size);
  for (unsigned i = 0; i < BATCH; i++) {
    g_autofree VlReal *image = golden_image (i, VL_WINDOW, VL_WINDOW);
    memcpy (images + i * size, image, size * sizeof *image);
  }
}

static void
vae_teardown (void)
{
  g_free (vae_params);
  g_free (vae_eps);
  g_free (images);
}

static const struct {
  const char *file;
  VlVaeLoss loss;
} vae_cases[] = {
    {"vae-gaussian.safetensors", {VL_LOSS_GAUSSIAN, 0.05, 1}},
    {"vae-bernoulli.safetensors", {VL_LOSS_BERNOULLI, 0.05, 1}},
    {"vae-published.safetensors", {VL_LOSS_PUBLISHED, 0.05, 1}},
};

START_TEST (test_vae_gradients)
{
  g_autoptr (VlTensorFile) file = golden_open (vae_cases[_i].file);
  g_autofree VlReal *grads = g_new0 (VlReal, vae.n_params);
  VlVaeWork *work = vl_vae_work_new (&vae, BATCH);
  const VlVaeLosses losses = vl_vae_loss (work, grads, vae_params, images,
      vae_eps, BATCH, BATCH, &vae_cases[_i].loss);
  const VlReal recon = losses.recon, kld = losses.kld;

  golden_expect (file, "", "recon", &recon, GOLDEN_FORWARD_TOL);
  golden_expect (file, "", "kld", &kld, GOLDEN_FORWARD_TOL);
  golden_expect_arena (
      file, "", grads, vae.specs, VL_VAE_N_TENSORS, GOLDEN_GRAD_TOL);
  vl_vae_work_free (work);
}
END_TEST

/* Two workers with one image each make the same gradient as one with both. */
START_TEST (test_vae_split_batch)
{
  const size_t size = VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS;
  g_autoptr (VlTensorFile) file = golden_open (vae_cases[_i].file);
  g_autofree VlReal *grads = g_new0 (VlReal, vae.n_params);
  VlVaeWork *work = vl_vae_work_new (&vae, 1);

  for (unsigned i = 0; i < BATCH; i++)
    vl_vae_loss (work, grads, vae_params, images + i * size,
        vae_eps + i * vae.Z, 1, BATCH, &vae_cases[_i].loss);
  golden_expect_arena (
      file, "", grads, vae.specs, VL_VAE_N_TENSORS, GOLDEN_GRAD_TOL);
  vl_vae_work_free (work);
}
END_TEST

START_TEST (test_vae_training)
{
  const VlVaeLoss loss = {VL_LOSS_GAUSSIAN, 0.05, 1};
  g_autoptr (VlTensorFile) file = golden_open ("vae-training.safetensors");
  g_autofree VlReal *grads = g_new (VlReal, vae.n_params);
  g_autofree VlReal *m = g_new0 (VlReal, vae.n_params);
  g_autofree VlReal *v = g_new0 (VlReal, vae.n_params);
  g_autofree VlReal *losses = g_new (VlReal, 2 * vae_steps);
  VlVaeWork *work = vl_vae_work_new (&vae, BATCH);

  for (unsigned i = 0; i < vae_steps; i++) {
    memset (grads, 0, vae.n_params * sizeof *grads);
    const VlVaeLosses l = vl_vae_loss (work, grads, vae_params, images,
        vae_eps + i * BATCH * vae.Z, BATCH, BATCH, &loss);
    vl_adam_step (vae_params, m, v, grads, vae.n_params, 1e-3, i + 1);
    losses[2 * i] = l.recon;
    losses[2 * i + 1] = l.kld;
  }
  golden_expect (file, "", "losses", losses, GOLDEN_FORWARD_TOL);
  vl_vae_work_free (work);
}
END_TEST

/* --- the grid --- */

static const struct {
  unsigned height, width, stride;
} grids[] = {{160, 192, 32}, {160, 192, 16}, {128, 128, 16}, {151, 177, 16}};

static VlReal *
encode (unsigned height, unsigned width, unsigned stride, const VlReal *image)
{
  const size_t tiles =
      (size_t)vl_vae_grid (height, stride) * vl_vae_grid (width, stride);
  VlReal *mu = g_new (VlReal, tiles * vae.Z);
  VlEncoder *encoder = vl_encoder_new (&vae, height, width, stride);

  vl_encoder_run (encoder, mu, image, vae_params);
  vl_encoder_free (encoder);
  return mu;
}

START_TEST (test_grid_pytorch)
{
  g_autoptr (VlTensorFile) file = golden_open ("vae-grid.safetensors");
  g_autofree char *name = g_strdup_printf ("mu%u", grids[_i].stride);
  g_autofree VlReal *image =
      golden_image (5, grids[_i].height, grids[_i].width);
  g_autofree VlReal *mu =
      encode (grids[_i].height, grids[_i].width, grids[_i].stride, image);

  golden_expect (file, "", name, mu, GOLDEN_FORWARD_TOL);
}
END_TEST

/* Each tile is what encoding its window alone gives. */
START_TEST (test_grid_windows)
{
  const unsigned height = grids[_i].height, width = grids[_i].width;
  const unsigned stride = grids[_i].stride;
  const unsigned GY = vl_vae_grid (height, stride);
  const unsigned GX = vl_vae_grid (width, stride);
  const size_t row = VL_WINDOW * VL_VAE_CHANNELS;
  g_autofree VlReal *image = golden_image (7, height, width);
  g_autofree VlReal *window = g_new (VlReal, VL_WINDOW * row);
  g_autofree VlReal *mu = encode (height, width, stride, image);
  g_autofree VlReal *alone = g_new (VlReal, (size_t)GY * GX * vae.Z);
  VlEncoder *encoder = vl_encoder_new (&vae, VL_WINDOW, VL_WINDOW, stride);

  for (unsigned gy = 0; gy < GY; gy++)
    for (unsigned gx = 0; gx < GX; gx++) {
      const VlReal *corner =
          image + ((size_t)gy * stride * width + gx * stride) * VL_VAE_CHANNELS;
      for (unsigned y = 0; y < VL_WINDOW; y++)
        memcpy (window + y * row, corner + (size_t)y * width * VL_VAE_CHANNELS,
            row * sizeof *window);
      vl_encoder_run (
          encoder, alone + (gy * GX + gx) * vae.Z, window, vae_params);
    }
  golden_expect_close (
      "grid", mu, alone, (size_t)GY * GX * vae.Z, GOLDEN_FORWARD_TOL);
  vl_encoder_free (encoder);
}
END_TEST

/* --- LSTM-MDN --- */

static VlTensorFile *rnn_file;
static VlReal *input, *base, *target, *rnn_params;
static unsigned T, B;

/* Sizes as in mdnrnn.safetensors. */
static void
rnn_init (VlMdnRnn *rnn, gboolean residual)
{
  const unsigned Z = golden_dim (rnn_file, "", "target", 2);

  vl_mdnrnn_init (rnn, Z, golden_dim (rnn_file, "", "input", 2) - Z,
      golden_dim (rnn_file, "", "fc1.bias", 0),
      golden_dim (rnn_file, "", "z_pi.weight", 1), 2,
      golden_dim (rnn_file, "", "z_pi.bias", 0) / Z, residual);
}

static void
rnn_setup (void)
{
  VlMdnRnn rnn;

  rnn_file = golden_open ("mdnrnn.safetensors");
  rnn_init (&rnn, TRUE);
  T = golden_dim (rnn_file, "", "target", 0);
  B = golden_dim (rnn_file, "", "target", 1);
  input = golden_read (rnn_file, "", "input");
  target = golden_read (rnn_file, "", "target");
  rnn_params =
      golden_read_arena (rnn_file, "", rnn.specs, rnn.n_tensors, rnn.n_params);
  base = g_new (VlReal, T * B * rnn.Z);
  for (size_t i = 0; i < T * B; i++)
    memcpy (base + i * rnn.Z, input + i * (rnn.Z + rnn.extra),
        rnn.Z * sizeof *base);
}

static void
rnn_teardown (void)
{
  vl_tensor_file_free (rnn_file);
  g_free (input);
  g_free (target);
  g_free (base);
  g_free (rnn_params);
}

START_TEST (test_rnn_gradients)
{
  const char *kind = _i ? "residual" : "direct";
  g_autofree char *prefix = g_strconcat (kind, ".d", NULL);
  VlMdnRnn rnn;
  rnn_init (&rnn, _i);
  g_autofree VlReal *grads = g_new0 (VlReal, rnn.n_params);
  VlMdnRnnWork *work = vl_mdnrnn_work_new (&rnn, T, B);
  const VlReal loss =
      vl_mdnrnn_loss (work, grads, rnn_params, input, base, target, B, 1);

  golden_expect (rnn_file, kind, "loss", &loss, GOLDEN_FORWARD_TOL);
  golden_expect_arena (
      rnn_file, prefix, grads, rnn.specs, rnn.n_tensors, GOLDEN_GRAD_TOL);
  vl_mdnrnn_work_free (work);
}
END_TEST

/* Step by step gives what the whole sequence gives. */
START_TEST (test_rnn_steps)
{
  VlMdnRnn rnn;
  rnn_init (&rnn, FALSE);
  const size_t row = (size_t)B * (rnn.Z + rnn.extra);
  const size_t head_row = (size_t)B * 3 * rnn.K * rnn.Z;
  g_autofree VlReal *head = g_new (VlReal, T * head_row);
  VlMdnRnnState *state = vl_mdnrnn_state_new (&rnn, B);

  for (unsigned again = 0; again < 2; again++) {
    for (unsigned t = 0; t < T; t++)
      vl_mdnrnn_step (state, head + t * head_row, input + t * row, rnn_params);
    /* stored as (T,B,3,K,Z), five dimensions in a row */
    guint64 shape[VL_MAX_DIMS];
    unsigned n_dims;
    const float *expected =
        vl_tensor_file_get (rnn_file, "head", &n_dims, shape, NULL);
    golden_expect_close (
        "head", head, expected, T * head_row, GOLDEN_FORWARD_TOL);
    vl_mdnrnn_state_reset (state);
  }
  vl_mdnrnn_state_free (state);
}
END_TEST

START_TEST (test_rnn_training)
{
  g_autoptr (VlTensorFile) file = golden_open ("mdnrnn-training.safetensors");
  const unsigned steps = golden_size (file, "", "losses");
  VlMdnRnn rnn;
  rnn_init (&rnn, TRUE);
  g_autofree VlReal *grads = g_new (VlReal, rnn.n_params);
  g_autofree VlReal *m = g_new0 (VlReal, rnn.n_params);
  g_autofree VlReal *v = g_new0 (VlReal, rnn.n_params);
  g_autofree VlReal *losses = g_new (VlReal, steps);
  VlMdnRnnWork *work = vl_mdnrnn_work_new (&rnn, T, B);

  for (unsigned i = 0; i < steps; i++) {
    memset (grads, 0, rnn.n_params * sizeof *grads);
    losses[i] = vl_mdnrnn_loss (
        work, grads, rnn_params, input, base, target, B, (VlReal)1 / (T * B));
    vl_clip_grad_norm (grads, rnn.n_params, 1);
    vl_adam_step (rnn_params, m, v, grads, rnn.n_params, 1e-2, i + 1);
  }
  golden_expect (file, "", "losses", losses, GOLDEN_FORWARD_TOL);
  vl_mdnrnn_work_free (work);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("networks");
  TCase *tcase = tcase_create ("vae");

  tcase_add_checked_fixture (tcase, vae_setup, vae_teardown);
  tcase_add_loop_test (tcase, test_vae_gradients, 0, G_N_ELEMENTS (vae_cases));
  tcase_add_loop_test (
      tcase, test_vae_split_batch, 0, G_N_ELEMENTS (vae_cases));
  tcase_add_test (tcase, test_vae_training);
  tcase_add_loop_test (tcase, test_grid_pytorch, 0, 2);
  tcase_add_loop_test (tcase, test_grid_windows, 0, G_N_ELEMENTS (grids));
  suite_add_tcase (suite, tcase);

  tcase = tcase_create ("mdnrnn");
  tcase_add_checked_fixture (tcase, rnn_setup, rnn_teardown);
  tcase_add_loop_test (tcase, test_rnn_gradients, 0, 2);
  tcase_add_test (tcase, test_rnn_steps);
  tcase_add_test (tcase, test_rnn_training);
  suite_add_tcase (suite, tcase);
  return golden_run (suite);
}
