/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Training's way: frames -> VAE -> latents -> LSTM-MDN -> held-out normal
 * frames -> calibration -> model. Everything that decides (statistics,
 * stopping, thresholds) comes from normal frames. */

#pragma once

#include <gio/gio.h>

#include "model.h"
#include "store.h"

typedef enum {
  VL_TRAIN_ERROR_TOO_SHORT,  /* not enough normal frames */
  VL_TRAIN_ERROR_DIVERGED,   /* a gradient is not finite */
  VL_TRAIN_ERROR_CHECKPOINT, /* checkpoint does not fit the options */
  VL_TRAIN_ERROR_INPUT       /* options that make no model */
} VlTrainError;

#define VL_TRAIN_ERROR (vl_train_error_quark ())
GQuark vl_train_error_quark (void);

#define VL_TRAIN_SEQUENCE                                                      \
  20 /* steps of the sequences the LSTM is trained on                          \
      */
#define VL_TRAIN_MIN_FRAMES 64 /* fewer normal frames than this are refused */

typedef struct {
  VlInput input;
  unsigned Z;          /* latent size */
  unsigned width;      /* of the VAE */
  unsigned vae_steps;  /* batches of 32 windows */
  unsigned lstm_steps; /* batches of 64 sequences */
  double minutes;      /* > 0: wall time for training instead of steps */
  VlVaeLoss loss;
  double light; /* spread of the gain by which light is taken to wander, beyond
                   what the footage shows: 0.01 is a hundredth; 0: it stays */
  unsigned seed;
  unsigned threads; /* 1..64 */
  gboolean base;    /* start the VAE from the weights that ship, where Z and
                       width are theirs (base.h), instead of random ones */
} VlTrainOptions;

#define VL_TRAIN_DEFAULTS                                                      \
  {                                                                            \
    .input = {0, 0, 0, VL_INPUT_RGB, 10, 1}, .Z = 32, .width = 32,             \
    .vae_steps = 3000, .lstm_steps = 1500, .minutes = 0,                       \
    .loss = {VL_LOSS_GAUSSIAN, 0.05, 1.0}, .seed = 1, .threads = 2             \
  }

/* Stride for a size when none is asked for: 32 where windows then reach the
 * frame's edges, else 16. 0 when neither does. */
unsigned vl_train_default_stride (unsigned width, unsigned height);

typedef enum {
  VL_STAGE_VAE,       /* loss: neg_elbo per image */
  VL_STAGE_LATENTS,   /* encoding the stored frames */
  VL_STAGE_LSTM,      /* loss: NLL per step */
  VL_STAGE_CALIBRATE, /* scoring the held-out frames */
  VL_N_STAGES
} VlStage;

/* "vae", "latents", "lstm", "calibrate". Static storage. */
const char *vl_stage_name (VlStage stage);

typedef struct {
  VlStage stage;
  guint step, n_steps; /* of the stage */
  double loss;         /* running mean; NAN where the stage has none */
  double elapsed, eta; /* seconds, of the whole training */
} VlProgress;

typedef void (*VlProgressFunc) (const VlProgress *progress, gpointer user_data);

/* What came out, for people. */
typedef struct {
  guint normal_frames, fit_frames, held_out_frames, vae_only_frames;
  guint vae_steps, lstm_steps;
  double recon;         /* last VAE steps, per image */
  double squared_error; /* the same, mean per number, of [0,1]^2 */
  double kld;           /* nats in z, per window */
  double nll_fit;       /* nats per step */
  double nll_held_out;  /* nats per step, of the weights kept */
  double seconds[VL_N_STAGES];
} VlTrainSummary;

/* Trains a model. normal holds normal footage only; vae_only (may be NULL) is
 * seen by the VAE alone and may hold anomalies. Both are finished stores of
 * pictures of the input's size. checkpoint (may be NULL) is a file that is
 * written now and then and when cancelled; with resume it is read first, and
 * training goes on from there to the same bits. It outlives the call, so that
 * the caller can save the model first.
 * NULL with error set on failure; G_IO_ERROR_CANCELLED when cancelled. */
VlModel *vl_train (const VlTrainOptions *options, VlFrameStore *normal,
    VlFrameStore *vae_only, const char *checkpoint, gboolean resume,
    VlProgressFunc progress, gpointer user_data, GCancellable *cancellable,
    VlTrainSummary *summary, GError **error);
