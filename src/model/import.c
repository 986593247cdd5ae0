/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model-file.h"

#include <string.h>

#include "gemm.h"

/* Checkpoints trained elsewhere hold networks only: 128x128 RGB frames, ten a
 * second, are what the published networks were trained on. */
static const VlInput published_input = {
    VL_WINDOW, VL_WINDOW, 32, VL_INPUT_RGB, 10, 1};

/* Folding fc3 (8w*36 outputs on a 1x1 map) into deconv1. */
#define MAP_SIZE 36 /* of the feature map that fc1 reads, pixels */
#define KERNEL_SIZE 25
#define MAX_LAYER_NAME 32

/* Size of one dimension of a tensor of n_dims; 0 with error set when the
 * tensor is missing or has another number of dimensions. */
static unsigned
dimension (VlTensorFile *file, const char *name, unsigned n_dims, unsigned dim,
    GError **error)
{
  GError *cause = NULL;
  guint64 shape[VL_MAX_DIMS];
  unsigned n;

  if (vl_tensor_file_get (file, name, &n, shape, &cause) == NULL) {
    vl_model_take_error (error, cause);
    return 0;
  }
  if (n != n_dims || shape[dim] == 0 || shape[dim] > G_MAXINT) {
    vl_model_set_error (error, vl_tensor_file_path (file), VL_MODEL_ERROR_SHAPE,
        "tensor %s has %u dimensions, expected %u of 1 "
        "or more",
        name, n, n_dims);
    return 0;
  }
  return shape[dim];
}

/* Layers of the LSTM: the first, and those that follow it. */
static unsigned
count_layers (const VlTensorFile *file)
{
  unsigned n = 0;
  char name[MAX_LAYER_NAME];

  do
    g_snprintf (name, sizeof name, "lstm.weight_ih_l%u", ++n);
  while (n <= VL_MDNRNN_MAX_LAYERS && vl_tensor_file_has (file, name));
  return n;
}

/* Reads the networks' sizes off the shapes that decide them. */
static gboolean
infer_architecture (
    VlArchitecture *a, VlTensorFile *vae, VlTensorFile *rnn, GError **error)
{
  unsigned in, heads;

  a->width = dimension (vae, "conv1.weight", 4, 0, error);
  a->latent = a->width ? dimension (vae, "fc1.weight", 2, 0, error) : 0;
  a->hidden_dim = a->latent ? dimension (rnn, "fc1.weight", 2, 0, error) : 0;
  in = a->hidden_dim ? dimension (rnn, "fc1.weight", 2, 1, error) : 0;
  a->hidden_units = in ? dimension (rnn, "lstm.weight_hh_l0", 2, 1, error) : 0;
  heads = a->hidden_units ? dimension (rnn, "z_pi.weight", 2, 0, error) : 0;
  if (heads == 0)
    return FALSE;

  if (in != a->latent && in != a->latent + 2)
    return vl_model_set_error (error, vl_tensor_file_path (rnn),
        VL_MODEL_ERROR_SHAPE,
        "tensor fc1.weight has %u inputs, expected %u, the latents of %s, or "
        "two more",
        in, a->latent, vl_tensor_file_path (vae));
  if (heads % a->latent != 0)
    return vl_model_set_error (error, vl_tensor_file_path (rnn),
        VL_MODEL_ERROR_SHAPE,
        "tensor z_pi.weight has %u outputs, expected a multiple of %u latents",
        heads, a->latent);
  a->extra = in - a->latent;
  a->gaussians = heads / a->latent;
  a->layers = count_layers (rnn);
  a->residual = FALSE;
  return TRUE;
}

/* Adds a bias per channel to a map (C,KERNEL_SIZE). */
static void
add_channel_bias (float *map, const float *bias, gsize C)
{
  for (gsize c = 0; c < C; c++)
    for (gsize p = 0; p < KERNEL_SIZE; p++)
      map[c * KERNEL_SIZE + p] += bias[c];
}

/* deconv1 (fc3 (z)) as one affine map: its weight (Z,4w,5,5) and bias (4w,5,5)
 * are sums over fc3's C = 8w*36 outputs.
 *   weight (Z,N) = fc3.weight (C,Z)^T * deconv1.weight (C,N),   N = 4w*25
 *   bias (1,N) = fc3.bias (1,C) * deconv1.weight (C,N) + deconv1.bias  */
static gboolean
fold (VlTensorFile *file, float *weight, float *bias, const VlVae *vae,
    GError **error)
{
  const gsize w = vae->width, Z = vae->Z;
  const gsize C = 8 * w * MAP_SIZE, N = 4 * w * KERNEL_SIZE;
  const float *fc3, *fc3_bias, *deconv1, *deconv1_bias;

  if (!(fc3 = vl_model_tensor (
            file, "fc3.weight", 2, (guint64[]){C, Z}, error)) ||
      !(fc3_bias =
              vl_model_tensor (file, "fc3.bias", 1, (guint64[]){C}, error)) ||
      !(deconv1 = vl_model_tensor (
            file, "deconv1.weight", 4, (guint64[]){C, 4 * w, 5, 5}, error)) ||
      !(deconv1_bias = vl_model_tensor (
            file, "deconv1.bias", 1, (guint64[]){4 * w}, error)))
    return FALSE;

  vl_gemm (VL_TRANS, VL_NO_TRANS, Z, N, C, fc3, deconv1, 0, weight);
  vl_gemm (VL_NO_TRANS, VL_NO_TRANS, 1, N, C, fc3_bias, deconv1, 0, bias);
  add_channel_bias (bias, deconv1_bias, 4 * w);
  return TRUE;
}

