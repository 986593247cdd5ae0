/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-vaelstmdetect
 * @title: vaelstmdetect
 * @short_description: Says per frame how unusual what a fixed camera sees is
 *
 * Learns what a fixed camera normally sees, then says per frame how unusual
 * what it sees is. Video goes through untouched, scores travel with it. A score
 * is -log10 of the probability that a normal frame scores at least as much: 3
 * means one normal frame in a thousand.
 *
 * ## Learning
 *
 * With no model, the element takes the stream's first
 * #GstVaeLstmDetect:learn-duration to be normal, trains on it in the background
 * for #GstVaeLstmDetect:training-budget at most while video flows on, and then
 * detects. With #GstVaeLstmDetect:model-file set it saves the model there, and
 * uses it from the next start on. `vaelstm train -o MODEL VIDEO...` makes
 * better models of more video.
 *
 * Standard PROGRESS messages with code `learn` tell how far learning is. While
 * it goes on their structures have, besides the text, gchararray `stage`
 * (`collecting`, `waiting`, `vae`, `latents`, `lstm`, `calibrate`), #gint
 * `percent`, of collecting and then of training, and #gint `eta` (seconds, -1
 * when unknown). A file teaches as well: with
 * #GstVaeLstmDetect:mode `learn`, EOS waits for the training to end. Elements
 * that learn at the same time in one process train one after another. Pictures
 * to learn from take memory, 128 MiB at most for an element, until its training
 * or its waiting for that begins. When
 * learning fails, the element posts a warning, is `blind`, and video flows on.
 *
 * ## Meta
 *
 * Every buffer carries a #GstCustomMeta named `VaeLstmAnomalyMeta`, which
 * converters, scalers, encoders, parsers, decoders and RTP elements carry on,
 * and within one pipeline Matroska and fragmented MP4 too. compositor,
 * deinterlace, mpegtsmux and flvmux lose it; unfragmented mp4mux followed by
 * qtdemux mixes it up: put the element behind them, or use the
 * `vaelstm-anomaly` events. `gstvaelstmmeta.h` reads it into a C struct.
 *
 * * #gdouble `score`, `appearance`, `dynamics`: the score, and its part from
 *   what is seen and from how it moves on
 * * #gdouble `threshold`: score that starts an event
 * * #gboolean `anomalous`: an event is open
 * * #guint `event-id`: of the open event, from 1; 0 outside events
 * * gchararray `state`: as the #GstVaeLstmDetect:state property
 * * #guint64 `age`: nanoseconds of video since the frame the values come from;
 *   GST_CLOCK_TIME_NONE when none was analysed since the last reset
 *
 * With #GstVaeLstmDetect:attach-regions as well, frames of an event whose score
 * is not falling off carry a #GstVideoRegionOfInterestMeta of type `anomaly`
 * for each tile that drove the score, with a parameter structure `anomaly`
 * whose #gdouble `score` says by how many spreads the tile exceeds its normal
 * mean.
 *
 * Built with GStreamer 1.24 or later, such frames also carry a
 * #GstAnalyticsRelationMeta: a classification `anomaly` (1/2 at the threshold)
 * and an object detection `anomaly` for each region, related to it.
 *
 * Without #GstVaeLstmDetect:attach-meta the element is passthrough: buffers
 * carry none of these.
 *
 * ## Messages
 *
 * Element messages `vaelstmdetect` are posted when an event starts, once per
 * second of video while it lasts, and when it ends:
 *
 * * gchararray `event`: `start`, `update` or `end`; with `post-messages=all`
 *   also `frame`, once for every analysed frame
 * * #guint `event-id`: as in the meta; ids count on for the life of the model
 *   in the element
 * * #gdouble `score`, `peak-score`, `appearance`, `dynamics`, `threshold`:
 *   those of the frame, and the largest score of the event so far
 * * gchararray `region`: "x,y,w,h", shares of the picture in 0..1, of the tile
 *   that drove the score most
 * * #guint64 `timestamp`, `stream-time`, `running-time`: the frame's, in
 *   nanoseconds; for `end` those of the last frame that counted for the event
 * * #guint64 `duration`: of the event so far, in nanoseconds, so that
 *   `timestamp` - `duration` is where it began
 *
 * An open event also ends, with its message, at EOS, flushes, gaps,
 * discontinuities, new caps and when the element stops.
 *
 * Element messages `vaelstmdetect-state` are posted when the state changes,
 * with gchararray `state` and gchararray `reason`: `start`, `relearn`,
 * `collected`, `eos`, `learned`, `failed`, `warm`, `caps`, `discont`, `flush`,
 * `gap`, `segment`, `timestamps`, `reset` or `stop`.
 *
 * ## Events
 *
 * Where an event starts and ends, a serialized custom downstream event
 * `vaelstm-anomaly` with the fields of the message goes before the buffer.
 *
 * ## Threads
 *
 * Every analysed frame is scored in the stream's thread before it goes on; with
 * #GstVaeLstmDetect:drop-analysis a thread beside the stream scores the newest
 * frame whenever it is free, and the stream never waits. Frames then carry the
 * last score there is, with its `age`.
 *
 * Elements with the same model file share one copy of its weights. Each
 * analysis uses one thread: OpenBLAS, whose setting is the whole process's, is
 * set to one unless the application or the environment chose otherwise.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -m v4l2src ! vaelstmdetect ! autovideosink
 * ]| Learns a camera for a minute, trains for two, then watches it.
 * |[
 * gst-launch-1.0 filesrc location=normal.mp4 ! decodebin ! vaelstmdetect
 * mode=learn learn-duration=3600000000000 model-file=room.vaelstm ! fakesink
 * ]| Learns from a recording, all of it up to an hour.
 * |[
 * gst-launch-1.0 -m filesrc location=today.mp4 ! decodebin ! vaelstmdetect
 * model-file=room.vaelstm mode=detect ! fakesink
 * ]| Prints a message when something unusual happens in today.mp4.
 */

