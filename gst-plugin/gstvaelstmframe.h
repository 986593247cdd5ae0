/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Mapping a buffer for reading without trusting that it holds what its caps
 * and its video meta promise. */

#pragma once

#include <gst/video/video.h>

typedef enum {
  GST_VAE_LSTM_FRAME_OK,
  GST_VAE_LSTM_FRAME_UNMAPPABLE,   /* memory that cannot be mapped, or less of
                                      it than the caps need */
  GST_VAE_LSTM_FRAME_OTHER_FORMAT, /* its video meta contradicts the caps */
  GST_VAE_LSTM_FRAME_SHORT         /* planes reach past the end of the memory */
} GstVaeLstmFrameStatus;

/* One sentence on a status other than OK. Static storage. */
const gchar *gst_vae_lstm_frame_status_text (GstVaeLstmFrameStatus status);

/* Maps buffer READ only, with no reference taken: buffer outlives the map.
 * info is that of the caps. On OK every row of every plane can be read, the
 * frame has info's size, and gst_video_frame_unmap() is due; otherwise frame
 * is undefined. */
GstVaeLstmFrameStatus gst_vae_lstm_frame_map (
    GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer);
