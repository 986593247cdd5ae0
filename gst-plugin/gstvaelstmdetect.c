/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-vaelstmdetect
 * @title: vaelstmdetect
 * @short_description: Says per frame how unusual what a fixed camera sees is
 *
 * Compares a fixed camera's video with what a model has learned to be normal
 * there. Video goes through untouched, scores travel with it. A score is
 * -log10 of the probability that a normal frame scores at least as much: 3
 * means one normal frame in a thousand.
 *
 * The model is made from normal video with `vaelstm train -o MODEL VIDEO...`.
 *
 * ## Meta
 *
 * Every buffer carries a #GstCustomMeta named `VaeLstmAnomalyMeta`, which
 * converters, scalers, encoders, parsers, muxers and RTP payloaders keep.
 * `gstvaelstmmeta.h` reads it into a C struct.
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
 * Without #GstVaeLstmDetect:attach-meta the element is passthrough: buffers
 * carry neither.
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
 * with gchararray `state` and gchararray `reason`: `warm`, `caps`,
 * `discont`, `flush`, `gap`, `segment`, `timestamps`, `reset` or `stop`.
 *
 * ## Events
 *
 * Where an event starts and ends, a serialized custom downstream event
 * `vaelstm-anomaly` with the fields of the message goes before the buffer.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 -m filesrc location=today.mp4 ! decodebin ! vaelstmdetect
 * model-file=room.vaelstm ! fakesink
 * ]| Prints a message when something unusual happens in today.mp4.
 * |[
 * gst-launch-1.0 -m v4l2src ! vaelstmdetect model-file=room.vaelstm !
 * autovideosink
 * ]| The same for a camera, with a picture.
 */

#include "gstvaelstmdetect.h"

#include <gst/video/video.h>
#include <math.h>

#include "detector.h"
#include "gemm.h"
#include "gstvaelstmexclude.h"
#include "gstvaelstmframe.h"
#include "gstvaelstmmeta-private.h"
#include "gstvaelstmreport.h"
#include "gstvaelstmsettings.h"
#include "gstvaelstmstats.h"

GST_DEBUG_CATEGORY_STATIC (vaelstmdetect_debug);
#define GST_CAT_DEFAULT vaelstmdetect_debug

enum { PROP_STATE = GST_VAE_LSTM_SETTINGS_LAST_ID + 1, PROP_SCORE, PROP_STATS };

/* Of an open event, in time of the video. */
#define UPDATE_INTERVAL GST_SECOND

/* Timestamps that fall back by less are jitter, by more a jump. */
#define MAX_JITTER GST_SECOND

#define NEEDS_MODEL                                                            \
  "This version of vaelstmdetect needs a model. Make one from normal video "   \
  "with \"vaelstm train -o MODEL VIDEO...\" and set model-file=MODEL."

struct _GstVaeLstmDetect {
  GstBaseTransform parent;

  /* Under the object lock. */
  GstVaeLstmSettings settings;
  GstVaeLstmState state;
  gdouble score;
  GstVaeLstmStats stats;

  gint reset_wanted;   /* atomic */
  gint relearn_warned; /* atomic; since the start */

  /* From start to stop, by the streaming thread. */
  VlModel *model;
  VlDetector *detector;
  GstVaeLstmTuning now;        /* tuning in use */
  GstVideoInfo info;           /* format UNKNOWN: no caps yet */
  GstClockTime frame_duration; /* of frames that do not tell */
  GstClockTime next_timestamp; /* of a frame that does not tell */
  guint warned; /* bit per GstVaeLstmFrameStatus already warned about */

  /* The same, forgotten by interrupt(). */
  VlResult last;           /* of the last analysed frame; zero: none */
  GstClockTime analysed;   /* its VlDetector time; NONE: none */
  GstVaeLstmTimes counted; /* last frame that counted for the open event */
  guint64 last_time;       /* VlDetector time of the last frame */
  guint64 last_message;    /* VlDetector time of the event's last message */
};

#define VIDEO_CAPS GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (VIDEO_CAPS));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (VIDEO_CAPS));

