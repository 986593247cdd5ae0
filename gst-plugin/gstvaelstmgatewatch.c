/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgatewatch.h"

#include "gstvaelstmgateclock.h"

/* Nobody tells when a pad is deactivated. */
#define LOOK_AGAIN (G_USEC_PER_SEC / 10)

/* Nothing decided. */
#define MIN_TIME (-G_MAXINT64)

/* What a probe knows of its gate. */
typedef struct {
  GWeakRef gate;
  GstVaeLstmGateWatch *watch; /* as long as the gate is there */
} Watcher;

static void
free_watcher (gpointer watcher)
{
  g_weak_ref_clear (&((Watcher *)watcher)->gate);
  g_free (watcher);
}

/* Nothing is known of where the detector is. */
static void
reset (GstVaeLstmGateWatch *watch)
{
  gst_vae_lstm_gate_anomalies_end (
      watch->plan->anomalies, GST_VAE_LSTM_GATE_DETECTOR, watch->plan->newest);
  gst_vae_lstm_gate_witness_reset (&watch->witness);
  watch->decided = MIN_TIME;
}

static GstClockTimeDiff
find_running_time (GstPad *pad, GstBuffer *buffer)
{
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  GstClockTimeDiff time;

  if (!event)
    return GST_CLOCK_STIME_NONE;
  gst_event_parse_segment (event, &segment);
  time = gst_vae_lstm_gate_clock_convert (segment, GST_BUFFER_PTS (buffer));
  gst_event_unref (event);
  return time;
}

static void
take_buffer (GstVaeLstmGateWatch *watch, GstPad *pad, GstBuffer *buffer)
{
  GstClockTimeDiff time = find_running_time (pad, buffer);

  if (GST_CLOCK_STIME_IS_VALID (time))
    watch->decided = gst_vae_lstm_gate_witness_see (
        &watch->witness, watch->plan, buffer, time);
}

static void
take_event (GstVaeLstmGateWatch *watch, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_STREAM_START:
  case GST_EVENT_FLUSH_STOP:
    reset (watch);
    break;
  case GST_EVENT_SEGMENT_DONE:
    watch->decided = G_MAXINT64;
    break;
  default:
    gst_vae_lstm_gate_witness_hear (&watch->witness, watch->plan, event);
    break;
  }
}

static GstPadProbeReturn
look (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Watcher *watcher = user_data;
  GstVaeLstmGateWatch *watch = watcher->watch;
  GstElement *gate = g_weak_ref_get (&watcher->gate);

  if (!gate)
    return GST_PAD_PROBE_OK;
  GST_OBJECT_LOCK (gate);
  if (pad == watch->pad && !watch->interrupted) {
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
      take_buffer (watch, pad, GST_PAD_PROBE_INFO_BUFFER (info));
    else
      take_event (watch, GST_PAD_PROBE_INFO_EVENT (info));
    g_cond_broadcast (&watch->changed);
  }
  GST_OBJECT_UNLOCK (gate);
  gst_object_unref (gate);
  return GST_PAD_PROBE_OK;
}

void
gst_vae_lstm_gate_watch_init (
    GstVaeLstmGateWatch *watch, GstElement *gate, GstVaeLstmGatePlan *plan)
{
  *watch =
      (GstVaeLstmGateWatch){.gate = gate, .plan = plan, .interrupted = TRUE};
  g_cond_init (&watch->changed);
  reset (watch);
}

void
gst_vae_lstm_gate_watch_clear (GstVaeLstmGateWatch *watch)
{
  g_cond_clear (&watch->changed);
}

static gulong
add_probe (GstVaeLstmGateWatch *watch, GstPad *pad)
{
  Watcher *watcher = g_new (Watcher, 1);

  g_weak_ref_init (&watcher->gate, watch->gate);
  watcher->watch = watch;
  return gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
          GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      look, watcher, free_watcher);
}

void
gst_vae_lstm_gate_watch_set (GstVaeLstmGateWatch *watch, GstElement *detector)
{
  GstPad *pad = detector ? gst_element_get_static_pad (detector, "src") : NULL;
  GstPad *old_pad;
  GstElement *old;
  gulong old_probe;

  if (detector && !pad)
    GST_WARNING_OBJECT (
        watch->gate, "%" GST_PTR_FORMAT " has no pad `src`", detector);

  GST_OBJECT_LOCK (watch->gate);
  old = watch->detector;
  old_pad = watch->pad;
  old_probe = watch->probe;
  watch->detector = detector ? gst_object_ref (detector) : NULL;
  watch->pad = pad;
  watch->probe = pad ? add_probe (watch, pad) : 0;
  reset (watch);
  g_cond_broadcast (&watch->changed);
  GST_OBJECT_UNLOCK (watch->gate);

  if (old_pad)
    gst_pad_remove_probe (old_pad, old_probe);
  gst_clear_object (&old_pad);
  gst_clear_object (&old);
}

static gboolean
is_at_its_end (GstPad *pad)
{
  GstEvent *eos = gst_pad_get_sticky_event (pad, GST_EVENT_EOS, 0);

  if (!eos)
    return FALSE;
  gst_event_unref (eos);
  return TRUE;
}

GstClockTimeDiff
gst_vae_lstm_gate_watch_get_decided (const GstVaeLstmGateWatch *watch)
{
  GstPad *pad = watch->pad;

  return pad && gst_pad_is_active (pad) && !is_at_its_end (pad) ? watch->decided
                                                                : G_MAXINT64;
}

gboolean
gst_vae_lstm_gate_watch_wait (GstVaeLstmGateWatch *watch, GstClockTimeDiff time)
{
  while (
      !watch->interrupted && gst_vae_lstm_gate_watch_get_decided (watch) < time)
    g_cond_wait_until (&watch->changed, GST_OBJECT_GET_LOCK (watch->gate),
        g_get_monotonic_time () + LOOK_AGAIN);
  return !watch->interrupted;
}

void
gst_vae_lstm_gate_watch_interrupt (GstVaeLstmGateWatch *watch)
{
  GST_OBJECT_LOCK (watch->gate);
  watch->interrupted = TRUE;
  g_cond_broadcast (&watch->changed);
  GST_OBJECT_UNLOCK (watch->gate);
}

void
gst_vae_lstm_gate_watch_start (GstVaeLstmGateWatch *watch)
{
  GST_OBJECT_LOCK (watch->gate);
  reset (watch);
  watch->interrupted = FALSE;
  GST_OBJECT_UNLOCK (watch->gate);
}
