/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the stages of a training share. One file per stage; train.c strings
 * them together. */

#pragma once

#include "train.h"
#include "optimizer.h"
#include "workers.h"

/* A run of consecutive frames of one clip. */
typedef struct {
  const VlFrameStore *store;
  guint clip, begin, end; /* frames begin..end-1 */
} VlSpan;

static inline guint
vl_span_length (const VlSpan *span)
{
  return span->end - span->begin;
}

/* Frames of all spans of an array of VlSpan. */
guint vl_spans_length (const GArray *spans);

/* Frame number `index` of all spans, counted through. */
void vl_spans_locate (
    const GArray *spans, guint index, VlSpan *span, guint *frame);

typedef struct {
  VlTrainOptions options;
  VlModel *model;
  gboolean from_base; /* the VAE began with the weights that ship */
  VlOptimizer vae, rnn;
  float *best_rnn; /* (rnn.n) weights with the lowest held-out NLL */
  double best_nll; /* nats per step; INFINITY before the first look */
  guint vae_steps, lstm_steps;

  VlFrameStore *normal;
  VlFrameStore *latents; /* of every normal frame: (n_tiles,Z) floats */
  GArray *fit;           /* VlSpan: normal frames that weights are fitted on */
  GArray *held_out;      /* VlSpan: normal frames that decide */
  GArray *pictures;      /* VlSpan: what the VAE sees: fit and vae_only */

  VlWorkers *workers;
  GRand *random;
  const char *checkpoint; /* file, or NULL */
  gint64 checkpoint_time; /* monotonic us of the last one */

  VlProgressFunc progress;
  gpointer user_data;
  GCancellable *cancellable;
  gint64 start;                           /* monotonic us */
  double encoding_time, calibration_time; /* seconds, with a time budget */
  VlTrainSummary *summary;
} VlTraining;

/* Reports a step and keeps the checkpoint fresh. FALSE with error set when
 * cancelled or when the checkpoint cannot be written. */
gboolean vl_training_tick (VlTraining *training, VlStage stage, guint step,
    guint n_steps, double loss, GError **error);

/* The same within a step, with nothing to report. */
gboolean vl_training_go_on (
    VlTraining *training, VlStage stage, GError **error);

/* Steps of a stage until its pace is known, with a time budget. */
#define VL_ENDLESS (G_MAXUINT / 2)

/* Seconds for the steps of a stage that is about to begin: its share of what a
 * time budget leaves for steps. INFINITY with no time budget. */
double vl_training_time_for (const VlTraining *training, VlStage stage);

/* With a finite time, sets *n_steps to what fits into it: `done` steps, and as
 * many more as fit at the pace of those since `start` (monotonic us), when
 * `first` were done. */
void vl_training_fit_time (
    double time, gint64 start, guint first, guint done, guint *n_steps);

/* The stages. */
gboolean vl_training_fit_vae (VlTraining *training, GError **error);
gboolean vl_training_encode (VlTraining *training, GError **error);
gboolean vl_training_fit_lstm (VlTraining *training, GError **error);
gboolean vl_training_calibrate (VlTraining *training, GError **error);

/* Writes and reads what an interrupted training needs to go on to the same
 * bits. */
gboolean vl_checkpoint_save (VlTraining *training, GError **error);
gboolean vl_checkpoint_load (VlTraining *training, GError **error);
