/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model-file.h"

#include <math.h>

gboolean
vl_model_set_error (GError **error, const char *path, VlModelError code,
    const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, VL_MODEL_ERROR, code, "%s: %s", path, message);
  return FALSE;
}

gboolean
vl_model_take_error (GError **error, GError *cause)
{
  static const VlModelError codes[] = {
      [VL_TENSOR_FILE_ERROR_READ] = VL_MODEL_ERROR_READ,
      [VL_TENSOR_FILE_ERROR_TRUNCATED] = VL_MODEL_ERROR_TRUNCATED,
      [VL_TENSOR_FILE_ERROR_FORMAT] = VL_MODEL_ERROR_FORMAT,
      [VL_TENSOR_FILE_ERROR_MISSING] = VL_MODEL_ERROR_SHAPE,
      [VL_TENSOR_FILE_ERROR_TYPE] = VL_MODEL_ERROR_SHAPE,
      [VL_TENSOR_FILE_ERROR_SHAPE] = VL_MODEL_ERROR_SHAPE,
      [VL_TENSOR_FILE_ERROR_DAMAGED] = VL_MODEL_ERROR_SELF_TEST,
      [VL_TENSOR_FILE_ERROR_WRITE] = VL_MODEL_ERROR_WRITE};

  cause->domain = VL_MODEL_ERROR;
  cause->code = codes[cause->code];
  g_propagate_error (error, cause);
  return FALSE;
}

gboolean
vl_architecture_init (const VlArchitecture *a, VlVae *vae, VlMdnRnn *rnn,
    const char *path, GError **error)
{
  const struct {
    const char *name;
    unsigned size, min, max;
  } sizes[] = {{"width", a->width, 2, VL_MODEL_MAX_WIDTH},
      {"latent", a->latent, 1, VL_MODEL_MAX_LATENT}, {"extra", a->extra, 0, 2},
      {"hidden_dim", a->hidden_dim, 1, VL_MODEL_MAX_HIDDEN},
      {"hidden_units", a->hidden_units, 1, VL_MODEL_MAX_HIDDEN},
      {"layers", a->layers, 1, VL_MDNRNN_MAX_LAYERS},
      {"gaussians", a->gaussians, 1, VL_MODEL_MAX_GAUSSIANS}};

  for (unsigned i = 0; i < G_N_ELEMENTS (sizes); i++) {
    if (sizes[i].size < sizes[i].min || sizes[i].size > sizes[i].max)
      return vl_model_set_error (error, path, VL_MODEL_ERROR_FORMAT,
          "the network has %s %u, expected %u to %u", sizes[i].name,
          sizes[i].size, sizes[i].min, sizes[i].max);
  }
  if (a->width % 2 != 0 || a->extra == 1)
    return vl_model_set_error (error, path, VL_MODEL_ERROR_FORMAT,
        "the network has width %u and extra %u, expected even numbers",
        a->width, a->extra);

  vl_vae_init (vae, a->width, a->latent);
  vl_mdnrnn_init (rnn, a->latent, a->extra, a->hidden_dim, a->hidden_units,
      a->layers, a->gaussians, a->residual);
  if (vae->n_params + rnn->n_params > VL_MODEL_MAX_PARAMS)
    return vl_model_set_error (error, path, VL_MODEL_ERROR_FORMAT,
        "the networks have %" G_GSIZE_FORMAT " weights, expected at most %d",
        vae->n_params + rnn->n_params, VL_MODEL_MAX_PARAMS);
  return TRUE;
}

gboolean
vl_all_finite (const float *numbers, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    if (!isfinite (numbers[i]))
      return FALSE;
  }
  return TRUE;
}

unsigned
vl_model_spec_shape (const VlTensorSpec *spec, guint64 shape[4])
{
  size_t torch_shape[4];
  const unsigned n_dims = vl_tensor_shape (spec, torch_shape);

  for (unsigned i = 0; i < n_dims; i++)
    shape[i] = torch_shape[i];
  return n_dims;
}

const float *
vl_model_tensor (VlTensorFile *file, const char *name, unsigned n_dims,
    const guint64 *shape, GError **error)
{
  GError *cause = NULL;
  const float *numbers =
      vl_tensor_file_expect (file, name, n_dims, shape, &cause);
  gsize n = 1;

  if (numbers == NULL) {
    vl_model_take_error (error, cause);
    return NULL;
  }
  for (unsigned i = 0; i < n_dims; i++)
    n *= shape[i];
  if (!vl_all_finite (numbers, n)) {
    vl_model_set_error (error, vl_tensor_file_path (file),
        VL_MODEL_ERROR_NON_FINITE,
        "tensor %s has numbers that are NaN or infinite", name);
    return NULL;
  }
  return numbers;
}

gboolean
vl_model_check_tensors (VlTensorFile *file, const char *prefix,
    const VlTensorSpec *specs, unsigned n, GError **error)
{
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *name = g_strconcat (prefix, specs[i].name, NULL);
    GError *cause = NULL;
    guint64 shape[4];
    const unsigned n_dims = vl_model_spec_shape (&specs[i], shape);

    if (vl_tensor_file_expect (file, name, n_dims, shape, &cause) == NULL)
      return vl_model_take_error (error, cause);
  }
  return TRUE;
}

gboolean
vl_model_import_tensor (VlTensorFile *file, const char *prefix,
    const VlTensorSpec *spec, float *arena, GError **error)
{
  g_autofree char *name = g_strconcat (prefix, spec->name, NULL);
  guint64 shape[4];
  const unsigned n_dims = vl_model_spec_shape (spec, shape);
  const float *numbers = vl_model_tensor (file, name, n_dims, shape, error);

  if (numbers == NULL)
    return FALSE;
  vl_tensor_import (arena, spec, numbers);
  return TRUE;
}
