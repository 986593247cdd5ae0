/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_VAE_LSTM_OVERLAY (gst_vae_lstm_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GstVaeLstmOverlay, gst_vae_lstm_overlay, GST,
    VAE_LSTM_OVERLAY, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (vaelstmoverlay)

G_END_DECLS
