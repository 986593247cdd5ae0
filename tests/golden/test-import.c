/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A PyTorch checkpoint under the published names, decoder unfolded, imported:
 * computes what PyTorch computes with fc3 and deconv1 in full. */

#include "golden.h"

#include "model.h"

#define IMPORT_TOL 1e-4 /* folding sums 576 products in another order */

static VlModel *model;
static VlTensorFile *expected;

static void
setup (void)
{
  g_autoptr (GError) error = NULL;

  model = vl_model_import (GOLDEN_DIR "/import-vae.safetensors",
      GOLDEN_DIR "/import-mdnrnn.safetensors", &error);
  ck_assert_msg (model != NULL, "%s", error ? error->message : "import failed");
  expected = golden_open ("import-expected.safetensors");
}

static void
teardown (void)
{
  vl_model_unref (model);
  vl_tensor_file_free (expected);
}

START_TEST (test_sizes)
{
  ck_assert_uint_eq (model->vae.width, 2);
  ck_assert_uint_eq (model->vae.Z, 5);
  ck_assert_uint_eq (model->rnn.Z, 5);
  ck_assert_uint_eq (model->rnn.extra, 0);
  ck_assert_uint_eq (model->rnn.D, 6);
  ck_assert_uint_eq (model->rnn.H, 7);
  ck_assert_uint_eq (model->rnn.layers, 2);
  ck_assert_uint_eq (model->rnn.K, 4);
  ck_assert (!model->rnn.residual);
  ck_assert_ptr_null (model->calibration);
}
END_TEST

START_TEST (test_mu)
{
  g_autofree float *image = golden_image (1, VL_WINDOW, VL_WINDOW);
  g_autofree float *mu = g_new (float, model->vae.Z);
  VlEncoder *encoder =
      vl_encoder_new (&model->vae, VL_WINDOW, VL_WINDOW, VL_VAE_STEP);

  vl_encoder_run (encoder, mu, image, model->vae_params);
  golden_expect (expected, "", "mu", mu, IMPORT_TOL);
  vl_encoder_free (encoder);
}
END_TEST

START_TEST (test_reconstruction)
{
  const unsigned side = golden_dim (expected, "", "x_hat", 1), every = 3;
  g_autofree float *mu = golden_read (expected, "", "mu");
  g_autofree float *x_hat = g_new (float, VL_WINDOW *VL_WINDOW * 3);
  g_autofree float *sampled = g_new (float, 3 * side * side);
  VlDecoder *decoder = vl_decoder_new (&model->vae);

  vl_decoder_run (decoder, x_hat, mu, model->vae_params);
  for (unsigned c = 0; c < 3; c++)
    for (unsigned y = 0; y < side; y++)
      for (unsigned x = 0; x < side; x++)
        sampled[(c * side + y) * side + x] =
            x_hat[(y * every * VL_WINDOW + x * every) * 3 + c];
  golden_expect (expected, "", "x_hat", sampled, IMPORT_TOL);
  vl_decoder_free (decoder);
}
END_TEST

START_TEST (test_mixture)
{
  const VlMdnRnn *rnn = &model->rnn;
  const VlMdnShape s = {1, rnn->K, rnn->Z};
  const unsigned steps = golden_dim (expected, "", "latents", 0);
  const size_t n = (size_t)rnn->K * rnn->Z;
  g_autofree float *latents = golden_read (expected, "", "latents");
  g_autofree float *head = g_new (float, 3 * n);
  g_autofree float *pi = g_new (float, steps *n);
  g_autofree float *sigma = g_new (float, steps *n);
  g_autofree float *mu = g_new (float, steps *n);
  VlMdnRnnState *state = vl_mdnrnn_state_new (rnn, 1);

  for (unsigned t = 0; t < steps; t++) {
    vl_mdnrnn_step (state, head, latents + t * rnn->Z, model->rnn_params);
    vl_mdn_mixture (pi + t * n, sigma + t * n, mu + t * n, head, NULL, &s);
  }
  golden_expect (expected, "", "pi", pi, IMPORT_TOL);
  golden_expect (expected, "", "sigma", sigma, IMPORT_TOL);
  golden_expect (expected, "", "mixture_mu", mu, IMPORT_TOL);
  vl_mdnrnn_state_free (state);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("import");
  TCase *tcase = tcase_create ("pytorch");

  tcase_add_checked_fixture (tcase, setup, teardown);
  tcase_add_test (tcase, test_sizes);
  tcase_add_test (tcase, test_mu);
  tcase_add_test (tcase, test_reconstruction);
  tcase_add_test (tcase, test_mixture);
  suite_add_tcase (suite, tcase);
  return golden_run (suite);
}
