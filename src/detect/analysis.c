/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "analysis.h"

#include "sampler.h"

#include <string.h>

#define HISTORY 3 /* pictures in a motion input */

struct VlAnalysis {
  const VlModel *model;
  unsigned gx, gy, n_tiles;
  gsize n_pixels;

  guint8 *history[HISTORY]; /* luma, newest first; motion inputs only */
  gboolean has_history;
  float *input; /* (height,width,3) */

  VlEncoder *encoder;
  float *mu;     /* (n_tiles,Z) latents */
  float *z;      /* (n_tiles,Z) standardised */
  float *rnn_in; /* (n_tiles,Z+extra) */

  VlMdnRnnState *rnn;
  float *head; /* (n_tiles,3,K,Z): mixture predicted for the next latents */
  float *base; /* (n_tiles,Z): what a residual head's mu is added to */
  gboolean has_prediction;

  float *values[VL_N_CHANNELS];
};

VlAnalysis *
vl_analysis_new (const VlModel *model)
{
  VlAnalysis *a = g_new0 (VlAnalysis, 1);
  const VlInput *input = &model->input;
  const unsigned Z = model->vae.Z, KZ = model->rnn.K * Z;

  a->model = model;
  a->gx = vl_model_grid_width (model);
  a->gy = vl_model_grid_height (model);
  a->n_tiles = a->gx * a->gy;
  a->n_pixels = (gsize)input->width * input->height;
  if (input->kind == VL_INPUT_MOTION)
    for (unsigned i = 0; i < HISTORY; i++)
      a->history[i] = g_malloc (a->n_pixels);
  a->input = g_new (float, a->n_pixels *VL_VAE_CHANNELS);
  a->encoder =
      vl_encoder_new (&model->vae, input->height, input->width, input->stride);
  a->mu = g_new (float, (gsize)a->n_tiles *Z);
  a->z = g_new (float, (gsize)a->n_tiles *Z);
  a->base = g_new (float, (gsize)a->n_tiles *Z);
  a->rnn_in = g_new (float, (gsize)a->n_tiles *(Z + model->rnn.extra));
  a->rnn = vl_mdnrnn_state_new (&model->rnn, a->n_tiles);
  a->head = g_new (float, (gsize)a->n_tiles * 3 * KZ);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++)
    a->values[c] = g_new (float, a->n_tiles);
  return a;
}

void
vl_analysis_free (VlAnalysis *a)
{
  if (!a)
    return;
  void *buffers[] = {a->input, a->mu, a->z, a->base, a->rnn_in, a->head};

  for (unsigned i = 0; i < HISTORY; i++)
    g_free (a->history[i]);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++)
    g_free (a->values[c]);
  for (unsigned i = 0; i < G_N_ELEMENTS (buffers); i++)
    g_free (buffers[i]);
  vl_encoder_free (a->encoder);
  vl_mdnrnn_state_free (a->rnn);
  g_free (a);
}

void
vl_analysis_reset (VlAnalysis *analysis)
{
  analysis->has_history = analysis->has_prediction = FALSE;
  vl_mdnrnn_state_reset (analysis->rnn);
}

void
vl_analysis_place (
    const VlAnalysis *analysis, unsigned tile, unsigned *x, unsigned *y)
{
  const unsigned stride = analysis->model->input.stride;

  *x = tile % analysis->gx * stride;
  *y = tile / analysis->gx * stride;
}

/* The oldest picture's buffer takes the new one; the first picture after a
 * reset stands for those before it. */
static void
push_history (VlAnalysis *a, const guint8 *picture)
{
  guint8 *oldest = a->history[HISTORY - 1];

  memmove (a->history + 1, a->history, (HISTORY - 1) * sizeof *a->history);
  a->history[0] = oldest;
  for (unsigned i = 0; i < (a->has_history ? 1 : HISTORY); i++)
    memcpy (a->history[i], picture, a->n_pixels);
  a->has_history = TRUE;
}

static void
stack_input (VlAnalysis *a, const guint8 *picture)
{
  if (a->model->input.kind == VL_INPUT_MOTION) {
    push_history (a, picture);
    vl_planes_from_luma (
        a->input, a->history[0], a->history[1], a->history[2], a->n_pixels);
  } else {
    vl_planes_from_rgb (a->input, picture, a->n_pixels);
  }
}

