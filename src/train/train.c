/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "train.h"

#include "analysis.h"
#include "base.h"
#include "footage.h"
#include "stages.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define HIDDEN 128  /* LSTM units and width of its fc1 */
#define GAUSSIANS 5 /* per latent dimension */
#define CHECKPOINT_EVERY (60 * G_USEC_PER_SEC)

/* Rough share of the LSTM's training in the VAE's, for ETAs. */
#define LSTM_PER_VAE_TIME 0.2

#define STEPS_SHARE 0.5 /* of a time budget, at least, is for steps */
#define VAE_SHARE 0.8   /* of the time for steps; the LSTM has the rest */
#define TIMED_FRAMES 10 /* at most, to find out how long one takes */
#define TIMED_SECONDS 0.1

G_DEFINE_QUARK (vl_train_error, vl_train_error)

unsigned
vl_train_default_stride (unsigned width, unsigned height)
{
  for (unsigned stride = 32; stride >= VL_VAE_STEP; stride /= 2)
    if (width >= VL_WINDOW && height >= VL_WINDOW &&
        (width - VL_WINDOW) % stride == 0 && (height - VL_WINDOW) % stride == 0)
      return stride;
  return 0;
}

const char *
vl_stage_name (VlStage stage)
{
  static const char *const names[VL_N_STAGES] = {
      "vae", "latents", "lstm", "calibrate"};

  return names[stage];
}

guint
vl_spans_length (const GArray *spans)
{
  guint n = 0;

  for (guint i = 0; i < spans->len; i++)
    n += vl_span_length (&g_array_index (spans, VlSpan, i));
  return n;
}

void
vl_spans_locate (const GArray *spans, guint index, VlSpan *span, guint *frame)
{
  guint i = 0;

  while (index >= vl_span_length (&g_array_index (spans, VlSpan, i)))
    index -= vl_span_length (&g_array_index (spans, VlSpan, i++));
  *span = g_array_index (spans, VlSpan, i);
  *frame = span->begin + index;
}

/* Seconds until the end: of the budget, or from the pace of the stage that is
 * on. */
static double
estimate_left (const VlTraining *training, VlStage stage, guint step,
    guint n_steps, double elapsed)
{
  const double budget = training->options.minutes * 60;
  const double so_far = training->summary->seconds[stage];
  const double whole = so_far * n_steps / MAX (step, 1);
  const double later = stage == VL_STAGE_VAE ? whole * LSTM_PER_VAE_TIME : 0;

  if (budget > 0)
    return MAX (budget - elapsed, 0);
  return MAX (whole - so_far, 0) + later;
}

gboolean
vl_training_go_on (VlTraining *training, VlStage stage, GError **error)
{
  const gboolean cancelled = g_cancellable_is_cancelled (training->cancellable);
  const gboolean due =
      g_get_monotonic_time () - training->checkpoint_time > CHECKPOINT_EVERY;

  if (training->checkpoint && (cancelled || due) &&
      stage != VL_STAGE_CALIBRATE && !vl_checkpoint_save (training, error))
    return FALSE;
  return !g_cancellable_set_error_if_cancelled (training->cancellable, error);
}

static double
seconds_since (gint64 start)
{
  return (g_get_monotonic_time () - start) / 1e6;
}

gboolean
vl_training_tick (VlTraining *training, VlStage stage, guint step,
    guint n_steps, double loss, GError **error)
{
  const double elapsed = seconds_since (training->start);
  double earlier = 0;

  for (guint s = 0; s < stage; s++)
    earlier += training->summary->seconds[s];
  training->summary->seconds[stage] = elapsed - earlier;
  if (training->progress)
    training->progress (
        &(VlProgress){stage, step, n_steps, loss, elapsed,
            estimate_left (training, stage, step, n_steps, elapsed)},
        training->user_data);
  return vl_training_go_on (training, stage, error);
}

/* Seconds that analysing a frame takes: encoding, and one step of the LSTM. */
static double
time_analysis (const VlTraining *training)
{
  VlAnalysis *analysis = vl_analysis_new (training->model);
  const guint8 *picture = vl_frame_store_get (training->normal, 0, 0);
  const float *values[VL_N_CHANNELS];
  gint64 start;
  guint n = 0;

  vl_analysis_run (analysis, picture, values); /* warms up */
  start = g_get_monotonic_time ();
  while (n < TIMED_FRAMES && seconds_since (start) < TIMED_SECONDS) {
    vl_analysis_run (analysis, picture, values);
    n++;
  }
  vl_analysis_free (analysis);
  return seconds_since (start) / n;
}

/* What encoding and calibration will take, out of a time budget. */
static void
reserve_time (VlTraining *training)
{
  double frame;

  if (training->options.minutes <= 0)
    return;
  frame = time_analysis (training);
  training->encoding_time = frame * vl_frame_store_n_frames (training->normal);
  training->calibration_time = frame * vl_spans_length (training->held_out);
}

