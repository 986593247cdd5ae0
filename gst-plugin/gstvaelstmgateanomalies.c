/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgateanomalies.h"

GstVaeLstmGateAnomalies *
gst_vae_lstm_gate_anomalies_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (GstVaeLstmGateAnomaly));
}

GstVaeLstmGateAnomaly *
gst_vae_lstm_gate_anomalies_get (
    const GstVaeLstmGateAnomalies *anomalies, guint i)
{
  return i < anomalies->len
             ? &g_array_index (anomalies, GstVaeLstmGateAnomaly, i)
             : NULL;
}

static GstVaeLstmGateAnomaly *
get_newest (const GstVaeLstmGateAnomalies *anomalies)
{
  return anomalies->len > 0
             ? gst_vae_lstm_gate_anomalies_get (anomalies, anomalies->len - 1)
             : NULL;
}

static void
extend (GstVaeLstmGateAnomaly *anomaly, const GstVaeLstmGateAnomaly *by)
{
  anomaly->start = MIN (anomaly->start, by->start);
  anomaly->last = MAX (anomaly->last, by->last);
  anomaly->lasting |= by->lasting;
  if (anomaly->event_id == 0)
    anomaly->event_id = by->event_id;
}

/* One and the one after it. */
static void
join (GstVaeLstmGateAnomalies *anomalies, guint first)
{
  extend (gst_vae_lstm_gate_anomalies_get (anomalies, first),
      gst_vae_lstm_gate_anomalies_get (anomalies, first + 1));
  g_array_remove_index (anomalies, first + 1);
}

/* Whether it belongs to that earlier one. */
static gboolean
follows (const GstVaeLstmGateAnomaly *anomaly,
    const GstVaeLstmGateAnomaly *earlier, GstClockTime post_roll)
{
  return anomaly->start <= gst_vae_lstm_gate_anomaly_until (earlier, post_roll);
}

void
gst_vae_lstm_gate_anomalies_add (GstVaeLstmGateAnomalies *anomalies,
    const GstVaeLstmGateAnomaly *anomaly, GstClockTime post_roll)
{
  GstVaeLstmGateAnomaly *newest = get_newest (anomalies);

  if (newest && follows (anomaly, newest, post_roll))
    extend (newest, anomaly);
  else
    g_array_append_vals (anomalies, anomaly, 1);
  while (anomalies->len > 1 &&
         follows (get_newest (anomalies),
             gst_vae_lstm_gate_anomalies_get (anomalies, anomalies->len - 2),
             post_roll))
    join (anomalies, anomalies->len - 2);
}

void
gst_vae_lstm_gate_anomalies_end (GstVaeLstmGateAnomalies *anomalies,
    GstVaeLstmGateTeller teller, GstClockTimeDiff last)
{
  GstVaeLstmGateAnomaly *newest = get_newest (anomalies);

  if (!newest || !(newest->lasting & teller))
    return;
  newest->lasting &= ~teller;
  newest->last = MAX (newest->last, last);
}

void
gst_vae_lstm_gate_anomalies_restart (GstVaeLstmGateAnomalies *anomalies)
{
  const GstVaeLstmGateAnomaly *newest = get_newest (anomalies);
  GstVaeLstmGateAnomaly rest = {.start = -G_MAXINT64, .last = -G_MAXINT64};

  if (newest)
    rest.lasting = newest->lasting & GST_VAE_LSTM_GATE_USER;
  g_array_set_size (anomalies, 0);
  if (rest.lasting)
    g_array_append_val (anomalies, rest);
}

void
gst_vae_lstm_gate_anomalies_merge (GstVaeLstmGateAnomalies *anomalies)
{
  join (anomalies, 0);
}

GstClockTimeDiff
gst_vae_lstm_gate_anomaly_until (
    const GstVaeLstmGateAnomaly *anomaly, GstClockTime post_roll)
{
  if (anomaly->lasting ||
      (anomaly->last > 0 && post_roll > (guint64)(G_MAXINT64 - anomaly->last)))
    return G_MAXINT64;
  return anomaly->last + post_roll;
}
