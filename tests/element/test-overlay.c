/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What vaelstmoverlay draws, where, and what it leaves alone. The meta is made
 * here; the detector comes in last, in whole pipelines. */

#include <math.h>

#include "gstvaelstmoverlayhistory.h"
#include "stream.h"

#define RGB_CAPS "video/x-raw,format=RGB,width=320,height=240,framerate=10/1"
#define FEATURE "(memory:SystemMemory,meta:GstVideoOverlayComposition)"

static const GstVideoRectangle region = {200, 120, 80, 81};

/* ------------------------------------------------------------------ frames */

static GstVideoInfo
info_of (const gchar *caps)
{
  GstCaps *parsed = gst_caps_from_string (caps);
  GstVideoInfo info;

  fail_unless (gst_video_info_from_caps (&info, parsed), "%s", caps);
  gst_caps_unref (parsed);
  return info;
}

/* Frame n, at n / 10 s, every byte the same. */
static GstBuffer *
make_frame (const gchar *caps, guint n)
{
  GstVideoInfo info = info_of (caps);
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&info), NULL);

  gst_buffer_memset (buffer, 0, 0x60, GST_VIDEO_INFO_SIZE (&info));
  GST_BUFFER_PTS (buffer) = n * GST_SECOND / 10;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 10;
  return buffer;
}

static void
add_values (
    GstBuffer *buffer, const gchar *state, double score, GstClockTime age)
{
  GstCustomMeta *meta =
      gst_buffer_add_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME);
  gboolean anomalous = score > 3;

  gst_structure_set (gst_custom_meta_get_structure (meta), "score",
      G_TYPE_DOUBLE, score, "appearance", G_TYPE_DOUBLE, score, "dynamics",
      G_TYPE_DOUBLE, score, "threshold", G_TYPE_DOUBLE, 3.0, "anomalous",
      G_TYPE_BOOLEAN, anomalous, "event-id", G_TYPE_UINT, anomalous ? 1 : 0,
      "state", G_TYPE_STRING, state, "age", G_TYPE_UINT64, age, NULL);
}

static void
add_region (GstBuffer *buffer, const GstVideoRectangle *where)
{
  GstVideoRegionOfInterestMeta *meta =
      gst_buffer_add_video_region_of_interest_meta (
          buffer, "anomaly", where->x, where->y, where->w, where->h);

  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_new ("anomaly", "score", G_TYPE_DOUBLE, 9.0, NULL));
}

static GstBuffer *
make_scored_frame (const gchar *caps, guint n, double score)
{
  GstBuffer *buffer = make_frame (caps, n);

  add_values (buffer, "detecting", score, 0);
  return buffer;
}

static GstBuffer *
make_anomalous_frame (const gchar *caps, guint n)
{
  GstBuffer *buffer = make_scored_frame (caps, n, 5);

  add_region (buffer, &region);
  return buffer;
}

static gboolean
same_bytes (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;
  gboolean same;

  gst_buffer_map (b, &map, GST_MAP_READ);
  same = gst_buffer_get_size (a) == map.size &&
         gst_buffer_memcmp (a, 0, map.data, map.size) == 0;
  gst_buffer_unmap (b, &map);
  return same;
}

/* One row as GStreamer unpacks it: 4 or 8 bytes a pixel. */
static gsize
unpack_row (const GstVideoFrame *frame, gint y, guint8 *row)
{
  const GstVideoFormatInfo *finfo = frame->info.finfo;
  gint width = GST_VIDEO_FRAME_WIDTH (frame);

  finfo->unpack_func (finfo, GST_VIDEO_PACK_FLAG_NONE, row, frame->data,
      frame->info.stride, 0, y, width);
  return GST_VIDEO_FORMAT_INFO_PSTRIDE (
      gst_video_format_get_info (finfo->unpack_format), 0);
}