G_DEFINE_TYPE (GstVaeLstmDetect, gst_vae_lstm_detect, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (
    vaelstmdetect, "vaelstmdetect", GST_RANK_NONE, GST_TYPE_VAE_LSTM_DETECT)

/* -------------------------------------------------------------- reporting */

static void
post (GstVaeLstmDetect *self, GstStructure *structure)
{
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

static void
set_state (GstVaeLstmDetect *self, GstVaeLstmState state, const gchar *reason)
{
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->state != state;
  self->state = state;
  GST_OBJECT_UNLOCK (self);

  if (!changed)
    return;

  GST_DEBUG_OBJECT (self, "%s (%s)", gst_vae_lstm_state_nick (state), reason);
  g_object_notify (G_OBJECT (self), "state");
  post (self, gst_structure_new ("vaelstmdetect-state", "state", G_TYPE_STRING,
                  gst_vae_lstm_state_nick (state), "reason", G_TYPE_STRING,
                  reason, NULL));
}

/* Tells the application what happened in the open event. */
static void
post_event (GstVaeLstmDetect *self, const gchar *event,
    const GstVaeLstmTimes *times, GstClockTime duration)
{
  if (self->now.post_messages == GST_VAE_LSTM_POST_NONE)
    return;

  self->last_message = times->time;
  post (self, gst_vae_lstm_report_new (
                  "vaelstmdetect", event, &self->last, times, duration));
}

/* The same, and tells the elements downstream. */
static void
post_and_push_event (GstVaeLstmDetect *self, const gchar *event,
    const GstVaeLstmTimes *times, GstClockTime duration)
{
  GstStructure *structure = gst_vae_lstm_report_new (
      "vaelstm-anomaly", event, &self->last, times, duration);

  GST_INFO_OBJECT (self, "%" GST_PTR_FORMAT, structure);
  post_event (self, event, times, duration);
  gst_pad_push_event (GST_BASE_TRANSFORM_SRC_PAD (self),
      gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, structure));
}

static void
report_start (GstVaeLstmDetect *self, const GstVaeLstmTimes *times)
{
  GST_OBJECT_LOCK (self);
  self->stats.events++;
  GST_OBJECT_UNLOCK (self);

  post_and_push_event (
      self, "start", times, times->time - self->last.event_start);
}

static void
report_update (GstVaeLstmDetect *self, const GstVaeLstmTimes *times)
{
  if (times->time - self->last_message >= UPDATE_INTERVAL)
    post_event (self, "update", times, times->time - self->last.event_start);
}

static void
report_end (GstVaeLstmDetect *self)
{
  post_and_push_event (self, "end", &self->counted,
      self->last.event_end - self->last.event_start);
}

static void
report_frame (GstVaeLstmDetect *self, const GstVaeLstmTimes *times)
{
  GstClockTime duration =
      self->last.anomalous ? times->time - self->last.event_start : 0;
  VlResult frame = self->last;

  /* An event that has just ended is not this frame's. */
  if (!frame.anomalous) {
    frame.event_id = 0;
    frame.peak = 0;
  }
  post (self, gst_vae_lstm_report_new (
                  "vaelstmdetect", "frame", &frame, times, duration));
}

/* Says what self->last, of the frame at these times, means. */
static void
report (GstVaeLstmDetect *self, const GstVaeLstmTimes *times)
{
  const VlResult *last = &self->last;

  if (last->event == VL_EVENT_START ||
      (last->event == VL_EVENT_UPDATE && last->event_end == times->time))
    self->counted = *times;

  switch (last->event) {
  case VL_EVENT_START:
    report_start (self, times);
    break;
  case VL_EVENT_UPDATE:
    report_update (self, times);
    break;
  case VL_EVENT_END:
    report_end (self);
    break;
  case VL_EVENT_NONE:
    break;
  }
  if (self->now.post_messages == GST_VAE_LSTM_POST_ALL)
    report_frame (self, times);
}

/* ---------------------------------------------------------- interruptions */

/* Ends an open event where there is no next frame to end it. */
static void
close_event (GstVaeLstmDetect *self)
{
  VlResult closed;

  vl_detector_close (self->detector, &closed);
  if (closed.event != VL_EVENT_END)
    return;

  self->last.anomalous = FALSE;
  report_end (self);
}

/* What comes next does not follow from what came before. */
static void
interrupt (GstVaeLstmDetect *self, const gchar *reason)
{
  if (!self->detector)
    return;

  close_event (self);
  vl_detector_reset (self->detector);
  self->last = (VlResult){0};
  self->analysed = GST_CLOCK_TIME_NONE;
  self->last_time = 0;
  set_state (self, GST_VAE_LSTM_STATE_WARMING_UP, reason);
}

/* ------------------------------------------------------------------ tuning */

static gboolean
apply_exclude (GstVaeLstmDetect *self, const gchar *text, GError **error)
{
  g_autoptr (GArray) rects = gst_vae_lstm_exclude_parse (text, error);

  if (!rects)
    return FALSE;
  vl_detector_set_exclude (
      self->detector, (const VlRect *)rects->data, rects->len);
  return TRUE;
}

/* Lets properties set since the last frame act. FALSE with error set when
 * `exclude` cannot; the others do. */
static gboolean
take_over_tuning (GstVaeLstmDetect *self, GError **error)
{
  const GstVaeLstmTuning before = self->now;
  g_autofree gchar *exclude = NULL;
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = self->settings.tuning_changed;
  if (changed) {
    self->settings.tuning_changed = FALSE;
    self->now = self->settings.tuning;
    exclude = g_strdup (self->settings.exclude);
  }
  GST_OBJECT_UNLOCK (self);

  if (!changed)
    return TRUE;

  vl_detector_set (self->detector, &self->now.detector);
  /* Starts the schedule afresh, so not without need. */
  if (self->now.rate_n != before.rate_n || self->now.rate_d != before.rate_d)
    vl_detector_set_rate (self->detector, self->now.rate_n, self->now.rate_d);
  return apply_exclude (self, exclude, error);
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

/* Whether this version can do what mode and model-file ask for. */
static gboolean
check_mode (
    GstVaeLstmDetect *self, GstVaeLstmMode mode, const gchar *model_file)
{
  if (mode == GST_VAE_LSTM_MODE_LEARN) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Learning from the stream (mode=learn) is not "
         "available. " NEEDS_MODEL),
        (NULL));
    return FALSE;
  }
  if (!model_file || *model_file == '\0') {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("No model-file is set. " NEEDS_MODEL), (NULL));
    return FALSE;
  }
  if (!g_file_test (model_file, G_FILE_TEST_EXISTS)) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Model file \"%s\" does not exist. " NEEDS_MODEL, model_file), (NULL));
    return FALSE;
  }
  return TRUE;
}

