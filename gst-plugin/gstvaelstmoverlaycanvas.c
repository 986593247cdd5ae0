/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmoverlaycanvas.h"

/* Both are 32 bits in the machine's byte order, alpha premultiplied. */
#define VIDEO_FORMAT GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB
#define CAIRO_FORMAT CAIRO_FORMAT_ARGB32

cairo_t *
gst_vae_lstm_canvas_open (GstVaeLstmCanvas *canvas, gint width, gint height)
{
  GstVideoInfo info;
  cairo_surface_t *surface;
  cairo_t *cr;

  gst_video_info_set_format (&info, VIDEO_FORMAT, width, height);
  canvas->buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);
  gst_buffer_memset (canvas->buffer, 0, 0, GST_VIDEO_INFO_SIZE (&info));
  gst_buffer_add_video_meta (
      canvas->buffer, GST_VIDEO_FRAME_FLAG_NONE, VIDEO_FORMAT, width, height);
  gst_video_frame_map (
      &canvas->frame, &info, canvas->buffer, GST_MAP_READWRITE);

  surface = cairo_image_surface_create_for_data (
      GST_VIDEO_FRAME_PLANE_DATA (&canvas->frame, 0), CAIRO_FORMAT, width,
      height, GST_VIDEO_FRAME_PLANE_STRIDE (&canvas->frame, 0));
  cr = cairo_create (surface);
  cairo_surface_destroy (surface);
  return cr;
}

/* The same pixels with straight alpha. Of premultiplied ones GStreamer 1.22
 * makes wrong colours when it converts them to YUV. */
static GstVideoOverlayRectangle *
take_straight (GstVideoOverlayRectangle *premultiplied)
{
  GstBuffer *pixels = gst_video_overlay_rectangle_get_pixels_unscaled_argb (
      premultiplied, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  GstVideoOverlayRectangle *straight;
  guint width, height;
  gint x, y;

  gst_video_overlay_rectangle_get_render_rectangle (
      premultiplied, &x, &y, &width, &height);
  straight = gst_video_overlay_rectangle_new_raw (
      pixels, x, y, width, height, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  gst_video_overlay_rectangle_unref (premultiplied);
  return straight;
}

GstVideoOverlayRectangle *
gst_vae_lstm_canvas_close (
    GstVaeLstmCanvas *canvas, cairo_t *cr, gint x, gint y)
{
  gint width = GST_VIDEO_FRAME_WIDTH (&canvas->frame);
  gint height = GST_VIDEO_FRAME_HEIGHT (&canvas->frame);
  GstVideoOverlayRectangle *rectangle;

  cairo_surface_flush (cairo_get_target (cr));
  cairo_destroy (cr);
  gst_video_frame_unmap (&canvas->frame);

  rectangle = gst_video_overlay_rectangle_new_raw (canvas->buffer, x, y, width,
      height, GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  gst_buffer_unref (canvas->buffer);
  return take_straight (rectangle);
}
