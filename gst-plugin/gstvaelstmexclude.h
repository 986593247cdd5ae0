/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The `exclude` property: rectangles written as text. */

#pragma once

#include "detector.h"

/* The rectangles of "x,y,w,h;x,y,w,h;...", shares of the picture in 0..1, as
 * an array of VlRect; an empty array for NULL or "". NULL with error set
 * (GST_RESOURCE_ERROR_SETTINGS) when the text says anything else. */
GArray *gst_vae_lstm_exclude_parse (const gchar *text, GError **error);
