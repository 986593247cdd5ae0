/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-vaelstmgate
 * @title: vaelstmgate
 * @short_description: Lets only anomalous segments through, to be recorded
 * @see_also: vaelstmdetect, splitmuxsink
 *
 * Lets through what is anomalous, with #GstVaeLstmGate:pre-roll before and
 * #GstVaeLstmGate:post-roll after it, and nothing else: a recorder that follows
 * records the events only. Raw and encoded video both can pass; behind the
 * encoder is the place that costs least memory, for the gate holds on to the
 * last seconds of what it gets.
 *
 * ## What opens it
 *
 * * The `VaeLstmAnomalyMeta` on the buffers, which encoders, parsers and
 *   converters keep: wherever vaelstmdetect is upstream, nothing else is
 *   needed.
 * * Where buffers carry no such meta, the event `vaelstm-anomaly` that
 *   vaelstmdetect sends downstream.
 * * With #GstVaeLstmGate:detector, the same of a vaelstmdetect in another
 *   branch of the same pipeline, as for a camera's own H.264 that is recorded
 *   as it is and decoded only to be analysed.
 * * The action signals #GstVaeLstmGate::open and #GstVaeLstmGate::close.
 *
 * Buffers are matched by running time. The detector tells of an anomaly when
 * it has lasted for min-duration; of that, a second is added to pre-roll.
 *
 * ## A detector in another branch
 *
 * It may be ahead or late, as one is that has to decode or takes its time: the
 * gate sees how far it has come, holds what it has not decided about yet, and
 * at EOS waits for it to come to that too. So each branch needs a `queue` of
 * its own, as after any tee. Until the detector has its first buffer everything
 * is held, as it is where it stands still or goes back; only
 * #GstVaeLstmGate:max-bytes bounds that. One that is stopped, or is no longer
 * the #GstVaeLstmGate:detector, is not waited for. gst-launch-1.0 cannot set
 * that property: it takes an application.
 *
 * ## Segments
 *
 * A segment has every frame from pre-roll before the first anomalous one to
 * post-roll after the last, each once, and starts with the newest key frame at
 * or before that, flagged DISCONT: with key frames 10 s apart, up to 10 s
 * earlier. The message says where it truly starts. Where nothing that old is
 * there (after the start, a flush or new caps, or because of
 * #GstVaeLstmGate:max-bytes) it starts with the oldest key frame there is.
 *
 * * A buffer is a frame: H.264 and H.265 need `alignment=au`, which their
 *   parsers make where the caps ask for it.
 * * Frames may come in another order than they are shown in. A segment ends
 *   with those that are needed to decode its last one. Buffers of such streams
 *   need a DTS, as muxers want it as well: `h264timestamper` makes one.
 * * Leading pictures of an open GOP (shown before the key frame they follow)
 *   are left out at the start of a segment, since they refer to frames that are
 *   not in it; except where a segment continues the one before, so that no
 *   frame is lost between the two.
 * * An anomaly during the post-roll makes the segment go on. So does one that
 *   comes later, but before a key frame that a segment of its own could start
 *   with; otherwise the frames before that key frame would be lost. The gate
 *   can therefore tell only later that a segment has ended: at once if a key
 *   frame follows (as in raw video), else when a key frame has passed and is
 *   more than pre-roll and a second old.
 * * After #GstVaeLstmGate:max-duration, a segment ends with the next key frame,
 *   and another starts with it. Encoders upstream are asked for a key frame at
 *   the right time.
 * * EOS, flushes, new caps and segments that do not continue the one before end
 *   a segment, and so do timestamps that go back by more than a second. While
 *   the anomaly lasts, another one starts with the next key frame.
 *
 * Before its first buffer, encoders downstream are asked for a key frame.
 *
 * ## Memory and threads
 *
 * Buffers are held by reference, but for those of a pool that has only so many,
 * which are copied, as those of hardware decoders: raw video should rather be
 * encoded before. Upstream gets no buffer pool through this element. More than
 * #GstVaeLstmGate:max-bytes are never held undecided: whole groups of pictures
 * are dropped, oldest first, with a warning the first time.
 *
 * What is held when the gate opens goes out in the thread of the buffers that
 * come in, over the next frames rather than at once: one for each that comes
 * in, as without the gate, and up to three more within half its duration. So a
 * backlog is worked off at four times its speed where downstream can take that,
 * and does not keep the source waiting where it cannot. Muxers and writers to
 * disk belong behind a `queue`, whose max-size-bytes and max-size-time hold a
 * second or more, as they did without the gate. The latency that is reported
 * stays the same: pre-roll comes late by design, so a sink that shows it live
 * needs sync=false, and its QoS goes no further than the gate: nothing is to be
 * dropped upstream for that.
 *
 * ## Nothing to see
 *
 * While closed, events go downstream and no buffers. A sink waits for its first
 * buffer before a pipeline with no live source starts to play; where some other
 * branch waits for that, set `async=false` on the sink, or
 * `async-handling=true` on a splitmuxsink. The latter wants that wherever no
 * source is live, gate or not: up to 1.22 at least, EOS that reaches it before
 * the pipeline plays is lost, and the pipeline never ends.
 *
 * ## splitmuxsink
 *
 * With #GstVaeLstmGate:split each splitmuxsink downstream gets its action
 * signal `split-at-running-time` when a segment starts, and so writes one file
 * per segment; set its max-size-time to 0. Its `format-location-full` is
 * answered for it when there was no segment at EOS, which would otherwise make
 * an empty file. It ends a file only when the next segment has had its second
 * key frame, or at EOS; an application that wants each file as soon as possible
 * has a muxer for each segment. Matroska files start at 0 with
 * `muxer="matroskamux offset-to-zero=true"`.
 *
 * ## Sound
 *
 * Request pads `sink_%u` and `src_%u` come in pairs, either of which can be
 * asked for, and let other streams follow the gate: a buffer that starts while
 * a segment is on goes through, whole; up to a second more where a segment is
 * cut. Ask for one of the pads and release that one: the other comes and goes
 * with it, and gst_element_get_static_pad() gets it.
 *
 * A buffer waits until it is clear whether the segment goes on, so these
 * streams are a frame or more behind, and at their EOS they wait for the first
 * one to catch up: as before a muxer, each stream needs a thread of its own (a
 * `queue`, before the gate, that holds what the source has between one stream's
 * buffers and the other's). Where more than 64 MiB wait, the oldest are
 * dropped, with a warning in the log.
 *
 * ## Messages
 *
 * Element messages `vaelstmgate` are posted before a segment's first buffer and
 * after its last:
 *
 * * gchararray `event`: `open` or `close`
 * * #guint `event-id`: the detector's number of the event, 0 where it had none
 * * #guint64 `timestamp`, `stream-time`, `running-time`: for `open` of the
 *   anomaly, or of the segment's start where that is later; for `close` the end
 *   of the last buffer, in nanoseconds
 * * #guint64 `duration`: of the segment up to there, so that `running-time` -
 *   `duration` is where it truly starts
 * * #guint64 `start`: that, as running time
 * * gchararray `reason`, for `close`: `quiet`, `max-duration`, `eos` (of a
 *   segment seek, too), `flush` (or downstream was linked anew), `caps`,
 *   `segment` (one that does not continue the one before) or `stop`
 *
 * Running times are those of the buffers that come in, also with
 * #GstVaeLstmGate:retimestamp. Times before 0 are told as 0. Played backwards,
 * they are of the moment at which a buffer is no longer shown.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -e -m v4l2src ! videoconvert \
 *   ! vaelstmdetect model-file=room.vaelstm \
 *   ! x264enc tune=zerolatency key-int-max=30 ! h264parse ! vaelstmgate \
 *   ! queue ! splitmuxsink muxer=matroskamux max-size-time=0 \
 *   location=event%05d.mkv
 * ]| Records a camera's anomalies, each into its own file.
 */

#include "gstvaelstmgate.h"

#include <gst/video/video.h>

#include "gstvaelstmgateclock.h"
#include "gstvaelstmgatefollowers.h"
#include "gstvaelstmgateoutput.h"
#include "gstvaelstmgateplan.h"
#include "gstvaelstmgatesettings.h"
#include "gstvaelstmgatesplit.h"
#include "gstvaelstmgatewatch.h"
#include "gstvaelstmgatewitness.h"

GST_DEBUG_CATEGORY_STATIC (vaelstmgate_debug);
#define GST_CAT_DEFAULT vaelstmgate_debug

enum { PROP_DETECTOR = GST_VAE_LSTM_GATE_SETTINGS_LAST_ID + 1 };

enum { SIGNAL_OPEN, SIGNAL_CLOSE, SIGNAL_OPENED, SIGNAL_CLOSED, N_SIGNALS };
static guint signals[N_SIGNALS];

/* For each buffer that comes in, one goes out at least, as with no gate; of a
 * backlog as many more as do not take longer than this share of its duration,
 * up to so many: what follows should still have room when a disk stalls. */
#define BURST_SHARE 2
#define MAX_BURST 4

/* How far other streams may be ahead of an open segment: as much as a muxer
 * may want of them before it takes the next frame. */
#define MAX_LEAD GST_SECOND

/* What may be sent now. */
typedef struct {
  guint n_buffers;
  gint64 deadline; /* of all but the first; g_get_monotonic_time() */
} Budget;

/* The open segment, or the last one. Running times. */
typedef struct {
  guint event_id;
  GstClockTimeDiff start;
  GstClockTimeDiff end;       /* of its last buffer */
  GstClockTimeDiff decodable; /* when a buffer after it can be decoded */
  gboolean continues;         /* the one before */
} Recording;

struct _GstVaeLstmGate {
  GstElement parent;

  GstPad *sinkpad, *srcpad;

  /* Under the object lock. */
  GstVaeLstmGateSettings settings;
  GstVaeLstmGatePlan plan;   /* changed by the streaming thread; others add
                                anomalies */
  GstVaeLstmGateWatch watch; /* of the property `detector` */
  GObject *discard;          /* keeps empty files from being written; or NULL */
  GstVaeLstmGateFollowers followers;

  /* By the streaming thread. */
  GstVaeLstmGateClock clock;
  GstVaeLstmGateOutput output;
  GstCaps *caps; /* of the buffers that come */
  GstVaeLstmGateWitness witness;
  Recording recording;
  gboolean follows; /* nothing was skipped since the last segment */
  guint n_recordings;
  gboolean warned; /* about max-bytes */
  GstFlowReturn flow;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

#define gst_vae_lstm_gate_parent_class parent_class
G_DEFINE_TYPE (GstVaeLstmGate, gst_vae_lstm_gate, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (
    vaelstmgate, "vaelstmgate", GST_RANK_NONE, GST_TYPE_VAE_LSTM_GATE)

/* --------------------------------------------------------------- anomalies */

static void
gst_vae_lstm_gate_open (GstVaeLstmGate *self, GstClockTime running_time)
{
  GST_OBJECT_LOCK (self);
  gst_vae_lstm_gate_plan_summon (&self->plan,
      running_time <= G_MAXINT64 ? (gint64)running_time : self->plan.newest);
  GST_OBJECT_UNLOCK (self);
}

static void
gst_vae_lstm_gate_close (GstVaeLstmGate *self)
{
  GST_OBJECT_LOCK (self);
  gst_vae_lstm_gate_plan_dismiss (&self->plan);
  GST_OBJECT_UNLOCK (self);
}

/* --------------------------------------------------------------- reporting */

/* Messages count from the start of the stream. */
static GstClockTime
to_clock_time (GstClockTimeDiff time)
{
  return MAX (0, time);
}

/* Of a running time; NONE where the segment cannot tell. */
static GstClockTime
find_timestamp (const GstSegment *segment, GstClockTimeDiff time)
{
  GstSegment later = *segment;
  guint64 position;
  gint sign;

  if (segment->format != GST_FORMAT_TIME)
    return GST_CLOCK_TIME_NONE;
  if (time < 0)
    gst_segment_offset_running_time (&later, GST_FORMAT_TIME, -time);
  sign = gst_segment_position_from_running_time_full (
      &later, GST_FORMAT_TIME, MAX (0, time), &position);
  return sign == 0 ? GST_CLOCK_TIME_NONE : (sign > 0 ? position : 0);
}

static GstClockTime
find_stream_time (const GstSegment *segment, GstClockTime timestamp)
{
  guint64 time;
  gint sign;

  if (!GST_CLOCK_TIME_IS_VALID (timestamp))
    return GST_CLOCK_TIME_NONE;
  sign = gst_segment_to_stream_time_full (
      segment, GST_FORMAT_TIME, timestamp, &time);
  return sign == 0 ? GST_CLOCK_TIME_NONE : (sign > 0 ? time : 0);
}

static void
post (GstVaeLstmGate *self, const gchar *event, GstClockTimeDiff time,
    const gchar *reason)
{
  const Recording *recording = &self->recording;
  const GstSegment *segment = &self->output.segment;
  GstClockTime timestamp = find_timestamp (segment, time);
  GstClockTime stream_time = find_stream_time (segment, timestamp);
  GstStructure *structure;

  structure = gst_structure_new ("vaelstmgate", "event", G_TYPE_STRING, event,
      "event-id", G_TYPE_UINT, recording->event_id, "timestamp", G_TYPE_UINT64,
      timestamp, "stream-time", G_TYPE_UINT64, stream_time, "running-time",
      G_TYPE_UINT64, to_clock_time (time), "duration", G_TYPE_UINT64,
      (guint64)(time - recording->start), "start", G_TYPE_UINT64,
      to_clock_time (recording->start), NULL);
  if (reason)
    gst_structure_set (structure, "reason", G_TYPE_STRING, reason, NULL);
  GST_DEBUG_OBJECT (self, "%" GST_PTR_FORMAT, structure);
  gst_element_post_message (GST_ELEMENT (self),
      gst_message_new_element (GST_OBJECT (self), structure));
}

static void
report_open (GstVaeLstmGate *self, GstClockTimeDiff anomaly)
{
  post (self, "open", MAX (anomaly, self->recording.start), NULL);
  g_signal_emit (self, signals[SIGNAL_OPENED], 0, self->recording.event_id,
      to_clock_time (self->recording.start));
}

static void
report_close (GstVaeLstmGate *self, const gchar *reason)
{
  post (self, "close", self->recording.end, reason);
  g_signal_emit (self, signals[SIGNAL_CLOSED], 0, self->recording.event_id,
      to_clock_time (self->recording.start),
      to_clock_time (self->recording.end));
}

static void
warn_of_space (GstVaeLstmGate *self)
{
  GstClockTime pre_roll;

  if (self->warned)
    return;
  self->warned = TRUE;
  GST_OBJECT_LOCK (self);
  pre_roll = self->settings.limits.pre_roll;
  GST_OBJECT_UNLOCK (self);
  GST_ELEMENT_WARNING (self, RESOURCE, NO_SPACE_LEFT,
      ("The last %.1f s of this stream, and what a detector elsewhere is late, "
       "need more than max-bytes: segments may start later than pre-roll asks "
       "for.",
          pre_roll / (double)GST_SECOND),
      (NULL));
}

/* ----------------------------------------------------------------- segments */

/* By how much running times are to be brought forward, so that what is shown
 * and what is decoded follow on from the last segment; less than before where
 * they went back. */
static GstClockTime
find_shift (GstVaeLstmGate *self, const Recording *last,
    const GstVaeLstmGateItem *first)
{
  GstClockTimeDiff gap =
      MIN (first->time - last->end, first->order - last->decodable);

  return MAX (0, (GstClockTimeDiff)self->output.shift + gap);
}

static void
set_discard (GstVaeLstmGate *self, GObject *discard)
{
  GObject *old;

  GST_OBJECT_LOCK (self);
  old = self->discard;
  self->discard = discard;
  GST_OBJECT_UNLOCK (self);
  g_clear_object (&old);
}

static void
discard_file (GstVaeLstmGate *self)
{
  set_discard (self, gst_vae_lstm_gate_split_discard (self->srcpad));
}

static void
keep_files (GstVaeLstmGate *self)
{
  set_discard (self, NULL);
}

/* Every frame of the last segment comes before this, none of the next. */
static void
split_files (GstVaeLstmGate *self, gboolean split, const Recording *last,
    const GstVaeLstmGateItem *first)
{
  GstClockTimeDiff time =
      self->recording.continues ? MIN (last->end, first->time) : first->time;

  if (self->n_recordings == 0)
    keep_files (self);
  else if (split && time > (GstClockTimeDiff)self->output.shift)
    gst_vae_lstm_gate_split (self->srcpad, time - self->output.shift);
}

/* Downstream of the next buffer, whichever time an encoder gives it: some move
 * theirs, and take a later request for one that they have met. Upstream of the
 * moment at which this segment has to end. */
static void
ask_for_key_frames (
    GstVaeLstmGate *self, GstClockTime max_duration, GstBuffer *first)
{
  const GstSegment *segment = &self->output.segment;
  GstClockTime pts = GST_BUFFER_PTS (first);
  GstClockTime start = to_clock_time (self->recording.start);

  gst_pad_push_event (self->srcpad,
      gst_video_event_new_downstream_force_key_unit (pts,
          gst_segment_to_stream_time (segment, segment->format, pts),
          GST_CLOCK_TIME_NONE, TRUE, self->n_recordings));
  if (max_duration > 0 && max_duration < G_MAXINT64)
    gst_pad_push_event (
        self->sinkpad, gst_video_event_new_upstream_force_key_unit (
                           start + max_duration, TRUE, self->n_recordings));
}

static void
open_segment (GstVaeLstmGate *self)
{
  const GstVaeLstmGateItem *first =
      gst_vae_lstm_gate_ring_peek (self->plan.ring, 0);
  const Recording last = self->recording;
  GstVaeLstmGateSettings settings;
  GstVaeLstmGateAnomaly anomaly;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  anomaly = *gst_vae_lstm_gate_plan_open (&self->plan);
  GST_OBJECT_UNLOCK (self);

  self->recording = (Recording){
      .event_id = anomaly.event_id,
      .start = first->time,
      .end = first->time,
      .decodable = first->order,
      .continues = self->follows,
  };
  gst_vae_lstm_gate_output_begin (&self->output,
      settings.retimestamp ? find_shift (self, &last, first) : 0);
  gst_vae_lstm_gate_spans_begin (
      self->followers.spans, first->time, self->output.shift);
  split_files (self, settings.split, &last, first);
  report_open (self, anomaly.start);
  ask_for_key_frames (
      self, settings.limits.max_duration, GST_BUFFER (first->object));
  self->n_recordings++;
}

static void
end_segment (GstVaeLstmGate *self, const gchar *reason)
{
  gst_vae_lstm_gate_spans_close (self->followers.spans, self->recording.end);
  report_close (self, reason);
}

static void
close_segment (GstVaeLstmGate *self, const gchar *reason)
{
  GST_OBJECT_LOCK (self);
  gst_vae_lstm_gate_plan_close (&self->plan);
  GST_OBJECT_UNLOCK (self);

  self->follows = TRUE;
  end_segment (self, reason);
}

/* Lets the others come as far as it is decided. Before a buffer goes out: what
 * takes it may wait for them. */
static void
lead_followers (GstVaeLstmGate *self)
{
  GstClockTimeDiff end = self->recording.end, decided;

  GST_OBJECT_LOCK (self);
  decided = gst_vae_lstm_gate_plan_get_decided (&self->plan);
  if (self->plan.open)
    end = decided = CLAMP (decided, end, end + MAX_LEAD);
  GST_OBJECT_UNLOCK (self);
  gst_vae_lstm_gate_spans_advance (self->followers.spans, end, decided);
}

static GstVaeLstmGateItem
pop (GstVaeLstmGate *self)
{
  GstVaeLstmGateItem item;

  GST_OBJECT_LOCK (self);
  item = gst_vae_lstm_gate_ring_pop (self->plan.ring);
  GST_OBJECT_UNLOCK (self);
  return item;
}

static void
skip_items (GstVaeLstmGate *self, guint n)
{
  while (n--) {
    GstVaeLstmGateItem item = pop (self);

    if (item.is_buffer)
      self->follows = FALSE;
    gst_vae_lstm_gate_output_skip (&self->output, &item);
  }
}

/* Leading pictures refer to frames before the key frame. */
static gboolean
is_undecodable (GstVaeLstmGate *self, const GstVaeLstmGateItem *item)
{
  return item->is_buffer && item->time < self->recording.start &&
         !self->recording.continues;
}

static void
send_item (GstVaeLstmGate *self, Budget *budget)
{
  GstVaeLstmGateItem item = pop (self);
  Recording *recording = &self->recording;

  if (is_undecodable (self, &item)) {
    gst_vae_lstm_gate_output_skip (&self->output, &item);
    return;
  }
  if (item.is_buffer) {
    budget->n_buffers--;
    recording->end = MAX (recording->end, item.end);
    recording->decodable = item.order + (item.end - item.time);
    lead_followers (self);
  }
  self->flow = gst_vae_lstm_gate_output_send (&self->output, &item);
}

/* Events take no time. */
static gboolean
may_send (const Budget *budget, const GstVaeLstmGateItem *item)
{
  return !item->is_buffer || budget->n_buffers == MAX_BURST ||
         (budget->n_buffers > 0 && g_get_monotonic_time () < budget->deadline);
}

/* FALSE when there is no more to be sent of them now. */
static gboolean
send_items (GstVaeLstmGate *self, guint n, Budget *budget)
{
  while (n > 0 && self->flow == GST_FLOW_OK &&
         may_send (budget, gst_vae_lstm_gate_ring_peek (self->plan.ring, 0))) {
    send_item (self, budget);
    n--;
  }
  return n == 0 && self->flow == GST_FLOW_OK;
}

/* Goes on until there is nothing to do, or nothing more may be sent. */
static void
run (GstVaeLstmGate *self, Budget budget)
{
  GstVaeLstmGateStep step;
  gboolean goes_on = TRUE;

  while (goes_on) {
    GST_OBJECT_LOCK (self);
    step = gst_vae_lstm_gate_plan_next (&self->plan);
    GST_OBJECT_UNLOCK (self);

    switch (step.action) {
    case GST_VAE_LSTM_GATE_WAIT:
      goes_on = FALSE;
      break;
    case GST_VAE_LSTM_GATE_SKIP:
      if (step.for_space)
        warn_of_space (self);
      skip_items (self, step.n);
      break;
    case GST_VAE_LSTM_GATE_OPEN:
      open_segment (self);
      break;
    case GST_VAE_LSTM_GATE_SEND:
      goes_on = send_items (self, step.n, &budget);
      break;
    case GST_VAE_LSTM_GATE_CLOSE:
      close_segment (self, step.reason);
      break;
    }
  }
}

/* ------------------------------------------------------------------- input */

/* With what it says, and as far as the detector elsewhere has come. */
static void
push_item (GstVaeLstmGate *self, const GstVaeLstmGateItem *item)
{
  GST_OBJECT_LOCK (self);
  if (item->is_buffer)
    gst_vae_lstm_gate_witness_see (
        &self->witness, &self->plan, GST_BUFFER (item->object), item->time);
  else
    gst_vae_lstm_gate_witness_hear (
        &self->witness, &self->plan, GST_EVENT (item->object));
  gst_vae_lstm_gate_plan_push (&self->plan, item);
  self->plan.told = gst_vae_lstm_gate_watch_get_decided (&self->watch);
  GST_OBJECT_UNLOCK (self);
}

/* What comes next has nothing to do with what came before. */
static void
interrupt (GstVaeLstmGate *self, const gchar *reason)
{
  if (self->plan.open)
    end_segment (self, reason);
  skip_items (self, gst_vae_lstm_gate_ring_length (self->plan.ring));
  GST_OBJECT_LOCK (self);
  gst_vae_lstm_gate_plan_reset (&self->plan);
  GST_OBJECT_UNLOCK (self);

  gst_vae_lstm_gate_clock_reset (&self->clock);
  gst_vae_lstm_gate_witness_reset (&self->witness);
  self->follows = FALSE;
  self->flow = GST_FLOW_OK;
}

/* The same, when what came before is decided on and sent. */
static void
finish (GstVaeLstmGate *self, const gchar *reason)
{
  GST_OBJECT_LOCK (self);
  self->plan.ended = reason;
  GST_OBJECT_UNLOCK (self);
  run (self, (Budget){G_MAXUINT, G_MAXINT64});
  lead_followers (self);
  gst_vae_lstm_gate_spans_finish (self->followers.spans);
  interrupt (self, reason);
}

/* The pool that this buffer, or the one whose memory it shares, goes back to;
 * NULL when there is none. */
static GstBufferPool *
find_pool (GstBuffer *buffer)
{
  GstParentBufferMeta *parent;

  while (!buffer->pool && (parent = gst_buffer_get_parent_buffer_meta (buffer)))
    buffer = parent->buffer;
  return buffer->pool;
}

static gboolean
is_bounded (GstBufferPool *pool)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);
  guint max_buffers = 0;

  gst_buffer_pool_config_get_params (config, NULL, NULL, NULL, &max_buffers);
  gst_structure_free (config);
  return max_buffers > 0;
}

/* Takes the buffer, and returns one that may be held for long: upstream could
 * not go on without those of a bounded pool. */
static GstBuffer *
make_lasting (GstBuffer *buffer)
{
  GstBufferPool *pool = find_pool (buffer);
  GstBuffer *copy =
      pool && is_bounded (pool) ? gst_buffer_copy_deep (buffer) : NULL;

  if (!copy)
    return buffer;
  gst_buffer_unref (buffer);
  return copy;
}

/* While this one takes its place. */
static Budget
find_budget (const GstVaeLstmGateItem *item)
{
  GstClockTime share = (item->end - item->time) / BURST_SHARE;

  return (Budget){MAX_BURST,
      g_get_monotonic_time () + (gint64)GST_TIME_AS_USECONDS (share)};
}

static GstFlowReturn
gst_vae_lstm_gate_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVaeLstmGate *self = GST_VAE_LSTM_GATE (parent);
  GstVaeLstmGateItem item;

  if (gst_pad_check_reconfigure (self->srcpad) && self->flow != GST_FLOW_OK)
    interrupt (self, "flush");
  if (self->flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return self->flow;
  }
  if (gst_vae_lstm_gate_clock_goes_back (&self->clock, buffer)) {
    finish (self, "segment");
    gst_vae_lstm_gate_spans_reset (self->followers.spans);
  }
  item = gst_vae_lstm_gate_clock_make_item (
      &self->clock, make_lasting (buffer), GST_ELEMENT (self));
  push_item (self, &item);
  run (self, find_budget (&item));
  lead_followers (self);
  return self->flow;
}