/* The smallest rectangle around pixels that differ; empty for none. */
static GstVideoRectangle
find_changes (const gchar *caps, GstBuffer *before, GstBuffer *after)
{
  GstVideoInfo info = info_of (caps);
  gint width = GST_VIDEO_INFO_WIDTH (&info);
  gint left = G_MAXINT, top = G_MAXINT, right = -1, bottom = -1;
  guint8 *rows[2] = {g_malloc (8 * width + 64), g_malloc (8 * width + 64)};
  GstVideoFrame frames[2];

  fail_unless (gst_video_frame_map (&frames[0], &info, before, GST_MAP_READ));
  fail_unless (gst_video_frame_map (&frames[1], &info, after, GST_MAP_READ));
  for (gint y = 0; y < GST_VIDEO_INFO_HEIGHT (&info); y++) {
    gsize size = unpack_row (&frames[0], y, rows[0]);

    unpack_row (&frames[1], y, rows[1]);
    for (gint x = 0; x < width; x++) {
      if (memcmp (rows[0] + x * size, rows[1] + x * size, size) == 0)
        continue;
      left = MIN (left, x);
      right = MAX (right, x);
      top = MIN (top, y);
      bottom = MAX (bottom, y);
    }
  }
  for (guint i = 0; i < 2; i++) {
    gst_video_frame_unmap (&frames[i]);
    g_free (rows[i]);
  }
  if (right < 0)
    return (GstVideoRectangle){0, 0, 0, 0};
  return (GstVideoRectangle){left, top, right - left + 1, bottom - top + 1};
}

/* ----------------------------------------------------------------- element */

static GstHarness *
open_overlay (const gchar *launch, const gchar *caps)
{
  GstHarness *harness = gst_harness_new_parse (launch);

  gst_harness_set_src_caps_str (harness, caps);
  return harness;
}

static GstBuffer *
pass (GstHarness *harness, GstBuffer *buffer)
{
  fail_unless_equals_int (gst_harness_push (harness, buffer), GST_FLOW_OK);
  return gst_harness_pull (harness);
}

/* The changes that an element makes to its first, anomalous frame. */
static GstVideoRectangle
changes_of (const gchar *launch, const gchar *caps)
{
  GstHarness *harness = open_overlay (launch, caps);
  GstBuffer *before = make_frame (caps, 0);
  GstBuffer *after = pass (harness, make_anomalous_frame (caps, 0));
  GstVideoRectangle changes = find_changes (caps, before, after);

  gst_buffer_unref (before);
  gst_buffer_unref (after);
  gst_harness_teardown (harness);
  return changes;
}

static void
assert_inside (GstVideoRectangle inner, GstVideoRectangle outer)
{
  fail_unless (inner.w > 0 && inner.h > 0, "nothing was drawn");
  fail_unless (inner.x >= outer.x && inner.y >= outer.y &&
                   inner.x + inner.w <= outer.x + outer.w &&
                   inner.y + inner.h <= outer.y + outer.h,
      "(%d,%d %dx%d) is not in (%d,%d %dx%d)", inner.x, inner.y, inner.w,
      inner.h, outer.x, outer.y, outer.w, outer.h);
}

/* --------------------------------------------------------- what and where */

GST_START_TEST (test_regions_are_outlined_to_their_edges)
{
  GstVideoRectangle changes =
      changes_of ("vaelstmoverlay show-panel=false", RGB_CAPS);

  assert_inside (changes, region);
  fail_unless (changes.w >= region.w - 4 && changes.h >= region.h - 4);
}
GST_END_TEST

GST_START_TEST (test_what_a_region_shows_is_left_alone)
{
  GstHarness *harness =
      open_overlay ("vaelstmoverlay show-panel=false", RGB_CAPS);
  GstBuffer *after = pass (harness, make_anomalous_frame (RGB_CAPS, 0));
  guint8 middle[3];

  gst_buffer_extract (after,
      ((region.y + region.h / 2) * 320 + region.x + region.w / 2) * 3, middle,
      3);
  fail_unless_equals_int (middle[0], 0x60);
  gst_buffer_unref (after);
  gst_harness_teardown (harness);
}
GST_END_TEST

