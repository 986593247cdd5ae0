/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A picture of what was anomalous. */

#pragma once

#include <gst/gst.h>

/* Writes a raw frame that passed vaelstmdetect as a JPEG file, with what
 * vaelstmoverlay draws: its anomalous tiles and its score. The file is written
 * whole or not at all. Blocks for a few seconds at most: not for a streaming
 * thread. */
gboolean vl_snapshot_write (GstSample *frame, const char *path, GError **error);
