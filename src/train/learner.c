/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "learner.h"

#include "footage.h"
#include "framesize.h"
#include "lesson.h"
#include "reservoir.h"
#include "sampler.h"
#include "schedule.h"

#include <string.h>

#define MAX_BYTES (128u << 20) /* of pictures, in memory */
#define MAX_RATE 10            /* frames per second, when none is asked for */
#define MAX_THREADS 4
#define WIDTH 16   /* of the VAE: a quarter of the published one's work */
#define LIGHT 0.01 /* a minute does not show what light will do */

struct VlLearner {
  VlLearnerOptions options; /* path is our own */
  VlTrainOptions train;     /* its input's width is 0 before the first format */
  VlSampler *sampler;       /* NULL while the format cannot be read */
  VlSchedule schedule;
  VlReservoir *reservoir;
  guint64 collected; /* ns of video */
  guint n_frames;    /* seen, whether kept or not */
  guint64 last;      /* ns, time of the last frame; GST_CLOCK_TIME_NONE: none
                        that the next one follows */
  VlLesson *lesson;  /* NULL before the training */
};

VlLearner *
vl_learner_new (const VlLearnerOptions *options)
{
  VlLearner *learner = g_new0 (VlLearner, 1);

  learner->options = *options;
  learner->options.path = g_strdup (options->path);
  learner->train = (VlTrainOptions)VL_TRAIN_DEFAULTS;
  learner->train.width = WIDTH;
  learner->train.base = TRUE;
  learner->train.light = LIGHT;
  learner->train.threads = MIN (g_get_num_processors (), MAX_THREADS);
  learner->last = GST_CLOCK_TIME_NONE;
  return learner;
}

void
vl_learner_free (VlLearner *learner)
{
  if (learner == NULL)
    return;
  vl_lesson_drop (learner->lesson);
  vl_reservoir_free (learner->reservoir);
  vl_sampler_free (learner->sampler);
  g_free ((char *)learner->options.path);
  g_free (learner);
}

/* ---- collecting ---- */

/* Whether a rate of n/d is one that a model can have. */
static gboolean
is_rate (gint64 n, gint64 d)
{
  return n > 0 && d > 0 && n <= VL_MODEL_MAX_RATE && d <= VL_MODEL_MAX_RATE;
}

/* What was asked for, but no more frames than the video has. */
static void
choose_rate (const VlLearner *learner, const GstVideoInfo *info, VlInput *input)
{
  const gint64 n = GST_VIDEO_INFO_FPS_N (info), d = GST_VIDEO_INFO_FPS_D (info);

  input->rate_n = MAX_RATE;
  input->rate_d = 1;
  if (is_rate (learner->options.rate_n, learner->options.rate_d)) {
    input->rate_n = learner->options.rate_n;
    input->rate_d = learner->options.rate_d;
  }
  if (is_rate (n, d) && n * input->rate_d < input->rate_n * d) {
    input->rate_n = (unsigned)n;
    input->rate_d = (unsigned)d;
  }
}

/* The model's input, after the first format of the video. */
static void
choose_input (VlLearner *learner, const GstVideoInfo *info)
{
  VlInput *input = &learner->train.input;
  unsigned width, height;

  vl_square_frame_size (info, &width, &height);
  vl_quick_frame_size (width, height, &input->width, &input->height);
  input->stride = vl_train_default_stride (input->width, input->height);
  choose_rate (learner, info, input);
  vl_schedule_init (&learner->schedule, input->rate_n, input->rate_d);
  learner->reservoir = vl_reservoir_new (
      (gsize)input->width * input->height * vl_input_bytes_per_pixel (input),
      MAX_BYTES, learner->train.seed);
}

gboolean
vl_learner_set_format (
    VlLearner *learner, const GstVideoInfo *info, GError **error)
{
  const VlInput *input = &learner->train.input;

  g_clear_pointer (&learner->sampler, vl_sampler_free);
  if (input->width == 0)
    choose_input (learner, info);
  learner->sampler =
      vl_sampler_new (info, input->width, input->height, VL_PICTURE_RGB, error);
  vl_learner_interrupt (learner);
  return learner->sampler != NULL;
}