GST_START_TEST (test_panel_is_in_its_corner)
{
  const gchar *line = "vaelstmoverlay show-regions=false position=";
  static const gchar *const nicks[] = {
      "top-left", "top-right", "bottom-left", "bottom-right"};

  for (guint i = 0; i < G_N_ELEMENTS (nicks); i++) {
    gchar *launch = g_strconcat (line, nicks[i], NULL);
    GstVideoRectangle half = {i & 1 ? 160 : 0, i & 2 ? 120 : 0, 160, 120};

    assert_inside (changes_of (launch, RGB_CAPS), half);
    g_free (launch);
  }
}
GST_END_TEST

GST_START_TEST (test_panel_is_smaller_without_curve)
{
  GstVideoRectangle with =
      changes_of ("vaelstmoverlay show-regions=false", RGB_CAPS);
  GstVideoRectangle without = changes_of (
      "vaelstmoverlay show-regions=false show-curve=false", RGB_CAPS);

  fail_unless_equals_int (with.w, without.w);
  fail_unless (without.h < with.h);
}
GST_END_TEST

GST_START_TEST (test_nothing_to_show)
{
  GstVideoRectangle changes = changes_of (
      "vaelstmoverlay show-regions=false show-panel=false", RGB_CAPS);

  fail_unless_equals_int (changes.w, 0);
}
GST_END_TEST

/* Grey is grey in YUV as well. The pixel is in the panel's upper edge, where
 * nothing is written. */
GST_START_TEST (test_panel_is_grey_in_yuv)
{
  const gchar *caps = "video/x-raw,format=AYUV,width=320,height=240";
  GstHarness *harness = open_overlay ("vaelstmoverlay", caps);
  GstBuffer *frame = make_scored_frame (caps, 0, 1);
  guint8 pixel[4];

  gst_buffer_memset (frame, 0, 0x80, -1);
  frame = pass (harness, frame);
  gst_buffer_extract (frame, (10 * 320 + 80) * 4, pixel, 4);
  fail_unless (pixel[1] < 0x60, "luma %u", pixel[1]);
  fail_unless (ABS (pixel[2] - 0x80) < 6 && ABS (pixel[3] - 0x80) < 6,
      "chroma %u %u", pixel[2], pixel[3]);
  gst_buffer_unref (frame);
  gst_harness_teardown (harness);
}
GST_END_TEST

GST_START_TEST (test_every_state_is_shown)
{
  static const gchar *const states[] = {"learning", "training", "warming-up",
      "detecting", "blind", "",
      "a state that no version of the detector has had so far"};
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *last = make_frame (RGB_CAPS, 0);

  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    GstBuffer *frame = make_frame (RGB_CAPS, i);

    add_values (frame, states[i], 1, 0);
    frame = pass (harness, frame);
    fail_if (same_bytes (last, frame), "%s", states[i]);
    gst_buffer_unref (last);
    last = frame;
  }
  gst_buffer_unref (last);
  gst_harness_teardown (harness);
}
GST_END_TEST

GST_START_TEST (test_numbers_that_are_none)
{
  static const double scores[] = {NAN, INFINITY, -INFINITY, -1, 1e300, 1};
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);

  for (guint i = 0; i < G_N_ELEMENTS (scores); i++)
    gst_buffer_unref (
        pass (harness, make_scored_frame (RGB_CAPS, i, scores[i])));
  gst_harness_teardown (harness);
}
GST_END_TEST

/* --------------------------------------------------------- what is left be */

