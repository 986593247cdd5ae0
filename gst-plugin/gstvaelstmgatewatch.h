/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A detector in another branch of the pipeline, as its source pad shows it: its
 * anomalies, which it adds to the gate's plan, and how far it has come. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmgateplan.h"
#include "gstvaelstmgatewitness.h"

/* Guarded by the gate's object lock, as is the plan. */
typedef struct {
  GstElement *gate;
  GstVaeLstmGatePlan *plan; /* the gate's */
  GstElement *detector;     /* NULL: none */
  GstPad *pad;
  gulong probe;
  GstVaeLstmGateWitness witness;
  GstClockTimeDiff decided; /* running time up to which it has */
  gboolean interrupted;     /* no stream: wait for nothing, hear nothing */
  GCond changed;
} GstVaeLstmGateWatch;

/* A watch of nothing, interrupted, that gate and plan must outlive. */
void gst_vae_lstm_gate_watch_init (
    GstVaeLstmGateWatch *watch, GstElement *gate, GstVaeLstmGatePlan *plan);
void gst_vae_lstm_gate_watch_clear (GstVaeLstmGateWatch *watch);

/* Watches this detector, or none. Locks. */
void gst_vae_lstm_gate_watch_set (
    GstVaeLstmGateWatch *watch, GstElement *detector);

/* No anomaly that it has not told of yet is before this, but for how long one
 * has to last to count; G_MAXINT64 where there is no detector that runs, or it
 * is at its end. Locked. */
GstClockTimeDiff gst_vae_lstm_gate_watch_get_decided (
    const GstVaeLstmGateWatch *watch);

/* Waits until that is `time` or later. FALSE when interrupted. Locked. */
gboolean gst_vae_lstm_gate_watch_wait (
    GstVaeLstmGateWatch *watch, GstClockTimeDiff time);

/* Ends a wait, and hears no more, until the next start. Locks. */
void gst_vae_lstm_gate_watch_interrupt (GstVaeLstmGateWatch *watch);

/* A stream begins: where the detector is in it is not known yet. Locks. */
void gst_vae_lstm_gate_watch_start (GstVaeLstmGateWatch *watch);
