/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The size a model gets when none is asked for. */

#pragma once

#include <gst/video/video.h>

/* width and height of a video in square pixels -> of the model, multiples of 32
 * in 128..512. The shorter side becomes 256 for 240 lines and more, 192 for 160
 * and more, else 128; the longer one keeps the shape. Windows at a stride of 32
 * pixels then reach the edges. */
void vl_default_frame_size (unsigned video_width, unsigned video_height,
    unsigned *width, unsigned *height);

/* The same where there are seconds to train in, not minutes, and perhaps many
 * streams to analyse: the shorter side becomes 160 for 480 lines and more, else
 * 128; the longer one is 288 at most. */
void vl_quick_frame_size (unsigned video_width, unsigned video_height,
    unsigned *width, unsigned *height);

/* Size of info's frames in square pixels, as a viewer sees them; both at least
 * 1. */
void vl_square_frame_size (
    const GstVideoInfo *info, unsigned *width, unsigned *height);