static VlModel *
load_model (GstVaeLstmDetect *self, const gchar *model_file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VlModel) model = NULL;

  use_one_blas_thread ();
  model = vl_model_load (model_file, &error);
  if (!model) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s", error->message),
        ("model-file=\"%s\"", model_file));
    return NULL;
  }
  if (!model->calibration) {
    GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
        ("Model file \"%s\" has no calibration: its weights were imported, and "
         "what scores are normal was never measured.",
            model_file),
        (NULL));
    return NULL;
  }
  return g_steal_pointer (&model);
}

static void
release (GstVaeLstmDetect *self)
{
  g_clear_pointer (&self->detector, vl_detector_free);
  g_clear_pointer (&self->model, vl_model_unref);
}

/* A detector on self->model, with every property acting. */
static gboolean
make_detector (GstVaeLstmDetect *self)
{
  static const VlDetectorSettings defaults = VL_DETECTOR_DEFAULTS;
  g_autoptr (GError) error = NULL;

  self->detector = vl_detector_new (self->model, &defaults);
  self->now = (GstVaeLstmTuning){0};

  GST_OBJECT_LOCK (self);
  self->settings.tuning_changed = TRUE;
  GST_OBJECT_UNLOCK (self);

  if (take_over_tuning (self, &error))
    return TRUE;

  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS, ("%s", error->message), (NULL));
  return FALSE;
}

