/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stages.h"

#include "random.h"

#include <math.h>
#include <string.h>

#define BATCH 64
#define T VL_TRAIN_SEQUENCE
#define LEARNING_RATE 2e-3
#define LATE_LEARNING_RATE 5e-4 /* for the last three tenths */
#define MAX_NORM 1.0
#define INPUT_NOISE 0.4 /* on the standardised latents the LSTM reads */
#define LOOK_EVERY 50   /* steps between looks at the held-out frames */
#define LOOK_SEQUENCES 256
#define LOSS_MEMORY 0.98

/* A sequence of one tile's latents. */
typedef struct {
  VlSpan span;
  guint begin, tile; /* begin: frame of the first latent */
} Sequence;

typedef struct {
  VlTraining *training;
  Sequence sequences[BATCH];
  guint n;             /* sequences in use */
  gboolean fit;        /* gradients and input noise, or losses only */
  float *noise;        /* (BATCH,T,Z) */
  VlMdnRnnWork **work; /* [worker] */
  float **input, **base, **target; /* [worker](T,n,...) */
  double *nll;                     /* [worker] */
} Batch;

static guint
share_capacity (guint n_workers)
{
  return (BATCH + n_workers - 1) / n_workers;
}

static void
batch_init (Batch *batch, VlTraining *training)
{
  const guint n_workers = vl_workers_count (training->workers);
  const VlMdnRnn *rnn = &training->model->rnn;
  const guint n = share_capacity (n_workers);

  *batch = (Batch){.training = training};
  batch->noise = g_new (float, BATCH *T * rnn->Z);
  batch->work = g_new (VlMdnRnnWork *, n_workers);
  batch->input = g_new (float *, n_workers);
  batch->base = g_new (float *, n_workers);
  batch->target = g_new (float *, n_workers);
  batch->nll = g_new (double, n_workers);
  for (guint w = 0; w < n_workers; w++) {
    batch->work[w] = vl_mdnrnn_work_new (rnn, T, n);
    batch->input[w] = g_new (float, T *n *(rnn->Z + rnn->extra));
    batch->base[w] = g_new (float, T *n * rnn->Z);
    batch->target[w] = g_new (float, T *n * rnn->Z);
  }
}

static void
batch_clear (Batch *batch)
{
  for (guint w = 0; w < vl_workers_count (batch->training->workers); w++) {
    vl_mdnrnn_work_free (batch->work[w]);
    g_free (batch->input[w]);
    g_free (batch->base[w]);
    g_free (batch->target[w]);
  }
  g_free (batch->work);
  g_free (batch->input);
  g_free (batch->base);
  g_free (batch->target);
  g_free (batch->nll);
  g_free (batch->noise);
}

/* z (Z): a tile's standardised latent. */
static void
load_latent (
    const VlTraining *training, const Sequence *sequence, guint frame, float *z)
{
  const VlCalibration *calibration = training->model->calibration;
  const guint Z = calibration->Z;
  const gsize at = (gsize)sequence->tile * Z;
  const float *mu = (const float *)vl_frame_store_get (
      training->latents, sequence->span.clip, frame);

  for (guint d = 0; d < Z; d++)
    z[d] = (mu[at + d] - calibration->latent_mean[at + d]) /
           calibration->latent_spread[at + d];
}

/* Fills a worker's tensors with sequences first..first+n-1. */
static void
load_sequences (Batch *batch, guint worker, guint first, guint n)
{
  const VlTraining *training = batch->training;
  const VlMdnRnn *rnn = &training->model->rnn;
  const guint Z = rnn->Z, in = Z + rnn->extra;

  for (guint i = 0; i < n; i++) {
    const Sequence *sequence = &batch->sequences[first + i];
    const float *noise = batch->noise + (gsize)(first + i) * T * Z;
    for (guint t = 0; t < T; t++) {
      float *input = batch->input[worker] + (gsize)(t * n + i) * in;
      float *base = batch->base[worker] + (gsize)(t * n + i) * Z;
      load_latent (training, sequence, sequence->begin + t, base);
      load_latent (training, sequence, sequence->begin + t + 1,
          batch->target[worker] + (gsize)(t * n + i) * Z);
      for (guint d = 0; d < Z; d++)
        input[d] = base[d] + (batch->fit ? noise[t * Z + d] : 0);
      if (rnn->extra)
        vl_model_tile_position (training->model, sequence->tile, input + Z);
    }
  }
}

/* A worker's share of the sequences, forward and, when fitting, backward. */
static void
process_share (guint worker, gpointer data)
{
  Batch *batch = data;
  VlTraining *training = batch->training;
  const guint n_workers = vl_workers_count (training->workers);
  const guint first = vl_share (batch->n, worker, n_workers);
  const guint n = vl_share (batch->n, worker + 1, n_workers) - first;

  batch->nll[worker] = 0;
  if (n == 0)
    return;
  load_sequences (batch, worker, first, n);
  batch->nll[worker] = vl_mdnrnn_loss (batch->work[worker],
      batch->fit ? training->rnn.grads[worker] : NULL, training->rnn.params,
      batch->input[worker], batch->base[worker], batch->target[worker], n,
      1.0f / (batch->n * T));
}

/* NLL per step of the batch, in nats. */
static double
process (Batch *batch)
{
  double nll = 0;

  vl_workers_run (batch->training->workers, process_share, batch);
  for (guint w = 0; w < vl_workers_count (batch->training->workers); w++)
    nll += batch->nll[w] / (batch->n * T);
  return nll;
}

