/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A model: everything one file holds. Constant once loaded, shared between
 * streams by reference count. docs/model-file.md specifies the file. */

#pragma once

#include <glib.h>

#include "vae.h"
#include "mdnrnn.h"
#include "calibration.h"

typedef enum {
  VL_MODEL_ERROR_READ,       /* the file cannot be read */
  VL_MODEL_ERROR_TRUNCATED,  /* shorter than its own header says */
  VL_MODEL_ERROR_FORMAT,     /* not a safetensors file, or not a model */
  VL_MODEL_ERROR_VERSION,    /* a format version this build does not know */
  VL_MODEL_ERROR_SHAPE,      /* a tensor is missing or has the wrong shape */
  VL_MODEL_ERROR_NON_FINITE, /* a weight is NaN or infinite */
  VL_MODEL_ERROR_SELF_TEST,  /* computes other numbers than where it was made */
  VL_MODEL_ERROR_WRITE,      /* the file cannot be written */
} VlModelError;

#define VL_MODEL_ERROR (vl_model_error_quark ())
GQuark vl_model_error_quark (void);

#define VL_MODEL_VERSION 1

/* Largest width or height in pixels, largest numerator or denominator of the
 * rate, and largest product of width, height and the VAE's width: a detector's
 * buffers take about two bytes for each of that. */
#define VL_MODEL_MAX_SIDE 4096
#define VL_MODEL_MAX_RATE 1000000
#define VL_MODEL_MAX_WORK (1u << 28)

/* What the three planes of the network's input hold. */
typedef enum {
  VL_INPUT_RGB,   /* red, green, blue */
  VL_INPUT_MOTION /* luma of this, the last and the last but one frame */
} VlInputKind;

/* How frames become the network's input. */
typedef struct {
  unsigned width, height; /* pixels, 128..VL_MODEL_MAX_SIDE */
  unsigned stride;        /* pixels between windows, multiple of 16 */
  VlInputKind kind;
  unsigned rate_n, rate_d; /* analysed frames per second, as a fraction > 0 */
} VlInput;

typedef struct {
  gatomicrefcount ref_count;
  VlInput input;
  VlVae vae;
  float *vae_params; /* (vae.n_params) */
  VlMdnRnn rnn;
  float *rnn_params;          /* (rnn.n_params) */
  VlCalibration *calibration; /* NULL: imported, not yet calibrated */
  guint8 *background; /* mean normal picture (height,width,bytes per pixel of
                         the input kind); NULL with no calibration */
  char *record;       /* training record, a JSON object as text; owned */
  char *checksum;     /* SHA-256 of the file in hex; NULL before save or load */
} VlModel;

/* A model with zeroed weights and no calibration. vae and rnn are copied;
 * their latent sizes agree. */
VlModel *vl_model_new (
    const VlInput *input, const VlVae *vae, const VlMdnRnn *rnn);
VlModel *vl_model_ref (VlModel *model);
void vl_model_unref (VlModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlModel, vl_model_unref)

/* Tiles of the grid; GY = rows, GX = columns. */
unsigned vl_model_grid_width (const VlModel *model);
unsigned vl_model_grid_height (const VlModel *model);
unsigned vl_model_n_tiles (const VlModel *model);

/* Centre of a tile (row-major number) as the LSTM sees it: x and y from -1 at
 * the grid's first column and row to 1 at its last; 0 where there is but one.
 */
void vl_model_tile_position (
    const VlModel *model, unsigned tile, float position[2]);

/* Whether frames of an input can be analysed by a VAE of the given width:
 * sizes, stride, rate and the memory that they take are within the limits
 * above. */
gboolean vl_input_is_valid (const VlInput *input, unsigned vae_width);

/* Bytes per pixel of a sampled picture: 3 for VL_INPUT_RGB, 1 for
 * VL_INPUT_MOTION. */
unsigned vl_input_bytes_per_pixel (const VlInput *input);

/* Analysed frames per second. */
double vl_input_rate (const VlInput *input);

/* Reads, checks and self-tests a model file. NULL with error set when it
 * cannot be used; messages name the file and what was expected. Two loads of
 * one unchanged file give one model. */
VlModel *vl_model_load (const char *path, GError **error);

/* Writes the file whole or not at all (temporary file, fsync, rename), and
 * sets checksum. */
gboolean vl_model_save (VlModel *model, const char *path, GError **error);

/* Builds a model from PyTorch weights saved as safetensors under the published
 * layer names, decoder unfolded (fc3, deconv1 on 8w*36 channels) or folded.
 * Sizes come from the shapes. The result has no calibration. */
VlModel *vl_model_import (
    const char *vae_path, const char *mdnrnn_path, GError **error);