/* New caps, or the first ones. */
static const gchar *
take_caps (GstVaeLstmGate *self, GstEvent *event)
{
  GstCaps *caps;
  gboolean differ;

  gst_event_parse_caps (event, &caps);
  differ = self->caps && !gst_caps_is_equal (caps, self->caps);
  gst_caps_replace (&self->caps, caps);
  return differ ? "caps" : NULL;
}

/* Goes on when the buffers before it have; at once when none goes on. */
static void
queue_event (GstVaeLstmGate *self, GstEvent *event)
{
  GstVaeLstmGateItem item =
      gst_vae_lstm_gate_clock_make_event_item (&self->clock, event);

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS)
    item.cut = take_caps (self, event);

  if (self->flow == GST_FLOW_OK) {
    push_item (self, &item);
    run (self, (Budget){0});
  } else {
    gst_vae_lstm_gate_output_skip (&self->output, &item);
  }
}

/* Nothing is left of it, downstream neither. */
static void
forget_stream (GstVaeLstmGate *self, const gchar *reason)
{
  gst_vae_lstm_gate_output_flush (&self->output, self->plan.ring);
  interrupt (self, reason);
  gst_vae_lstm_gate_spans_reset (self->followers.spans);
  self->recording = (Recording){0};
  gst_vae_lstm_gate_output_reset (&self->output);
}