#include "gstvaelstmdetect.h"

#include <gst/video/video.h>
#include <math.h>

#include "detector.h"
#include "framesize.h"
#include "gemm.h"
#include "gstvaelstmanalytics.h"
#include "gstvaelstmevents.h"
#include "gstvaelstmexclude.h"
#include "gstvaelstmframe.h"
#include "gstvaelstmmeta-private.h"
#include "gstvaelstmmodelfile.h"
#include "gstvaelstmprogress.h"
#include "gstvaelstmregions.h"
#include "gstvaelstmsettings.h"
#include "gstvaelstmstats.h"
#include "gstvaelstmtimes.h"
#include "gstvaelstmworker.h"
#include "learner.h"

GST_DEBUG_CATEGORY_STATIC (vaelstmdetect_debug);
#define GST_CAT_DEFAULT vaelstmdetect_debug

enum { PROP_STATE = GST_VAE_LSTM_SETTINGS_LAST_ID + 1, PROP_SCORE, PROP_STATS };

/* Timestamps that fall back by less are jitter, by more a jump. */
#define MAX_JITTER GST_SECOND

/* Of training, fewer than this make a model that hardly knows its pictures. */
#define FEW_STEPS 30

/* Pictures whose shapes differ by more than this factor look distorted. */
#define MAX_DISTORTION 1.5

struct _GstVaeLstmDetect {
  GstBaseTransform parent;

  /* Under the object lock. */
  GstVaeLstmSettings settings;
  gboolean started; /* properties that act at the start are taken */
  GstVaeLstmState state;
  gdouble score;
  GstVaeLstmStats stats;
  GstVaeLstmProgress progress;

  gint reset_wanted;         /* atomic */
  gint relearn_wanted;       /* atomic */
  gint stopping;             /* atomic */
  GCancellable *interrupted; /* by a flush or the stop: wait for nothing */

  /* From start to stop, by the streaming thread. A learner or a detector;
   * neither when learning has failed. */
  VlLearner *learner;
  VlDetector *detector;
  GstVaeLstmWorker *worker; /* NULL: the streaming thread analyses */

  gboolean waits_at_eos;       /* for the training to end */
  GstVaeLstmTuning now;        /* tuning in use */
  GArray *exclude;             /* VlRect: rectangles in use; never NULL */
  GstVideoInfo info;           /* format UNKNOWN: no caps yet */
  GstClockTime next_timestamp; /* of a frame that does not tell */
  guint warned;                /* bit per Cause already warned about */

  /* With a worker. */
  guint8 *picture;         /* the newest, for when the worker is free */
  GstVaeLstmTimes sampled; /* its times */
  gboolean waiting;        /* there is one */
  gboolean stale;          /* what the worker has is of no interest */

  /* The same, forgotten by forget(). */
  GstVaeLstmEvents events;
  GstClockTime analysed; /* detector's time of the last analysed frame; NONE:
                            none */
  guint64 last_time;     /* detector's time of the last frame */
};

/* What is warned about once between start and stop; the first ones are those of
 * GstVaeLstmFrameStatus. */
typedef enum {
  CAUSE_SHAPE = GST_VAE_LSTM_FRAME_SHORT + 1,
  CAUSE_EARLY_EOS,
  CAUSE_OVERDUE
} Cause;

/* Sizes up to what can be scaled. */
#define VIDEO_CAPS                                                             \
  "video/x-raw, format = " GST_VIDEO_FORMATS_ALL                               \
  ", width = [1, 32767], height = [1, 32767]"                                  \
  ", framerate = " GST_VIDEO_FPS_RANGE

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (VIDEO_CAPS));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (VIDEO_CAPS));