static void
begin_stream (GstVaeLstmDetect *self)
{
  GST_OBJECT_LOCK (self);
  memset (&self->stats, 0, sizeof self->stats);
  self->score = 0;
  GST_OBJECT_UNLOCK (self);

  g_atomic_int_set (&self->reset_wanted, FALSE);
  g_atomic_int_set (&self->relearn_warned, FALSE);
  gst_video_info_init (&self->info);
  self->frame_duration = 0;
  self->next_timestamp = 0;
  self->warned = 0;
  interrupt (self, "start");
}

static gboolean
gst_vae_lstm_detect_start (GstBaseTransform *trans)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (trans);
  g_autofree gchar *model_file = NULL;
  GstVaeLstmMode mode;
  gboolean drop_analysis;

  GST_OBJECT_LOCK (self);
  model_file = g_strdup (self->settings.model_file);
  mode = self->settings.mode;
  drop_analysis = self->settings.drop_analysis;
  GST_OBJECT_UNLOCK (self);

  if (!check_mode (self, mode, model_file))
    return FALSE;

  self->model = load_model (self, model_file);
  if (!self->model)
    return FALSE;
  if (!make_detector (self)) {
    release (self);
    return FALSE;
  }
  if (drop_analysis)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("drop-analysis is not available in this version: every analysed frame "
         "is scored before it goes on."),
        (NULL));

  begin_stream (self);
  return TRUE;
}

static gboolean
gst_vae_lstm_detect_stop (GstBaseTransform *trans)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (trans);

  interrupt (self, "stop");
  release (self);
  return TRUE;
}

/* -------------------------------------------------------- caps and events */

/* Of frames with neither timestamp nor duration. With no frame rate either,
 * each counts for one analysed frame. */
static GstClockTime
nominal_duration (const GstVideoInfo *info, const VlInput *input)
{
  if (GST_VIDEO_INFO_FPS_N (info) > 0)
    return gst_util_uint64_scale_int (
        GST_SECOND, GST_VIDEO_INFO_FPS_D (info), GST_VIDEO_INFO_FPS_N (info));
  return gst_util_uint64_scale_int (GST_SECOND, input->rate_d, input->rate_n);
}

static gboolean
gst_vae_lstm_detect_set_caps (
    GstBaseTransform *trans, GstCaps *incaps, GstCaps *outcaps)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (trans);
  g_autoptr (GError) error = NULL;
  GstVideoInfo info;

  interrupt (self, "caps");

  if (!gst_video_info_from_caps (&info, incaps)) {
    GST_ERROR_OBJECT (self, "not raw video: %" GST_PTR_FORMAT, incaps);
    return FALSE;
  }
  if (!vl_detector_set_format (self->detector, &info, &error)) {
    GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("%s", error->message),
        ("%" GST_PTR_FORMAT, incaps));
    return FALSE;
  }
  self->info = info;
  self->frame_duration = nominal_duration (&info, &self->model->input);
  return TRUE;
}

typedef gint (*SegmentToTime) (
    const GstSegment *segment, GstFormat format, guint64 position, guint64 *);

/* Whether both segments give `timestamp` a time, and the same. */
static gboolean
same_time (SegmentToTime to_time, const GstSegment *before,
    const GstSegment *after, GstClockTime timestamp)
{
  guint64 time[2] = {0};
  gint sign = to_time (before, GST_FORMAT_TIME, timestamp, &time[0]);

  return sign != 0 &&
         sign == to_time (after, GST_FORMAT_TIME, timestamp, &time[1]) &&
         time[0] == time[1];
}

/* Whether `timestamp` is at the same place and moment in both segments. */
static gboolean
segment_continues (
    const GstSegment *before, const GstSegment *after, GstClockTime timestamp)
{
  return before->format == GST_FORMAT_TIME &&
         after->format == GST_FORMAT_TIME && before->rate == after->rate &&
         same_time (
             gst_segment_to_running_time_full, before, after, timestamp) &&
         same_time (gst_segment_to_stream_time_full, before, after, timestamp);
}