GST_START_TEST (test_frames_without_meta_are_the_same_buffers)
{
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *frame = make_frame (RGB_CAPS, 0);
  GstBuffer *untouched = gst_buffer_copy_deep (frame);
  GstBuffer *after;

  add_region (frame, &region);
  after = pass (harness, gst_buffer_ref (frame));
  fail_unless (after == frame);
  fail_unless (same_bytes (untouched, after));
  gst_buffer_unref (after);
  gst_buffer_unref (frame);
  gst_buffer_unref (untouched);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* As behind a tee: by reference to the buffer, and to its memory alone. */
GST_START_TEST (test_shared_memory_is_not_written_to)
{
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *untouched = make_frame (RGB_CAPS, 0);

  for (guint shallow = 0; shallow < 2; shallow++) {
    GstBuffer *frame = make_anomalous_frame (RGB_CAPS, 0);
    GstBuffer *kept =
        shallow ? gst_buffer_copy (frame) : gst_buffer_ref (frame);
    GstBuffer *after = pass (harness, frame);

    fail_unless (same_bytes (untouched, kept));
    fail_if (same_bytes (untouched, after));
    gst_buffer_unref (after);
    gst_buffer_unref (kept);
  }
  gst_buffer_unref (untouched);
  gst_harness_teardown (harness);
}
GST_END_TEST

GST_START_TEST (test_times_and_flags_stay)
{
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *frame = make_anomalous_frame (RGB_CAPS, 7);

  GST_BUFFER_DTS (frame) = 5;
  GST_BUFFER_OFFSET (frame) = 7;
  GST_BUFFER_FLAG_SET (frame, GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_MARKER);
  frame = pass (harness, frame);
  fail_unless_equals_uint64 (GST_BUFFER_PTS (frame), 7 * GST_SECOND / 10);
  fail_unless_equals_uint64 (GST_BUFFER_DTS (frame), 5);
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (frame), GST_SECOND / 10);
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (frame), 7);
  fail_unless (GST_BUFFER_FLAG_IS_SET (frame, GST_BUFFER_FLAG_GAP));
  fail_unless (GST_BUFFER_FLAG_IS_SET (frame, GST_BUFFER_FLAG_MARKER));
  fail_unless_equals_uint64 (gst_harness_query_latency (harness), 0);
  gst_buffer_unref (frame);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* Less memory than the caps say: it goes on, with nothing drawn. */
GST_START_TEST (test_short_frames_pass)
{
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *frame = make_anomalous_frame (RGB_CAPS, 0);
  GstBuffer *untouched;

  gst_buffer_set_size (frame, 1000);
  untouched = gst_buffer_copy_deep (frame);
  frame = pass (harness, frame);
  fail_unless (same_bytes (untouched, frame));
  gst_buffer_unref (frame);
  gst_buffer_unref (untouched);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* ------------------------------------------------------- formats and sizes */

/* Subsampled colour spills over by a block. */
static GstVideoRectangle
grown (GstVideoRectangle rectangle, gint by)
{
  return (GstVideoRectangle){rectangle.x - by, rectangle.y - by,
      rectangle.w + 2 * by, rectangle.h + 2 * by};
}

/* Formats that GStreamer itself does not pack as it unpacked them. */
static gboolean
is_packed_with_loss (GstVideoFormat format)
{
  return format == GST_VIDEO_FORMAT_UYVP || format == GST_VIDEO_FORMAT_RGB8P;
}

GST_START_TEST (test_all_formats)
{
  guint n;
  const GstVideoFormat *formats = gst_video_formats_raw (&n);

  for (guint i = 0; i < n; i++) {
    gchar *caps = g_strdup_printf (
        "video/x-raw,format=%s,width=321,height=241,framerate=10/1",
        gst_video_format_to_string (formats[i]));
    GstVideoRectangle changes =
        changes_of ("vaelstmoverlay show-panel=false", caps);

    if (!is_packed_with_loss (formats[i]))
      assert_inside (changes, grown (region, 4));
    g_free (caps);
  }
}
GST_END_TEST

GST_START_TEST (test_all_sizes)
{
  static const gint sizes[][2] = {{1, 1}, {2, 1}, {1, 2}, {3, 3}, {7, 5},
      {16, 16}, {33, 17}, {90, 50}, {1, 1000}, {2000, 1}, {321, 241}};
  static const gchar *const formats[] = {
      "I420", "NV12", "YUY2", "RGB", "Y41B", "v210"};
  static const GstVideoRectangle odd_regions[] = {{0, 0, 1, 1}, {0, 0, 2, 9},
      {1, 1, G_MAXINT, G_MAXINT}, {5000, 5000, 10, 10}, {0, 0, 0, 0}};

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    for (guint f = 0; f < G_N_ELEMENTS (formats); f++) {
      gchar *caps = g_strdup_printf (
          "video/x-raw,format=%s,width=%d,height=%d,framerate=10/1", formats[f],
          sizes[i][0], sizes[i][1]);
      GstHarness *harness =
          open_overlay ("vaelstmoverlay position=bottom-right", caps);
      GstBuffer *frame = make_scored_frame (caps, 0, 5);

      for (guint r = 0; r < G_N_ELEMENTS (odd_regions); r++)
        add_region (frame, &odd_regions[r]);
      gst_buffer_unref (pass (harness, frame));
      gst_harness_teardown (harness);
      g_free (caps);
    }
  }
}
GST_END_TEST

