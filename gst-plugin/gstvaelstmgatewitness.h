/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a stream that passed vaelstmdetect tells a gate of anomalies: by the
 * meta on its buffers; where there is none, by events between them. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmgateplan.h"

typedef struct {
  gboolean has_meta;          /* some buffer had one */
  GstClockTimeDiff anomalous; /* time of the last buffer, if it was; or NONE */
} GstVaeLstmGateWitness;

void gst_vae_lstm_gate_witness_reset (GstVaeLstmGateWitness *witness);

/* Adds to the plan what the buffer that is shown at `time` says of itself.
 * Returns: up to when the detector has decided. */
GstClockTimeDiff gst_vae_lstm_gate_witness_see (GstVaeLstmGateWitness *witness,
    GstVaeLstmGatePlan *plan, GstBuffer *buffer, GstClockTimeDiff time);

/* Adds to the plan what the event says, if it is one of a detector's. */
void gst_vae_lstm_gate_witness_hear (const GstVaeLstmGateWitness *witness,
    GstVaeLstmGatePlan *plan, GstEvent *event);
