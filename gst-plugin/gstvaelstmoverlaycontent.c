/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmoverlaycontent.h"

#include <math.h>

#include "gstvaelstmmeta.h"

#define STEPS 4 /* of a tile's strength */

static void
read_values (GstVaeLstmContent *content, const GstVaeLstmAnomaly *anomaly)
{
  content->state = g_intern_string (anomaly->state);
  content->judged = g_str_equal (anomaly->state, "detecting") &&
                    isfinite (anomaly->score) && isfinite (anomaly->threshold);
  content->score = anomaly->score;
  content->threshold = anomaly->threshold;
  content->anomalous = anomaly->anomalous;
  content->event_id = anomaly->event_id;
  content->age = GST_CLOCK_TIME_IS_VALID (anomaly->age) ? anomaly->age : 0;
}

static double
region_score (GstVideoRegionOfInterestMeta *region)
{
  GstStructure *values =
      gst_video_region_of_interest_meta_get_param (region, "anomaly");
  double score = 0;

  if (values)
    gst_structure_get_double (values, "score", &score);
  return isfinite (score) ? MAX (score, 0) : 0;
}

/* FALSE when nothing of the region lies inside the picture. The tile's
 * strength is the region's score for now. */
static gboolean
tile_from_region (GstVaeLstmTile *tile, GstVideoRegionOfInterestMeta *region,
    const GstVideoInfo *info)
{
  guint width = GST_VIDEO_INFO_WIDTH (info);
  guint height = GST_VIDEO_INFO_HEIGHT (info);

  if (region->x >= width || region->y >= height || !region->w || !region->h)
    return FALSE;
  tile->x = region->x;
  tile->y = region->y;
  tile->width = MIN (region->w, width - region->x);
  tile->height = MIN (region->h, height - region->y);
  tile->strength = region_score (region);
  return TRUE;
}

static void
make_strengths_relative (GstVaeLstmContent *content)
{
  double strongest = 0;

  for (guint i = 0; i < content->n_tiles; i++)
    strongest = MAX (strongest, content->tiles[i].strength);
  for (guint i = 0; i < content->n_tiles; i++)
    content->tiles[i].strength =
        strongest > 0
            ? ceil (STEPS * content->tiles[i].strength / strongest) / STEPS
            : 1;
}

static void
read_tiles (
    GstVaeLstmContent *content, GstBuffer *buffer, const GstVideoInfo *info)
{
  const GQuark type = g_quark_from_static_string ("anomaly");
  gpointer state = NULL;
  GstMeta *meta;

  content->n_tiles = 0;
  while (content->n_tiles < GST_VAE_LSTM_CONTENT_MAX_TILES &&
         (meta = gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    GstVideoRegionOfInterestMeta *region = (gpointer)meta;

    if (region->roi_type == type &&
        tile_from_region (&content->tiles[content->n_tiles], region, info))
      content->n_tiles++;
  }
  make_strengths_relative (content);
}

gboolean
gst_vae_lstm_content_read (
    GstVaeLstmContent *content, GstBuffer *buffer, const GstVideoInfo *info)
{
  GstVaeLstmAnomaly anomaly;

  if (!gst_buffer_get_vaelstm_anomaly (buffer, &anomaly))
    return FALSE;
  read_values (content, &anomaly);
  read_tiles (content, buffer, info);
  return TRUE;
}

static gboolean
tile_equal (const GstVaeLstmTile *a, const GstVaeLstmTile *b)
{
  return a->x == b->x && a->y == b->y && a->width == b->width &&
         a->height == b->height && a->strength == b->strength;
}

gboolean
gst_vae_lstm_content_equal_tiles (
    const GstVaeLstmContent *a, const GstVaeLstmContent *b)
{
  if (a->n_tiles != b->n_tiles)
    return FALSE;
  for (guint i = 0; i < a->n_tiles; i++) {
    if (!tile_equal (&a->tiles[i], &b->tiles[i]))
      return FALSE;
  }
  return TRUE;
}

gboolean
gst_vae_lstm_content_equal (
    const GstVaeLstmContent *a, const GstVaeLstmContent *b)
{
  return a->state == b->state && a->judged == b->judged &&
         a->score == b->score && a->threshold == b->threshold &&
         a->anomalous == b->anomalous && a->event_id == b->event_id &&
         gst_vae_lstm_content_equal_tiles (a, b);
}