/* Where sequences may begin: positions in time over all spans that are long
 * enough. */
static guint
count_starts (const GArray *spans)
{
  guint n = 0;

  for (guint i = 0; i < spans->len; i++) {
    const guint length = vl_span_length (&g_array_index (spans, VlSpan, i));
    n += length > T ? length - T : 0;
  }
  return n;
}

static void
locate_start (const GArray *spans, guint index, Sequence *sequence)
{
  for (guint i = 0;; i++) {
    const VlSpan *span = &g_array_index (spans, VlSpan, i);
    const guint length = vl_span_length (span);
    const guint n = length > T ? length - T : 0;
    if (index < n) {
      sequence->span = *span;
      sequence->begin = span->begin + index;
      return;
    }
    index -= n;
  }
}

static void
draw_sequences (Batch *batch)
{
  VlTraining *training = batch->training;
  const guint n_starts = count_starts (training->fit);
  const guint n_tiles = training->model->calibration->n_tiles;
  const gsize n_noise = BATCH * T * training->model->rnn.Z;

  vl_random_seek (training->random, training->options.seed, VL_STAGE_LSTM,
      training->rnn.step + 1);
  for (guint i = 0; i < BATCH; i++) {
    locate_start (training->fit, vl_random_below (training->random, n_starts),
        &batch->sequences[i]);
    batch->sequences[i].tile = vl_random_below (training->random, n_tiles);
  }
  vl_random_normal (training->random, batch->noise, n_noise);
  for (gsize i = 0; i < n_noise; i++)
    batch->noise[i] *= (float)INPUT_NOISE;
  batch->n = BATCH;
  batch->fit = TRUE;
}

/* NLL per step of a fixed, even choice of held-out sequences; INFINITY when
 * cancelled. */
static double
held_out_nll (Batch *batch)
{
  VlTraining *training = batch->training;
  const guint n_starts = count_starts (training->held_out);
  const guint n_tiles = training->model->calibration->n_tiles;
  const guint64 n_all = (guint64)n_starts * n_tiles;
  const guint n = (guint)MIN (n_all, LOOK_SEQUENCES);
  double nll = 0;

  batch->fit = FALSE;
  for (guint first = 0; first < n; first += BATCH) {
    if (g_cancellable_is_cancelled (training->cancellable))
      return INFINITY;
    batch->n = MIN (BATCH, n - first);
    for (guint i = 0; i < batch->n; i++) {
      const guint64 pick = n_all * (first + i) / n;
      locate_start (training->held_out, pick / n_tiles, &batch->sequences[i]);
      batch->sequences[i].tile = (guint)(first + i) % n_tiles;
    }
    nll += process (batch) * batch->n / n;
  }
  return nll;
}

/* Keeps the weights that predict held-out normal frames best. */
static void
look (VlTraining *training, Batch *batch)
{
  const double nll = held_out_nll (batch);

  if (nll < training->best_nll) {
    training->best_nll = nll;
    memcpy (training->best_rnn, training->rnn.params,
        training->rnn.n * sizeof (float));
  }
}

static gboolean
look_is_due (const VlTraining *training)
{
  const guint step = training->rnn.step;

  return step > 0 && (step % LOOK_EVERY == 0 || step == training->lstm_steps);
}

static double
learning_rate (guint step, guint n_steps)
{
  return step < n_steps / 10 * 7 ? LEARNING_RATE : LATE_LEARNING_RATE;
}

static gboolean
diverged (VlTraining *training, GError **error)
{
  g_set_error (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_DIVERGED,
      "LSTM step %u: the gradient of %s is not finite", training->rnn.step + 1,
      vl_optimizer_find_bad (&training->rnn, training->model->rnn.specs,
          training->model->rnn.n_tensors));
  return FALSE;
}

static gboolean
run_steps (VlTraining *training, Batch *batch, GError **error)
{
  const double time = vl_training_time_for (training, VL_STAGE_LSTM);
  const gint64 start = g_get_monotonic_time ();
  const guint first = training->rnn.step;
  VlTrainSummary *summary = training->summary;

  if (look_is_due (training)) /* the last one may have been interrupted */
    look (training, batch);
  while (training->rnn.step < training->lstm_steps) {
    const guint step = training->rnn.step;
    draw_sequences (batch);
    const double nll = process (batch), keep = step ? LOSS_MEMORY : 0;
    summary->nll_fit = keep * summary->nll_fit + (1 - keep) * nll;
    if (!vl_optimizer_step (&training->rnn,
            learning_rate (step, training->lstm_steps), MAX_NORM))
      return diverged (training, error);
    vl_training_fit_time (time, start, first, step + 1, &training->lstm_steps);
    if (look_is_due (training))
      look (training, batch);
    if (!vl_training_tick (training, VL_STAGE_LSTM, step + 1,
            training->lstm_steps, summary->nll_fit, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
vl_training_fit_lstm (VlTraining *training, GError **error)
{
  Batch batch;
  gboolean ok;

  batch_init (&batch, training);
  ok = run_steps (training, &batch, error);
  batch_clear (&batch);
  if (ok && training->checkpoint)
    ok = vl_checkpoint_save (training, error);
  if (ok && isfinite (training->best_nll))
    memcpy (training->rnn.params, training->best_rnn,
        training->rnn.n * sizeof (float));
  training->summary->lstm_steps = training->rnn.step;
  training->summary->nll_held_out = training->best_nll;
  return ok;
}