double
vl_training_time_for (const VlTraining *training, VlStage stage)
{
  const double budget = training->options.minutes * 60;
  const double left = budget - seconds_since (training->start);
  const double share = stage == VL_STAGE_VAE ? VAE_SHARE : 1 - VAE_SHARE;
  const double reserved = training->encoding_time + training->calibration_time;
  const double least = budget * STEPS_SHARE;

  if (budget <= 0)
    return INFINITY;
  return MIN (share * MAX (budget - reserved, least),
      MAX (left - training->calibration_time, share * least));
}

void
vl_training_fit_time (
    double time, gint64 start, guint first, guint done, guint *n_steps)
{
  const double elapsed = MAX (seconds_since (start), 1e-6);
  const double more = MAX (time - elapsed, 0) * (done - first) / elapsed;

  if (isfinite (time))
    *n_steps = done + (guint)MIN (more, VL_ENDLESS);
}

static gboolean
check_options (const VlTrainOptions *o, GError **error)
{
  const VlInput *input = &o->input;

  if (input->width < VL_WINDOW || input->height < VL_WINDOW ||
      input->width > VL_MODEL_MAX_SIDE || input->height > VL_MODEL_MAX_SIDE) {
    g_set_error (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_INPUT,
        "size %ux%u: expected %ux%u to %ux%u", input->width, input->height,
        VL_WINDOW, VL_WINDOW, VL_MODEL_MAX_SIDE, VL_MODEL_MAX_SIDE);
    return FALSE;
  }
  if (!vl_input_is_valid (&(VlInput){input->width, input->height, VL_VAE_STEP,
                              input->kind, input->rate_n, input->rate_d},
          o->width)) {
    g_set_error (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_INPUT,
        "size %ux%u with width %u at %u/%u frames per second: expected "
        "at most %u pixels times width, and a rate of numbers up to %u",
        input->width, input->height, o->width, input->rate_n, input->rate_d,
        VL_MODEL_MAX_WORK, VL_MODEL_MAX_RATE);
    return FALSE;
  }
  if (input->stride == 0 || input->stride % VL_VAE_STEP ||
      (input->width - VL_WINDOW) % input->stride ||
      (input->height - VL_WINDOW) % input->stride) {
    g_set_error (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_INPUT,
        "size %ux%u: expected width and height to be %u plus multiples of the "
        "stride, which is a multiple of %u (it is %u)",
        input->width, input->height, VL_WINDOW, VL_VAE_STEP, input->stride);
    return FALSE;
  }
  return TRUE;
}

static void
add_span (GArray *spans, const VlFrameStore *store, guint clip, guint begin,
    guint end)
{
  const VlSpan span = {store, clip, begin, end};

  if (begin < end)
    g_array_append_val (spans, span);
}

static void
split (VlTraining *training, VlFrameStore *vae_only)
{
  const guint n = vl_frame_store_n_frames (training->normal);
  guint before = 0;

  for (guint c = 0; c < vl_frame_store_n_clips (training->normal); c++) {
    const guint length = vl_frame_store_clip_length (training->normal, c);
    const guint cut = vl_footage_cut (n, before, length);
    add_span (training->fit, training->normal, c, 0, cut);
    add_span (training->held_out, training->normal, c, cut, length);
    before += length;
  }
  g_array_append_vals (
      training->pictures, training->fit->data, training->fit->len);
  for (guint c = 0; vae_only && c < vl_frame_store_n_clips (vae_only); c++)
    add_span (training->pictures, vae_only, c, 0,
        vl_frame_store_clip_length (vae_only, c));
}

static gboolean
check_footage (const VlTraining *training, GError **error)
{
  const guint n_clips = vl_frame_store_n_clips (training->normal);
  g_autofree guint *lengths = g_new (guint, n_clips);

  for (guint c = 0; c < n_clips; c++)
    lengths[c] = vl_frame_store_clip_length (training->normal, c);
  return vl_footage_check (lengths, n_clips, error);
}

static VlModel *
new_model (const VlTrainOptions *options)
{
  VlVae vae;
  VlMdnRnn rnn;

  vl_vae_init (&vae, options->width, options->Z);
  vl_mdnrnn_init (&rnn, options->Z, 2, HIDDEN, HIDDEN, 1, GAUSSIANS, TRUE);
  return vl_model_new (&options->input, &vae, &rnn);
}

