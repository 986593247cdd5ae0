/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A result in words that travel: the structure of element messages and of the
 * downstream event. */

#pragma once

#include <gst/gst.h>

#include "detector.h"
#include "gstvaelstmtimes.h"

/* A structure `name` with every field the element documents. event is "start",
 * "update", "end" or "frame"; duration (ns) is that of the event so far. */
GstStructure *gst_vae_lstm_report_new (const gchar *name, const gchar *event,
    const VlResult *result, const GstVaeLstmTimes *times,
    GstClockTime duration);
