/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When something was anomalous, as a gate was told: spans of running time, each
 * of which is to be recorded in one piece. */

#pragma once

#include <gst/gst.h>

/* Who tells of an end. */
typedef enum {
  GST_VAE_LSTM_GATE_DETECTOR = 1 << 0,
  GST_VAE_LSTM_GATE_USER = 1 << 1
} GstVaeLstmGateTeller;

typedef struct {
  GstClockTimeDiff start; /* first anomalous moment */
  GstClockTimeDiff last;  /* last one known so far */
  guint lasting;          /* GstVaeLstmGateTellers whose end is to come */
  guint event_id;         /* the detector's; 0: none */
} GstVaeLstmGateAnomaly;

/* Oldest first; they do not overlap. */
typedef GArray GstVaeLstmGateAnomalies;

GstVaeLstmGateAnomalies *gst_vae_lstm_gate_anomalies_new (void);

/* The i-th; NULL when there is none. Valid until the next change. */
GstVaeLstmGateAnomaly *gst_vae_lstm_gate_anomalies_get (
    const GstVaeLstmGateAnomalies *anomalies, guint i);

/* Adds one, or extends the newest where that is lasting or `start` lies no
 * more than `post_roll` after its last moment; with those that touch it then.
 */
void gst_vae_lstm_gate_anomalies_add (GstVaeLstmGateAnomalies *anomalies,
    const GstVaeLstmGateAnomaly *anomaly, GstClockTime post_roll);

/* The one that lasts, if any does, has ended with this moment for all that
 * `teller` knows. */
void gst_vae_lstm_gate_anomalies_end (GstVaeLstmGateAnomalies *anomalies,
    GstVaeLstmGateTeller teller, GstClockTimeDiff last);

/* Forgets them, but not that a user has yet to tell an end: that goes on with
 * whatever comes next. */
void gst_vae_lstm_gate_anomalies_restart (GstVaeLstmGateAnomalies *anomalies);

/* Joins the two oldest. */
void gst_vae_lstm_gate_anomalies_merge (GstVaeLstmGateAnomalies *anomalies);

/* Last moment to record; G_MAXINT64 while it lasts. */
GstClockTimeDiff gst_vae_lstm_gate_anomaly_until (
    const GstVaeLstmGateAnomaly *anomaly, GstClockTime post_roll);