G_DEFINE_TYPE (GstVaeLstmDetect, gst_vae_lstm_detect, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (
    vaelstmdetect, "vaelstmdetect", GST_RANK_NONE, GST_TYPE_VAE_LSTM_DETECT)

/* -------------------------------------------------------------- reporting */

static void
set_state (GstVaeLstmDetect *self, GstVaeLstmState state, const gchar *reason)
{
  GstStructure *structure;
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->state != state;
  self->state = state;
  GST_OBJECT_UNLOCK (self);

  if (!changed)
    return;

  GST_INFO_OBJECT (self, "%s (%s)", gst_vae_lstm_state_nick (state), reason);
  g_object_notify (G_OBJECT (self), "state");
  structure = gst_structure_new ("vaelstmdetect-state", "state", G_TYPE_STRING,
      gst_vae_lstm_state_nick (state), "reason", G_TYPE_STRING, reason, NULL);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

/* Whether to warn, which is done once for each cause. */
static gboolean
take_warning (GstVaeLstmDetect *self, guint cause)
{
  gboolean first = !(self->warned & (1u << cause));

  self->warned |= 1u << cause;
  return first;
}

/* ---------------------------------------------------------- interruptions */

/* Whether the detector is the worker's, or its last result is to be taken. */
static gboolean
is_busy (GstVaeLstmDetect *self)
{
  return self->worker && !gst_vae_lstm_worker_is_idle (self->worker);
}

/* Ends an open event where there is no next frame to end it. */
static void
close_event (GstVaeLstmDetect *self)
{
  VlResult closed;

  if (!is_busy (self))
    vl_detector_close (self->detector, &closed);
  gst_vae_lstm_events_close (&self->events, GST_ELEMENT (self),
      GST_BASE_TRANSFORM_SRC_PAD (self), self->now.post_messages);
}

static void
note_skipped (GstVaeLstmDetect *self)
{
  GST_OBJECT_LOCK (self);
  self->stats.skipped++;
  GST_OBJECT_UNLOCK (self);
}

/* A picture that nobody will analyse. */
static void
drop_waiting (GstVaeLstmDetect *self)
{
  if (self->waiting)
    note_skipped (self);
  self->waiting = FALSE;
}

/* What comes next does not follow from what came before. */
static void
forget (GstVaeLstmDetect *self)
{
  if (self->learner)
    vl_learner_interrupt (self->learner);
  if (self->detector) {
    close_event (self);
    drop_waiting (self);
    if (is_busy (self))
      self->stale = TRUE;
    else
      vl_detector_reset (self->detector);
  }
  self->events = (GstVaeLstmEvents){0};
  self->analysed = GST_CLOCK_TIME_NONE;
  self->last_time = 0;
}

static void
interrupt (GstVaeLstmDetect *self, const gchar *reason)
{
  forget (self);
  if (self->detector)
    set_state (self, GST_VAE_LSTM_STATE_WARMING_UP, reason);
}

/* ------------------------------------------------------------------ tuning */

/* Lets every property act on the detector. */
static void
tune_detector (GstVaeLstmDetect *self)
{
  vl_detector_set (self->detector, &self->now.detector);
  vl_detector_set_exclude (
      self->detector, (const VlRect *)self->exclude->data, self->exclude->len);
}

/* Starts the schedule afresh, so it is for a new detector or a new rate. */
static void
set_rate (GstVaeLstmDetect *self)
{
  if (self->detector)
    vl_detector_set_rate (self->detector, self->now.rate_n, self->now.rate_d);
  else if (self->learner)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("A new analysis-rate acts once the model is learned; learning goes on "
         "at the rate it began with."),
        (NULL));
}

static gboolean
parse_exclude (GstVaeLstmDetect *self, const gchar *text, GError **error)
{
  GArray *rects = gst_vae_lstm_exclude_parse (text, error);

  if (!rects)
    return FALSE;
  g_clear_pointer (&self->exclude, g_array_unref);
  self->exclude = rects;
  return TRUE;
}

/* Lets properties set since the last frame act, as soon as the detector is
 * free. FALSE with error set when `exclude` cannot: the rectangles in use stay,
 * and the other properties act. */
static gboolean
take_over_tuning (GstVaeLstmDetect *self, GError **error)
{
  const GstVaeLstmTuning before = self->now;
  g_autofree gchar *exclude = NULL;
  gboolean changed, ok;

  GST_OBJECT_LOCK (self);
  changed = self->settings.tuning_changed && !is_busy (self);
  if (changed) {
    self->settings.tuning_changed = FALSE;
    self->now = self->settings.tuning;
    exclude = g_strdup (self->settings.exclude);
  }
  GST_OBJECT_UNLOCK (self);

  if (!changed)
    return TRUE;

  ok = parse_exclude (self, exclude, error);
  if (self->detector)
    tune_detector (self);
  if (self->now.rate_n != before.rate_n || self->now.rate_d != before.rate_d)
    set_rate (self);
  return ok;
}

/* --------------------------------------------------------------- detecting */

/* A model that knows wide pictures sees tall ones squeezed. */
static void
check_shape (GstVaeLstmDetect *self)
{
  const VlInput *input = vl_detector_input (self->detector);
  guint width, height;
  double ratio;

  vl_square_frame_size (&self->info, &width, &height);
  ratio = (double)width / height * input->height / input->width;
  if ((ratio > MAX_DISTORTION || ratio < 1 / MAX_DISTORTION) &&
      take_warning (self, CAUSE_SHAPE))
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
        ("The model was made for pictures of another shape (%ux%u) than this "
         "video's (%ux%u): it sees them distorted.",
            input->width, input->height, width, height),
        ("A model learned from this camera does better."));
}

/* Frames from now on are those of self->info, where it is known. */
static gboolean
set_format (GstVaeLstmDetect *self, GError **error)
{
  if (GST_VIDEO_INFO_FORMAT (&self->info) == GST_VIDEO_FORMAT_UNKNOWN)
    return TRUE;
  if (self->learner)
    return vl_learner_set_format (self->learner, &self->info, error);
  if (!self->detector)
    return TRUE;

  if (self->worker)
    gst_vae_lstm_worker_wait (self->worker);
  check_shape (self);
  return vl_detector_set_format (self->detector, &self->info, error);
}

static void
release (GstVaeLstmDetect *self)
{
  g_clear_pointer (&self->learner, vl_learner_free);
  g_clear_pointer (&self->worker, gst_vae_lstm_worker_free);
  g_clear_pointer (&self->detector, vl_detector_free);
  g_clear_pointer (&self->picture, g_free);
  self->waiting = FALSE;
  self->stale = FALSE;
}

/* A detector on the model, with every property acting. */
static gboolean
begin_detecting (GstVaeLstmDetect *self, VlModel *model, GError **error)
{
  static const VlDetectorSettings defaults = VL_DETECTOR_DEFAULTS;
  gboolean drop_analysis;

  GST_OBJECT_LOCK (self);
  drop_analysis = self->settings.drop_analysis;
  GST_OBJECT_UNLOCK (self);

  GST_INFO_OBJECT (self, "detecting with model %s",
      model->checksum ? model->checksum : "not saved");
  self->detector = vl_detector_new (model, &defaults);
  if (drop_analysis) {
    self->worker = gst_vae_lstm_worker_new (self->detector);
    self->picture = g_malloc (vl_detector_picture_size (self->detector));
  }
  tune_detector (self);
  set_rate (self);
  return set_format (self, error);
}