static void
take_segment (GstVaeLstmDetect *self, GstEvent *event)
{
  const GstSegment *after;

  gst_event_parse_segment (event, &after);
  if (segment_continues (
          &GST_BASE_TRANSFORM (self)->segment, after, self->next_timestamp))
    return;

  interrupt (self, "segment");
  self->next_timestamp = after->rate > 0 ? after->start : after->stop;
  if (!GST_CLOCK_TIME_IS_VALID (self->next_timestamp))
    self->next_timestamp = 0;
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
    close_event (self);
    break;
  case GST_EVENT_GAP:
    interrupt (self, "gap");
    break;
  case GST_EVENT_SEGMENT:
    take_segment (self, event);
    break;
  case GST_EVENT_FLUSH_STOP:
    /* Until it has gone on, downstream takes no events. */
    ret = parent->sink_event (trans, event);
    interrupt (self, "flush");
    return ret;
  default:
    break;
  }
  return parent->sink_event (trans, event);
}

/* Buffers go on as they came, so downstream's wishes are ours. */
static gboolean
gst_vae_lstm_detect_propose_allocation (
    GstBaseTransform *trans, GstQuery *decide_query, GstQuery *query)
{
  return gst_pad_peer_query (GST_BASE_TRANSFORM_SRC_PAD (trans), query);
}

/* ---------------------------------------------------------- frame by frame */

static void
place_in_segment (
    GstVaeLstmTimes *times, const GstSegment *segment, GstClockTime timestamp)
{
  *times = (GstVaeLstmTimes){
      timestamp, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, timestamp};

  if (segment->format == GST_FORMAT_TIME) {
    times->stream_time =
        gst_segment_to_stream_time (segment, GST_FORMAT_TIME, timestamp);
    times->running_time =
        gst_segment_to_running_time (segment, GST_FORMAT_TIME, timestamp);
  }
  /* Played backwards, the detector's time still runs forwards. */
  if (segment->rate < 0)
    times->time = G_MAXINT64 - MIN (timestamp, G_MAXINT64);
}

/* When the frame is; counted on from the last frame when it does not tell. */
static void
find_times (GstVaeLstmDetect *self, GstBuffer *buffer, GstVaeLstmTimes *times)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  GstClockTime timestamp = GST_BUFFER_PTS (buffer);
  GstClockTime duration = GST_BUFFER_DURATION (buffer);

  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    timestamp = self->next_timestamp;
  if (!GST_CLOCK_TIME_IS_VALID (duration))
    duration = self->frame_duration;

  self->next_timestamp = segment->rate > 0
                             ? timestamp + duration
                             : timestamp - MIN (timestamp, duration);
  place_in_segment (times, segment, timestamp);
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

static void
note_skipped (GstVaeLstmDetect *self, GstVaeLstmFrameStatus status)
{
  GST_OBJECT_LOCK (self);
  self->stats.skipped++;
  GST_OBJECT_UNLOCK (self);

  if (self->warned & (1u << status))
    return;
  self->warned |= 1u << status;
  GST_ELEMENT_WARNING (self, STREAM, FORMAT,
      ("%s It goes on without being analysed.",
          gst_vae_lstm_frame_status_text (status)),
      ("The cause is reported once; the stats property counts such frames."));
}

static void
note_analysed (GstVaeLstmDetect *self, GstClockTime spent)
{
  GST_OBJECT_LOCK (self);
  self->score = self->last.score;
  gst_vae_lstm_stats_add (
      &self->stats, spent / (double)GST_MSECOND, self->last.score);
  GST_OBJECT_UNLOCK (self);
}

/* Neutral data is not video. In passthrough buffers may come without caps.
 * To be known before the detector is asked, which moves its schedule on. */
static gboolean
can_be_analysed (GstVaeLstmDetect *self, GstBuffer *buffer)
{
  return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_GAP) &&
         GST_VIDEO_INFO_FORMAT (&self->info) != GST_VIDEO_FORMAT_UNKNOWN;
}