/* With EOS or SEGMENT_DONE. */
static gboolean
end_stream (GstVaeLstmGate *self, GstEvent *event)
{
  gboolean split, decided;

  GST_OBJECT_LOCK (self);
  split = self->settings.split;
  decided = gst_vae_lstm_gate_watch_wait (&self->watch, self->plan.newest);
  GST_OBJECT_UNLOCK (self);
  if (decided)
    finish (self, "eos");
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS && split &&
      self->n_recordings == 0)
    discard_file (self);
  return gst_pad_push_event (self->srcpad, event);
}

static gboolean
gst_vae_lstm_gate_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVaeLstmGate *self = GST_VAE_LSTM_GATE (parent);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS ||
      GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT_DONE)
    return end_stream (self, event);
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_START)
    gst_vae_lstm_gate_watch_interrupt (&self->watch);
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
    gst_vae_lstm_gate_watch_start (&self->watch);
    forget_stream (self, "flush");
    return gst_pad_push_event (self->srcpad, event);
  }
  if (!GST_EVENT_IS_SERIALIZED (event))
    return gst_pad_event_default (pad, parent, event);
  queue_event (self, event);
  return TRUE;
}

/* Buffers of a pool downstream would not come back in time, nor do those that
 * are held when upstream wants them. */
static gboolean
gst_vae_lstm_gate_sink_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) == GST_QUERY_ALLOCATION ||
      GST_QUERY_TYPE (query) == GST_QUERY_DRAIN)
    return FALSE;
  return gst_pad_query_default (pad, parent, query);
}