/* A decoder folded already, its bias per channel or, as our own models have
 * it, per place. */
static gboolean
read_folded (VlTensorFile *file, float *weight, float *bias, const VlVae *vae,
    GError **error)
{
  const guint64 w = vae->width, Z = vae->Z;
  const guint64 map[] = {4 * w, 5, 5};
  const gsize N = 4 * w * KERNEL_SIZE;
  const float *from = vl_model_tensor (
      file, "deconv1.weight", 4, (guint64[]){Z, 4 * w, 5, 5}, error);
  guint64 shape[VL_MAX_DIMS];
  unsigned n_dims;

  if (from == NULL)
    return FALSE;
  memcpy (weight, from, Z * N * sizeof *weight);

  if (vl_tensor_file_get (file, "deconv1.bias", &n_dims, shape, NULL) &&
      n_dims == 3) {
    if (!(from = vl_model_tensor (file, "deconv1.bias", 3, map, error)))
      return FALSE;
    memcpy (bias, from, N * sizeof *bias);
    return TRUE;
  }
  if (!(from = vl_model_tensor (file, "deconv1.bias", 1, map, error)))
    return FALSE;
  add_channel_bias (bias, from, 4 * w);
  return TRUE;
}

static gboolean
is_deconv1 (const VlTensorSpec *spec)
{
  return g_str_has_prefix (spec->name, "deconv1.");
}

static gboolean
import_deconv1 (VlTensorFile *file, VlModel *model, GError **error)
{
  const VlVae *vae = &model->vae;
  const VlTensorSpec *weight_spec =
      vl_tensor_find (vae->specs, VL_VAE_N_TENSORS, "deconv1.weight");
  const VlTensorSpec *bias_spec =
      vl_tensor_find (vae->specs, VL_VAE_N_TENSORS, "deconv1.bias");
  g_autofree float *weight = g_new0 (float, vl_tensor_size (weight_spec));
  g_autofree float *bias = g_new0 (float, vl_tensor_size (bias_spec));
  gboolean unfolded = vl_tensor_file_has (file, "fc3.weight");

  if (!(unfolded ? fold : read_folded) (file, weight, bias, vae, error))
    return FALSE;
  vl_tensor_import (model->vae_params, weight_spec, weight);
  vl_tensor_import (model->vae_params, bias_spec, bias);
  return TRUE;
}

/* Whether the VAE's tensors but deconv1's are in the file. */
static gboolean
check_vae (VlTensorFile *file, const VlVae *vae, GError **error)
{
  for (unsigned i = 0; i < VL_VAE_N_TENSORS; i++) {
    if (!is_deconv1 (&vae->specs[i]) &&
        !vl_model_check_tensors (file, "", &vae->specs[i], 1, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
import_vae (VlTensorFile *file, VlModel *model, GError **error)
{
  for (unsigned i = 0; i < VL_VAE_N_TENSORS; i++) {
    const VlTensorSpec *spec = &model->vae.specs[i];

    if (!is_deconv1 (spec) &&
        !vl_model_import_tensor (file, "", spec, model->vae_params, error))
      return FALSE;
  }
  return import_deconv1 (file, model, error);
}

static gboolean
import_mdnrnn (VlTensorFile *file, VlModel *model, GError **error)
{
  for (unsigned i = 0; i < model->rnn.n_tensors; i++) {
    if (!vl_model_import_tensor (
            file, "", &model->rnn.specs[i], model->rnn_params, error))
      return FALSE;
  }
  return TRUE;
}

static VlTensorFile *
open_checkpoint (const char *path, GError **error)
{
  GError *cause = NULL;
  VlTensorFile *file = vl_tensor_file_open (path, &cause);

  if (file == NULL)
    vl_model_take_error (error, cause);
  return file;
}

VlModel *
vl_model_import (const char *vae_path, const char *mdnrnn_path, GError **error)
{
  g_autoptr (VlTensorFile) vae_file = open_checkpoint (vae_path, error);
  g_autoptr (VlTensorFile) rnn_file =
      vae_file ? open_checkpoint (mdnrnn_path, error) : NULL;
  g_autofree char *both = g_strconcat (vae_path, " with ", mdnrnn_path, NULL);
  g_autoptr (VlModel) model = NULL;
  VlArchitecture architecture;
  VlVae vae;
  VlMdnRnn rnn;

  if (rnn_file == NULL ||
      !infer_architecture (&architecture, vae_file, rnn_file, error) ||
      !vl_architecture_init (&architecture, &vae, &rnn, both, error) ||
      !check_vae (vae_file, &vae, error) ||
      !vl_model_check_tensors (rnn_file, "", rnn.specs, rnn.n_tensors, error))
    return NULL;

  model = vl_model_new (&published_input, &vae, &rnn);
  if (!import_vae (vae_file, model, error) ||
      !import_mdnrnn (rnn_file, model, error))
    return NULL;
  return g_steal_pointer (&model);
}
