/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "self-test.h"

#include <math.h>

#include "model-file.h"

/* BLAS kernels of different processors sum in different orders: the networks
 * then differ by about 1e-6 of their largest numbers, and the NLL, with sigma
 * down to exp (-4), by little more. A wrong kernel or weight is off by far more
 * than this. */
#define TOLERANCE 1e-3

#define PIXEL_STEP (VL_WINDOW / VL_SELF_TEST_PIXELS)

/* Numbers in [0,1) that every machine generates alike (Numerical Recipes'
 * linear congruential generator; its upper 24 bits are exact as a float). */
static float
next_number (guint32 *state)
{
  *state = *state * 1664525u + 1013904223u;
  return (float)(*state >> 8) / 16777216.0f;
}

static void
fill (float *numbers, gsize n, guint32 *state)
{
  for (gsize i = 0; i < n; i++)
    numbers[i] = next_number (state);
}

/* Numbers in [-1,1), as latents are. */
static void
fill_signed (float *numbers, gsize n, guint32 *state)
{
  for (gsize i = 0; i < n; i++)
    numbers[i] = 2 * next_number (state) - 1;
}

VlSelfTest *
vl_self_test_new (unsigned Z)
{
  VlSelfTest *test = g_new0 (VlSelfTest, 1);

  test->Z = Z;
  test->mu = g_new0 (float, Z);
  return test;
}

void
vl_self_test_free (VlSelfTest *test)
{
  if (test == NULL)
    return;
  g_free (test->mu);
  g_free (test);
}

static void
run_vae (VlSelfTest *test, const VlModel *model, guint32 *state)
{
  const gsize n = VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS;
  g_autofree float *image = g_new (float, n);
  VlEncoder *encoder =
      vl_encoder_new (&model->vae, VL_WINDOW, VL_WINDOW, VL_WINDOW);
  VlDecoder *decoder = vl_decoder_new (&model->vae);

  fill (image, n, state);
  vl_encoder_run (encoder, test->mu, image, model->vae_params);
  vl_decoder_run (decoder, image, test->mu, model->vae_params);
  for (unsigned i = 0; i < VL_SELF_TEST_PIXELS; i++) {
    const unsigned at = i * PIXEL_STEP + PIXEL_STEP / 2;

    test->x_hat[i] =
        image[(at * VL_WINDOW + at) * VL_VAE_CHANNELS + i % VL_VAE_CHANNELS];
  }
  vl_decoder_free (decoder);
  vl_encoder_free (encoder);
}

/* Steps enough for what recurs to take part. Each step's input is a latent and
 * then the extra inputs; the latent is the target of the step before. */
static void
run_mdnrnn (VlSelfTest *test, const VlModel *model, guint32 *state)
{
  const VlMdnRnn *rnn = &model->rnn;
  const VlMdnShape shape = {1, rnn->K, rnn->Z};
  const gsize n = rnn->Z + rnn->extra;
  g_autofree float *head = g_new (float, 3 * (gsize)rnn->K * rnn->Z);
  g_autofree float *inputs = g_new (float, (VL_SELF_TEST_STEPS + 1) * n);
  VlMdnRnnState *lstm = vl_mdnrnn_state_new (rnn, 1);

  fill_signed (inputs, (VL_SELF_TEST_STEPS + 1) * n, state);
  for (unsigned t = 0; t < VL_SELF_TEST_STEPS; t++) {
    const float *z = inputs + t * n, *next = z + n;
    float nll;

    vl_mdnrnn_step (lstm, head, z, model->rnn_params);
    vl_mdn_nll_forward (&nll, head, rnn->residual ? z : NULL, next, &shape);
    test->nll += nll;
  }
  vl_mdnrnn_state_free (lstm);
}

VlSelfTest *
vl_self_test_run (const VlModel *model)
{
  VlSelfTest *test = vl_self_test_new (model->vae.Z);
  guint32 state = 1;

  run_vae (test, model, &state);
  run_mdnrnn (test, model, &state);
  return test;
}

gboolean
vl_self_test_is_finite (const VlSelfTest *test)
{
  return vl_all_finite (test->mu, test->Z) &&
         vl_all_finite (test->x_hat, VL_SELF_TEST_PIXELS) &&
         isfinite (test->nll);
}

/* Differences count against the largest of a vector's numbers, and at least
 * against one: a single mu may be a small difference of large terms. */
static gboolean
agree (const float *a, const float *b, unsigned n)
{
  float scale = 1;

  for (unsigned i = 0; i < n; i++)
    scale = fmaxf (scale, fabsf (b[i]));
  for (unsigned i = 0; i < n; i++) {
    if (!(fabsf (a[i] - b[i]) <= TOLERANCE * scale))
      return FALSE;
  }
  return TRUE;
}

gboolean
vl_self_test_agrees (const VlSelfTest *a, const VlSelfTest *b)
{
  return a->Z == b->Z && agree (a->mu, b->mu, a->Z) &&
         agree (a->x_hat, b->x_hat, VL_SELF_TEST_PIXELS) &&
         fabs (a->nll - b->nll) <= TOLERANCE * fmax (1, fabs (b->nll));
}
