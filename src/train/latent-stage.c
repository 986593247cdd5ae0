/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stages.h"

#include "analysis.h"
#include "light.h"

#include <math.h>

#define SPREAD_FLOOR 1e-3 /* of a latent dimension */

/* Sums over the frames fitted on. */
typedef struct {
  double *sum, *square; /* (n_tiles,Z) */
  guint n;
} Moments;

static void
moments_init (Moments *moments, gsize n)
{
  *moments = (Moments){g_new0 (double, n), g_new0 (double, n), 0};
}

static void
moments_clear (Moments *moments)
{
  g_free (moments->sum);
  g_free (moments->square);
}

static void
moments_add (Moments *moments, const float *x, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    moments->sum[i] += x[i];
    moments->square[i] += (double)x[i] * x[i];
  }
  moments->n++;
}

/* Each tile's own mean; one spread per latent dimension, pooled over tiles: a
 * tile where normal footage shows little must not inflate what it sees. */
static void
set_standard (VlCalibration *calibration, const Moments *moments)
{
  const guint Z = calibration->Z, n_tiles = calibration->n_tiles;

  for (guint d = 0; d < Z; d++) {
    double variance = 0;
    for (gsize i = d; i < (gsize)n_tiles * Z; i += Z) {
      const double mean = moments->sum[i] / moments->n;
      variance += MAX (0, moments->square[i] / moments->n - mean * mean);
      calibration->latent_mean[i] = (float)mean;
    }
    const float spread = (float)(sqrt (variance / n_tiles) + SPREAD_FLOOR);
    for (gsize i = d; i < (gsize)n_tiles * Z; i += Z)
      calibration->latent_spread[i] = spread;
  }
}

static gboolean
is_in (const GArray *spans, guint clip, guint frame)
{
  for (guint i = 0; i < spans->len; i++) {
    const VlSpan *span = &g_array_index (spans, VlSpan, i);
    if (span->clip == clip && frame >= span->begin && frame < span->end)
      return TRUE;
  }
  return FALSE;
}

/* Latents of every normal frame, in wandering light, into a store of their
 * own. */
static gboolean
encode_clips (VlTraining *training, VlAnalysis *analysis, VlLight *light,
    Moments *moments, GError **error)
{
  const gsize n =
      (gsize)vl_model_n_tiles (training->model) * training->model->vae.Z;
  const guint n_frames = vl_frame_store_n_frames (training->normal);
  guint done = 0;

  for (guint c = 0; c < vl_frame_store_n_clips (training->normal); c++) {
    vl_analysis_reset (analysis);
    vl_frame_store_begin_clip (training->latents);
    for (guint f = 0; f < vl_frame_store_clip_length (training->normal, c);
         f++) {
      const guint8 *picture = vl_frame_store_get (training->normal, c, f);
      const float *mu =
          vl_analysis_encode (analysis, vl_light_apply (light, picture));
      if (!vl_frame_store_append (training->latents, (const guint8 *)mu, error))
        return FALSE;
      if (is_in (training->fit, c, f))
        moments_add (moments, mu, n);
      if (!vl_training_tick (
              training, VL_STAGE_LATENTS, ++done, n_frames, NAN, error))
        return FALSE;
    }
  }
  return vl_frame_store_finish (training->latents, error);
}

gboolean
vl_training_encode (VlTraining *training, GError **error)
{
  VlModel *model = training->model;
  VlAnalysis *analysis = vl_analysis_new (model);
  const gsize n = (gsize)vl_model_n_tiles (model) * model->vae.Z;
  VlLight light;
  Moments moments;
  gboolean ok;

  vl_light_init (&light, &training->options, VL_STAGE_LATENTS);
  moments_init (&moments, n);
  training->latents = vl_frame_store_new (n * sizeof (float), error);
  ok = training->latents &&
       encode_clips (training, analysis, &light, &moments, error);
  vl_light_clear (&light);
  vl_analysis_free (analysis);
  if (ok) {
    model->calibration =
        vl_calibration_new (vl_model_n_tiles (model), model->vae.Z);
    set_standard (model->calibration, &moments);
  }
  moments_clear (&moments);
  return ok;
}
