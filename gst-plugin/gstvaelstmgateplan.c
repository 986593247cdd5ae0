/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgateplan.h"

/* Anomalies are told of late: they have to last a little to count. So that
 * their pre-roll is still there, the ring goes back that much more. */
#define LATENESS GST_SECOND

#define MIN_TIME (-G_MAXINT64)

static GstClockTimeDiff
time_before (GstClockTimeDiff time, GstClockTime by)
{
  return by > (guint64)G_MAXINT64 || time < MIN_TIME + (gint64)by
             ? MIN_TIME
             : time - (gint64)by;
}

void
gst_vae_lstm_gate_plan_init (GstVaeLstmGatePlan *plan)
{
  *plan = (GstVaeLstmGatePlan){.newest = MIN_TIME,
      .bound = MIN_TIME,
      .due = G_MAXINT64,
      .told = G_MAXINT64};
  plan->ring = gst_vae_lstm_gate_ring_new ();
  plan->anomalies = gst_vae_lstm_gate_anomalies_new ();
}

void
gst_vae_lstm_gate_plan_clear (GstVaeLstmGatePlan *plan)
{
  gst_vae_lstm_gate_ring_free (plan->ring);
  g_array_unref (plan->anomalies);
}

void
gst_vae_lstm_gate_plan_reset (GstVaeLstmGatePlan *plan)
{
  gst_vae_lstm_gate_anomalies_restart (plan->anomalies);
  plan->newest = plan->bound = MIN_TIME;
  plan->ended = NULL;
  plan->open = FALSE;
}

/* What a user wants is an anomaly, once the stream has come to it. */
static void
come_due (GstVaeLstmGatePlan *plan)
{
  GstVaeLstmGateAnomaly anomaly = {
      .start = plan->due, .last = plan->due, .lasting = GST_VAE_LSTM_GATE_USER};

  if (plan->due > plan->newest)
    return;
  plan->due = G_MAXINT64;
  gst_vae_lstm_gate_anomalies_add (
      plan->anomalies, &anomaly, plan->limits.post_roll);
}

void
gst_vae_lstm_gate_plan_summon (GstVaeLstmGatePlan *plan, GstClockTimeDiff time)
{
  plan->due = MIN (plan->due, time);
  come_due (plan);
}

void
gst_vae_lstm_gate_plan_dismiss (GstVaeLstmGatePlan *plan)
{
  plan->due = G_MAXINT64;
  gst_vae_lstm_gate_anomalies_end (
      plan->anomalies, GST_VAE_LSTM_GATE_USER, plan->newest);
}

void
gst_vae_lstm_gate_plan_push (
    GstVaeLstmGatePlan *plan, const GstVaeLstmGateItem *item)
{
  gst_vae_lstm_gate_ring_push (plan->ring, item);
  if (item->is_buffer) {
    plan->newest = MAX (plan->newest, item->time);
    plan->bound = MAX (plan->bound, item->order);
    come_due (plan);
  }
}

static const GstVaeLstmGateItem *
peek (const GstVaeLstmGatePlan *plan, guint i)
{
  return gst_vae_lstm_gate_ring_peek (plan->ring, i);
}

/* The i-th anomaly, once the stream has come to it. */
static const GstVaeLstmGateAnomaly *
get_reached (const GstVaeLstmGatePlan *plan, guint i)
{
  const GstVaeLstmGateAnomaly *anomaly =
      gst_vae_lstm_gate_anomalies_get (plan->anomalies, i);

  return anomaly && anomaly->start <= plan->newest ? anomaly : NULL;
}

static GstClockTimeDiff
until (const GstVaeLstmGatePlan *plan, const GstVaeLstmGateAnomaly *anomaly)
{
  return gst_vae_lstm_gate_anomaly_until (anomaly, plan->limits.post_roll);
}

/* First moment to record. Anomalous buffers that are shown before those that
 * have come may still be on their way. */
static GstClockTimeDiff
since (const GstVaeLstmGatePlan *plan, const GstVaeLstmGateAnomaly *anomaly)
{
  return time_before (MIN (anomaly->start, plan->bound), plan->limits.pre_roll);
}

