/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "detector.h"

#include "analysis.h"
#include "channel.h"
#include "schedule.h"

#include <string.h>

G_STATIC_ASSERT (VL_CHANNEL_MAX_TOP <= VL_MAX_REGIONS);

struct VlDetector {
  VlModel *model;
  VlDetectorSettings settings;
  double threshold;
  VlSchedule schedule;
  double rate;

  VlSampler *sampler;
  guint8 *picture;
  gsize picture_size;
  guint8 *excluded; /* per pixel of the picture; NULL: none */

  VlAnalysis *analysis;
  VlChannelState channels[VL_N_CHANNELS];
  unsigned n_seen; /* frames since the last reset */
  VlTrigger trigger;
};

static void
apply_settings (VlDetector *detector)
{
  const VlDetectorSettings *s = &detector->settings;

  detector->threshold =
      s->threshold > 0 ? s->threshold
                       : vl_calibration_threshold (detector->model->calibration,
                             s->false_alarms_per_day, detector->rate);
  vl_trigger_set (
      &detector->trigger, &(VlTriggerSettings){detector->threshold,
                              s->release_ratio, s->min_duration, s->hold});
}

VlDetector *
vl_detector_new (VlModel *model, const VlDetectorSettings *settings)
{
  VlDetector *detector = g_new0 (VlDetector, 1);
  const VlInput *input = &model->input;

  g_assert (model->calibration);
  detector->model = vl_model_ref (model);
  detector->settings = *settings;
  detector->picture_size =
      (gsize)input->width * input->height * vl_input_bytes_per_pixel (input);
  detector->picture = g_malloc (detector->picture_size);
  detector->analysis = vl_analysis_new (model);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++)
    vl_channel_init (&detector->channels[c], vl_model_n_tiles (model));
  vl_detector_set_rate (detector, 0, 1);
  return detector;
}

void
vl_detector_free (VlDetector *detector)
{
  if (!detector)
    return;
  vl_sampler_free (detector->sampler);
  vl_analysis_free (detector->analysis);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++)
    vl_channel_clear (&detector->channels[c]);
  g_free (detector->picture);
  g_free (detector->excluded);
  vl_model_unref (detector->model);
  g_free (detector);
}

const VlInput *
vl_detector_input (const VlDetector *detector)
{
  return &detector->model->input;
}

void
vl_detector_set (VlDetector *detector, const VlDetectorSettings *settings)
{
  detector->settings = *settings;
  apply_settings (detector);
}

void
vl_detector_set_rate (VlDetector *detector, unsigned n, unsigned d)
{
  const VlInput *input = &detector->model->input;

  if (n == 0 || d == 0) {
    n = input->rate_n;
    d = input->rate_d;
  }
  detector->rate = n / (double)d;
  vl_schedule_init (&detector->schedule, n, d);
  apply_settings (detector);
}

void
vl_detector_set_exclude (VlDetector *detector, const VlRect *rects, unsigned n)
{
  const unsigned W = detector->model->input.width;
  const unsigned H = detector->model->input.height;

  g_clear_pointer (&detector->excluded, g_free);
  if (!n || !detector->model->background)
    return;
  detector->excluded = g_malloc0 ((gsize)W * H);
  for (unsigned i = 0; i < n; i++) {
    const unsigned x0 = CLAMP (rects[i].x, 0, 1) * W;
    const unsigned y0 = CLAMP (rects[i].y, 0, 1) * H;
    const unsigned x1 = CLAMP (rects[i].x + rects[i].w, 0, 1) * W + 0.5;
    const unsigned y1 = CLAMP (rects[i].y + rects[i].h, 0, 1) * H + 0.5;
    for (unsigned y = y0; y < y1; y++)
      for (unsigned x = x0; x < x1; x++)
        detector->excluded[y * W + x] = TRUE;
  }
}

gboolean
vl_detector_set_format (
    VlDetector *detector, const GstVideoInfo *info, GError **error)
{
  const VlInput *input = &detector->model->input;

  g_clear_pointer (&detector->sampler, vl_sampler_free);
  detector->sampler = vl_sampler_new (info, input->width, input->height,
      input->kind == VL_INPUT_MOTION ? VL_PICTURE_LUMA : VL_PICTURE_RGB, error);
  vl_detector_reset (detector);
  return detector->sampler != NULL;
}

void
vl_detector_reset (VlDetector *detector)
{
  detector->n_seen = 0;
  vl_schedule_reset (&detector->schedule);
  vl_analysis_reset (detector->analysis);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++)
    vl_channel_reset (&detector->channels[c]);
}

gboolean
vl_detector_is_due (VlDetector *detector, guint64 time)
{
  return vl_schedule_is_due (&detector->schedule, time);
}

