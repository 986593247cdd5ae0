/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stages.h"

#include "analysis.h"
#include "channel.h"
#include "light.h"

#include <math.h>
#include <string.h>

#define BACKGROUND_FRAMES 500 /* at most, for the mean picture */
/* Frames of a clip until averages are of whole inputs and predictions. */
#define SETTLED (VL_WARM_UP + VL_CHANNEL_AVERAGE - 1)
#define SPREAD_FLOOR 1e-6
#define FOLDS 5 /* of the held-out frames, consecutive */

/* Each held-out frame's averaged values, the channels side by side. */
typedef struct {
  VlTraining *training;
  guint n_tiles;
  GArray *values; /* float (n_frames,VL_N_CHANNELS,n_tiles) */
  guint n_frames;
} HeldOut;

/* Runs the detector's own analysis and averaging over the held-out frames, in
 * wandering light. */
static gboolean
measure (HeldOut *held_out, VlAnalysis *analysis, VlLight *light,
    VlChannelState states[VL_N_CHANNELS], GError **error)
{
  VlTraining *training = held_out->training;
  const guint n_all = vl_spans_length (training->held_out);
  guint done = 0;

  for (guint s = 0; s < training->held_out->len; s++) {
    const VlSpan *span = &g_array_index (training->held_out, VlSpan, s);
    vl_analysis_reset (analysis);
    for (guint c = 0; c < VL_N_CHANNELS; c++)
      vl_channel_reset (&states[c]);
    for (guint f = span->begin; f < span->end; f++) {
      const guint8 *picture = vl_frame_store_get (span->store, span->clip, f);
      const float *values[VL_N_CHANNELS];
      vl_analysis_run (analysis, vl_light_apply (light, picture), values);
      for (guint c = 0; f >= span->begin + VL_WARM_UP && c < VL_N_CHANNELS;
           c++) {
        const float *average = vl_channel_average (&states[c], values[c]);
        if (f >= span->begin + SETTLED)
          g_array_append_vals (held_out->values, average, held_out->n_tiles);
      }
      held_out->n_frames += f >= span->begin + SETTLED;
      if (!vl_training_tick (
              training, VL_STAGE_CALIBRATE, ++done, n_all, NAN, error))
        return FALSE;
    }
  }
  return TRUE;
}

/* The averaged values (n_tiles) of a channel in a frame. */
static const float *
values_at (const HeldOut *held_out, guint frame, VlChannel channel)
{
  return (const float *)held_out->values->data +
         ((gsize)frame * VL_N_CHANNELS + channel) * held_out->n_tiles;
}

/* Mean and spread of each tile over the held-out frames, but for those from
 * skip to skip_end. The spread is shrunk towards the pooled one by adding that:
 * a tile where normal footage shows little must not inflate what it sees. */
static void
normalise (const HeldOut *held_out, VlChannel c, guint skip, guint skip_end)
{
  VlChannelCalibration *channel =
      &held_out->training->model->calibration->channels[c];
  const guint n = held_out->n_frames - (skip_end - skip);
  double pooled = 0;

  for (guint i = 0; i < held_out->n_tiles; i++) {
    double sum = 0, square = 0;
    for (guint f = 0; f < held_out->n_frames; f++)
      if (f < skip || f >= skip_end)
        sum += values_at (held_out, f, c)[i];
    for (guint f = 0; f < held_out->n_frames; f++)
      if (f < skip || f >= skip_end) {
        const double d = values_at (held_out, f, c)[i] - sum / n;
        square += d * d;
      }
    channel->mean[i] = (float)(sum / n);
    channel->spread[i] = (float)sqrt (square / n);
    pooled += channel->spread[i] / held_out->n_tiles;
  }
  for (guint i = 0; i < held_out->n_tiles; i++)
    channel->spread[i] += (float)(pooled + SPREAD_FLOOR);
}

/* The statistic of every held-out frame, normalised by the frames of the other
 * folds alone: footage that had a part in its own normalisation looks more
 * normal than what comes later, and the tail would promise too few alarms. */
static void
cross_fit (const HeldOut *held_out, VlChannel c, VlChannelState *state,
    float *statistic)
{
  const VlChannelCalibration *channel =
      &held_out->training->model->calibration->channels[c];
  const guint n = held_out->n_frames;

  for (guint fold = 0; fold < FOLDS; fold++) {
    const guint begin = vl_share (n, fold, FOLDS);
    const guint end = vl_share (n, fold + 1, FOLDS);
    normalise (held_out, c, begin, end);
    for (guint f = begin; f < end; f++)
      statistic[f] =
          vl_channel_statistic (state, values_at (held_out, f, c), channel);
  }
}

/* The tails: each channel's, then that of the sum of the channels' scores. */
static void
fit_tails (const HeldOut *held_out, VlChannelState states[VL_N_CHANNELS])
{
  VlCalibration *calibration = held_out->training->model->calibration;
  const guint n = held_out->n_frames;
  g_autofree float *statistic = g_new (float, n);
  g_autofree float *in_time = g_new (float, n);
  g_autofree float *sum = g_new0 (float, n);

  for (VlChannel c = 0; c < VL_N_CHANNELS; c++) {
    VlTail *tail = &calibration->channels[c].tail;
    cross_fit (held_out, c, &states[c], statistic);
    memcpy (in_time, statistic, n * sizeof *in_time);
    vl_tail_fit (tail, statistic, n);
    for (guint f = 0; f < n; f++)
      sum[f] += (float)vl_tail_score (tail, in_time[f]);
    normalise (held_out, c, 0, 0);
  }
  vl_tail_fit (&calibration->combined, sum, n);
  calibration->n_frames = n;
}

/* The mean picture of the frames fitted on. */
static guint8 *
mean_picture (const VlTraining *training)
{
  const VlInput *input = &training->options.input;
  const gsize size =
      (gsize)input->width * input->height * vl_input_bytes_per_pixel (input);
  const guint n_all = vl_spans_length (training->fit);
  const guint n = MIN (n_all, BACKGROUND_FRAMES);
  g_autofree guint32 *sum = g_new0 (guint32, size);
  guint8 *mean = g_malloc (size);

  for (guint i = 0; i < n; i++) {
    VlSpan span;
    guint frame;
    vl_spans_locate (training->fit, (guint64)n_all * i / n, &span, &frame);
    const guint8 *picture = vl_frame_store_get (span.store, span.clip, frame);
    for (gsize p = 0; p < size; p++)
      sum[p] += picture[p];
  }
  for (gsize p = 0; p < size; p++)
    mean[p] = (guint8)((sum[p] + n / 2) / n);
  return mean;
}

gboolean
vl_training_calibrate (VlTraining *training, GError **error)
{
  VlModel *model = training->model;
  VlAnalysis *analysis = vl_analysis_new (model);
  VlChannelState states[VL_N_CHANNELS];
  VlLight light;
  HeldOut held_out = {
      .training = training, .n_tiles = vl_model_n_tiles (model)};
  gboolean ok;

  held_out.values = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint c = 0; c < VL_N_CHANNELS; c++)
    vl_channel_init (&states[c], held_out.n_tiles);
  vl_light_init (&light, &training->options, VL_STAGE_CALIBRATE);
  ok = measure (&held_out, analysis, &light, states, error);
  vl_light_clear (&light);
  if (ok) {
    fit_tails (&held_out, states);
    model->background = mean_picture (training);
  }
  for (guint c = 0; c < VL_N_CHANNELS; c++)
    vl_channel_clear (&states[c]);
  g_array_unref (held_out.values);
  vl_analysis_free (analysis);
  return ok;
}
