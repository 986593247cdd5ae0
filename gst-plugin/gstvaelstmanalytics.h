/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A result in GStreamer's own words for what analysers find, which it has from
 * 1.24 on: other people's elements understand them. */

#pragma once

#include <gst/video/video.h>

#include "detector.h"

#ifdef HAVE_GST_ANALYTICS

/* Adds to a writable buffer's GstAnalyticsRelationMeta, which is made when
 * there is none:
 *
 * - a classification of the frame, `anomaly`, whose level in [0, 1) is 1/2
 *   where the score reaches the threshold and grows with their ratio;
 * - for each region of the result an object detection, `anomaly`, related to
 *   that classification. At most 1 - confidence of normal frames show as much
 *   in that place.
 *
 * info: of the buffer's caps. */
void gst_vae_lstm_analytics_attach (
    GstBuffer *buffer, const GstVideoInfo *info, const VlResult *result);

#else

static inline void
gst_vae_lstm_analytics_attach (
    GstBuffer *buffer, const GstVideoInfo *info, const VlResult *result)
{
}

#endif