/* --------------------------------------------------------------------- pads */

/* Each stream keeps to its own pair of pads; a pad whose pair is being released
 * has no links. */
static GstIterator *
gst_vae_lstm_gate_iterate_links (GstPad *pad, GstObject *parent)
{
  GstVaeLstmGate *self = GST_VAE_LSTM_GATE (parent);
  GValue value = G_VALUE_INIT;
  GstIterator *links;
  GstPad *other;

  if (pad == self->sinkpad)
    other = gst_object_ref (self->srcpad);
  else if (pad == self->srcpad)
    other = gst_object_ref (self->sinkpad);
  else
    other = gst_vae_lstm_gate_followers_get_other (&self->followers, pad);
  if (!other)
    return NULL;

  g_value_init (&value, GST_TYPE_PAD);
  g_value_take_object (&value, other);
  links = gst_iterator_new_single (GST_TYPE_PAD, &value);
  g_value_unset (&value);
  return links;
}

static void
set_common_functions (GstPad *sink, GstPad *src)
{
  gst_pad_set_query_function (
      sink, GST_DEBUG_FUNCPTR (gst_vae_lstm_gate_sink_query));
  gst_pad_set_iterate_internal_links_function (
      sink, GST_DEBUG_FUNCPTR (gst_vae_lstm_gate_iterate_links));
  gst_pad_set_iterate_internal_links_function (
      src, GST_DEBUG_FUNCPTR (gst_vae_lstm_gate_iterate_links));
  GST_PAD_SET_PROXY_CAPS (sink);
  GST_PAD_SET_PROXY_CAPS (src);
}

