/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* vaelstmgate's properties that are plain values. No locking here; the element
 * holds its object lock. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmgateplan.h"

/* The element's own properties take ids from this one on. */
#define GST_VAE_LSTM_GATE_SETTINGS_LAST_ID 6

typedef struct {
  GstVaeLstmGateLimits limits;
  gboolean retimestamp;
  gboolean split;
} GstVaeLstmGateSettings;

/* Installs the properties with ids 1..GST_VAE_LSTM_GATE_SETTINGS_LAST_ID. */
void gst_vae_lstm_gate_settings_install (GObjectClass *klass);

/* Defaults. */
void gst_vae_lstm_gate_settings_init (GstVaeLstmGateSettings *settings);

/* FALSE when prop_id is none of theirs. */
gboolean gst_vae_lstm_gate_settings_set (
    GstVaeLstmGateSettings *settings, guint prop_id, const GValue *value);
gboolean gst_vae_lstm_gate_settings_get (
    const GstVaeLstmGateSettings *settings, guint prop_id, GValue *value);
