/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stages.h"

#include "analysis.h"
#include "channel.h"

#include <math.h>
#include <string.h>

#define BACKGROUND_FRAMES 500 /* at most, for the mean picture */
#define SPREAD_FLOOR 1e-6

/* Each held-out frame's averaged values, all channels side by side. */
typedef struct {
  VlTraining *training;
  guint n_places[VL_N_CHANNELS];
  guint row;      /* values per frame */
  GArray *values; /* float (n_frames,row) */
  guint n_frames;
} HeldOut;

/* Runs the detector's own analysis and averaging over the held-out frames. */
static gboolean
measure (HeldOut *held_out, VlAnalysis *analysis,
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
      const float *values[VL_N_CHANNELS];
      vl_analysis_run (
          analysis, vl_frame_store_get (span->store, span->clip, f), values);
      for (guint c = 0; c < VL_N_CHANNELS; c++) {
        if (!values[c])
          continue;
        const float *average = vl_channel_average (&states[c], values[c]);
        if (f >= span->begin + VL_WARM_UP)
          g_array_append_vals (
              held_out->values, average, held_out->n_places[c]);
      }
      held_out->n_frames += f >= span->begin + VL_WARM_UP;
      if (!vl_training_tick (
              training, VL_STAGE_CALIBRATE, ++done, n_all, NAN, error))
        return FALSE;
    }
  }
  return TRUE;
}

/* A place's mean and spread; the spread is shrunk towards the pooled one by
 * adding it, for a place where normal footage shows little must not inflate
 * what it sees. */
static void
normalise (const HeldOut *held_out, guint first, VlChannelCalibration *channel)
{
  const float *values = (const float *)held_out->values->data + first;
  const guint n = held_out->n_frames;
  double pooled = 0;

  for (guint i = 0; i < channel->n_places; i++) {
    double sum = 0, square = 0;
    for (guint f = 0; f < n; f++)
      sum += values[(gsize)f * held_out->row + i];
    for (guint f = 0; f < n; f++) {
      const double d = values[(gsize)f * held_out->row + i] - sum / n;
      square += d * d;
    }
    channel->mean[i] = (float)(sum / n);
    channel->spread[i] = (float)sqrt (square / n);
    pooled += channel->spread[i] / channel->n_places;
  }
  for (guint i = 0; i < channel->n_places; i++)
    channel->spread[i] += (float)(pooled + SPREAD_FLOOR);
}

/* The tails: each channel's, then that of the largest channel score. */
static void
fit_tails (const HeldOut *held_out, VlChannelState states[VL_N_CHANNELS])
{
  VlCalibration *calibration = held_out->training->model->calibration;
  const guint n = held_out->n_frames;
  g_autofree float *largest = g_new0 (float, n);
  g_autofree float *statistic = g_new (float, n);
  guint first = 0;

  for (guint c = 0; c < VL_N_CHANNELS; c++) {
    VlChannelCalibration *channel = &calibration->channels[c];
    normalise (held_out, first, channel);
    for (guint f = 0; f < n; f++)
      statistic[f] = vl_channel_statistic (&states[c],
          (const float *)held_out->values->data + (gsize)f * held_out->row +
              first,
          channel);
    vl_tail_fit (&channel->tail, statistic, n);
    for (guint f = 0; f < n; f++)
      largest[f] =
          MAX (largest[f], (float)vl_tail_score (&channel->tail, statistic[f]));
    first += held_out->n_places[c];
  }
  vl_tail_fit (&calibration->combined, largest, n);
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
  HeldOut held_out = {.training = training};
  gboolean ok;

  held_out.values = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint c = 0; c < VL_N_CHANNELS; c++) {
    held_out.n_places[c] = vl_analysis_n_places (analysis, c);
    held_out.row += held_out.n_places[c];
    vl_channel_init (&states[c], c, held_out.n_places[c]);
  }
  ok = measure (&held_out, analysis, states, error);
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