static void
training_init (VlTraining *training, const VlTrainOptions *options,
    VlFrameStore *normal, VlFrameStore *vae_only)
{
  VlModel *model = new_model (options);

  training->options = *options;
  training->model = model;
  training->normal = normal;
  training->vae_steps = options->minutes > 0 ? VL_ENDLESS : options->vae_steps;
  training->lstm_steps =
      options->minutes > 0 ? VL_ENDLESS : options->lstm_steps;
  vl_optimizer_init (
      &training->vae, model->vae_params, model->vae.n_params, options->threads);
  vl_optimizer_init (
      &training->rnn, model->rnn_params, model->rnn.n_params, options->threads);
  vl_optimizer_draw_params (&training->vae, model->vae.specs, VL_VAE_N_TENSORS,
      options->seed, VL_STAGE_VAE);
  training->from_base =
      options->base && vl_base_load (&model->vae, model->vae_params);
  vl_optimizer_draw_params (&training->rnn, model->rnn.specs,
      model->rnn.n_tensors, options->seed, VL_STAGE_LSTM);
  training->best_rnn =
      g_memdup2 (model->rnn_params, model->rnn.n_params * sizeof (float));
  training->best_nll = INFINITY;
  training->fit = g_array_new (FALSE, FALSE, sizeof (VlSpan));
  training->held_out = g_array_new (FALSE, FALSE, sizeof (VlSpan));
  training->pictures = g_array_new (FALSE, FALSE, sizeof (VlSpan));
  training->workers = vl_workers_new (options->threads);
  training->random = g_rand_new ();
  training->start = training->checkpoint_time = g_get_monotonic_time ();
  split (training, vae_only);
}

static void
training_clear (VlTraining *training)
{
  vl_optimizer_clear (&training->vae);
  vl_optimizer_clear (&training->rnn);
  vl_workers_free (training->workers);
  vl_frame_store_free (training->latents);
  g_array_unref (training->fit);
  g_array_unref (training->held_out);
  g_array_unref (training->pictures);
  g_rand_free (training->random);
  g_free (training->best_rnn);
  g_clear_pointer (&training->model, vl_model_unref);
}

/* What is not finite has no place in JSON. */
static void
record_number (JsonBuilder *builder, const char *name, double value)
{
  if (!isfinite (value))
    return;
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

/* What the model file remembers of its training. */
static char *
write_record (const VlTraining *training)
{
  static const char *const losses[] = {"gaussian", "bernoulli", "published"};
  const VlTrainOptions *o = &training->options;
  const VlTrainSummary *s = training->summary;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "loss");
  json_builder_add_string_value (builder, losses[o->loss.kind]);
  record_number (builder, "sigma", o->loss.sigma);
  record_number (builder, "beta", o->loss.beta);
  json_builder_set_member_name (builder, "base");
  json_builder_add_boolean_value (builder, training->from_base);
  record_number (builder, "light", o->light);
  record_number (builder, "seed", o->seed);
  record_number (builder, "threads", o->threads);
  record_number (builder, "normal_frames", s->normal_frames);
  record_number (builder, "held_out_frames", s->held_out_frames);
  record_number (builder, "vae_only_frames", s->vae_only_frames);
  record_number (builder, "vae_steps", s->vae_steps);
  record_number (builder, "lstm_steps", s->lstm_steps);
  record_number (builder, "squared_error", s->squared_error);
  record_number (builder, "kld", s->kld);
  record_number (builder, "nll_fit", s->nll_fit);
  record_number (builder, "nll_held_out", s->nll_held_out);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

static void
count_footage (VlTraining *training, VlFrameStore *vae_only)
{
  VlTrainSummary *summary = training->summary;

  summary->normal_frames = vl_frame_store_n_frames (training->normal);
  summary->fit_frames = vl_spans_length (training->fit);
  summary->held_out_frames = vl_spans_length (training->held_out);
  summary->vae_only_frames = vae_only ? vl_frame_store_n_frames (vae_only) : 0;
}

static gboolean
run_stages (VlTraining *training, gboolean resume, GError **error)
{
  if (!check_footage (training, error))
    return FALSE;
  reserve_time (training);
  return (!resume || vl_checkpoint_load (training, error)) &&
         vl_training_fit_vae (training, error) &&
         vl_training_encode (training, error) &&
         vl_training_fit_lstm (training, error) &&
         vl_training_calibrate (training, error);
}

VlModel *
vl_train (const VlTrainOptions *options, VlFrameStore *normal,
    VlFrameStore *vae_only, const char *checkpoint, gboolean resume,
    VlProgressFunc progress, gpointer user_data, GCancellable *cancellable,
    VlTrainSummary *summary, GError **error)
{
  VlTraining training = {.checkpoint = checkpoint,
      .progress = progress,
      .user_data = user_data,
      .cancellable = cancellable,
      .summary = summary};
  VlModel *model = NULL;

  memset (summary, 0, sizeof *summary);
  if (!check_options (options, error))
    return NULL;
  training_init (&training, options, normal, vae_only);
  count_footage (&training, vae_only);
  if (run_stages (&training, resume, error)) {
    model = g_steal_pointer (&training.model);
    model->record = write_record (&training);
  }
  training_clear (&training);
  return model;
}