/* Asked for either pad, makes both. NULL when they are there. */
static GstPad *
gst_vae_lstm_gate_request_new_pad (GstElement *element,
    GstPadTemplate *template, const gchar *name, const GstCaps *caps)
{
  GstVaeLstmGate *self = GST_VAE_LSTM_GATE (element);
  GstPad *sink, *src;

  if (!gst_vae_lstm_gate_followers_add (&self->followers, name, &sink, &src))
    return NULL;
  set_common_functions (sink, src);
  gst_pad_set_active (src, TRUE);
  gst_pad_set_active (sink, TRUE);
  gst_element_add_pad (element, src);
  gst_element_add_pad (element, sink);
  return GST_PAD_TEMPLATE_DIRECTION (template) == GST_PAD_SINK ? sink : src;
}

static void
gst_vae_lstm_gate_release_pad (GstElement *element, GstPad *pad)
{
  gst_vae_lstm_gate_followers_remove (
      &GST_VAE_LSTM_GATE (element)->followers, pad);
}

/* ------------------------------------------------------------------- states */

static void
forget_all (GstVaeLstmGate *self)
{
  forget_stream (self, "stop");
  GST_OBJECT_LOCK (self);
  gst_vae_lstm_gate_plan_dismiss (&self->plan);
  g_array_set_size (self->plan.anomalies, 0);
  GST_OBJECT_UNLOCK (self);
  gst_clear_caps (&self->caps);
  keep_files (self);
  self->n_recordings = 0;
  self->warned = FALSE;
  gst_vae_lstm_gate_followers_reset (&self->followers);
}

