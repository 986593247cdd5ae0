/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Blending at a cost that follows from the overlay's size. GStreamer's own
 * unpacks and packs whole rows of the video, however narrow the overlay. */

#pragma once

#include <gst/video/video.h>

/* Blends a composition, none of whose rectangles is scaled, onto a frame that
 * is mapped for reading and writing. What lies outside the frame is not seen.
 */
void gst_vae_lstm_blend (
    GstVideoOverlayComposition *composition, GstVideoFrame *frame);
