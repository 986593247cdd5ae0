/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model-fixture.h"

#include <check.h>
#include <string.h>

void
fill_random (float *numbers, gsize n, float scale, guint32 seed)
{
  GRand *rand = g_rand_new_with_seed (seed);

  for (gsize i = 0; i < n; i++)
    numbers[i] = (float)g_rand_double_range (rand, -scale, scale);
  g_rand_free (rand);
}

static void
fill_spread (float *spread, gsize n, guint32 seed)
{
  fill_random (spread, n, 0.4f, seed);
  for (gsize i = 0; i < n; i++)
    spread[i] += 1;
}

static void
fill_tail (VlTail *tail, double u)
{
  for (unsigned i = 0; i < VL_TAIL_BODY; i++)
    tail->body[i] = (float)(u - 1 + i / (double)VL_TAIL_BODY);
  tail->u = u;
  tail->zeta = 0.1;
  tail->xi = 1 / 3.0;
  tail->sigma = 0.7;
  tail->theta = 0.25;
}

static VlCalibration *
make_calibration (const VlModel *model)
{
  const unsigned n_tiles = vl_model_n_tiles (model);
  const unsigned Z = model->vae.Z;
  VlCalibration *calibration;

  calibration = vl_calibration_new (n_tiles, Z);
  fill_random (calibration->latent_mean, n_tiles * Z, 2, 3);
  fill_spread (calibration->latent_spread, n_tiles * Z, 4);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++) {
    fill_random (calibration->channels[c].mean, n_tiles, 9, 5 + c);
    fill_spread (calibration->channels[c].spread, n_tiles, 15 + c);
    fill_tail (&calibration->channels[c].tail, c + 0.1);
  }
  fill_tail (&calibration->combined, 2);
  calibration->n_frames = 321;
  return calibration;
}

VlModel *
make_model (void)
{
  const VlInput input = {160, 128, 16, VL_INPUT_MOTION, 25, 2};
  const gsize n_pixels = (gsize)input.width * input.height;
  VlVae vae;
  VlMdnRnn rnn;
  VlModel *model;

  vl_vae_init (&vae, 2, 3);
  vl_mdnrnn_init (&rnn, 3, 2, 5, 4, 2, 2, TRUE);
  model = vl_model_new (&input, &vae, &rnn);
  fill_random (model->vae_params, vae.n_params, 0.3f, 1);
  fill_random (model->rnn_params, rnn.n_params, 0.5f, 2);
  model->calibration = make_calibration (model);
  model->background = g_malloc (n_pixels);
  for (gsize i = 0; i < n_pixels; i++)
    model->background[i] = (guint8)(i * 7);
  model->record = g_strdup ("{\"videos\":[\"a.mp4\"],\"loss\":1.5}");
  return model;
}

static void
copy_metadata (VlTensorWriter *writer, VlTensorFile *file, const Edit *edit)
{
  static const char *const keys[] = {"format", "format_version", "architecture",
      "input", "calibration", "training", "self_test"};

  for (unsigned i = 0; i < G_N_ELEMENTS (keys); i++) {
    const char *value = vl_tensor_file_metadata (file, keys[i]);

    if (g_strcmp0 (keys[i], edit->key) == 0)
      value = edit->value;
    if (value != NULL)
      vl_tensor_writer_metadata (writer, keys[i], value);
  }
  if (edit->key != NULL)
    vl_tensor_writer_metadata (writer, "edited", edit->key);
}

/* Adds the file's i-th tensor, changed if it is the edit's. Its numbers are
 * owned by buffers. */
static void
copy_tensor (VlTensorWriter *writer, VlTensorFile *file, guint i,
    const Edit *edit, GPtrArray *buffers)
{
  const char *name = vl_tensor_file_name (file, i);
  gboolean edited = g_strcmp0 (name, edit->tensor) == 0;
  guint64 shape[VL_MAX_DIMS];
  unsigned n_dims;
  const float *numbers = vl_tensor_file_get (file, name, &n_dims, shape, NULL);
  float *copy;
  gsize n = 1;

  if (edited && edit->how == DROP)
    return;
  for (unsigned d = 0; d < n_dims; d++)
    n *= shape[d];
  copy = g_memdup2 (numbers, n * sizeof *numbers);
  g_ptr_array_add (buffers, copy);
  if (edited && edit->how == SET_NUMBER)
    copy[1] = edit->number;
  if (edited && edit->how == RESHAPE)
    shape[n_dims - 1] -= 1;
  vl_tensor_writer_add (writer, name, copy, n_dims, shape);
}

void
edit_file (const char *path, const Edit *edit)
{
  g_autoptr (VlTensorFile) file = vl_tensor_file_open (path, NULL);
  g_autoptr (VlTensorWriter) writer = vl_tensor_writer_new ();
  g_autoptr (GPtrArray) buffers = g_ptr_array_new_with_free_func (g_free);

  ck_assert_ptr_nonnull (file);
  copy_metadata (writer, file, edit);
  for (guint i = 0; i < vl_tensor_file_n_tensors (file); i++)
    copy_tensor (writer, file, i, edit, buffers);
  if (edit->tensor != NULL && edit->how == ADD)
    vl_tensor_writer_add (writer, edit->tensor, &edit->number, 0, NULL);
  ck_assert (vl_tensor_writer_save (writer, path, NULL));
}