static GstStateChangeReturn
gst_vae_lstm_gate_change_state (GstElement *element, GstStateChange transition)
{
  GstVaeLstmGate *self = GST_VAE_LSTM_GATE (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    gst_vae_lstm_gate_watch_start (&self->watch);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    gst_vae_lstm_gate_watch_interrupt (&self->watch);
    gst_vae_lstm_gate_followers_interrupt (&self->followers);
  }
  result = GST_ELEMENT_CLASS (parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    forget_all (self);
  return result;
}

/* -------------------------------------------------------------- properties */

static void
gst_vae_lstm_gate_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  GstVaeLstmGate *self = GST_VAE_LSTM_GATE (object);
  gboolean known;

  if (prop_id == PROP_DETECTOR) {
    gst_vae_lstm_gate_watch_set (&self->watch, g_value_get_object (value));
    return;
  }
  GST_OBJECT_LOCK (self);
  known = gst_vae_lstm_gate_settings_set (&self->settings, prop_id, value);
  self->plan.limits = self->settings.limits;
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

static void
gst_vae_lstm_gate_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  GstVaeLstmGate *self = GST_VAE_LSTM_GATE (object);
  gboolean known = TRUE;

  GST_OBJECT_LOCK (self);
  if (prop_id == PROP_DETECTOR)
    g_value_set_object (value, self->watch.detector);
  else
    known = gst_vae_lstm_gate_settings_get (&self->settings, prop_id, value);
  GST_OBJECT_UNLOCK (self);
  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
}

