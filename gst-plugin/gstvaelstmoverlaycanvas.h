/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What cairo draws, as a rectangle that GStreamer blends. */

#pragma once

#include <cairo.h>
#include <gst/video/video.h>

typedef struct {
  GstBuffer *buffer;
  GstVideoFrame frame;
} GstVaeLstmCanvas;

/* A transparent canvas of that many pixels, each > 0, to draw on with the
 * context that is returned; gst_vae_lstm_canvas_close() takes both back. */
cairo_t *gst_vae_lstm_canvas_open (
    GstVaeLstmCanvas *canvas, gint width, gint height);

/* What was drawn, to be seen with its top left corner at (x,y). */
GstVideoOverlayRectangle *gst_vae_lstm_canvas_close (
    GstVaeLstmCanvas *canvas, cairo_t *cr, gint x, gint y);