/* ---------------------------------------------------------------- learning */

static gint
whole_seconds (double seconds)
{
  return (gint)MIN (ceil (seconds), G_MAXINT);
}

/* Called in the training's thread, which may outlive the element. */
static void
report_training (
    gboolean waiting, const VlProgress *progress, gpointer user_data)
{
  g_autoptr (GstVaeLstmDetect) self = g_weak_ref_get (user_data);
  double whole;

  if (!self)
    return;
  if (waiting) {
    gst_vae_lstm_progress_report (
        &self->progress, GST_ELEMENT (self), "waiting", 0, -1);
    return;
  }
  whole = progress->elapsed + progress->eta;
  gst_vae_lstm_progress_report (&self->progress, GST_ELEMENT (self),
      vl_stage_name (progress->stage),
      whole > 0 ? (gint)(100 * progress->elapsed / whole) : 0,
      whole_seconds (progress->eta));
}

static void
free_weak_ref (gpointer ref)
{
  g_weak_ref_clear (ref);
  g_free (ref);
}

static void
report_collecting (GstVaeLstmDetect *self)
{
  g_autoptr (GError) error = NULL;

  gst_vae_lstm_progress_report (&self->progress, GST_ELEMENT (self),
      "collecting", (gint)(100 * vl_learner_collected (self->learner)),
      whole_seconds (vl_learner_left (self->learner) / (double)GST_SECOND));

  if (vl_learner_is_overdue (self->learner, &error) &&
      take_warning (self, CAUSE_OVERDUE))
    GST_ELEMENT_WARNING (self, STREAM, FAILED,
        ("Learning takes longer than learn-duration: %s.", error->message),
        ("Gaps and discontinuities in the stream end a clip."));
}

static void
begin_learning (GstVaeLstmDetect *self, const gchar *reason)
{
  g_autofree gchar *model_file = NULL;
  VlLearnerOptions options;

  GST_OBJECT_LOCK (self);
  if (self->settings.model_file && *self->settings.model_file)
    model_file = g_strdup (self->settings.model_file);
  options = (VlLearnerOptions){
      .duration = self->settings.learn_duration,
      .budget = self->settings.training_budget,
      .rate_n = self->settings.tuning.rate_n,
      .rate_d = self->settings.tuning.rate_d,
      .path = model_file,
  };
  GST_OBJECT_UNLOCK (self);

  self->learner = vl_learner_new (&options);
  set_state (self, GST_VAE_LSTM_STATE_LEARNING, reason);
}

static void
begin_training (GstVaeLstmDetect *self, const gchar *reason)
{
  GWeakRef *ref = g_new (GWeakRef, 1);

  set_state (self, GST_VAE_LSTM_STATE_TRAINING, reason);
  g_weak_ref_init (ref, self);
  vl_learner_train (self->learner, report_training, ref, free_weak_ref);
}

static void
fail_learning (GstVaeLstmDetect *self, const GError *error)
{
  release (self);
  gst_vae_lstm_progress_end (&self->progress, GST_ELEMENT (self),
      GST_PROGRESS_TYPE_ERROR, error->message);
  set_state (self, GST_VAE_LSTM_STATE_BLIND, "failed");
  GST_ELEMENT_WARNING (self, LIBRARY, FAILED,
      ("Learning failed: %s. Video goes on without being analysed.",
          error->message),
      ("The relearn signal starts over."));
}

/* Says what was learned. */
static void
complete_learning (
    GstVaeLstmDetect *self, guint steps, const GError *save_error)
{
  g_autofree gchar *text =
      g_strdup_printf ("Learned what is normal, in %u steps", steps);

  GST_INFO_OBJECT (self, "%s", text);
  if (save_error)
    GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
        ("The learned model is in use, but could not be saved: %s",
            save_error->message),
        (NULL));
  if (steps < FEW_STEPS)
    GST_ELEMENT_WARNING (self, RESOURCE, BUSY,
        ("training-budget allowed for %u training steps only: what was learned "
         "is rough. Give it more time, or the computer less else to do.",
            steps),
        (NULL));
  gst_vae_lstm_progress_end (
      &self->progress, GST_ELEMENT (self), GST_PROGRESS_TYPE_COMPLETE, text);
  set_state (self, GST_VAE_LSTM_STATE_WARMING_UP, "learned");
}

/* The training has ended: its model takes over. */
static void
end_learning (GstVaeLstmDetect *self)
{
  g_autoptr (GError) save_error = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VlModel) model =
      vl_learner_take (self->learner, &save_error, &error);
  guint steps = vl_learner_vae_steps (self->learner);

  g_clear_pointer (&self->learner, vl_learner_free);
  if (!model || !begin_detecting (self, model, &error)) {
    fail_learning (self, error);
    return;
  }
  complete_learning (self, steps, save_error);
}

/* Begins to learn anew, as soon as the worker has not to be waited for. */
static void
relearn (GstVaeLstmDetect *self)
{
  g_autoptr (GError) error = NULL;

  if (is_busy (self))
    return;

  g_atomic_int_set (&self->relearn_wanted, FALSE);
  forget (self);
  release (self);
  gst_vae_lstm_progress_end (&self->progress, GST_ELEMENT (self),
      GST_PROGRESS_TYPE_CANCELED, "Learning starts over");
  begin_learning (self, "relearn");
  if (!set_format (self, &error))
    fail_learning (self, error);
}