/* ------------------------------------------------------------- class setup */

static void
install_signals (GObjectClass *klass)
{
  GType type = G_TYPE_FROM_CLASS (klass);

  /**
   * GstVaeLstmGate::open:
   * @gate: the gate
   * @running_time: since when; GST_CLOCK_TIME_NONE for the newest buffer
   *
   * Something is to be recorded from pre-roll before @running_time on. If that
   * is still to come, the gate opens when it has come.
   */
  signals[SIGNAL_OPEN] = g_signal_new_class_handler ("open", type,
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION, G_CALLBACK (gst_vae_lstm_gate_open),
      NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);
  /**
   * GstVaeLstmGate::close:
   * @gate: the gate
   *
   * What was opened by #GstVaeLstmGate::open has ended with the newest buffer,
   * and post-roll follows; what was to be opened later is not. Nothing else
   * ends it, but for the element's stop.
   */
  signals[SIGNAL_CLOSE] = g_signal_new_class_handler ("close", type,
      G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION, G_CALLBACK (gst_vae_lstm_gate_close),
      NULL, NULL, NULL, G_TYPE_NONE, 0);
  /**
   * GstVaeLstmGate::opened:
   * @gate: the gate
   * @event_id: the detector's number of the event; 0 where it had none
   * @start: running time of the segment's first buffer
   *
   * A segment starts with the next buffer. From the streaming thread.
   */
  signals[SIGNAL_OPENED] = g_signal_new ("opened", type, G_SIGNAL_RUN_LAST, 0,
      NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT, G_TYPE_UINT64);
  /**
   * GstVaeLstmGate::closed:
   * @gate: the gate
   * @event_id: as for the segment's #GstVaeLstmGate::opened
   * @start: as there
   * @end: running time of the end of the segment's last buffer
   *
   * A segment has ended. From the streaming thread, or that which flushes or
   * stops the element.
   */
  signals[SIGNAL_CLOSED] =
      g_signal_new ("closed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
          G_TYPE_NONE, 3, G_TYPE_UINT, G_TYPE_UINT64, G_TYPE_UINT64);
}

