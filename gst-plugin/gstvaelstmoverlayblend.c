/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmoverlayblend.h"

/* Pixels, across and down: a multiple of the subsampling of any format whose
 * planes can be cut. */
#define ALIGNMENT 8

typedef struct {
  gint begin, end;
} Range;

/* What covers [start, start + length) of [0, limit), aligned. May be empty. */
static Range
aligned_range (gint start, gint length, gint limit)
{
  Range range = {
      CLAMP (start, 0, limit) / ALIGNMENT * ALIGNMENT,
      CLAMP (start + length, 0, limit),
  };

  range.end = MIN (GST_ROUND_UP_N (range.end, ALIGNMENT), limit);
  return range;
}

/* Whether every pixel of every plane is at an address of its own. */
static gboolean
can_be_cut (const GstVideoFormatInfo *finfo)
{
  for (guint i = 0; i < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo); i++) {
    if (GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, i) <= 0)
      return FALSE;
  }
  return !GST_VIDEO_FORMAT_INFO_IS_COMPLEX (finfo) &&
         !GST_VIDEO_FORMAT_INFO_IS_TILED (finfo) &&
         !GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo);
}

/* The part of a frame inside both ranges, as a frame that shares its memory
 * and is not to be unmapped. */
static GstVideoFrame
cut (const GstVideoFrame *frame, Range across, Range down)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  GstVideoFrame part = *frame;

  part.info.width = across.end - across.begin;
  part.info.height = down.end - down.begin;
  for (guint plane = 0; plane < GST_VIDEO_FRAME_N_PLANES (frame); plane++) {
    gint components[GST_VIDEO_MAX_COMPONENTS];
    gint x, y;

    gst_video_format_info_component (finfo, plane, components);
    x = GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (finfo, components[0], across.begin);
    y = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (finfo, components[0], down.begin);
    part.data[plane] = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA (frame, plane) +
                       y * GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane) +
                       x * GST_VIDEO_FORMAT_INFO_PSTRIDE (finfo, components[0]);
  }
  return part;
}

/* Maps what a rectangle shows, converted once per rectangle to the frame's kind
 * of colour. */
static gboolean
map_pixels (GstVideoFrame *pixels, GstVideoOverlayRectangle *rectangle,
    const GstVideoFrame *frame)
{
  GstBuffer *buffer =
      GST_VIDEO_INFO_IS_RGB (&frame->info)
          ? gst_video_overlay_rectangle_get_pixels_unscaled_argb (
                rectangle, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE)
          : gst_video_overlay_rectangle_get_pixels_unscaled_ayuv (
                rectangle, GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  GstVideoInfo info;

  gst_video_info_set_format (&info, meta->format, meta->width, meta->height);
  return gst_video_frame_map (pixels, &info, buffer, GST_MAP_READ);
}

static void
blend_rectangle (GstVideoOverlayRectangle *rectangle, GstVideoFrame *frame)
{
  Range across = {0, GST_VIDEO_FRAME_WIDTH (frame)};
  Range down = {0, GST_VIDEO_FRAME_HEIGHT (frame)};
  GstVideoFrame part, pixels;
  gint x, y;

  if (!map_pixels (&pixels, rectangle, frame))
    return;
  gst_video_overlay_rectangle_get_render_rectangle (
      rectangle, &x, &y, NULL, NULL);
  if (can_be_cut (frame->info.finfo)) {
    across = aligned_range (x, GST_VIDEO_FRAME_WIDTH (&pixels), across.end);
    down = aligned_range (y, GST_VIDEO_FRAME_HEIGHT (&pixels), down.end);
  }

  if (across.begin < across.end && down.begin < down.end) {
    part = cut (frame, across, down);
    gst_video_blend (&part, &pixels, x - across.begin, y - down.begin, 1);
  }
  gst_video_frame_unmap (&pixels);
}

void
gst_vae_lstm_blend (
    GstVideoOverlayComposition *composition, GstVideoFrame *frame)
{
  guint n = gst_video_overlay_composition_n_rectangles (composition);

  for (guint i = 0; i < n; i++)
    blend_rectangle (
        gst_video_overlay_composition_get_rectangle (composition, i), frame);
}
