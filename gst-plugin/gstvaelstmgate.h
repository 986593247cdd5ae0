/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_VAE_LSTM_GATE (gst_vae_lstm_gate_get_type ())
G_DECLARE_FINAL_TYPE (
    GstVaeLstmGate, gst_vae_lstm_gate, GST, VAE_LSTM_GATE, GstElement)

GST_ELEMENT_REGISTER_DECLARE (vaelstmgate)

G_END_DECLS