/* No more frames will come to learn from. */
static void
learn_until_eos (GstVaeLstmDetect *self)
{
  if (!self->waits_at_eos) {
    if (take_warning (self, CAUSE_EARLY_EOS))
      GST_ELEMENT_WARNING (self, STREAM, FAILED,
          ("The stream ended before it was learned, and nothing was detected. "
           "With mode=learn, its end waits for the training."),
          (NULL));
    return;
  }
  if (self->state == GST_VAE_LSTM_STATE_LEARNING)
    begin_training (self, "eos");
  if (vl_learner_wait (self->learner, self->interrupted))
    end_learning (self);
}

/* ---------------------------------------------------------- start and stop */

static void
use_one_blas_thread (void)
{
  static gsize done = 0;

  if (g_once_init_enter (&done)) {
    vl_gemm_use_one_thread ();
    g_once_init_leave (&done, 1);
  }
}

/* Afresh. FALSE with an error posted when a property makes no sense. */
static gboolean
begin_stream (GstVaeLstmDetect *self)
{
  g_autoptr (GError) error = NULL;

  GST_OBJECT_LOCK (self);
  memset (&self->stats, 0, sizeof self->stats);
  self->score = 0;
  self->settings.tuning_changed = TRUE;
  GST_OBJECT_UNLOCK (self);

  g_atomic_int_set (&self->reset_wanted, FALSE);
  g_atomic_int_set (&self->relearn_wanted, FALSE);
  g_atomic_int_set (&self->stopping, FALSE);
  g_cancellable_reset (self->interrupted);
  gst_video_info_init (&self->info);
  self->next_timestamp = 0;
  self->warned = 0;
  forget (self);

  if (take_over_tuning (self, &error))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
  return FALSE;
}

/* From a model file to a detector. */
static gboolean
begin_with_model (GstVaeLstmDetect *self, const gchar *model_file)
{
  g_autoptr (VlModel) model =
      gst_vae_lstm_model_file_load (GST_ELEMENT (self), model_file);
  g_autoptr (GError) error = NULL;

  if (!model)
    return FALSE;
  if (!begin_detecting (self, model, &error)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s", error->message), (NULL));
    return FALSE;
  }
  set_state (self, GST_VAE_LSTM_STATE_WARMING_UP, "start");
  return TRUE;
}

static gboolean
begin_without_model (GstVaeLstmDetect *self, const gchar *model_file)
{
  g_autoptr (GError) error = NULL;

  if (!gst_vae_lstm_model_file_check_place (GST_ELEMENT (self), model_file))
    return FALSE;
  if (!vl_frame_store_check (&error)) {
    GST_ELEMENT_ERROR (
        self, RESOURCE, OPEN_READ_WRITE, ("%s", error->message), (NULL));
    return FALSE;
  }
  begin_learning (self, "start");
  return TRUE;
}

static void
set_started (GstVaeLstmDetect *self, gboolean started)
{
  GST_OBJECT_LOCK (self);
  self->started = started;
  GST_OBJECT_UNLOCK (self);
}

/* Detects with the model there is, else learns. */
static gboolean
begin (GstVaeLstmDetect *self, GstVaeLstmMode mode, const gchar *model_file)
{
  use_one_blas_thread ();
  self->waits_at_eos = mode == GST_VAE_LSTM_MODE_LEARN;
  if (!begin_stream (self))
    return FALSE;
  return gst_vae_lstm_model_file_is_to_be_learned (mode, model_file)
             ? begin_without_model (self, model_file)
             : begin_with_model (self, model_file);
}

static gboolean
gst_vae_lstm_detect_start (GstBaseTransform *trans)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (trans);
  g_autofree gchar *model_file = NULL;
  GstVaeLstmMode mode;

  GST_OBJECT_LOCK (self);
  self->started = TRUE;
  model_file = g_strdup (self->settings.model_file);
  mode = self->settings.mode;
  GST_OBJECT_UNLOCK (self);

  if (begin (self, mode, model_file))
    return TRUE;
  release (self);
  set_started (self, FALSE);
  return FALSE;
}

static gboolean
gst_vae_lstm_detect_stop (GstBaseTransform *trans)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (trans);

  forget (self);
  release (self);
  gst_vae_lstm_progress_end (&self->progress, GST_ELEMENT (self),
      GST_PROGRESS_TYPE_CANCELED, "Stopped before learning was done");
  set_state (self, GST_VAE_LSTM_STATE_WARMING_UP, "stop");
  set_started (self, FALSE);
  return TRUE;
}

/* What blocks the streaming thread must give way before it is joined. */
static GstStateChangeReturn
gst_vae_lstm_detect_change_state (
    GstElement *element, GstStateChange transition)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (element);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    g_atomic_int_set (&self->stopping, TRUE);
    g_cancellable_cancel (self->interrupted);
  }
  return GST_ELEMENT_CLASS (gst_vae_lstm_detect_parent_class)
      ->change_state (element, transition);
}

/* ---------------------------------------------------------- frame by frame */

/* Of frames with neither timestamp nor duration. With no frame rate either,
 * each counts for one analysed frame. */
static GstClockTime
nominal_duration (GstVaeLstmDetect *self)
{
  const GstVideoInfo *info = &self->info;

  if (GST_VIDEO_INFO_FPS_N (info) > 0)
    return gst_util_uint64_scale_int (
        GST_SECOND, GST_VIDEO_INFO_FPS_D (info), GST_VIDEO_INFO_FPS_N (info));
  if (self->detector)
    return (GstClockTime)(GST_SECOND /
                          vl_input_rate (vl_detector_input (self->detector)));
  return GST_SECOND / 10;
}

/* The detector's time never decreases. */
static void
keep_time_monotonic (GstVaeLstmDetect *self, GstVaeLstmTimes *times)
{
  if (self->last_time > times->time) {
    if (self->last_time - times->time > MAX_JITTER)
      interrupt (self, "timestamps");
    else
      times->time = self->last_time;
  }
  self->last_time = times->time;
}