static void
gst_vae_lstm_gate_dispose (GObject *object)
{
  GstVaeLstmGate *self = GST_VAE_LSTM_GATE (object);

  gst_vae_lstm_gate_watch_set (&self->watch, NULL);
  keep_files (self);
  G_OBJECT_CLASS (parent_class)->dispose (object);
}

static void
gst_vae_lstm_gate_finalize (GObject *object)
{
  GstVaeLstmGate *self = GST_VAE_LSTM_GATE (object);

  gst_vae_lstm_gate_followers_clear (&self->followers);
  gst_vae_lstm_gate_watch_clear (&self->watch);
  gst_vae_lstm_gate_plan_clear (&self->plan);
  gst_clear_caps (&self->caps);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_vae_lstm_gate_class_init (GstVaeLstmGateClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (vaelstmgate_debug, "vaelstmgate", 0, "anomaly gate");

  object_class->set_property = gst_vae_lstm_gate_set_property;
  object_class->get_property = gst_vae_lstm_gate_get_property;
  object_class->dispose = gst_vae_lstm_gate_dispose;
  object_class->finalize = gst_vae_lstm_gate_finalize;
  gst_vae_lstm_gate_settings_install (object_class);
  g_object_class_install_property (object_class, PROP_DETECTOR,
      g_param_spec_object ("detector", "Detector",
          "A vaelstmdetect in another branch of the pipeline that opens and "
          "closes the gate as well",
          GST_TYPE_ELEMENT,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_PLAYING));
  install_signals (object_class);

  gst_element_class_set_static_metadata (element_class, "Anomaly gate",
      "Filter/Video",
      "Lets only anomalous segments through, with what came before and after",
      "The vaelstm authors");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_vae_lstm_gate_followers_install (element_class);
  element_class->request_new_pad =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_gate_request_new_pad);
  element_class->release_pad =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_gate_release_pad);
  element_class->change_state =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_gate_change_state);
}

static void
gst_vae_lstm_gate_init (GstVaeLstmGate *self)
{
  gst_vae_lstm_gate_plan_init (&self->plan);
  gst_vae_lstm_gate_settings_init (&self->settings);
  self->plan.limits = self->settings.limits;
  gst_vae_lstm_gate_clock_init (&self->clock);
  gst_vae_lstm_gate_watch_init (&self->watch, GST_ELEMENT (self), &self->plan);
  gst_vae_lstm_gate_witness_reset (&self->witness);
  gst_vae_lstm_gate_followers_init (&self->followers, GST_ELEMENT (self));

  self->sinkpad = gst_pad_new_from_static_template (&sink_template, "sink");
  self->srcpad = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_chain_function (
      self->sinkpad, GST_DEBUG_FUNCPTR (gst_vae_lstm_gate_chain));
  gst_pad_set_event_function (
      self->sinkpad, GST_DEBUG_FUNCPTR (gst_vae_lstm_gate_sink_event));
  set_common_functions (self->sinkpad, self->srcpad);
  gst_element_add_pad (GST_ELEMENT (self), self->sinkpad);
  gst_element_add_pad (GST_ELEMENT (self), self->srcpad);
  gst_vae_lstm_gate_output_init (&self->output, self->srcpad);
  g_signal_connect_swapped (
      self->srcpad, "unlinked", G_CALLBACK (keep_files), self);
}
