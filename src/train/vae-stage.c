/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stages.h"

#include "random.h"
#include "sampler.h"

#include <math.h>

#define BATCH 32
#define CHUNK 4 /* images that go through the network together */
#define LEARNING_RATE 1e-3
#define CONSTANT_SHARE 0.4 /* of the steps, before the rate falls to zero */
#define LOSS_MEMORY 0.98   /* of the running means */

/* One training image: a window of a frame. */
typedef struct {
  VlSpan span;
  guint frame, x, y;
} Window;

typedef struct {
  VlTraining *training;
  Window windows[BATCH];
  float *eps;          /* (BATCH,Z) */
  VlVaeWork **work;    /* [worker] */
  float **x;           /* [worker](CHUNK,128,128,3) */
  VlVaeLosses *losses; /* [worker] */
} Batch;

static void
batch_init (Batch *batch, VlTraining *training)
{
  const guint n_workers = vl_workers_count (training->workers);
  const gsize image = VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS;

  batch->training = training;
  batch->eps = g_new (float, BATCH * training->model->vae.Z);
  batch->work = g_new (VlVaeWork *, n_workers);
  batch->x = g_new (float *, n_workers);
  batch->losses = g_new (VlVaeLosses, n_workers);
  for (guint w = 0; w < n_workers; w++) {
    batch->work[w] = vl_vae_work_new (&training->model->vae, CHUNK);
    batch->x[w] = g_new (float, CHUNK *image);
  }
}

static void
batch_clear (Batch *batch)
{
  for (guint w = 0; w < vl_workers_count (batch->training->workers); w++) {
    vl_vae_work_free (batch->work[w]);
    g_free (batch->x[w]);
  }
  g_free (batch->work);
  g_free (batch->x);
  g_free (batch->losses);
  g_free (batch->eps);
}

static void
draw_windows (Batch *batch)
{
  VlTraining *training = batch->training;
  const VlInput *input = &training->options.input;
  const guint n_frames = vl_spans_length (training->pictures);

  vl_random_seek (training->random, training->options.seed, VL_STAGE_VAE,
      training->vae.step + 1);
  for (guint i = 0; i < BATCH; i++) {
    Window *window = &batch->windows[i];
    vl_spans_locate (training->pictures,
        vl_random_below (training->random, n_frames), &window->span,
        &window->frame);
    window->x =
        vl_random_below (training->random, input->width - VL_WINDOW + 1);
    window->y =
        vl_random_below (training->random, input->height - VL_WINDOW + 1);
  }
  vl_random_normal (
      training->random, batch->eps, BATCH * training->model->vae.Z);
}

/* x (128,128,3) of a window, its planes stacked as the analysis does. */
static void
cut_window (const VlInput *input, const Window *window, float *x)
{
  const guint bpp = vl_input_bytes_per_pixel (input);
  const guint f = window->frame;
  const guint8 *planes[3];

  for (guint back = 0; back < 3; back++)
    planes[back] = vl_frame_store_get (
        window->span.store, window->span.clip, f > back ? f - back : 0);
  for (guint row = 0; row < VL_WINDOW; row++) {
    const gsize at =
        ((gsize)(window->y + row) * input->width + window->x) * bpp;
    float *x_row = x + (gsize)row * VL_WINDOW * VL_VAE_CHANNELS;
    if (input->kind == VL_INPUT_MOTION)
      vl_planes_from_luma (
          x_row, planes[0] + at, planes[1] + at, planes[2] + at, VL_WINDOW);
    else
      vl_planes_from_rgb (x_row, planes[0] + at, VL_WINDOW);
  }
}

/* A worker's share of the batch, forward and backward. Incomplete when
 * cancelled. */
static void
process_share (guint worker, gpointer data)
{
  Batch *batch = data;
  VlTraining *training = batch->training;
  const guint n_workers = vl_workers_count (training->workers);
  const guint Z = training->model->vae.Z;
  const guint end = vl_share (BATCH, worker + 1, n_workers);
  VlVaeLosses *sum = &batch->losses[worker];

  *sum = (VlVaeLosses){0};
  for (guint i = vl_share (BATCH, worker, n_workers);
       i < end && !g_cancellable_is_cancelled (training->cancellable);
       i += CHUNK) {
    const guint n = MIN (CHUNK, end - i);
    for (guint j = 0; j < n; j++)
      cut_window (&training->options.input, &batch->windows[i + j],
          batch->x[worker] +
              (gsize)j * VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS);
    const VlVaeLosses losses = vl_vae_loss (batch->work[worker],
        training->vae.grads[worker], training->vae.params, batch->x[worker],
        batch->eps + i * Z, n, BATCH, &training->options.loss);
    sum->recon += losses.recon;
    sum->kld += losses.kld;
    sum->squared_error += losses.squared_error;
  }
}

/* Losses per image, averaged over the last steps. */
static void
follow_losses (VlTraining *training, const VlVaeLosses *losses)
{
  VlTrainSummary *summary = training->summary;
  const double keep = training->vae.step ? LOSS_MEMORY : 0;
  VlVaeLosses sum = {0};

  for (guint w = 0; w < vl_workers_count (training->workers); w++) {
    sum.recon += losses[w].recon / BATCH;
    sum.kld += losses[w].kld / BATCH;
    sum.squared_error += losses[w].squared_error /
                         (BATCH * VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS);
  }
  summary->recon = keep * summary->recon + (1 - keep) * sum.recon;
  summary->kld = keep * summary->kld + (1 - keep) * sum.kld;
  summary->squared_error =
      keep * summary->squared_error + (1 - keep) * sum.squared_error;
}

/* Constant at first, then half a cosine down to zero (Loshchilov and Hutter
 * 2017). */
static double
learning_rate (guint step, guint n_steps)
{
  const double done = step / (double)n_steps;
  const double falling = (done - CONSTANT_SHARE) / (1 - CONSTANT_SHARE);

  return LEARNING_RATE * 0.5 * (1 + cos (G_PI * MAX (falling, 0)));
}

static gboolean
diverged (VlTraining *training, GError **error)
{
  g_set_error (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_DIVERGED,
      "VAE step %u: the gradient of %s is not finite", training->vae.step + 1,
      vl_optimizer_find_bad (
          &training->vae, training->model->vae.specs, VL_VAE_N_TENSORS));
  return FALSE;
}

static gboolean
run_steps (VlTraining *training, Batch *batch, GError **error)
{
  const double time = vl_training_time_for (training, VL_STAGE_VAE);
  const gint64 start = g_get_monotonic_time ();
  const guint first = training->vae.step;

  while (training->vae.step < training->vae_steps) {
    const guint step = training->vae.step;
    draw_windows (batch);
    vl_workers_run (training->workers, process_share, batch);
    if (!vl_training_go_on (training, VL_STAGE_VAE, error))
      return FALSE;
    follow_losses (training, batch->losses);
    if (!vl_optimizer_step (&training->vae,
            learning_rate (step, training->vae_steps), INFINITY))
      return diverged (training, error);
    vl_training_fit_time (time, start, first, step + 1, &training->vae_steps);
    if (!vl_training_tick (training, VL_STAGE_VAE, step + 1,
            training->vae_steps,
            training->summary->recon + training->summary->kld, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
vl_training_fit_vae (VlTraining *training, GError **error)
{
  Batch batch;
  gboolean ok;

  batch_init (&batch, training);
  ok = run_steps (training, &batch, error);
  batch_clear (&batch);
  training->summary->vae_steps = training->vae.step;
  return ok;
}