static void
paint_excluded (VlDetector *detector, guint8 *picture)
{
  const unsigned bpp = vl_input_bytes_per_pixel (&detector->model->input);
  const guint8 *background = detector->model->background;

  if (!detector->excluded)
    return;
  for (gsize i = 0; i < detector->picture_size / bpp; i++)
    if (detector->excluded[i])
      memcpy (picture + i * bpp, background + i * bpp, bpp);
}

/* Raw values per tile -> each channel's score -> the combined score. Frames
 * that warm up count neither now nor in later averages: a motion input that
 * repeats its first picture looks stiller than any scene. */
static void
score (VlDetector *detector, const float *const values[VL_N_CHANNELS],
    VlResult *result)
{
  const VlCalibration *calibration = detector->model->calibration;
  double sum = 0;

  for (unsigned c = 0; c < VL_N_CHANNELS; c++) {
    VlChannelState *state = &detector->channels[c];
    const VlChannelCalibration *normal = &calibration->channels[c];
    result->channels[c] = VL_NEUTRAL_SCORE;
    if (values[c] && detector->n_seen >= VL_WARM_UP)
      result->channels[c] = vl_tail_score (
          &normal->tail, vl_channel_statistic (state,
                             vl_channel_average (state, values[c]), normal));
    sum += result->channels[c];
  }
  result->score = vl_tail_score (&calibration->combined, sum);
  result->dynamics = result->channels[VL_CHANNEL_DYNAMICS];
  result->appearance = result->channels[VL_CHANNEL_APPEARANCE];
}

/* The tiles that drove the channel which drove the score. */
static void
find_regions (const VlDetector *detector, VlResult *result)
{
  const double W = detector->model->input.width;
  const double H = detector->model->input.height;
  const VlChannelState *state;
  VlChannel driver = 0;

  for (VlChannel c = 1; c < VL_N_CHANNELS; c++)
    if (result->channels[c] > result->channels[driver])
      driver = c;
  state = &detector->channels[driver];
  result->n_regions = state->n_seen ? state->k : 0;
  for (unsigned i = 0; i < result->n_regions; i++) {
    unsigned x, y;
    vl_analysis_place (detector->analysis, state->top[i], &x, &y);
    result->regions[i] = (VlRegion){
        {x / W, y / H, VL_WINDOW / W, VL_WINDOW / H}, state->top_value[i]};
  }
}

static void
describe_event (const VlDetector *detector, VlEvent event, VlResult *result)
{
  const VlTrigger *trigger = &detector->trigger;

  result->event = event;
  result->anomalous = trigger->open;
  result->event_id = event == VL_EVENT_NONE ? 0 : trigger->id;
  result->event_start = trigger->start;
  result->event_end = trigger->last_high;
  result->peak = trigger->peak;
}

/* Frames that warm up can neither open nor close an event. */
static void
decide (VlDetector *detector, guint64 time, VlResult *result)
{
  VlTrigger *trigger = &detector->trigger;
  VlEvent event;

  if (detector->n_seen < VL_WARM_UP) {
    result->state = VL_STATE_WARMING_UP;
    event = trigger->open ? VL_EVENT_UPDATE : VL_EVENT_NONE;
  } else {
    result->state = VL_STATE_DETECTING;
    event = vl_trigger_update (trigger, result->score, time);
  }
  result->threshold = detector->threshold;
  describe_event (detector, event, result);
}

/* From a picture of the model's size to a decision. */
static void
judge (
    VlDetector *detector, const guint8 *picture, guint64 time, VlResult *result)
{
  const float *values[VL_N_CHANNELS];

  vl_analysis_run (detector->analysis, picture, values);
  score (detector, values, result);
  find_regions (detector, result);
  decide (detector, time, result);
  detector->n_seen++;
}

gsize
vl_detector_picture_size (const VlDetector *detector)
{
  return detector->picture_size;
}

void
vl_detector_sample (
    VlDetector *detector, const GstVideoFrame *frame, guint8 *picture)
{
  vl_sampler_run (detector->sampler, picture, frame);
}

void
vl_detector_process (VlDetector *detector, const GstVideoFrame *frame,
    guint64 time, VlResult *result)
{
  vl_detector_sample (detector, frame, detector->picture);
  paint_excluded (detector, detector->picture);
  judge (detector, detector->picture, time, result);
}

void
vl_detector_process_picture (
    VlDetector *detector, const guint8 *picture, guint64 time, VlResult *result)
{
  memcpy (detector->picture, picture, detector->picture_size);
  paint_excluded (detector, detector->picture);
  judge (detector, detector->picture, time, result);
}

void
vl_detector_close (VlDetector *detector, VlResult *result)
{
  describe_event (detector, vl_trigger_close (&detector->trigger), result);
}