/* No pre-roll reaches back beyond this. */
static GstClockTimeDiff
horizon (const GstVaeLstmGatePlan *plan)
{
  GstClockTimeDiff told = MIN (plan->newest, plan->told);

  return time_before (time_before (told, LATENESS), plan->limits.pre_roll);
}

static gboolean
is_over_size (const GstVaeLstmGatePlan *plan)
{
  return plan->limits.max_bytes > 0 &&
         gst_vae_lstm_gate_ring_bytes (plan->ring) > plan->limits.max_bytes;
}

static GstVaeLstmGateStep
wait_for_more (void)
{
  return (GstVaeLstmGateStep){GST_VAE_LSTM_GATE_WAIT};
}

static GstVaeLstmGateStep
skip (guint n)
{
  return (GstVaeLstmGateStep){GST_VAE_LSTM_GATE_SKIP, .n = n};
}

static GstVaeLstmGateStep
close_for (const gchar *reason)
{
  return (GstVaeLstmGateStep){GST_VAE_LSTM_GATE_CLOSE, .reason = reason};
}

/* ------------------------------------------------------------------ closed */

/* What is too old, or too much. */
static GstVaeLstmGateStep
trim (const GstVaeLstmGatePlan *plan)
{
  gint oldest =
      gst_vae_lstm_gate_ring_find_key_before (plan->ring, horizon (plan));
  GstVaeLstmGateStep step;

  if (oldest > 0)
    return skip (oldest);
  if (!is_over_size (plan))
    return wait_for_more ();

  step = skip (gst_vae_lstm_gate_ring_find_key (plan->ring, 1));
  step.for_space = TRUE;
  return step;
}

/* The oldest item is a key buffer. */
static GstVaeLstmGateStep
next_at_key (GstVaeLstmGatePlan *plan)
{
  const GstVaeLstmGateAnomaly *anomaly;
  gint first;

  while ((anomaly = get_reached (plan, 0))) {
    first = MAX (0, gst_vae_lstm_gate_ring_find_key_before (
                        plan->ring, since (plan, anomaly)));
    if (peek (plan, first)->time <= until (plan, anomaly))
      return first > 0 ? skip (first)
                       : (GstVaeLstmGateStep){GST_VAE_LSTM_GATE_OPEN};
    /* Nothing of it is left. */
    g_array_remove_index (plan->anomalies, 0);
  }
  return plan->ended ? skip (gst_vae_lstm_gate_ring_length (plan->ring))
                     : trim (plan);
}

static GstVaeLstmGateStep
next_when_closed (GstVaeLstmGatePlan *plan)
{
  guint to_key = gst_vae_lstm_gate_ring_find_key (plan->ring, 0);

  if (to_key > 0)
    return skip (to_key);
  return peek (plan, 0) ? next_at_key (plan) : wait_for_more ();
}

/* -------------------------------------------------------------------- open */

/* The reason to close before this item; NULL when there is none. */
static const gchar *
get_cut (const GstVaeLstmGatePlan *plan, const GstVaeLstmGateItem *item)
{
  GstClockTime max = plan->limits.max_duration;

  if (max > 0 && item->key && item->time > plan->start &&
      (GstClockTime)(item->time - plan->start) >= max)
    return "max-duration";
  return item->cut;
}

/* The open segment's last moment: that which is wanted, or that of a buffer
 * which others need that are. */
static GstClockTimeDiff
get_end (const GstVaeLstmGatePlan *plan)
{
  const GstVaeLstmGateAnomaly *anomaly =
      gst_vae_lstm_gate_anomalies_get (plan->anomalies, 0);

  return MAX (until (plan, anomaly), plan->latest);
}

