/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Writes the corpus anew, after a change of the format:
 *
 *   make-corpus tests/fuzz/corpus */

#include <glib.h>
#include <string.h>

#include "model.h"

static void
fill (float *numbers, gsize n, float value)
{
  for (gsize i = 0; i < n; i++)
    numbers[i] = value;
}

static void
fill_tail (VlTail *tail)
{
  for (unsigned i = 0; i < VL_TAIL_BODY; i++)
    tail->body[i] = i / 64.0f;
  tail->u = 1;
  tail->zeta = 0.1;
  tail->xi = 0.25;
  tail->sigma = 0.5;
  tail->theta = 0.5;
}

static void
add_calibration (VlModel *model)
{
  VlCalibration *calibration;

  calibration = vl_calibration_new (1, model->vae.Z);
  fill (calibration->latent_spread, model->vae.Z, 1);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++) {
    fill (calibration->channels[c].spread, 1, 1);
    fill_tail (&calibration->channels[c].tail);
  }
  fill_tail (&calibration->combined);
  calibration->n_frames = 64;
  model->calibration = calibration;
  model->background = g_malloc0 ((gsize)VL_WINDOW * VL_WINDOW);
}

/* The smallest model there is. */
static VlModel *
make_model (void)
{
  const VlInput input = {VL_WINDOW, VL_WINDOW, 16, VL_INPUT_MOTION, 10, 1};
  VlVae vae;
  VlMdnRnn rnn;
  VlModel *model;

  vl_vae_init (&vae, 2, 1);
  vl_mdnrnn_init (&rnn, 1, 2, 1, 1, 1, 1, TRUE);
  model = vl_model_new (&input, &vae, &rnn);
  fill (model->vae_params, vae.n_params, 0.03125f);
  fill (model->rnn_params, rnn.n_params, 0.25f);
  return model;
}

static void
save (VlModel *model, const char *directory, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autoptr (GError) error = NULL;

  if (!vl_model_save (model, path, &error))
    g_error ("%s", error->message);
}

int
main (int argc, char **argv)
{
  g_autoptr (VlModel) model = make_model ();

  if (argc != 2)
    g_error ("usage: make-corpus DIRECTORY");
  save (model, argv[1], "networks.vaelstm");
  add_calibration (model);
  model->record = g_strdup ("{\"videos\":[\"a.mp4\"]}");
  save (model, argv[1], "calibrated.vaelstm");
  return 0;
}