const float *
vl_analysis_encode (VlAnalysis *analysis, const guint8 *picture)
{
  stack_input (analysis, picture);
  vl_encoder_run (analysis->encoder, analysis->mu, analysis->input,
      analysis->model->vae_params);
  return analysis->mu;
}

const float *
vl_analysis_latents (const VlAnalysis *analysis)
{
  return analysis->mu;
}

const float *
vl_analysis_input (const VlAnalysis *analysis)
{
  return analysis->input;
}

/* z' = (z - mean of the tile) / spread */
static void
standardise (VlAnalysis *a)
{
  const VlCalibration *calibration = a->model->calibration;
  const gsize n = (gsize)a->n_tiles * a->model->vae.Z;

  if (!calibration) {
    memcpy (a->z, a->mu, n * sizeof *a->z);
    return;
  }
  for (gsize i = 0; i < n; i++)
    a->z[i] = (a->mu[i] - calibration->latent_mean[i]) /
              calibration->latent_spread[i];
}

/* NLL of each tile's latent under the mixture predicted a frame ago. */
static void
measure_dynamics (VlAnalysis *a)
{
  const VlMdnRnn *rnn = &a->model->rnn;
  const VlMdnShape s = {a->n_tiles, rnn->K, rnn->Z};

  vl_mdn_nll_forward (a->values[VL_CHANNEL_DYNAMICS], a->head,
      rnn->residual ? a->base : NULL, a->z, &s);
}

/* Mean square of the standardised latent: distance from the tile's mean. */
static void
measure_appearance (VlAnalysis *a)
{
  const unsigned Z = a->model->vae.Z;

  for (unsigned t = 0; t < a->n_tiles; t++) {
    float sum = 0;
    for (unsigned d = 0; d < Z; d++)
      sum += a->z[t * Z + d] * a->z[t * Z + d];
    a->values[VL_CHANNEL_APPEARANCE][t] = sum / Z;
  }
}

/* The LSTM sees the latent, and where the tile lies. */
static void
predict (VlAnalysis *a)
{
  const VlMdnRnn *rnn = &a->model->rnn;
  const unsigned Z = rnn->Z, in = Z + rnn->extra;

  for (unsigned t = 0; t < a->n_tiles; t++) {
    memcpy (a->rnn_in + t * in, a->z + t * Z, Z * sizeof *a->z);
    if (rnn->extra)
      vl_model_tile_position (a->model, t, a->rnn_in + t * in + Z);
  }
  vl_mdnrnn_step (a->rnn, a->head, a->rnn_in, a->model->rnn_params);
  memcpy (a->base, a->z, (gsize)a->n_tiles * Z * sizeof *a->z);
  a->has_prediction = TRUE;
}

void
vl_analysis_run (VlAnalysis *analysis, const guint8 *picture,
    const float *values[VL_N_CHANNELS])
{
  const gboolean predicted = analysis->has_prediction;

  vl_analysis_encode (analysis, picture);
  standardise (analysis);
  if (predicted)
    measure_dynamics (analysis);
  measure_appearance (analysis);
  predict (analysis);

  for (unsigned c = 0; c < VL_N_CHANNELS; c++)
    values[c] = analysis->values[c];
  if (!predicted)
    values[VL_CHANNEL_DYNAMICS] = NULL;
}

void
vl_analysis_mixture (const VlAnalysis *a, float *pi, float *sigma, float *mu)
{
  const VlMdnRnn *rnn = &a->model->rnn;
  const VlCalibration *calibration = a->model->calibration;
  const VlMdnShape s = {a->n_tiles, rnn->K, rnn->Z};
  const unsigned Z = rnn->Z;

  vl_mdn_mixture (pi, sigma, mu, a->head, rnn->residual ? a->base : NULL, &s);
  if (!calibration)
    return;
  for (unsigned t = 0; t < a->n_tiles; t++)
    for (unsigned k = 0; k < rnn->K; k++)
      for (unsigned d = 0; d < Z; d++) {
        const gsize i = ((gsize)t * rnn->K + k) * Z + d;
        sigma[i] *= calibration->latent_spread[t * Z + d];
        mu[i] = mu[i] * calibration->latent_spread[t * Z + d] +
                calibration->latent_mean[t * Z + d];
      }
}