void
vl_learner_interrupt (VlLearner *learner)
{
  if (learner->reservoir == NULL)
    return;
  vl_reservoir_interrupt (learner->reservoir);
  vl_schedule_reset (&learner->schedule);
  learner->last = GST_CLOCK_TIME_NONE;
}

gboolean
vl_learner_is_due (VlLearner *learner, guint64 time)
{
  return learner->sampler != NULL && learner->reservoir != NULL &&
         vl_schedule_is_due (&learner->schedule, time);
}

void
vl_learner_add (VlLearner *learner, const GstVideoFrame *frame, guint64 time)
{
  const gboolean timed =
      GST_CLOCK_TIME_IS_VALID (time) && GST_CLOCK_TIME_IS_VALID (learner->last);
  guint8 *picture = vl_reservoir_append (learner->reservoir);

  if (picture != NULL)
    vl_sampler_run (learner->sampler, picture, frame);
  learner->n_frames++;
  learner->collected += timed ? time - learner->last : learner->schedule.period;
  learner->last = time;
}

static gboolean
is_enough (const VlLearner *learner, GError **error)
{
  g_autoptr (GArray) clips = vl_reservoir_clips (learner->reservoir);

  return vl_footage_check ((const guint *)clips->data, clips->len, error);
}

guint64
vl_learner_left (const VlLearner *learner)
{
  const guint64 duration = learner->options.duration;
  guint64 left = duration - MIN (learner->collected, duration);

  if (learner->reservoir == NULL)
    return MAX (left, 1);
  if (learner->n_frames < VL_TRAIN_MIN_FRAMES)
    left = MAX (left,
        (VL_TRAIN_MIN_FRAMES - learner->n_frames) * learner->schedule.period);
  return left == 0 && !is_enough (learner, NULL) ? learner->schedule.period
                                                 : left;
}

double
vl_learner_collected (const VlLearner *learner)
{
  const guint64 left = vl_learner_left (learner);

  return learner->collected / ((double)learner->collected + left);
}

gboolean
vl_learner_is_overdue (const VlLearner *learner, GError **error)
{
  const guint64 planned = MAX (learner->options.duration,
      VL_TRAIN_MIN_FRAMES * learner->schedule.period);

  return learner->reservoir != NULL && learner->collected / 2 > planned &&
         !is_enough (learner, error);
}

/* ---- training ---- */

void
vl_learner_train (VlLearner *learner, VlLearnerProgressFunc progress,
    gpointer user_data, GDestroyNotify destroy)
{
  g_return_if_fail (learner->lesson == NULL);

  g_clear_pointer (&learner->sampler, vl_sampler_free);
  learner->lesson = vl_lesson_start (g_steal_pointer (&learner->reservoir),
      &learner->train, learner->options.budget, learner->options.path, progress,
      user_data, destroy);
}

gboolean
vl_learner_is_done (VlLearner *learner)
{
  return learner->lesson != NULL && vl_lesson_is_done (learner->lesson);
}

gboolean
vl_learner_wait (VlLearner *learner, GCancellable *cancellable)
{
  g_return_val_if_fail (learner->lesson != NULL, FALSE);

  return vl_lesson_wait (learner->lesson, cancellable);
}

void
vl_learner_cancel (VlLearner *learner)
{
  if (learner->lesson != NULL)
    vl_lesson_cancel (learner->lesson);
}

guint
vl_learner_vae_steps (const VlLearner *learner)
{
  return vl_lesson_vae_steps (learner->lesson);
}

VlModel *
vl_learner_take (VlLearner *learner, GError **save_error, GError **error)
{
  g_return_val_if_fail (vl_learner_is_done (learner), NULL);

  return vl_lesson_take (learner->lesson, save_error, error);
}