static void
analyse (
    GstVaeLstmDetect *self, GstBuffer *buffer, const GstVaeLstmTimes *times)
{
  GstVaeLstmFrameStatus status;
  GstVideoFrame frame;
  GstClockTime begin;

  status = gst_vae_lstm_frame_map (&frame, &self->info, buffer);
  if (status != GST_VAE_LSTM_FRAME_OK) {
    note_skipped (self, status);
    return;
  }

  begin = gst_util_get_timestamp ();
  vl_detector_process (self->detector, &frame, times->time, &self->last);
  gst_video_frame_unmap (&frame);
  self->analysed = times->time;

  note_analysed (self, gst_util_get_timestamp () - begin);
  if (self->last.state == VL_STATE_DETECTING)
    set_state (self, GST_VAE_LSTM_STATE_DETECTING, "warm");
  report (self, times);
}

static void
attach_meta (
    GstVaeLstmDetect *self, GstBuffer *buffer, const GstVaeLstmTimes *times)
{
  const VlResult *last = &self->last;
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
attach_region (
    GstVaeLstmDetect *self, GstBuffer *buffer, const VlRegion *region)
{
  gint width = GST_VIDEO_INFO_WIDTH (&self->info);
  gint height = GST_VIDEO_INFO_HEIGHT (&self->info);
  guint left = CLAMP (floor (region->rect.x * width), 0, width - 1);
  guint top = CLAMP (floor (region->rect.y * height), 0, height - 1);
  double right = ceil ((region->rect.x + region->rect.w) * width);
  double bottom = ceil ((region->rect.y + region->rect.h) * height);
  GstVideoRegionOfInterestMeta *meta;

  meta = gst_buffer_add_video_region_of_interest_meta (buffer, "anomaly", left,
      top, CLAMP (right, left + 1, width) - left,
      CLAMP (bottom, top + 1, height) - top);
  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_new (
                "anomaly", "score", G_TYPE_DOUBLE, region->score, NULL));
}

static void
attach_regions (GstVaeLstmDetect *self, GstBuffer *buffer)
{
  const VlResult *last = &self->last;
  double release = last->threshold * self->now.detector.release_ratio;

  if (!last->anomalous || last->score < release)
    return;
  for (guint i = 0; i < last->n_regions; i++)
    attach_region (self, buffer, &last->regions[i]);
}

static GstFlowReturn
gst_vae_lstm_detect_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstVaeLstmDetect *self = GST_VAE_LSTM_DETECT (trans);
  g_autoptr (GError) error = NULL;
  GstVaeLstmTimes times;

  if (!take_over_tuning (self, &error))
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("%s", error->message),
        ("The rectangles in use stay as they were."));

  notice_interruptions (self, buffer);
  find_times (self, buffer, &times);
  keep_time_monotonic (self, &times);

  if (can_be_analysed (self, buffer) &&
      vl_detector_is_due (self->detector, times.time))
    analyse (self, buffer, &times);

  GST_OBJECT_LOCK (self);
  self->stats.frames++;
  GST_OBJECT_UNLOCK (self);

  /* Passthrough may have been in force when this buffer came. */
  if (!self->now.attach_meta || !gst_buffer_is_writable (buffer))
    return GST_FLOW_OK;
  attach_meta (self, buffer, &times);
  if (self->now.attach_regions)
    attach_regions (self, buffer);
  return GST_FLOW_OK;
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
  if (g_atomic_int_compare_and_exchange (&self->relearn_warned, FALSE, TRUE))
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
        ("relearn is not available in this version, which does not learn from "
         "the stream: the model stays as it is."),
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
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = gst_vae_lstm_settings_set (&self->settings, prop_id, value);
  GST_OBJECT_UNLOCK (self);

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
   * Action signal. Learns anew from the stream. Not available in this version,
   * which posts a warning, once between start and stop, and changes nothing.
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
  trans_class->propose_allocation =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_detect_propose_allocation);
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
  self->state = GST_VAE_LSTM_STATE_WARMING_UP;

  gst_base_transform_set_in_place (trans, TRUE);
  gst_base_transform_set_gap_aware (trans, TRUE);
  gst_base_transform_set_qos_enabled (trans, FALSE);
}
