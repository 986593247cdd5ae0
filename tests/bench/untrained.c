/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "untrained.h"

#include <glib/gstdio.h>

#include "model.h"
#include "optimizer.h"

#define GAUSSIANS 5
#define PLACE 2      /* inputs for the tile's place */
#define N_VALUES 200 /* that calibrations are fitted to */

static void
draw_params (float *params, gsize n, const VlTensorSpec *specs, guint n_specs)
{
  VlOptimizer optimizer;

  vl_optimizer_init (&optimizer, params, n, 1);
  vl_optimizer_draw_params (&optimizer, specs, n_specs, 1, 0);
  vl_optimizer_clear (&optimizer);
}

static void
fit_any_tail (VlTail *tail)
{
  float values[N_VALUES];

  for (guint i = 0; i < N_VALUES; i++)
    values[i] = i / (float)N_VALUES;
  vl_tail_fit (tail, values, N_VALUES);
}

static VlCalibration *
make_calibration (const VlModel *model)
{
  const guint n_tiles = vl_model_n_tiles (model);
  VlCalibration *calibration = vl_calibration_new (n_tiles, model->vae.Z);

  for (guint i = 0; i < n_tiles * model->vae.Z; i++)
    calibration->latent_spread[i] = 1;
  for (guint c = 0; c < VL_N_CHANNELS; c++) {
    for (guint i = 0; i < n_tiles; i++)
      calibration->channels[c].spread[i] = 1;
    fit_any_tail (&calibration->channels[c].tail);
  }
  fit_any_tail (&calibration->combined);
  calibration->n_frames = N_VALUES;
  return calibration;
}

static VlModel *
make_model (const UntrainedSize *size)
{
  const VlInput input = {
      size->width, size->height, size->stride, VL_INPUT_RGB, UNTRAINED_RATE, 1};
  VlVae vae;
  VlMdnRnn rnn;
  VlModel *model;

  vl_vae_init (&vae, size->vae_width, size->latent);
  vl_mdnrnn_init (&rnn, size->latent, PLACE, size->hidden, size->hidden, 1,
      GAUSSIANS, TRUE);
  model = vl_model_new (&input, &vae, &rnn);
  draw_params (model->vae_params, vae.n_params, vae.specs, VL_VAE_N_TENSORS);
  draw_params (model->rnn_params, rnn.n_params, rnn.specs, rnn.n_tensors);
  model->calibration = make_calibration (model);
  model->background = g_malloc0 ((gsize)size->width * size->height * 3);
  model->record = g_strdup ("{}");
  return model;
}

char *
untrained_model_make (const UntrainedSize *size)
{
  g_autoptr (VlModel) model = make_model (size);
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("vaelstm-bench-XXXXXX", &error);

  if (folder == NULL)
    g_error ("%s", error->message);
  char *path = g_build_filename (folder, "bench.vaelstm", NULL);
  if (!vl_model_save (model, path, &error))
    g_error ("%s", error->message);
  return path;
}

void
untrained_model_remove (char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);

  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
}
