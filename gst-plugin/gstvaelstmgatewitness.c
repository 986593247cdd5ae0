/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgatewitness.h"

#include "gstvaelstmmeta.h"

/* Older results are those of a detector that has stopped to analyse. */
#define MAX_AGE (10 * GST_SECOND)

void
gst_vae_lstm_gate_witness_reset (GstVaeLstmGateWitness *witness)
{
  *witness = (GstVaeLstmGateWitness){.anomalous = GST_CLOCK_STIME_NONE};
}

static void
add (GstVaeLstmGatePlan *plan, const GstVaeLstmGateAnomaly *anomaly)
{
  gst_vae_lstm_gate_anomalies_add (
      plan->anomalies, anomaly, plan->limits.post_roll);
}

/* With the buffer before it, an anomalous one belongs to one anomaly, however
 * short the post-roll. */
GstClockTimeDiff
gst_vae_lstm_gate_witness_see (GstVaeLstmGateWitness *witness,
    GstVaeLstmGatePlan *plan, GstBuffer *buffer, GstClockTimeDiff time)
{
  GstClockTimeDiff before = witness->anomalous;
  GstVaeLstmGateAnomaly anomaly = {.start = time, .last = time};
  GstVaeLstmAnomaly meta;

  witness->anomalous = GST_CLOCK_STIME_NONE;
  if (!gst_buffer_get_vaelstm_anomaly (buffer, &meta))
    return time;
  witness->has_meta = TRUE;
  if (meta.anomalous) {
    witness->anomalous = time;
    if (GST_CLOCK_STIME_IS_VALID (before))
      anomaly.start = MIN (time, before);
    anomaly.event_id = meta.event_id;
    add (plan, &anomaly);
  }
  return GST_CLOCK_TIME_IS_VALID (meta.age)
             ? time - (gint64)MIN (meta.age, MAX_AGE)
             : time;
}

void
gst_vae_lstm_gate_witness_hear (const GstVaeLstmGateWitness *witness,
    GstVaeLstmGatePlan *plan, GstEvent *event)
{
  const GstStructure *structure = gst_event_get_structure (event);
  guint64 time = GST_CLOCK_TIME_NONE, duration = 0;
  GstVaeLstmGateAnomaly anomaly = {0};
  const gchar *what;

  if (GST_EVENT_TYPE (event) != GST_EVENT_CUSTOM_DOWNSTREAM ||
      !gst_structure_has_name (structure, "vaelstm-anomaly"))
    return;

  what = gst_structure_get_string (structure, "event");
  gst_structure_get_uint64 (structure, "running-time", &time);
  gst_structure_get_uint64 (structure, "duration", &duration);
  gst_structure_get_uint (structure, "event-id", &anomaly.event_id);
  if (time > G_MAXINT64)
    return;

  if (!witness->has_meta)
    anomaly.lasting = GST_VAE_LSTM_GATE_DETECTOR;
  anomaly.last = time;
  anomaly.start = time - MIN (time, duration);
  if (g_strcmp0 (what, "start") == 0)
    add (plan, &anomaly);
  else if (g_strcmp0 (what, "end") == 0)
    gst_vae_lstm_gate_anomalies_end (
        plan->anomalies, GST_VAE_LSTM_GATE_DETECTOR, anomaly.last);
}