static void
notice_interruptions (GstVaeLstmDetect *self, GstBuffer *buffer)
{
  if (g_atomic_int_compare_and_exchange (&self->reset_wanted, TRUE, FALSE))
    interrupt (self, "reset");
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT))
    interrupt (self, "discont");
  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP))
    interrupt (self, "gap");
}

/* Maps a frame that is due; says so where it cannot be. */
static gboolean
map_frame (GstVaeLstmDetect *self, GstVideoFrame *frame, GstBuffer *buffer)
{
  GstVaeLstmFrameStatus status =
      gst_vae_lstm_frame_map (frame, &self->info, buffer);

  if (status == GST_VAE_LSTM_FRAME_OK)
    return TRUE;

  note_skipped (self);
  if (take_warning (self, status))
    GST_ELEMENT_WARNING (self, STREAM, FORMAT,
        ("%s It goes on without being analysed.",
            gst_vae_lstm_frame_status_text (status)),
        ("The cause is reported once; the stats property counts such "
         "frames."));
  return FALSE;
}

/* Neutral data is not video. In passthrough buffers may come without caps.
 * To be known before asking whether the frame is due, which moves the schedule
 * on. */
static gboolean
can_be_analysed (GstVaeLstmDetect *self, GstBuffer *buffer)
{
  return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP) &&
         GST_VIDEO_INFO_FORMAT (&self->info) != GST_VIDEO_FORMAT_UNKNOWN;
}

static void
learn (GstVaeLstmDetect *self, GstBuffer *buffer, const GstVaeLstmTimes *times)
{
  GstVideoFrame frame;

  if (self->state == GST_VAE_LSTM_STATE_TRAINING) {
    if (vl_learner_is_done (self->learner))
      end_learning (self);
    return;
  }
  if (!can_be_analysed (self, buffer) ||
      !vl_learner_is_due (self->learner, times->time) ||
      !map_frame (self, &frame, buffer))
    return;

  vl_learner_add (self->learner, &frame, times->time);
  gst_video_frame_unmap (&frame);
  report_collecting (self);
  if (vl_learner_collected (self->learner) >= 1)
    begin_training (self, "collected");
}

/* What the last result, of the frame at these times, has come to. */
static void
take_result (
    GstVaeLstmDetect *self, const GstVaeLstmTimes *times, GstClockTime spent)
{
  const VlResult *last = &self->events.last;

  self->analysed = times->time;

  GST_OBJECT_LOCK (self);
  self->score = last->score;
  gst_vae_lstm_stats_add (
      &self->stats, spent / (double)GST_MSECOND, last->score);
  if (last->event == VL_EVENT_START)
    self->stats.events++;
  GST_OBJECT_UNLOCK (self);

  GST_LOG_OBJECT (self, "%" GST_TIME_FORMAT ": score %.2f",
      GST_TIME_ARGS (times->timestamp), last->score);
  if (last->state == VL_STATE_DETECTING)
    set_state (self, GST_VAE_LSTM_STATE_DETECTING, "warm");
  gst_vae_lstm_events_report (&self->events, GST_ELEMENT (self),
      GST_BASE_TRANSFORM_SRC_PAD (self), self->now.post_messages, times);
}

static void
analyse (
    GstVaeLstmDetect *self, GstBuffer *buffer, const GstVaeLstmTimes *times)
{
  GstClockTime begin;
  GstVideoFrame frame;

  if (!can_be_analysed (self, buffer) ||
      !vl_detector_is_due (self->detector, times->time) ||
      !map_frame (self, &frame, buffer))
    return;

  begin = gst_util_get_timestamp ();
  vl_detector_process (self->detector, &frame, times->time, &self->events.last);
  gst_video_frame_unmap (&frame);
  take_result (self, times, gst_util_get_timestamp () - begin);
}

/* What the worker has come to since the last frame. */
static void
take_analysis (GstVaeLstmDetect *self)
{
  const GstVaeLstmAnalysis *analysis = gst_vae_lstm_worker_take (self->worker);
  VlResult closed;

  if (!analysis)
    return;
  if (!self->stale) {
    self->events.last = analysis->result;
    take_result (self, &analysis->times, analysis->spent);
    return;
  }
  self->stale = FALSE;
  note_skipped (self);
  vl_detector_close (self->detector, &closed);
  vl_detector_reset (self->detector);
}

/* Keeps a picture of the frame, rather than the frame, which may be needed by
 * the camera. */
static void
keep_newest (
    GstVaeLstmDetect *self, GstBuffer *buffer, const GstVaeLstmTimes *times)
{
  GstVideoFrame frame;

  if (!can_be_analysed (self, buffer) ||
      !vl_detector_is_due (self->detector, times->time) ||
      !map_frame (self, &frame, buffer))
    return;

  drop_waiting (self);
  vl_detector_sample (self->detector, &frame, self->picture);
  gst_video_frame_unmap (&frame);
  self->sampled = *times;
  self->waiting = TRUE;
}

/* The worker gets the newest picture whenever it is free. */
static void
analyse_beside (
    GstVaeLstmDetect *self, GstBuffer *buffer, const GstVaeLstmTimes *times)
{
  keep_newest (self, buffer, times);
  if (!self->waiting || is_busy (self))
    return;

  gst_vae_lstm_worker_start (self->worker, self->picture, &self->sampled);
  self->waiting = FALSE;
}

