/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A picture of scores over time. */

#pragma once

#include "output.h"
#include "track.h"

/* Writes a PNG: one row per track (VlTrack), its score against the threshold,
 * events shaded, channels as thin curves. */
gboolean vl_plot_tracks (
    const GPtrArray *tracks, VlOutput *output, GError **error);
