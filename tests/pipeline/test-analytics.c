/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The result as GstAnalytics has it, read as other people's elements do. To the
 * tiny model every test pattern is an anomaly. */

#include <gst/analytics/analytics.h>
#include <gst/check/gstcheck.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <math.h>

#include "gstvaelstmmeta.h"
#include "running.h"

#define N_FRAMES 20
#define SOURCE                                                                 \
  "videotestsrc num-buffers=20 ! "                                             \
  "video/x-raw,format=I420,width=160,height=120,framerate=10/1 ! "

/* The last frame at the end of a path, which is in the midst of an event. */
static GstBuffer *
last_frame (const gchar *properties, const gchar *path)
{
  gchar *line =
      g_strdup_printf (SOURCE "vaelstmdetect model-file=\"%s\" %s ! %s",
          running_model, properties, path);
  GstHarness *harness = gst_harness_new_parse (line);
  GstBuffer *last = NULL;

  gst_harness_play (harness);
  for (guint i = 0; i < N_FRAMES; i++) {
    gst_clear_buffer (&last);
    last = gst_harness_pull (harness);
    fail_unless (last != NULL, "%s: no frame %u", line, i);
  }
  gst_harness_teardown (harness);
  g_free (line);
  return last;
}

static gboolean
next (GstAnalyticsRelationMeta *meta, gpointer *state, GstAnalyticsMtdType type,
    GstAnalyticsMtd *mtd)
{
  return gst_analytics_relation_meta_iterate (meta, state, type, mtd);
}

static GstAnalyticsClsMtd
only_classification (GstAnalyticsRelationMeta *meta)
{
  gpointer state = NULL;
  GstAnalyticsClsMtd found, other;
  GstAnalyticsMtdType type = gst_analytics_cls_mtd_get_mtd_type ();

  fail_unless (next (meta, &state, type, &found));
  fail_if (next (meta, &state, type, &other));
  return found;
}

/* At most 1 / (1 + u^2) of anything lie u spreads above their mean. */
static double
expected_confidence (GstVideoRegionOfInterestMeta *region)
{
  double u;

  fail_unless (gst_structure_get_double (
      gst_video_region_of_interest_meta_get_param (region, "anomaly"), "score",
      &u));
  return u * u / (1 + u * u);
}

static void
assert_region (GstAnalyticsRelationMeta *meta, const GstAnalyticsODMtd *place,
    guint frame_id, GstVideoRegionOfInterestMeta *region)
{
  gint x, y, w, h;
  gfloat confidence;

  fail_unless (
      gst_analytics_od_mtd_get_location (place, &x, &y, &w, &h, &confidence));
  fail_unless_equals_string (
      g_quark_to_string (gst_analytics_od_mtd_get_obj_type (place)), "anomaly");
  fail_unless_equals_int (x, region->x);
  fail_unless_equals_int (y, region->y);
  fail_unless_equals_int (w, region->w);
  fail_unless_equals_int (h, region->h);
  fail_unless (fabs (confidence - expected_confidence (region)) < 1e-6,
      "confidence %f", confidence);
  fail_unless_equals_int (
      gst_analytics_relation_meta_get_relation (meta, place->id, frame_id),
      GST_ANALYTICS_REL_TYPE_RELATE_TO);
}

/* An object detection for each region of interest, in the same order. Returns
 * how many. */
static guint
assert_regions (
    GstBuffer *buffer, GstAnalyticsRelationMeta *meta, guint frame_id)
{
  gpointer od_state = NULL, roi_state = NULL;
  GstAnalyticsMtdType type = gst_analytics_od_mtd_get_mtd_type ();
  GstAnalyticsODMtd place;
  GstMeta *region;
  guint n = 0;

  while ((region = gst_buffer_iterate_meta_filtered (buffer, &roi_state,
              GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    fail_unless (next (meta, &od_state, type, &place));
    assert_region (
        meta, &place, frame_id, (GstVideoRegionOfInterestMeta *)region);
    n++;
  }
  fail_if (next (meta, &od_state, type, &place));
  return n;
}

GST_START_TEST (test_anomaly_is_classified_and_located)
{
  GstBuffer *buffer = last_frame ("", "identity");
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsClsMtd frame;
  GstVaeLstmAnomaly anomaly;

  fail_unless (meta != NULL);
  fail_unless (gst_buffer_get_vaelstm_anomaly (buffer, &anomaly));
  frame = only_classification (meta);
  fail_unless_equals_int (gst_analytics_cls_mtd_get_length (&frame), 1);
  fail_unless_equals_string (
      g_quark_to_string (gst_analytics_cls_mtd_get_quark (&frame, 0)),
      "anomaly");
  fail_unless_equals_float (gst_analytics_cls_mtd_get_level (&frame, 0),
      (gfloat)(1 - exp2 (-anomaly.score / anomaly.threshold)));
  fail_unless (assert_regions (buffer, meta, frame.id) > 0);
  gst_buffer_unref (buffer);
}
GST_END_TEST

GST_START_TEST (test_none_without_anomaly_or_regions)
{
  static const gchar *const properties[] = {
      "threshold=1e6", "attach-regions=false", "attach-meta=false"};

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    GstBuffer *buffer = last_frame (properties[i], "identity");

    fail_if (
        gst_buffer_get_analytics_relation_meta (buffer), "%s", properties[i]);
    gst_buffer_unref (buffer);
  }
}
GST_END_TEST

/* Two detectors, or another analyser before: both in the one meta that a buffer
 * can have. */
GST_START_TEST (test_what_was_found_before_stays)
{
  gchar *other =
      g_strdup_printf ("vaelstmdetect model-file=\"%s\"", running_model);
  GstBuffer *buffer = last_frame ("", other);
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsClsMtd found;
  gpointer state = NULL;
  guint n = 0;

  fail_unless_equals_int (
      gst_buffer_get_n_meta (buffer, GST_ANALYTICS_RELATION_META_API_TYPE), 1);
  while (next (meta, &state, gst_analytics_cls_mtd_get_mtd_type (), &found))
    n++;
  fail_unless_equals_int (n, 2);
  gst_buffer_unref (buffer);
  g_free (other);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_anomaly_is_classified_and_located);
  tcase_add_test (tcase, test_none_without_anomaly_or_regions);
  tcase_add_test (tcase, test_what_was_found_before_stays);
}

int
main (int argc, char **argv)
{
  return running_test_main (argc, argv, "analytics", add_tests);
}
