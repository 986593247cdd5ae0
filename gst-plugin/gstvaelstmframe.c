/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmframe.h"

const gchar *
gst_vae_lstm_frame_status_text (GstVaeLstmFrameStatus status)
{
  switch (status) {
  case GST_VAE_LSTM_FRAME_UNMAPPABLE:
    return "A frame cannot be mapped, or is smaller than its caps say.";
  case GST_VAE_LSTM_FRAME_OTHER_FORMAT:
    return "A frame's video meta contradicts its caps.";
  case GST_VAE_LSTM_FRAME_SHORT:
    return "A frame's memory ends before its last row.";
  default:
    return "";
  }
}

/* Bytes of a plane as the caps alone lay it out. */
static gsize
canonical_plane_size (const GstVideoInfo *info, guint plane)
{
  gsize end = plane + 1 < GST_VIDEO_INFO_N_PLANES (info)
                  ? GST_VIDEO_INFO_PLANE_OFFSET (info, plane + 1)
                  : GST_VIDEO_INFO_SIZE (info);

  return end - GST_VIDEO_INFO_PLANE_OFFSET (info, plane);
}

/* Bytes from the plane's first to its last, or 0 for a stride that makes no
 * sense. The last row need not be padded. Tiles and palettes have no rows. */
static gsize
plane_size (const GstVideoFrame *frame, const GstVideoInfo *info, guint plane)
{
  gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, plane);
  gint row = GST_VIDEO_INFO_PLANE_STRIDE (info, plane);
  gint components[GST_VIDEO_MAX_COMPONENTS];
  gint rows;

  gst_video_format_info_component (info->finfo, plane, components);
  if (components[0] < 0 || GST_VIDEO_FORMAT_INFO_IS_TILED (info->finfo))
    return canonical_plane_size (info, plane);
  if (stride <= 0)
    return 0;

  rows = GST_VIDEO_INFO_COMP_HEIGHT (info, components[0]);
  return (gsize)stride * (rows - 1) + MIN (stride, row);
}

static gboolean
plane_is_whole (
    const GstVideoFrame *frame, const GstVideoInfo *info, guint plane)
{
  /* Without a video meta one map holds all planes. */
  const GstMapInfo *map = &frame->map[frame->meta ? plane : 0];
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (frame, plane);
  gsize size = plane_size (frame, info, plane);

  return size > 0 && data >= map->data &&
         (gsize)(data - map->data) <= map->size &&
         map->size - (data - map->data) >= size;
}

static GstVaeLstmFrameStatus
check_frame (const GstVideoFrame *frame, const GstVideoInfo *info)
{
  if (GST_VIDEO_FRAME_FORMAT (frame) != GST_VIDEO_INFO_FORMAT (info) ||
      GST_VIDEO_FRAME_WIDTH (frame) < GST_VIDEO_INFO_WIDTH (info) ||
      GST_VIDEO_FRAME_HEIGHT (frame) < GST_VIDEO_INFO_HEIGHT (info))
    return GST_VAE_LSTM_FRAME_OTHER_FORMAT;

  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++) {
    if (!plane_is_whole (frame, info, plane))
      return GST_VAE_LSTM_FRAME_SHORT;
  }
  return GST_VAE_LSTM_FRAME_OK;
}

GstVaeLstmFrameStatus
gst_vae_lstm_frame_map (
    GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer)
{
  GstVaeLstmFrameStatus status;

  if (!gst_video_frame_map (frame, info, buffer,
          GST_MAP_READ | (GstMapFlags)GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
    return GST_VAE_LSTM_FRAME_UNMAPPABLE;

  status = check_frame (frame, info);
  if (status != GST_VAE_LSTM_FRAME_OK) {
    gst_video_frame_unmap (frame);
    return status;
  }

  /* A video meta may describe a larger picture, to be cropped. */
  frame->info.width = info->width;
  frame->info.height = info->height;
  return status;
}
