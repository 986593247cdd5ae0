/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What reading, writing and importing a model share. docs/model-file.md
 * specifies the file. */

#pragma once

#include "model.h"
#include "safetensors.h"

/* Limits of what is loaded, so that no file costs more than about a second and
 * a few hundred MiB. */
#define VL_MODEL_MAX_WIDTH 256
#define VL_MODEL_MAX_LATENT 1024
#define VL_MODEL_MAX_HIDDEN 4096 /* of hidden_dim and hidden_units */
#define VL_MODEL_MAX_GAUSSIANS 64
#define VL_MODEL_MAX_PARAMS (64 * 1024 * 1024) /* both networks, numbers */

#define VL_MODEL_FORMAT "vaelstm"

/* Keys of __metadata__. */
#define VL_KEY_FORMAT "format"
#define VL_KEY_VERSION "format_version"
#define VL_KEY_ARCHITECTURE "architecture"
#define VL_KEY_INPUT "input"
#define VL_KEY_CALIBRATION "calibration"
#define VL_KEY_TRAINING "training"
#define VL_KEY_SELF_TEST "self_test"

#define VL_VAE_PREFIX "vae."
#define VL_MDNRNN_PREFIX "mdnrnn."

/* Sets an error of VL_MODEL_ERROR, the message prefixed with the path. Always
 * FALSE. */
gboolean vl_model_set_error (GError **error, const char *path,
    VlModelError code, const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Hands on an error of VL_TENSOR_FILE_ERROR as one of VL_MODEL_ERROR. Takes
 * cause. Always FALSE. */
gboolean vl_model_take_error (GError **error, GError *cause);

/* Sizes of both networks. */
typedef struct {
  unsigned width, latent;
  unsigned extra, hidden_dim, hidden_units, layers, gaussians;
  gboolean residual;
} VlArchitecture;

/* Fills in both tables; FALSE with error set when a size is out of range. */
gboolean vl_architecture_init (const VlArchitecture *architecture, VlVae *vae,
    VlMdnRnn *rnn, const char *path, GError **error);

/* A file's tensor of that shape, all its numbers finite. */
const float *vl_model_tensor (VlTensorFile *file, const char *name,
    unsigned n_dims, const guint64 *shape, GError **error);

/* Whether the file has tensors of these specs' names and shapes. */
gboolean vl_model_check_tensors (VlTensorFile *file, const char *prefix,
    const VlTensorSpec *specs, unsigned n, GError **error);

/* Copies the file's tensor to its place in an arena. */
gboolean vl_model_import_tensor (VlTensorFile *file, const char *prefix,
    const VlTensorSpec *spec, float *arena, GError **error);

/* vl_tensor_shape() in the file's number type. */
unsigned vl_model_spec_shape (const VlTensorSpec *spec, guint64 shape[4]);

gboolean vl_all_finite (const float *numbers, gsize n);

/* The model that an open file holds. */
VlModel *vl_model_read (VlTensorFile *file, GError **error);