GST_START_TEST (test_text_grows_with_the_picture)
{
  GstVideoRectangle small = changes_of ("vaelstmoverlay show-regions=false",
      "video/x-raw,format=GRAY8,width=640,"
      "height=480,framerate=10/1");
  GstVideoRectangle large = changes_of ("vaelstmoverlay show-regions=false",
      "video/x-raw,format=GRAY8,width=3840,"
      "height=2160,framerate=10/1");

  fail_unless (large.h > 2 * small.h);
  fail_unless (large.h < 2160 / 4 && large.w < 3840 / 4);
}
GST_END_TEST

GST_START_TEST (test_new_caps_in_mid_stream)
{
  const gchar *other = "video/x-raw,format=NV12,width=200,height=480";
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *before = make_frame (other, 1), *after;

  gst_buffer_unref (pass (harness, make_anomalous_frame (RGB_CAPS, 0)));
  gst_harness_set_src_caps_str (harness, other);
  after = pass (harness, make_scored_frame (other, 1, 1));
  fail_if (same_bytes (before, after));
  gst_buffer_unref (before);
  gst_buffer_unref (after);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* ------------------------------------------------------------ compositions */

static GstHarness *
open_before_sink_that_draws (void)
{
  GstHarness *harness = gst_harness_new ("vaelstmoverlay");

  gst_harness_set_sink_caps_str (harness, "video/x-raw" FEATURE ";video/x-raw");
  gst_harness_add_propose_allocation_meta (
      harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  gst_harness_set_src_caps_str (harness, RGB_CAPS);
  return harness;
}

static gboolean
outputs_feature (GstHarness *harness)
{
  GstCaps *caps = gst_pad_get_current_caps (harness->sinkpad);
  gboolean has = gst_caps_features_contains (gst_caps_get_features (caps, 0),
      GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);

  gst_caps_unref (caps);
  return has;
}

static GstVideoOverlayComposition *
composition_of (GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta =
      gst_buffer_get_video_overlay_composition_meta (buffer);

  fail_unless (meta != NULL);
  return meta->overlay;
}

GST_START_TEST (test_composition_is_handed_on)
{
  GstHarness *harness = open_before_sink_that_draws ();
  GstBuffer *frame = make_anomalous_frame (RGB_CAPS, 0);
  GstMemory *memory = gst_buffer_peek_memory (frame, 0);
  GstBuffer *untouched = make_frame (RGB_CAPS, 0);

  frame = pass (harness, frame);
  fail_unless (outputs_feature (harness));
  fail_unless (gst_buffer_peek_memory (frame, 0) == memory);
  fail_unless (same_bytes (untouched, frame));
  fail_unless (
      gst_video_overlay_composition_n_rectangles (composition_of (frame)) > 1);
  gst_buffer_unref (frame);
  gst_buffer_unref (untouched);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* Blended by hand, it is what the element blends itself. */
GST_START_TEST (test_composition_looks_like_what_is_blended)
{
  GstVideoInfo info = info_of (RGB_CAPS);
  GstHarness *hands_on = open_before_sink_that_draws ();
  GstHarness *blends = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *a = pass (hands_on, make_anomalous_frame (RGB_CAPS, 0));
  GstBuffer *b = pass (blends, make_anomalous_frame (RGB_CAPS, 0));
  GstVideoOverlayComposition *composition =
      gst_video_overlay_composition_ref (composition_of (a));
  GstVideoFrame frame;

  a = gst_buffer_make_writable (a);
  fail_unless (gst_video_frame_map (&frame, &info, a, GST_MAP_READWRITE));
  fail_unless (gst_video_overlay_composition_blend (composition, &frame));
  gst_video_frame_unmap (&frame);
  fail_unless (same_bytes (a, b));

  gst_video_overlay_composition_unref (composition);
  gst_buffer_unref (a);
  gst_buffer_unref (b);
  gst_harness_teardown (hands_on);
  gst_harness_teardown (blends);
}
GST_END_TEST

GST_START_TEST (test_other_overlays_are_kept)
{
  GstHarness *harness = open_before_sink_that_draws ();
  GstBuffer *frame = make_anomalous_frame (RGB_CAPS, 0);
  GstBuffer *once = pass (harness, make_anomalous_frame (RGB_CAPS, 0));
  guint n = gst_video_overlay_composition_n_rectangles (composition_of (once));

  gst_buffer_add_video_overlay_composition_meta (frame, composition_of (once));
  frame = pass (harness, frame);
  fail_unless_equals_int (
      gst_video_overlay_composition_n_rectangles (composition_of (frame)),
      2 * n);
  fail_unless_equals_int (
      gst_video_overlay_composition_n_rectangles (composition_of (once)), n);
  gst_buffer_unref (once);
  gst_buffer_unref (frame);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* Between analysed frames there is nothing new to draw. */
GST_START_TEST (test_redrawn_only_when_needed)
{
  GstHarness *harness = open_before_sink_that_draws ();
  GstBuffer *first = pass (harness, make_scored_frame (RGB_CAPS, 0, 1));
  GstBuffer *carried = make_frame (RGB_CAPS, 1), *next;

  add_values (carried, "detecting", 1, GST_SECOND / 10);
  carried = pass (harness, carried);
  next = pass (harness, make_scored_frame (RGB_CAPS, 2, 2));
  fail_unless (composition_of (first) == composition_of (carried));
  fail_unless (composition_of (carried) != composition_of (next));
  gst_buffer_unref (first);
  gst_buffer_unref (carried);
  gst_buffer_unref (next);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* Takes any caps, and lists no meta: would lose overlays. */
GST_START_TEST (test_sink_that_takes_anything_gets_pixels)
{
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *untouched = make_frame (RGB_CAPS, 0);
  GstBuffer *frame = pass (harness, make_anomalous_frame (RGB_CAPS, 0));

  fail_if (outputs_feature (harness));
  fail_if (same_bytes (untouched, frame));
  fail_unless (gst_buffer_get_video_overlay_composition_meta (frame) == NULL);
  gst_buffer_unref (frame);
  gst_buffer_unref (untouched);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* A sink that draws takes the place of one that does not. */
GST_START_TEST (test_downstream_changes_its_mind)
{
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *frame = pass (harness, make_anomalous_frame (RGB_CAPS, 0));

  gst_buffer_unref (frame);
  gst_harness_add_propose_allocation_meta (
      harness, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  gst_harness_push_upstream_event (harness, gst_event_new_reconfigure ());
  frame = pass (harness, make_anomalous_frame (RGB_CAPS, 1));
  fail_unless (outputs_feature (harness));
  composition_of (frame);
  gst_buffer_unref (frame);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* ----------------------------------------------------------------- history */

typedef void (*Interrupt) (GstHarness *harness, GstBuffer *next);

static void
do_nothing (GstHarness *harness, GstBuffer *next)
{
}

static void
set_discont (GstHarness *harness, GstBuffer *next)
{
  GST_BUFFER_FLAG_SET (next, GST_BUFFER_FLAG_DISCONT);
}

static void
flush (GstHarness *harness, GstBuffer *next)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
}

static void
jump (GstHarness *harness, GstBuffer *next)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = 60 * GST_SECOND;
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
}

static void
repeat_segment (GstHarness *harness, GstBuffer *next)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
}

/* Frame 50, drawn after 50 others and what came between. */
static GstBuffer *
frame_after (Interrupt interrupt)
{
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *frame;

  for (guint i = 0; i < 50; i++)
    gst_buffer_unref (
        pass (harness, make_scored_frame (RGB_CAPS, i, 1 + i % 5)));
  frame = make_scored_frame (RGB_CAPS, 50, 1);
  interrupt (harness, frame);
  frame = pass (harness, frame);
  gst_harness_teardown (harness);
  return frame;
}

GST_START_TEST (test_curve_starts_anew)
{
  static const struct {
    Interrupt interrupt;
    gboolean starts_anew;
  } cases[] = {{do_nothing, FALSE}, {repeat_segment, FALSE},
      {set_discont, TRUE}, {flush, TRUE}, {jump, TRUE}};
  GstHarness *harness = open_overlay ("vaelstmoverlay", RGB_CAPS);
  GstBuffer *fresh = pass (harness, make_scored_frame (RGB_CAPS, 50, 1));

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    GstBuffer *frame = frame_after (cases[i].interrupt);

    fail_unless_equals_int (same_bytes (fresh, frame), cases[i].starts_anew);
    gst_buffer_unref (frame);
  }
  gst_buffer_unref (fresh);
  gst_harness_teardown (harness);
}
GST_END_TEST

/* The newest n spans of a history, NAN being told as -1. */
static void
assert_newest (const GstVaeLstmHistory *history, guint n, const float *expected)
{
  float curve[GST_VAE_LSTM_HISTORY_SPANS];

  gst_vae_lstm_history_copy (history, curve);
  for (guint i = 0; i < n; i++) {
    float value = curve[GST_VAE_LSTM_HISTORY_SPANS - n + i];

    fail_unless (fabsf ((isnan (value) ? -1 : value) - expected[i]) < 1e-6,
        "%u: %f", i, value);
  }
}

GST_START_TEST (test_history_keeps_peaks_and_joins_scores)
{
  GstVaeLstmHistory history;

  gst_vae_lstm_history_init (&history, 300 * GST_SECOND); /* 1 s a span */
  gst_vae_lstm_history_add (&history, 10 * GST_SECOND, 1);
  gst_vae_lstm_history_add (&history, 10 * GST_SECOND + 1, 7);
  gst_vae_lstm_history_add (&history, 10 * GST_SECOND + 2, 2);
  assert_newest (&history, 2, (float[]){-1, 7});

  gst_vae_lstm_history_add (&history, 13 * GST_SECOND, 1);
  assert_newest (&history, 5, (float[]){-1, 7, 5, 3, 1});

  gst_vae_lstm_history_break (&history);
  gst_vae_lstm_history_add (&history, 15 * GST_SECOND, 4);
  assert_newest (&history, 4, (float[]){3, 1, -1, 4});
}
GST_END_TEST

GST_START_TEST (test_history_forgets)
{
  GstVaeLstmHistory history;

  gst_vae_lstm_history_init (&history, 300 * GST_SECOND);
  gst_vae_lstm_history_add (&history, 10 * GST_SECOND, 1);
  gst_vae_lstm_history_break (&history);
  gst_vae_lstm_history_add (&history, 1000000 * GST_SECOND, 2);
  assert_newest (&history, 300, (float[300]){[0 ... 298] = -1, [299] = 2});

  /* Jitter goes where it belongs, a step back starts anew. */
  gst_vae_lstm_history_add (&history, 1000000 * GST_SECOND - GST_SECOND / 2, 3);
  assert_newest (&history, 2, (float[]){3, 2});
  gst_vae_lstm_history_add (&history, 5 * GST_SECOND, 1);
  assert_newest (&history, 2, (float[]){-1, 1});
}
GST_END_TEST

/* ---------------------------------------------------------------- pipelines */

/* Buffers that arrive at the end of a pipeline. */
static guint
play (const gchar *line)
{
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error);
  GstElement *sink;
  GstStructure *stats;
  guint64 rendered = 0;
  GstMessage *message;
  GstBus *bus;

  fail_unless (error == NULL, "%s", error ? error->message : "");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, 30 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_get (sink, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "rendered", &rendered);

  gst_structure_free (stats);
  gst_object_unref (sink);
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return rendered;
}

/* To the tiny model every test pattern is an anomaly. */
GST_START_TEST (test_behind_a_detector)
{
  gchar *line = g_strdup_printf (
      "videotestsrc num-buffers=20 ! video/x-raw,width=320,height=240,"
      "framerate=10/1 ! vaelstmdetect model-file=\"%s\" ! tee name=t ! queue ! "
      "vaelstmoverlay ! videoconvert ! video/x-raw,format=BGRx ! "
      "fakesink name=sink  t. ! queue ! vaelstmoverlay ! fakesink",
      stream_model);

  fail_unless_equals_int (play (line), 20);
  g_free (line);
}
GST_END_TEST

/* The curve grows all the same. */
GST_START_TEST (test_interlaced_and_played_backwards)
{
  const gchar *caps = "video/x-raw,format=I420,width=320,height=240,"
                      "interlace-mode=interleaved,framerate=10/1";
  GstHarness *harness = open_overlay ("vaelstmoverlay", caps);
  GstBuffer *first, *last;
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.rate = -1;
  segment.stop = 10 * GST_SECOND;
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
  first = pass (harness, make_scored_frame (caps, 99, 1));
  for (guint i = 98; i > 0; i--)
    gst_buffer_unref (pass (harness, make_scored_frame (caps, i, 1)));
  last = pass (harness, make_scored_frame (caps, 0, 1));
  fail_if (same_bytes (first, last));
  gst_buffer_unref (first);
  gst_buffer_unref (last);
  gst_harness_teardown (harness);
}
GST_END_TEST

GST_START_TEST (test_up_and_down)
{
  for (guint i = 0; i < 10; i++)
    fail_unless_equals_int (
        play ("videotestsrc num-buffers=2 ! vaelstmoverlay ! "
              "fakesink name=sink"),
        2);
}
GST_END_TEST

GST_START_TEST (test_other_memory_is_refused)
{
  GstElement *overlay = gst_element_factory_make ("vaelstmoverlay", NULL);
  GstPad *pad = gst_element_get_static_pad (overlay, "sink");
  GstCaps *gl = gst_caps_from_string (
      "video/x-raw(memory:GLMemory),format=RGBA,width=64,height=64");

  fail_if (gst_pad_query_accept_caps (pad, gl));
  gst_caps_unref (gl);
  gst_object_unref (pad);
  gst_object_unref (overlay);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_regions_are_outlined_to_their_edges);
  tcase_add_test (tcase, test_what_a_region_shows_is_left_alone);
  tcase_add_test (tcase, test_panel_is_in_its_corner);
  tcase_add_test (tcase, test_panel_is_smaller_without_curve);
  tcase_add_test (tcase, test_nothing_to_show);
  tcase_add_test (tcase, test_panel_is_grey_in_yuv);
  tcase_add_test (tcase, test_every_state_is_shown);
  tcase_add_test (tcase, test_numbers_that_are_none);
  tcase_add_test (tcase, test_frames_without_meta_are_the_same_buffers);
  tcase_add_test (tcase, test_shared_memory_is_not_written_to);
  tcase_add_test (tcase, test_times_and_flags_stay);
  tcase_add_test (tcase, test_short_frames_pass);
  tcase_add_test (tcase, test_all_formats);
  tcase_add_test (tcase, test_all_sizes);
  tcase_add_test (tcase, test_text_grows_with_the_picture);
  tcase_add_test (tcase, test_new_caps_in_mid_stream);
  tcase_add_test (tcase, test_composition_is_handed_on);
  tcase_add_test (tcase, test_composition_looks_like_what_is_blended);
  tcase_add_test (tcase, test_other_overlays_are_kept);
  tcase_add_test (tcase, test_redrawn_only_when_needed);
  tcase_add_test (tcase, test_sink_that_takes_anything_gets_pixels);
  tcase_add_test (tcase, test_downstream_changes_its_mind);
  tcase_add_test (tcase, test_curve_starts_anew);
  tcase_add_test (tcase, test_history_keeps_peaks_and_joins_scores);
  tcase_add_test (tcase, test_history_forgets);
  tcase_add_test (tcase, test_behind_a_detector);
  tcase_add_test (tcase, test_interlaced_and_played_backwards);
  tcase_add_test (tcase, test_up_and_down);
  tcase_add_test (tcase, test_other_memory_is_refused);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "overlay", add_tests);
}