static void
attach_meta (
    GstVaeLstmDetect *self, GstBuffer *buffer, const GstVaeLstmTimes *times)
{
  const VlResult *last = &self->events.last;
  GstVaeLstmAnomaly anomaly = {
      .score = last->score,
      .appearance = last->appearance,
      .dynamics = last->dynamics,
      .threshold = last->threshold,
      .anomalous = last->anomalous,
      .event_id = last->anomalous ? last->event_id : 0,
      .state = gst_vae_lstm_state_nick (self->state),
      .age = GST_CLOCK_TIME_IS_VALID (self->analysed)
                 ? times->time - self->analysed
                 : GST_CLOCK_TIME_NONE,
  };

  gst_buffer_set_vaelstm_anomaly (buffer, &anomaly);
}

static void
attach_regions (GstVaeLstmDetect *self, GstBuffer *buffer)
{
  const VlResult *last = &self->events.last;
  double release = last->threshold * self->now.detector.release_ratio;

  if (!last->anomalous || last->score < release)
    return;
  gst_vae_lstm_regions_attach (buffer, &self->info, last);
  gst_vae_lstm_analytics_attach (buffer, &self->info, last);
}

static void
attach (GstVaeLstmDetect *self, GstBuffer *buffer, const GstVaeLstmTimes *times)
{
  attach_meta (self, buffer, times);
  if (self->now.attach_regions)
    attach_regions (self, buffer);
}

/* What the frame is for: nothing, when learning has failed. */
static void
use_frame (
    GstVaeLstmDetect *self, GstBuffer *buffer, const GstVaeLstmTimes *times)
{
  if (self->learner)
    learn (self, buffer, times);
  else if (self->worker)
    analyse_beside (self, buffer, times);
  else if (self->detector)
    analyse (self, buffer, times);
}

static GstFlowReturn
gst_vae_lstm_detect_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (trans);
  g_autoptr (GError) error = NULL;
  GstVaeLstmTimes times;

  if (self->worker)
    take_analysis (self);
  if (!take_over_tuning (self, &error))
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("%s", error->message),
        ("The rectangles in use stay as they were."));
  if (g_atomic_int_get (&self->relearn_wanted))
    relearn (self);

  notice_interruptions (self, buffer);
  gst_vae_lstm_times_find (&times, &trans->segment, buffer,
      nominal_duration (self), &self->next_timestamp);
  keep_time_monotonic (self, &times);
  if (!g_atomic_int_get (&self->relearn_wanted))
    use_frame (self, buffer, &times);

  GST_OBJECT_LOCK (self);
  self->stats.frames++;
  GST_OBJECT_UNLOCK (self);

  /* Passthrough may have been in force when this buffer came. */
  if (self->now.attach_meta && gst_buffer_is_writable (buffer))
    attach (self, buffer, &times);
  return GST_FLOW_OK;
}

/* -------------------------------------------------------- caps and events */

static gboolean
gst_vae_lstm_detect_set_caps (
    GstBaseTransform *trans, GstCaps *incaps, GstCaps *outcaps)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (trans);
  g_autoptr (GError) error = NULL;

  interrupt (self, "caps");

  if (!gst_video_info_from_caps (&self->info, incaps)) {
    GST_ERROR_OBJECT (self, "not raw video: %" GST_PTR_FORMAT, incaps);
    return FALSE;
  }
  if (!set_format (self, &error)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s", error->message),
        ("%" GST_PTR_FORMAT, incaps));
    return FALSE;
  }
  return TRUE;
}

static void
end_stream (GstVaeLstmDetect *self)
{
  if (self->learner)
    learn_until_eos (self);
  if (self->worker) {
    gst_vae_lstm_worker_wait (self->worker);
    take_analysis (self);
    drop_waiting (self);
  }
  if (self->detector)
    close_event (self);
}

static gboolean
gst_vae_lstm_detect_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (trans);
  GstBaseTransformClass *parent =
      GST_BASE_TRANSFORM_CLASS (gst_vae_lstm_detect_parent_class);
  gboolean ret;

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_EOS:
    end_stream (self);
    break;
  case GST_EVENT_FLUSH_START:
    g_cancellable_cancel (self->interrupted);
    break;
  case GST_EVENT_GAP:
    interrupt (self, "gap");
    break;
  case GST_EVENT_SEGMENT:
    if (gst_vae_lstm_times_jump (&trans->segment, event, &self->next_timestamp))
      interrupt (self, "segment");
    break;
  case GST_EVENT_FLUSH_STOP:
    /* Until it has gone on, downstream takes no events. */
    ret = parent->sink_event (trans, event);
    g_cancellable_reset (self->interrupted);
    if (g_atomic_int_get (&self->stopping))
      g_cancellable_cancel (self->interrupted);
    interrupt (self, "flush");
    return ret;
  default:
    break;
  }
  return parent->sink_event (trans, event);
}

/* -------------------------------------------------------------- properties */

static void
gst_vae_lstm_detect_reset (GstVaeLstmDetect *self)
{
  g_atomic_int_set (&self->reset_wanted, TRUE);
}

static void
gst_vae_lstm_detect_relearn (GstVaeLstmDetect *self)
{
  gboolean started;

  GST_OBJECT_LOCK (self);
  started = self->started;
  GST_OBJECT_UNLOCK (self);

  if (started)
    g_atomic_int_set (&self->relearn_wanted, TRUE);
  else
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("relearn acts in PAUSED and PLAYING only; mode=learn learns from the "
         "start."),
        (NULL));
}

static void
update_passthrough (GstVaeLstmDetect *self)
{
  gboolean attaches;

  GST_OBJECT_LOCK (self);
  attaches = self->settings.tuning.attach_meta;
  GST_OBJECT_UNLOCK (self);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), !attaches);
}

