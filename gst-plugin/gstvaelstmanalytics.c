/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmanalytics.h"

#include <gst/analytics/analytics.h>
#include <math.h>

#include "gstvaelstmregions.h"

/* 1/2 at the threshold, 3/4 at twice that. */
static float
level (const VlResult *result)
{
  return result->threshold > 0 ? 1 - exp2 (-result->score / result->threshold)
                               : 0;
}

/* Cantelli's inequality, which holds for any distribution: what lies u spreads
 * above the mean is exceeded with a probability of at most 1 / (1 + u^2). */
static float
confidence (const VlRegion *region)
{
  double u = MAX (region->score, 0);

  return 1 - 1 / (1 + u * u);
}

static void
add_region (GstAnalyticsRelationMeta *meta, const GstVideoInfo *info,
    const VlRegion *region, const GstAnalyticsClsMtd *frame)
{
  GstVideoRectangle pixels = gst_vae_lstm_region_in_pixels (region, info);
  GQuark anomaly = g_quark_from_static_string ("anomaly");
  GstAnalyticsODMtd place;

  if (gst_analytics_relation_meta_add_od_mtd (meta, anomaly, pixels.x, pixels.y,
          pixels.w, pixels.h, confidence (region), &place))
    gst_analytics_relation_meta_set_relation (
        meta, GST_ANALYTICS_REL_TYPE_RELATE_TO, place.id, frame->id);
}

void
gst_vae_lstm_analytics_attach (
    GstBuffer *buffer, const GstVideoInfo *info, const VlResult *result)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  GQuark anomaly = g_quark_from_static_string ("anomaly");
  GstAnalyticsClsMtd frame;

  if (!meta)
    meta = gst_buffer_add_analytics_relation_meta (buffer);
  if (!gst_analytics_relation_meta_add_one_cls_mtd (
          meta, level (result), anomaly, &frame))
    return;
  for (unsigned i = 0; i < result->n_regions; i++)
    add_region (meta, info, &result->regions[i], &frame);
}
