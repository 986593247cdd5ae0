/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The networks at their published sizes. */

#include "bench.h"

#include <math.h>

#include "mdnrnn.h"
#include "optimizer.h"
#include "vae.h"

#define WIDTH 32
#define LATENT 32
#define HIDDEN 256
#define GAUSSIANS 5
#define IMAGE (VL_WINDOW * VL_WINDOW * VL_VAE_CHANNELS)
#define BATCH 32
#define CHUNK 4 /* images that go through the network together */

static void
draw_params (VlOptimizer *optimizer, float *params, gsize n_params,
    const VlTensorSpec *specs, guint n_specs, guint n_workers)
{
  vl_optimizer_init (optimizer, params, n_params, n_workers);
  vl_optimizer_draw_params (optimizer, specs, n_specs, 1, 0);
}

static float *
random_params (gsize n_params, const VlTensorSpec *specs, guint n_specs)
{
  VlOptimizer optimizer;
  float *params = g_new (float, n_params);

  draw_params (&optimizer, params, n_params, specs, n_specs, 1);
  vl_optimizer_clear (&optimizer);
  return params;
}

/* --- one at a time --- */

typedef struct {
  VlVae vae;
  float *params, *image, *latent;
  VlEncoder *encoder;
  VlDecoder *decoder;
} Single;

static void
run_encode (gpointer data)
{
  Single *s = data;

  vl_encoder_run (s->encoder, s->latent, s->image, s->params);
}

static void
run_decode (gpointer data)
{
  Single *s = data;

  vl_decoder_run (s->decoder, s->image, s->latent, s->params);
}

static double
single (BenchRun run)
{
  Single s;
  double ms;

  vl_vae_init (&s.vae, WIDTH, LATENT);
  s.params = random_params (s.vae.n_params, s.vae.specs, VL_VAE_N_TENSORS);
  s.image = bench_numbers (IMAGE);
  s.latent = bench_numbers (LATENT);
  s.encoder = vl_encoder_new (&s.vae, VL_WINDOW, VL_WINDOW, VL_VAE_STEP);
  s.decoder = vl_decoder_new (&s.vae);
  ms = bench_median_ms (run, &s, 200);
  vl_encoder_free (s.encoder);
  vl_decoder_free (s.decoder);
  g_free (s.params);
  g_free (s.image);
  g_free (s.latent);
  return ms;
}

double
bench_encode (void)
{
  return single (run_encode);
}

double
bench_decode (void)
{
  return single (run_decode);
}

typedef struct {
  VlMdnRnnState *state;
  float *params, *input, *head;
} Step;

static void
run_step (gpointer data)
{
  Step *s = data;

  vl_mdnrnn_step (s->state, s->head, s->input, s->params);
}

double
bench_lstm_step (void)
{
  VlMdnRnn rnn;
  Step s;
  double ms;

  vl_mdnrnn_init (&rnn, LATENT, 0, HIDDEN, HIDDEN, 1, GAUSSIANS, FALSE);
  s.state = vl_mdnrnn_state_new (&rnn, 1);
  s.params = random_params (rnn.n_params, rnn.specs, rnn.n_tensors);
  s.input = bench_numbers (LATENT);
  s.head = g_new (float, 3 * GAUSSIANS * LATENT);
  ms = bench_median_ms (run_step, &s, 1000);
  vl_mdnrnn_state_free (s.state);
  g_free (s.params);
  g_free (s.input);
  g_free (s.head);
  return ms;
}

/* --- training --- */

typedef struct {
  VlVae vae;
  VlOptimizer optimizer;
  VlWorkers *workers;
  VlVaeWork **work; /* [worker] */
  float *x, *eps;
} Training;

static void
process_share (guint worker, gpointer data)
{
  static const VlVaeLoss loss = {VL_LOSS_BERNOULLI, 0, 1};
  Training *t = data;
  const guint n_workers = vl_workers_count (t->workers);
  const guint end = vl_share (BATCH, worker + 1, n_workers);

  for (guint i = vl_share (BATCH, worker, n_workers); i < end; i += CHUNK)
    vl_vae_loss (t->work[worker], t->optimizer.grads[worker],
        t->optimizer.params, t->x + i * (gsize)IMAGE, t->eps + i * LATENT,
        MIN (CHUNK, end - i), BATCH, &loss);
}

static void
run_training (gpointer data)
{
  Training *t = data;

  vl_workers_run (t->workers, process_share, t);
  if (!vl_optimizer_step (&t->optimizer, 1e-3, INFINITY))
    g_error ("a gradient is not finite");
}

double
bench_vae_training (guint n_threads)
{
  Training t;
  double ms;

  vl_vae_init (&t.vae, WIDTH, LATENT);
  g_autofree float *params = g_new (float, t.vae.n_params);
  draw_params (&t.optimizer, params, t.vae.n_params, t.vae.specs,
      VL_VAE_N_TENSORS, n_threads);
  t.workers = vl_workers_new (n_threads);
  t.work = g_new (VlVaeWork *, n_threads);
  for (guint w = 0; w < n_threads; w++)
    t.work[w] = vl_vae_work_new (&t.vae, CHUNK);
  t.x = bench_numbers (BATCH * (gsize)IMAGE);
  t.eps = bench_numbers (BATCH * LATENT);

  ms = bench_median_ms (run_training, &t, 7);

  for (guint w = 0; w < n_threads; w++)
    vl_vae_work_free (t.work[w]);
  vl_workers_free (t.workers);
  vl_optimizer_clear (&t.optimizer);
  g_free (t.work);
  g_free (t.x);
  g_free (t.eps);
  return ms / BATCH;
}
