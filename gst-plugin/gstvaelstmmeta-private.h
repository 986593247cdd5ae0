/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The writing side of the meta, for the plugin's own elements. */

#pragma once

#include "gstvaelstmmeta.h"

G_BEGIN_DECLS

/* Makes the meta known to GStreamer. Once per process, from plugin_init. */
void gst_vae_lstm_meta_register (void);

/* Puts the values on a writable buffer, in place of values it may carry from a
 * detector upstream. */
void gst_buffer_set_vaelstm_anomaly (
    GstBuffer *buffer, const GstVaeLstmAnomaly *anomaly);

G_END_DECLS