/* Sends n items, or as many as come before a cut. */
static GstVaeLstmGateStep
send_items (GstVaeLstmGatePlan *plan, guint n)
{
  const GstVaeLstmGateItem *item = peek (plan, 0);
  const gchar *cut = get_cut (plan, item);
  guint i = 0;

  if (cut)
    return close_for (cut);
  do {
    if (item->is_buffer)
      plan->latest = MAX (plan->latest, item->time);
    item = peek (plan, ++i);
  } while (i < n && !get_cut (plan, item));
  return (GstVaeLstmGateStep){GST_VAE_LSTM_GATE_SEND, .n = i};
}

/* The next anomaly is here while what follows the segment is undecided. */
static GstVaeLstmGateStep
next_before_second (
    GstVaeLstmGatePlan *plan, const GstVaeLstmGateAnomaly *second)
{
  guint key = gst_vae_lstm_gate_ring_find_key (plan->ring, 0);
  const GstVaeLstmGateItem *item = peek (plan, key);

  if (key == 0 || gst_vae_lstm_gate_ring_find_key_before (
                      plan->ring, since (plan, second)) >= 0)
    return close_for ("quiet");
  if (item && item->time <= second->start)
    return send_items (plan, key);

  gst_vae_lstm_gate_anomalies_merge (plan->anomalies);
  return gst_vae_lstm_gate_plan_next (plan);
}

/* All that the anomaly wants is sent, and something follows. */
static GstVaeLstmGateStep
next_when_over (GstVaeLstmGatePlan *plan)
{
  const GstVaeLstmGateAnomaly *second = get_reached (plan, 1);

  if (second)
    return next_before_second (plan, second);
  if (peek (plan, 0)->key || is_over_size (plan) ||
      gst_vae_lstm_gate_ring_find_key_before (plan->ring, horizon (plan)) >= 0)
    return close_for ("quiet");
  return wait_for_more ();
}

/* Neither buffers nor anomalies are to come that could make it later. */
static gboolean
is_end (const GstVaeLstmGatePlan *plan, GstClockTimeDiff end)
{
  return plan->ended ||
         (plan->bound > end && (plan->told > end || is_over_size (plan)));
}

static GstVaeLstmGateStep
next_when_open (GstVaeLstmGatePlan *plan)
{
  GstClockTimeDiff end = get_end (plan);
  guint wanted = gst_vae_lstm_gate_ring_count_until (plan->ring, end);
  const GstVaeLstmGateItem *oldest = peek (plan, 0);

  if (wanted > 0)
    return send_items (plan, wanted);
  if (plan->ended && (!oldest || !get_reached (plan, 1)))
    return close_for (plan->ended);
  if (oldest && !oldest->is_buffer)
    return send_items (plan, 1);
  return oldest && is_end (plan, end) ? next_when_over (plan)
                                      : wait_for_more ();
}

GstVaeLstmGateStep
gst_vae_lstm_gate_plan_next (GstVaeLstmGatePlan *plan)
{
  return plan->open ? next_when_open (plan) : next_when_closed (plan);
}

const GstVaeLstmGateAnomaly *
gst_vae_lstm_gate_plan_open (GstVaeLstmGatePlan *plan)
{
  plan->open = TRUE;
  plan->start = plan->latest = peek (plan, 0)->time;
  return gst_vae_lstm_gate_anomalies_get (plan->anomalies, 0);
}

void
gst_vae_lstm_gate_plan_close (GstVaeLstmGatePlan *plan)
{
  GstClockTimeDiff end = get_end (plan);

  plan->open = FALSE;
  if ((plan->ended || plan->bound > end) &&
      gst_vae_lstm_gate_ring_count_until (plan->ring, end) == 0)
    g_array_remove_index (plan->anomalies, 0);
}

GstClockTimeDiff
gst_vae_lstm_gate_plan_get_decided (const GstVaeLstmGatePlan *plan)
{
  const GstVaeLstmGateItem *oldest = peek (plan, 0);
  GstClockTimeDiff end;

  if (plan->open) {
    end = get_end (plan);
    return end < G_MAXINT64 ? end + 1 : end;
  }
  return oldest && oldest->is_buffer ? MIN (plan->bound, oldest->time)
                                     : plan->bound;
}
