/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_VAE_LSTM_DETECT (gst_vae_lstm_detect_get_type ())
G_DECLARE_FINAL_TYPE (GstVaeLstmDetect, gst_vae_lstm_detect, GST,
    VAE_LSTM_DETECT, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (vaelstmdetect)

G_END_DECLS