static void
gst_vae_lstm_detect_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (object);
  gboolean in_time, known = TRUE;

  GST_OBJECT_LOCK (self);
  in_time = !self->started || (pspec->flags & GST_PARAM_MUTABLE_PLAYING);
  if (in_time)
    known = gst_vae_lstm_settings_set (&self->settings, prop_id, value);
  GST_OBJECT_UNLOCK (self);

  if (!in_time)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("%s can be set in NULL and READY only: it stays as it is.",
            pspec->name),
        (NULL));
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
  update_passthrough (self);
}

/* Sorting takes too long to hold the lock meanwhile. */
static GstStructure *
copy_stats (GstVaeLstmDetect *self)
{
  GstVaeLstmStats stats;

  GST_OBJECT_LOCK (self);
  stats = self->stats;
  GST_OBJECT_UNLOCK (self);
  return gst_vae_lstm_stats_to_structure (&stats);
}

static gboolean
get_locked_property (GstVaeLstmDetect *self, guint prop_id, GValue *value)
{
  switch (prop_id) {
  case PROP_STATE:
    g_value_set_enum (value, self->state);
    return TRUE;
  case PROP_SCORE:
    g_value_set_double (value, self->score);
    return TRUE;
  default:
    return gst_vae_lstm_settings_get (&self->settings, prop_id, value);
  }
}

static void
gst_vae_lstm_detect_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (object);
  gboolean known;

  if (prop_id == PROP_STATS) {
    g_value_take_boxed (value, copy_stats (self));
    return;
  }

  GST_OBJECT_LOCK (self);
  known = get_locked_property (self, prop_id, value);
  GST_OBJECT_UNLOCK (self);

  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
gst_vae_lstm_detect_finalize (GObject *object)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (object);

  gst_vae_lstm_settings_clear (&self->settings);
  g_array_unref (self->exclude);
  g_object_unref (self->interrupted);
  G_OBJECT_CLASS (gst_vae_lstm_detect_parent_class)->finalize (object);
}

/* ------------------------------------------------------------- class setup */

#define READABLE_FLAGS (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)

static void
install_readable_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_STATE,
      g_param_spec_enum ("state", "State", "What the element is doing",
          GST_TYPE_VAE_LSTM_STATE, GST_VAE_LSTM_STATE_WARMING_UP,
          READABLE_FLAGS));
  g_object_class_install_property (klass, PROP_SCORE,
      g_param_spec_double ("score", "Score", "Score of the last analysed frame",
          0, G_MAXDOUBLE, 0, READABLE_FLAGS));
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Since the start: uint64 frames, analysed, skipped (due but not "
          "analysed), events; double mean-ms, p99-ms (time per analysis), "
          "score-p50, score-p90, score-p99, score-max. Quantiles are of the "
          "last 1024 analysed frames",
          GST_TYPE_STRUCTURE, READABLE_FLAGS));
}

static void
install_signals (GstVaeLstmDetectClass *klass)
{
  /**
   * GstVaeLstmDetect::reset:
   *
   * Action signal. Forgets what was seen so far, with the next frame: an open
   * event ends, and the element warms up again.
   */
  g_signal_new_class_handler ("reset", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
      G_CALLBACK (gst_vae_lstm_detect_reset), NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * GstVaeLstmDetect::relearn:
   *
   * Action signal. Begins, with the next frame, to learn from the stream anew,
   * whatever the mode: the model in use is forgotten, and the new one replaces
   * #GstVaeLstmDetect:model-file once it is there. In NULL and READY it only
   * warns.
   */
  g_signal_new_class_handler ("relearn", G_TYPE_FROM_CLASS (klass),
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION,
      G_CALLBACK (gst_vae_lstm_detect_relearn), NULL, NULL, NULL, G_TYPE_NONE,
      0);
}

static void
gst_vae_lstm_detect_class_init (GstVaeLstmDetectClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      vaelstmdetect_debug, "vaelstmdetect", 0, "anomaly detection");

  object_class->set_property = gst_vae_lstm_detect_set_property;
  object_class->get_property = gst_vae_lstm_detect_get_property;
  object_class->finalize = gst_vae_lstm_detect_finalize;
  gst_vae_lstm_settings_install (object_class);
  install_readable_properties (object_class);
  install_signals (klass);

  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_detect_change_state);
  gst_element_class_set_static_metadata (element_class,
      "VAE-LSTM anomaly detector", "Filter/Analyzer/Video",
      "Says per frame how unusual what a fixed camera sees is, and when "
      "something unusual begins and ends",
      "The vaelstm authors");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->start = GST_DEBUG_FUNCPTR (gst_vae_lstm_detect_start);
  trans_class->stop = GST_DEBUG_FUNCPTR (gst_vae_lstm_detect_stop);
  trans_class->set_caps = GST_DEBUG_FUNCPTR (gst_vae_lstm_detect_set_caps);
  trans_class->sink_event = GST_DEBUG_FUNCPTR (gst_vae_lstm_detect_sink_event);
  trans_class->transform_ip =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_detect_transform_ip);

  gst_type_mark_as_plugin_api (GST_TYPE_VAE_LSTM_MODE, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_VAE_LSTM_POST, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_VAE_LSTM_STATE, 0);
}

static void
gst_vae_lstm_detect_init (GstVaeLstmDetect *self)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);

  gst_vae_lstm_settings_init (&self->settings);
  self->exclude = g_array_new (FALSE, FALSE, sizeof (VlRect));
  self->interrupted = g_cancellable_new ();
  self->state = GST_VAE_LSTM_STATE_WARMING_UP;

  gst_base_transform_set_in_place (trans, TRUE);
  gst_base_transform_set_gap_aware (trans, TRUE);
  gst_base_transform_set_qos_enabled (trans, FALSE);
}
