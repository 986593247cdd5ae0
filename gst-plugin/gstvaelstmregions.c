/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmregions.h"

#include <math.h>

GstVideoRectangle
gst_vae_lstm_region_in_pixels (const VlRegion *region, const GstVideoInfo *info)
{
  gint width = GST_VIDEO_INFO_WIDTH (info);
  gint height = GST_VIDEO_INFO_HEIGHT (info);
  gint left = CLAMP (floor (region->rect.x * width), 0, width - 1);
  gint top = CLAMP (floor (region->rect.y * height), 0, height - 1);
  double right = ceil ((region->rect.x + region->rect.w) * width);
  double bottom = ceil ((region->rect.y + region->rect.h) * height);

  return (GstVideoRectangle){left, top, CLAMP (right, left + 1, width) - left,
      CLAMP (bottom, top + 1, height) - top};
}

static void
attach_region (
    GstBuffer *buffer, const GstVideoInfo *info, const VlRegion *region)
{
  GstVideoRectangle pixels = gst_vae_lstm_region_in_pixels (region, info);
  GstVideoRegionOfInterestMeta *meta =
      gst_buffer_add_video_region_of_interest_meta (
          buffer, "anomaly", pixels.x, pixels.y, pixels.w, pixels.h);

  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_new (
                "anomaly", "score", G_TYPE_DOUBLE, region->score, NULL));
}

void
gst_vae_lstm_regions_attach (
    GstBuffer *buffer, const GstVideoInfo *info, const VlResult *result)
{
  for (guint i = 0; i < result->n_regions; i++)
    attach_region (buffer, info, &result->regions[i]);
}
