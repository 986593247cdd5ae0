/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where in the picture: a result's tiles as metas of the buffer. */

#pragma once

#include <gst/video/video.h>

#include "detector.h"

/* The smallest rectangle of pixels that covers the region, at least one pixel
 * and inside the picture. info: of the buffer's caps. */
GstVideoRectangle gst_vae_lstm_region_in_pixels (
    const VlRegion *region, const GstVideoInfo *info);

/* Attaches a GstVideoRegionOfInterestMeta of type `anomaly` to a writable
 * buffer for each region of the result, with a parameter structure `anomaly`
 * that holds its `score`. info: of the buffer's caps. */
void gst_vae_lstm_regions_attach (
    GstBuffer *buffer, const GstVideoInfo *info, const VlResult *result);
