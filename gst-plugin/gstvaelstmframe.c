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

static gboolean
frame_is_whole (const GstVideoFrame *frame, const GstVideoInfo *info)
{
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES (info); plane++) {
    if (!plane_is_whole (frame, info, plane))
      return FALSE;
  }
  return TRUE;
}

/* Mapping takes all this for granted. The picture of the meta may be larger
 * than that of the caps, to be cropped. */
static gboolean
meta_suits (GstBuffer *buffer, const GstVideoInfo *info)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  return !meta || (meta->format == GST_VIDEO_INFO_FORMAT (info) &&
                      meta->n_planes == GST_VIDEO_INFO_N_PLANES (info) &&
                      meta->width >= (guint)GST_VIDEO_INFO_WIDTH (info) &&
                      meta->height >= (guint)GST_VIDEO_INFO_HEIGHT (info));
}

GstVaeLstmFrameStatus
gst_vae_lstm_frame_map (
    GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer)
{
  if (!meta_suits (buffer, info))
    return GST_VAE_LSTM_FRAME_OTHER_FORMAT;
  if (!gst_video_frame_map (frame, info, buffer,
          GST_MAP_READ | (GstMapFlags)GST_VIDEO_FRAME_MAP_FLAG_NO_REF))
    return GST_VAE_LSTM_FRAME_UNMAPPABLE;
  if (!frame_is_whole (frame, info)) {
    gst_video_frame_unmap (frame);
    return GST_VAE_LSTM_FRAME_SHORT;
  }

  frame->info.width = info->width;
  frame->info.height = info->height;
  return GST_VAE_LSTM_FRAME_OK;
}
