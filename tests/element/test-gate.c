/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which frames the gate lets through, and what it says about them. */

#include <gst/video/video.h>

#include "gated.h"

#include "gstvaelstmmeta.h"

#define ROLLS(pre, post)                                                       \
  "pre-roll", (guint64)(pre)*GATED_FRAME, "post-roll",                         \
      (guint64)(post)*GATED_FRAME

/* ---- what is let through ---- */

GST_START_TEST (test_lets_nothing_through_unasked)
{
  Gated gated;

  gated_open (&gated, NULL);
  gated_run (&gated, 0, 300, GATED_NORMAL);
  gated_push_event (&gated, gst_event_new_eos ());
  gated_expect_none (&gated);
  gated_expect_no_message (&gated);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_segment_from_key_frame_to_post_roll)
{
  Gated gated;

  gated_open (&gated, ROLLS (15, 12), NULL);
  gated_run (&gated, 0, 47, GATED_NORMAL);
  gated_expect_none (&gated);
  gated_push (&gated, gated_frame (&gated, 48, GATED_ANOMALOUS));
  gated_expect_message (&gated, "open", 30, 48, NULL);
  gated_run (&gated, 49, 52, GATED_ANOMALOUS);
  gated_run (&gated, 53, 120, GATED_NORMAL);
  gated_expect (&gated, 30, 64);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "close", 30, 65, "quiet");
  gated_expect_no_message (&gated);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_key_frames_further_apart_than_pre_roll)
{
  Gated gated;

  gated_open (&gated, ROLLS (15, 5), NULL);
  gated.key_interval = 100;
  gated_run (&gated, 0, 189, GATED_NORMAL);
  gated_run (&gated, 190, 190, GATED_ANOMALOUS);
  gated_expect_message (&gated, "open", 100, 190, NULL);
  gated_run (&gated, 191, 400, GATED_NORMAL);
  gated_expect (&gated, 100, 195);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "close", 100, 196, "quiet");
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_starts_with_what_there_is)
{
  Gated gated;

  gated_open (&gated, ROLLS (50, 5), NULL);
  gated_run (&gated, 3, 24, GATED_NORMAL);
  gated_run (&gated, 25, 25, GATED_ANOMALOUS);
  gated_expect_message (&gated, "open", 10, 25, NULL);
  gated_run (&gated, 26, 30, GATED_NORMAL);
  gated_expect (&gated, 10, 30);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_waits_for_a_key_frame)
{
  Gated gated;

  gated_open (&gated, ROLLS (50, 5), NULL);
  gated_run (&gated, 3, 9, GATED_ANOMALOUS);
  gated_expect_none (&gated);
  gated_run (&gated, 10, 12, GATED_ANOMALOUS);
  gated_expect_message (&gated, "open", 10, 10, NULL);
  gated_expect (&gated, 10, 12);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_no_rolls)
{
  Gated gated;

  gated_open (&gated, ROLLS (0, 0), NULL);
  gated.key_interval = 1;
  gated_run (&gated, 0, 29, GATED_NORMAL);
  gated_run (&gated, 30, 32, GATED_ANOMALOUS);
  gated_run (&gated, 33, 60, GATED_NORMAL);
  gated_expect (&gated, 30, 32);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 30, 30, NULL);
  gated_expect_message (&gated, "close", 30, 33, "quiet");
  gated_close (&gated);
}
GST_END_TEST

/* ---- segment after segment ---- */

GST_START_TEST (test_anomaly_in_post_roll_goes_on)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 20), NULL);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  gated_run (&gated, 30, 30, GATED_ANOMALOUS);
  gated_run (&gated, 31, 49, GATED_NORMAL);
  gated_run (&gated, 50, 50, GATED_ANOMALOUS);
  gated_run (&gated, 51, 200, GATED_NORMAL);
  gated_expect (&gated, 20, 70);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 20, 30, NULL);
  gated_expect_message (&gated, "close", 20, 71, "quiet");
  gated_expect_no_message (&gated);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_two_anomalies_make_two_segments)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  gated_run (&gated, 30, 30, GATED_ANOMALOUS);
  gated_run (&gated, 31, 79, GATED_NORMAL);
  gated_run (&gated, 80, 80, GATED_ANOMALOUS);
  gated_run (&gated, 81, 200, GATED_NORMAL);
  gated_expect (&gated, 20, 35);
  gated_expect (&gated, 70, 85);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 20, 30, NULL);
  gated_expect_message (&gated, "close", 20, 36, "quiet");
  gated_expect_message (&gated, "open", 70, 80, NULL);
  gated_expect_message (&gated, "close", 70, 86, "quiet");
  gated_close (&gated);
}
GST_END_TEST

/* 36..39 are in the second anomaly's pre-roll, but can only be decoded with the
 * first segment. */
GST_START_TEST (test_second_pre_roll_reaches_into_the_first_segment)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  gated_run (&gated, 30, 30, GATED_ANOMALOUS);
  gated_run (&gated, 31, 43, GATED_NORMAL);
  gated_run (&gated, 44, 44, GATED_ANOMALOUS);
  gated_run (&gated, 45, 200, GATED_NORMAL);
  gated_expect (&gated, 20, 39);
  gated_expect (&gated, 40, 49);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 20, 30, NULL);
  gated_expect_message (&gated, "close", 20, 40, "quiet");
  gated_expect_message (&gated, "open", 40, 44, NULL);
  gated_expect_message (&gated, "close", 40, 50, "quiet");
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_anomaly_before_the_next_key_frame_goes_on)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 3), NULL);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  gated_run (&gated, 30, 30, GATED_ANOMALOUS);
  gated_run (&gated, 31, 35, GATED_NORMAL);
  gated_run (&gated, 36, 36, GATED_ANOMALOUS);
  gated_run (&gated, 37, 200, GATED_NORMAL);
  gated_expect (&gated, 20, 39);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 20, 30, NULL);
  gated_expect_message (&gated, "close", 20, 40, "quiet");
  gated_expect_no_message (&gated);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_max_duration)
{
  Gated gated;

  gated_open (&gated, ROLLS (5, 5), "max-duration", 25 * GATED_FRAME, NULL);
  gated_run (&gated, 0, 19, GATED_NORMAL);
  gated_run (&gated, 20, 75, GATED_ANOMALOUS);
  gated_run (&gated, 76, 200, GATED_NORMAL);
  gated_expect (&gated, 10, 39);
  gated_expect (&gated, 40, 69);
  gated_expect (&gated, 70, 80);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 10, 20, NULL);
  gated_expect_message (&gated, "close", 10, 40, "max-duration");
  gated_expect_message (&gated, "open", 40, 40, NULL);
  gated_expect_message (&gated, "close", 40, 70, "max-duration");
  gated_expect_message (&gated, "open", 70, 70, NULL);
  gated_expect_message (&gated, "close", 70, 81, "quiet");
  gated_close (&gated);
}
GST_END_TEST

static GstEvent *
pull_key_request (GstEvent *(*pull) (GstHarness *), GstHarness *harness)
{
  GstEvent *event;

  while ((event = pull (harness)) && !gst_video_event_is_force_key_unit (event))
    gst_event_unref (event);
  return event;
}

GST_START_TEST (test_asks_for_key_frames)
{
  Gated gated;
  GstClockTime running_time;
  GstEvent *event;

  gated_open (&gated, ROLLS (5, 5), "max-duration", 25 * GATED_FRAME, NULL);
  gated_run (&gated, 0, 19, GATED_NORMAL);
  fail_unless (
      pull_key_request (gst_harness_try_pull_event, gated.harness) == NULL);
  gated_run (&gated, 20, 20, GATED_ANOMALOUS);

  event = pull_key_request (gst_harness_try_pull_event, gated.harness);
  fail_unless (event != NULL);
  fail_unless (gst_video_event_parse_downstream_force_key_unit (
      event, NULL, NULL, &running_time, NULL, NULL));
  fail_unless_equals_uint64 (running_time, GST_CLOCK_TIME_NONE);
  gst_event_unref (event);

  event = pull_key_request (gst_harness_try_pull_upstream_event, gated.harness);
  fail_unless (event != NULL);
  fail_unless (gst_video_event_parse_upstream_force_key_unit (
      event, &running_time, NULL, NULL));
  fail_unless_equals_uint64 (running_time, 35 * GATED_FRAME);
  gst_event_unref (event);
  gated_close (&gated);
}
GST_END_TEST

/* ---- bounds ---- */

GST_START_TEST (test_max_bytes)
{
  Gated gated;
  GstMessage *warning;

  /* 25 frames */
  gated_open (&gated, ROLLS (50, 5), "max-bytes", (guint64)2500, NULL);
  gated_run (&gated, 0, 97, GATED_NORMAL);
  warning = gst_bus_pop_filtered (gated.bus, GST_MESSAGE_WARNING);
  fail_unless (warning != NULL);
  gst_message_unref (warning);
  fail_unless (gst_bus_pop_filtered (gated.bus, GST_MESSAGE_WARNING) == NULL);
  gated_run (&gated, 98, 98, GATED_ANOMALOUS);
  gated_expect_message (&gated, "open", 80, 98, NULL);
  gated_run (&gated, 99, 105, GATED_ANOMALOUS);
  gated_expect (&gated, 80, 105);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_group_larger_than_max_bytes)
{
  Gated gated;

  gated_open (&gated, ROLLS (50, 5), "max-bytes", (guint64)500, NULL);
  gated_run (&gated, 0, 18, GATED_NORMAL);
  gated_run (&gated, 19, 21, GATED_ANOMALOUS);
  gated_expect_message (&gated, "open", 20, 20, NULL);
  gated_expect (&gated, 20, 21);
  gated_close (&gated);
}
GST_END_TEST

/* Frames that are kept as long as they may be needed. */
GST_START_TEST (test_frees_what_is_too_old)
{
  Gated gated;
  GstBuffer *early, *late;

  gated_open (&gated, ROLLS (15, 5), NULL);
  early = gated_frame (&gated, 0, GATED_NORMAL);
  gated_push (&gated, gst_buffer_ref (early));
  gated_run (&gated, 1, 99, GATED_NORMAL);
  late = gated_frame (&gated, 100, GATED_NORMAL);
  gated_push (&gated, gst_buffer_ref (late));

  ASSERT_MINI_OBJECT_REFCOUNT (early, "early", 1);
  ASSERT_MINI_OBJECT_REFCOUNT (late, "late", 2);
  gated_close (&gated);
  ASSERT_MINI_OBJECT_REFCOUNT (late, "late", 1);
  gst_buffer_unref (early);
  gst_buffer_unref (late);
}
GST_END_TEST

static GstBufferPool *
make_pool (guint max_buffers)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, 100, 0, max_buffers);
  fail_unless (gst_buffer_pool_set_config (pool, config));
  fail_unless (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

/* A source that has to have its buffers back; `shared`: something before the
 * gate writes to them, but not to their memory. */
static void
run_from_pool (Gated *gated, GstBufferPool *pool, guint n, gboolean shared)
{
  GstBufferPoolAcquireParams params = {
      .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT};
  GstBuffer *buffer, *copy;

  fail_unless_equals_int (
      gst_buffer_pool_acquire_buffer (pool, &buffer, &params), GST_FLOW_OK);
  gst_buffer_memset (buffer, 0, n, 100);
  GST_BUFFER_PTS (buffer) = n * GATED_FRAME;
  GST_BUFFER_OFFSET (buffer) = n;
  if (shared) {
    copy = gst_buffer_copy (buffer);
    gst_buffer_unref (buffer);
    buffer = copy;
  }
  gated_push (gated, buffer);
}

GST_START_TEST (test_bounded_pool)
{
  GstBufferPool *pool = make_pool (3);
  GstBuffer *buffer;
  Gated gated;

  gated_open (&gated, ROLLS (20, 5), NULL);
  for (guint n = 0; n < 40; n++)
    run_from_pool (&gated, pool, n, __i__);
  g_signal_emit_by_name (gated.element, "open", 35 * GATED_FRAME);
  gated_push_event (&gated, gst_event_new_eos ());
  for (guint n = 15; n < 40; n++) {
    buffer = gst_harness_pull (gated.harness);
    fail_unless_equals_int (GST_BUFFER_OFFSET (buffer), n);
    fail_unless_equals_int (gst_buffer_memcmp (buffer, 99, &(guint8){n}, 1), 0);
    gst_buffer_unref (buffer);
  }
  gated_close (&gated);
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}
GST_END_TEST

/* ---- frames in another order than they are shown in ---- */

/* Nine frames in decoding order, of which the first is a key frame, shown at
 * `key`; with `open`, at `key` + 2, after two that follow it and refer to the
 * group before. Frames from..to are anomalous. */
static void
run_group (Gated *gated, guint key, gboolean open, guint from, guint to)
{
  static const gint closed_order[] = {0, 3, 1, 2, 6, 4, 5, 8, 7};
  static const gint open_order[] = {2, 0, 1, 5, 3, 4, 8, 6, 7};

  for (guint i = 0; i < 9; i++) {
    guint n = key + (open ? open_order[i] : closed_order[i]);
    GstBuffer *buffer = gated_frame (
        gated, n, n >= from && n <= to ? GATED_ANOMALOUS : GATED_NORMAL);

    GST_BUFFER_DTS (buffer) = (MAX (2, key + i) - 2) * GATED_FRAME;
    if (i == 0)
      GST_BUFFER_FLAG_UNSET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    else
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    gated_push (gated, buffer);
  }
}

static void
expect_numbers (Gated *gated, const gint *wanted, guint n)
{
  for (guint i = 0; i < n; i++)
    fail_unless_equals_int (gated_pull (gated, NULL), wanted[i]);
}

/* Frame 31 needs frame 33, which comes before it, as 24 comes before 22. */
GST_START_TEST (test_b_frames)
{
  static const gint wanted[] = {18, 21, 19, 20, 24, 22, 23, 26, 25, /* */
      27, 30, 28, 29, 33, 31, 32};
  Gated gated;

  gated_open (&gated, ROLLS (2, 6), NULL);
  for (guint first = 0; first < 90; first += 9)
    run_group (&gated, first, FALSE, 22, 25);
  expect_numbers (&gated, wanted, G_N_ELEMENTS (wanted));
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 18, 24, NULL);
  gated_expect_message (&gated, "close", 18, 34, "quiet");
  gated_close (&gated);
}
GST_END_TEST

/* 18 and 19 come after key frame 20, and refer to frames before it. */
GST_START_TEST (test_open_groups)
{
  static const gint wanted[] = {20, 23, 21, 22, 26, 24, 25, /* */
      29, 27, 28, 32, 30, 31};
  Gated gated;

  gated_open (&gated, ROLLS (3, 6), NULL);
  for (guint first = 0; first < 90; first += 9)
    run_group (&gated, first, TRUE, 24, 24);
  expect_numbers (&gated, wanted, G_N_ELEMENTS (wanted));
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 20, 24, NULL);
  gated_close (&gated);
}
GST_END_TEST

/* Between two segments that follow on, none is lost. */
GST_START_TEST (test_open_groups_and_max_duration)
{
  gboolean seen[60] = {0};
  Gated gated;

  gated_open (&gated, ROLLS (3, 6), "max-duration", 10 * GATED_FRAME, NULL);
  for (guint first = 0; first < 63; first += 9)
    run_group (&gated, first, TRUE, 10, 50);
  for (gint n; (n = gated_pull (&gated, NULL)) >= 0;) {
    fail_if (n < 2 || n >= 60 || seen[n]);
    seen[n] = TRUE;
  }
  for (guint n = 2; n <= 56; n++)
    fail_unless (seen[n], "%u is missing", n);
  gated_close (&gated);
}
GST_END_TEST

/* ---- other ways to open it ---- */

static void
flush (Gated *gated)
{
  GstSegment segment;

  gated_push_event (gated, gst_event_new_flush_start ());
  gated_push_event (gated, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gated_push_event (gated, gst_event_new_segment (&segment));
}

/* Of events, other than that of frames. */
#define EVENT_ID 3

static GstEvent *
anomaly_event (const gchar *event, guint frame, guint duration)
{
  return gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
      gst_structure_new ("vaelstm-anomaly", "event", G_TYPE_STRING, event,
          "event-id", G_TYPE_UINT, EVENT_ID, "running-time", G_TYPE_UINT64,
          frame * GATED_FRAME, "duration", G_TYPE_UINT64,
          duration * GATED_FRAME, NULL));
}

GST_START_TEST (test_events_where_the_meta_is_lost)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated.event_id = EVENT_ID;
  gated_run (&gated, 0, 44, GATED_NO_META);
  gated_push_event (&gated, anomaly_event ("start", 45, 4));
  gated_run (&gated, 45, 59, GATED_NO_META);
  gated_push_event (&gated, anomaly_event ("end", 56, 15));
  gated_run (&gated, 60, 150, GATED_NO_META);
  gated_expect (&gated, 30, 61);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 30, 41, NULL);
  gated_expect_message (&gated, "close", 30, 62, "quiet");
  gated_close (&gated);
}
GST_END_TEST

/* An end that got lost holds nothing open where buffers tell. */
GST_START_TEST (test_meta_counts_more_than_events)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 44, GATED_NORMAL);
  gated_push_event (&gated, anomaly_event ("start", 45, 4));
  gated_run (&gated, 45, 50, GATED_ANOMALOUS);
  gated_run (&gated, 51, 150, GATED_NORMAL);
  gated_expect (&gated, 30, 55);
  gated_expect_none (&gated);
  gated_close (&gated);
}
GST_END_TEST

/* ---- a detector in another branch ---- */

static GstHarness *
add_detector (Gated *gated)
{
  GstHarness *detector = gst_harness_new ("identity");

  gst_harness_set_src_caps_str (detector, "video/x-raw");
  g_object_set (gated->element, "detector", detector->element, NULL);
  return detector;
}

/* It has come to the end of frames from..to. */
static void
detect (
    Gated *gated, GstHarness *detector, guint from, guint to, GatedKind kind)
{
  for (guint n = from; n <= to; n++)
    fail_unless_equals_int (
        gst_harness_push (detector, gated_frame (gated, n, kind)), GST_FLOW_OK);
}

GST_START_TEST (test_detector_in_another_branch)
{
  Gated gated;
  GstHarness *detector;

  gated_open (&gated, ROLLS (10, 5), NULL);
  detector = add_detector (&gated);
  detect (&gated, detector, 0, 44, GATED_NORMAL);
  gated_run (&gated, 0, 49, GATED_NO_META);
  /* It is late. */
  detect (&gated, detector, 45, 45, GATED_ANOMALOUS);
  gated_run (&gated, 50, 59, GATED_NO_META);
  /* It is ahead. */
  detect (&gated, detector, 46, 65, GATED_ANOMALOUS);
  detect (&gated, detector, 66, 104, GATED_NORMAL);
  detect (&gated, detector, 105, 106, GATED_ANOMALOUS);
  detect (&gated, detector, 107, 200, GATED_NORMAL);
  gated_run (&gated, 60, 200, GATED_NO_META);
  gated_expect (&gated, 30, 70);
  gated_expect (&gated, 90, 111);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 30, 45, NULL);
  gated_expect_message (&gated, "close", 30, 71, "quiet");
  gated_expect_message (&gated, "open", 90, 105, NULL);
  gated_expect_message (&gated, "close", 90, 112, "quiet");
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_events_in_another_branch)
{
  Gated gated;
  GstHarness *detector;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated.event_id = EVENT_ID;
  detector = add_detector (&gated);
  detect (&gated, detector, 0, 48, GATED_NO_META);
  gated_run (&gated, 0, 49, GATED_NO_META);
  gst_harness_push_event (detector, anomaly_event ("start", 49, 4));
  detect (&gated, detector, 49, 65, GATED_NO_META);
  gated_run (&gated, 50, 80, GATED_NO_META);
  gst_harness_push_event (detector, anomaly_event ("end", 85, 30));
  detect (&gated, detector, 66, 150, GATED_NO_META);
  gated_run (&gated, 81, 150, GATED_NO_META);
  gated_expect (&gated, 30, 90);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 30, 45, NULL);
  gated_expect_message (&gated, "close", 30, 91, "quiet");
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

/* Segments are as they would be, were it not late. */
GST_START_TEST (test_detector_that_is_late)
{
  Gated gated;
  GstHarness *detector;

  gated_open (&gated, ROLLS (10, 5), NULL);
  detector = add_detector (&gated);
  gated_run (&gated, 0, 300, GATED_NO_META);
  detect (&gated, detector, 0, 49, GATED_NORMAL);
  gated_run (&gated, 301, 301, GATED_NO_META);
  detect (&gated, detector, 50, 52, GATED_ANOMALOUS);
  gated_run (&gated, 302, 306, GATED_NO_META);
  gated_expect (&gated, 40, 57);
  gated_expect_none (&gated);
  detect (&gated, detector, 53, 56, GATED_NORMAL);
  detect (&gated, detector, 57, 60, GATED_ANOMALOUS);
  detect (&gated, detector, 61, 100, GATED_NORMAL);
  gated_run (&gated, 307, 308, GATED_NO_META);
  for (guint n = 58; n <= 65; n++)
    fail_unless_equals_int (gated_pull (&gated, NULL), n);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 40, 50, NULL);
  gated_expect_message (&gated, "close", 40, 66, "quiet");
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

/* No frame is lost or twice. */
GST_START_TEST (test_late_detector_and_max_duration)
{
  Gated gated;
  GstHarness *detector;

  gated_open (&gated, ROLLS (5, 5), "max-duration", 25 * GATED_FRAME, NULL);
  detector = add_detector (&gated);
  for (guint n = 0; n < 200; n++) {
    gated_run (&gated, n, n, GATED_NO_META);
    if (n >= 33)
      detect (&gated, detector, n - 33, n - 33,
          n - 33 >= 20 && n - 33 <= 75 ? GATED_ANOMALOUS : GATED_NORMAL);
  }
  gated_expect (&gated, 10, 39);
  gated_expect (&gated, 40, 69);
  gated_expect (&gated, 70, 80);
  gated_expect_none (&gated);
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

static gpointer
end_gated (gpointer gated)
{
  gst_harness_push_event (((Gated *)gated)->harness, gst_event_new_eos ());
  return NULL;
}

/* Waits for it at the end. */
GST_START_TEST (test_detector_that_is_late_at_eos)
{
  GThread *thread;
  Gated gated;
  GstHarness *detector;

  gated_open (&gated, ROLLS (10, 5), NULL);
  detector = add_detector (&gated);
  gated_run (&gated, 0, 99, GATED_NO_META);
  detect (&gated, detector, 0, 49, GATED_NORMAL);
  thread = g_thread_new ("gate", end_gated, &gated);
  detect (&gated, detector, 50, 97, GATED_NORMAL);
  detect (&gated, detector, 98, 98, GATED_ANOMALOUS);
  gst_harness_push_event (detector, gst_event_new_eos ());
  g_thread_join (thread);
  gated_expect (&gated, 80, 99);
  gated_expect_message (&gated, "open", 80, 98, NULL);
  gated_expect_message (&gated, "close", 80, 100, "eos");
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

static void
flush_gate (Gated *gated, GstHarness *detector)
{
  gated_push_event (gated, gst_event_new_flush_start ());
}

static void
stop_gate (Gated *gated, GstHarness *detector)
{
  gst_element_set_state (gated->element, GST_STATE_READY);
}

static void
stop_detector (Gated *gated, GstHarness *detector)
{
  gst_element_set_state (detector->element, GST_STATE_NULL);
}

static void
forget_detector (Gated *gated, GstHarness *detector)
{
  g_object_set (gated->element, "detector", NULL, NULL);
}

static void
end_segment_of_detector (Gated *gated, GstHarness *detector)
{
  gst_harness_push_event (
      detector, gst_event_new_segment_done (GST_FORMAT_TIME, 0));
}

static void (*const interruptions[]) (Gated *, GstHarness *) = {flush_gate,
    stop_gate, stop_detector, forget_detector, end_segment_of_detector};

/* For as long as there is something to wait for. */
GST_START_TEST (test_wait_at_eos_is_interrupted)
{
  GThread *thread;
  Gated gated;
  GstHarness *detector;

  gated_open (&gated, ROLLS (10, 5), NULL);
  detector = add_detector (&gated);
  gated_run (&gated, 0, 99, GATED_NO_META);
  detect (&gated, detector, 0, 49, GATED_NORMAL);
  thread = g_thread_new ("gate", end_gated, &gated);
  g_usleep (G_USEC_PER_SEC / 50);
  interruptions[__i__](&gated, detector);
  g_thread_join (thread);
  gated_expect_none (&gated);
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

static void
start_again (Gated *gated)
{
  GstSegment segment;

  gst_element_set_state (gated->element, GST_STATE_PLAYING);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gated_push_event (gated, gst_event_new_stream_start ("again"));
  gated_push_event (gated, gst_event_new_segment (&segment));
}

/* It may run on for a while after the gate has stopped. */
GST_START_TEST (test_detector_that_stops_later)
{
  GstSegment segment;
  Gated gated;
  GstHarness *detector;

  gated_open (&gated, ROLLS (10, 5), NULL);
  detector = add_detector (&gated);
  detect (&gated, detector, 0, 99, GATED_NORMAL);
  gated_run (&gated, 0, 99, GATED_NO_META);
  stop_gate (&gated, detector);
  detect (&gated, detector, 100, 102, GATED_ANOMALOUS);
  start_again (&gated);
  gst_harness_push_event (detector, gst_event_new_stream_start ("again"));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (detector, gst_event_new_segment (&segment));
  for (guint n = 0; n < 150; n++) {
    detect (&gated, detector, n, n, n == 40 ? GATED_ANOMALOUS : GATED_NORMAL);
    gated_run (&gated, n, n, GATED_NO_META);
  }
  gated_expect (&gated, 30, 45);
  gated_expect_none (&gated);
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

/* What it has not come to is kept, unless it is gone. */
GST_START_TEST (test_detector_that_says_nothing)
{
  Gated gated;
  GstHarness *detector;
  GstBuffer *early;

  gated_open (&gated, ROLLS (10, 5), NULL);
  detector = add_detector (&gated);
  early = gated_frame (&gated, 0, GATED_NO_META);
  gated_push (&gated, gst_buffer_ref (early));
  gated_run (&gated, 1, 500, GATED_NO_META);
  ASSERT_MINI_OBJECT_REFCOUNT (early, "early", 2);

  /* It goes back to the start, too. */
  detect (&gated, detector, 400, 400, GATED_NORMAL);
  detect (&gated, detector, 0, 0, GATED_NORMAL);
  gated_run (&gated, 501, 501, GATED_NO_META);
  ASSERT_MINI_OBJECT_REFCOUNT (early, "early", 2);

  stop_detector (&gated, detector);
  gated_run (&gated, 502, 502, GATED_NO_META);
  ASSERT_MINI_OBJECT_REFCOUNT (early, "early", 1);
  gst_buffer_unref (early);
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

/* Frames pass it before it has analysed them. */
GST_START_TEST (test_detector_that_drops_analysis)
{
  Gated gated;
  GstHarness *detector;
  GstBuffer *early, *frame;

  gated_open (&gated, ROLLS (10, 5), NULL);
  detector = add_detector (&gated);
  early = gated_frame (&gated, 0, GATED_NO_META);
  gated_push (&gated, gst_buffer_ref (early));
  gated_run (&gated, 1, 100, GATED_NO_META);
  frame = gated_frame (&gated, 100, GATED_NORMAL);
  gst_structure_set (gst_custom_meta_get_structure (gst_buffer_get_custom_meta (
                         frame, GST_VAELSTM_ANOMALY_META_NAME)),
      "age", G_TYPE_UINT64, 95 * GATED_FRAME, NULL);
  gst_harness_push (detector, frame);
  gated_run (&gated, 101, 101, GATED_NO_META);
  ASSERT_MINI_OBJECT_REFCOUNT (early, "early", 2);
  detect (&gated, detector, 101, 101, GATED_NORMAL);
  gated_run (&gated, 102, 102, GATED_NO_META);
  ASSERT_MINI_OBJECT_REFCOUNT (early, "early", 1);
  gst_buffer_unref (early);
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_silent_detector_and_max_bytes)
{
  Gated gated;
  GstHarness *detector;

  gated_open (&gated, ROLLS (10, 5), "max-bytes", (guint64)2500, NULL);
  detector = add_detector (&gated);
  gated_run (&gated, 0, 97, GATED_NO_META);
  detect (&gated, detector, 0, 49, GATED_NORMAL);
  detect (&gated, detector, 50, 80, GATED_ANOMALOUS);
  gated_run (&gated, 98, 99, GATED_NO_META);
  gated_expect (&gated, 80, 85);
  gated_expect_none (&gated);
  /* Open, it holds no more. */
  gated_run (&gated, 100, 200, GATED_NO_META);
  gated_expect_message (&gated, "open", 80, 80, NULL);
  gated_expect_message (&gated, "close", 80, 86, "quiet");
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

/* ---- by hand ---- */

GST_START_TEST (test_action_signals)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 39, GATED_NO_META);
  g_signal_emit_by_name (gated.element, "open", 35 * GATED_FRAME);
  gated_run (&gated, 40, 80, GATED_NO_META);
  g_signal_emit_by_name (gated.element, "close");
  gated_run (&gated, 81, 150, GATED_NO_META);
  gated_expect (&gated, 20, 85);
  gated_expect_none (&gated);

  g_signal_emit_by_name (gated.element, "open", GST_CLOCK_TIME_NONE);
  gated_run (&gated, 151, 155, GATED_NO_META);
  gated_expect (&gated, 140, 155);
  gated_close (&gated);
}
GST_END_TEST

/* What comes before that is as it would be. */
GST_START_TEST (test_opened_for_later)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  g_signal_emit_by_name (gated.element, "open", 200 * GATED_FRAME);
  gated_run (&gated, 30, 30, GATED_ANOMALOUS);
  gated_run (&gated, 31, 199, GATED_NORMAL);
  gated_expect (&gated, 20, 35);
  gated_expect_none (&gated);
  gated_run (&gated, 200, 220, GATED_NORMAL);
  gated_expect (&gated, 190, 220);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_opened_for_later_and_closed)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  g_signal_emit_by_name (gated.element, "open", 200 * GATED_FRAME);
  g_signal_emit_by_name (gated.element, "close");
  gated_run (&gated, 30, 300, GATED_NORMAL);
  gated_expect_none (&gated);
  gated_close (&gated);
}
GST_END_TEST

/* The detector is ahead. */
GST_START_TEST (test_opened_before_what_a_detector_told)
{
  Gated gated;
  GstHarness *detector;

  gated_open (&gated, ROLLS (10, 5), NULL);
  detector = add_detector (&gated);
  for (guint n = 0; n < 120; n++)
    detect (&gated, detector, n, n,
        n == 60 || n == 90 ? GATED_ANOMALOUS : GATED_NORMAL);
  gated_run (&gated, 0, 29, GATED_NO_META);
  g_signal_emit_by_name (gated.element, "open", 29 * GATED_FRAME);
  gated_run (&gated, 30, 40, GATED_NO_META);
  gated_expect (&gated, 10, 40);
  gst_harness_teardown (detector);
  gated_close (&gated);
}
GST_END_TEST

/* Until the user says so, or it stops. */
GST_START_TEST (test_open_by_hand_lasts)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 39, GATED_NO_META);
  g_signal_emit_by_name (gated.element, "open", 35 * GATED_FRAME);
  gated_push_event (&gated, anomaly_event ("start", 39, 2));
  gated_run (&gated, 40, 45, GATED_NO_META);
  gated_push_event (&gated, anomaly_event ("end", 45, 6));
  gated_run (&gated, 46, 99, GATED_NO_META);
  gated_expect (&gated, 20, 99);

  flush (&gated);
  gated_run (&gated, 5, 30, GATED_NO_META);
  gated_expect (&gated, 10, 30);
  g_signal_emit_by_name (gated.element, "close");
  gated_run (&gated, 31, 60, GATED_NO_META);
  for (guint n = 31; n <= 35; n++)
    fail_unless_equals_int (gated_pull (&gated, NULL), n);
  gated_expect_none (&gated);
  gated_close (&gated);
}
GST_END_TEST

typedef struct {
  guint opened, closed;
  guint event_id;
  guint64 start, end;
} Signals;

static void
on_opened (GstElement *gate, guint event_id, guint64 start, Signals *signals)
{
  signals->opened++;
  signals->event_id = event_id;
  signals->start = start;
}

static void
on_closed (GstElement *gate, guint event_id, guint64 start, guint64 end,
    Signals *signals)
{
  signals->closed++;
  fail_unless_equals_int (event_id, signals->event_id);
  fail_unless_equals_uint64 (start, signals->start);
  signals->end = end;
}

GST_START_TEST (test_signals)
{
  Signals signals = {0};
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  g_signal_connect (gated.element, "opened", G_CALLBACK (on_opened), &signals);
  g_signal_connect (gated.element, "closed", G_CALLBACK (on_closed), &signals);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 45, GATED_ANOMALOUS);
  fail_unless_equals_int (signals.opened, 1);
  fail_unless_equals_int (signals.closed, 0);
  gated_run (&gated, 46, 100, GATED_NORMAL);
  fail_unless_equals_int (signals.opened, 1);
  fail_unless_equals_int (signals.closed, 1);
  fail_unless_equals_int (signals.event_id, 7);
  fail_unless_equals_uint64 (signals.start, 30 * GATED_FRAME);
  fail_unless_equals_uint64 (signals.end, 51 * GATED_FRAME);
  gated_close (&gated);
}
GST_END_TEST

/* ---- what ends a segment ---- */

GST_START_TEST (test_eos)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 50), NULL);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 42, GATED_ANOMALOUS);
  gated_run (&gated, 43, 49, GATED_NORMAL);
  gated_push_event (&gated, gst_event_new_eos ());
  gated_expect (&gated, 30, 49);
  gated_expect_message (&gated, "open", 30, 40, NULL);
  gated_expect_message (&gated, "close", 30, 50, "eos");
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_eos_with_undecided_frames)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 3), NULL);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 42, GATED_ANOMALOUS);
  gated_run (&gated, 43, 48, GATED_NORMAL);
  gated_push_event (&gated, gst_event_new_eos ());
  gated_expect (&gated, 30, 45);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 30, 40, NULL);
  gated_expect_message (&gated, "close", 30, 46, "eos");
  gated_close (&gated);
}
GST_END_TEST

/* The end of a segment seek: what was undecided is not. */
GST_START_TEST (test_segment_done)
{
  GstEvent *event;
  Gated gated;

  gated_open (&gated, ROLLS (10, 3), NULL);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 42, GATED_ANOMALOUS);
  gated_run (&gated, 43, 48, GATED_NORMAL);
  gated_push_event (
      &gated, gst_event_new_segment_done (GST_FORMAT_TIME, 49 * GATED_FRAME));
  gated_expect (&gated, 30, 45);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 30, 40, NULL);
  gated_expect_message (&gated, "close", 30, 46, "eos");
  while ((event = gst_harness_pull_event (gated.harness)) &&
         GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT_DONE)
    gst_event_unref (event);
  fail_unless (event != NULL);
  gst_event_unref (event);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_flush)
{
  Gated gated;
  GstSegment segment;

  gated_open (&gated, ROLLS (10, 50), NULL);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 44, GATED_ANOMALOUS);
  gated_push_event (&gated, gst_event_new_flush_start ());
  gated_push_event (&gated, gst_event_new_flush_stop (TRUE));
  gated_expect_message (&gated, "open", 30, 40, NULL);
  gated_expect_message (&gated, "close", 30, 45, "flush");
  gated_expect (&gated, 30, 44);

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gated_push_event (&gated, gst_event_new_segment (&segment));
  gated_run (&gated, 5, 30, GATED_NORMAL);
  gated_expect_none (&gated);
  gated_run (&gated, 31, 34, GATED_ANOMALOUS);
  gated_expect (&gated, 20, 34);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_stop_and_start)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 50), NULL);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 44, GATED_ANOMALOUS);
  gst_element_set_state (gated.element, GST_STATE_READY);
  gated_expect_message (&gated, "open", 30, 40, NULL);
  gated_expect_message (&gated, "close", 30, 45, "stop");
  gated_expect (&gated, 30, 44);

  start_again (&gated);
  gated_run (&gated, 0, 15, GATED_NORMAL);
  gated_expect_none (&gated);
  gated_run (&gated, 16, 21, GATED_ANOMALOUS);
  gated_expect (&gated, 0, 21);
  gated_close (&gated);
}
GST_END_TEST

/* The serialized events and frames that came through: c caps, s segment, t
 * tags, g gap, k key frame, b other frame. */
static GstPadProbeReturn
note (GstPad *pad, GstPadProbeInfo *info, gpointer log)
{
  static const struct {
    GstEventType type;
    gchar letter;
  } letters[] = {{GST_EVENT_CAPS, 'c'}, {GST_EVENT_SEGMENT, 's'},
      {GST_EVENT_TAG, 't'}, {GST_EVENT_GAP, 'g'}};

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    g_string_append_c (
        log, GST_BUFFER_FLAG_IS_SET (
                 GST_PAD_PROBE_INFO_BUFFER (info), GST_BUFFER_FLAG_DELTA_UNIT)
                 ? 'b'
                 : 'k');
  else
    for (guint i = 0; i < G_N_ELEMENTS (letters); i++)
      if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) == letters[i].type)
        g_string_append_c (log, letters[i].letter);
  return GST_PAD_PROBE_OK;
}

/* Collects what comes through from now on. */
static GString *
watch (Gated *gated)
{
  GstPad *pad = gst_element_get_static_pad (gated->element, "src");
  GString *log = g_string_new (NULL);

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note,
      log, NULL);
  gst_object_unref (pad);
  return log;
}

static void
set_caps (Gated *gated, gint width)
{
  GstCaps *caps = gst_caps_new_simple ("video/x-h264", "stream-format",
      G_TYPE_STRING, "byte-stream", "alignment", G_TYPE_STRING, "au", "width",
      G_TYPE_INT, width, NULL);

  gated_push_event (gated, gst_event_new_caps (caps));
  gst_caps_unref (caps);
}

/* Nobody sends them again. */
GST_START_TEST (test_flush_keeps_caps_and_tags)
{
  Gated gated;
  GString *log;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 15, GATED_NORMAL);
  set_caps (&gated, 640);
  gated_push_event (&gated, gst_event_new_tag (gst_tag_list_new_empty ()));
  gated_run (&gated, 16, 18, GATED_NORMAL);
  log = watch (&gated);
  flush (&gated);
  gated_run (&gated, 20, 20, GATED_ANOMALOUS);
  fail_unless_equals_string (log->str, "cstk");
  g_string_free (log, TRUE);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_new_caps_in_a_segment)
{
  Gated gated;
  GString *log;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 49, GATED_ANOMALOUS);
  log = watch (&gated);
  set_caps (&gated, 640);
  gated_expect_message (&gated, "open", 30, 40, NULL);
  gated_expect_message (&gated, "close", 30, 50, "caps");
  gated_run (&gated, 50, 52, GATED_ANOMALOUS);
  gated_expect_message (&gated, "open", 50, 50, NULL);
  gated_expect (&gated, 30, 49);
  gated_expect (&gated, 50, 52);
  fail_unless_equals_string (log->str, "ckbb");
  g_string_free (log, TRUE);
  gated_close (&gated);
}
GST_END_TEST

static void
note_opened (GstElement *gate, guint event_id, guint64 start, GString *log)
{
  g_string_append_c (log, '[');
}

static void
note_closed (
    GstElement *gate, guint event_id, guint64 start, guint64 end, GString *log)
{
  g_string_append_c (log, ']');
}

/* An application may have a muxer for each segment. */
GST_START_TEST (test_signals_enclose_segments)
{
  Gated gated;
  GString *log;

  gated_open (&gated, ROLLS (2, 1), "max-duration", 8 * GATED_FRAME, NULL);
  gated.key_interval = 5;
  log = watch (&gated);
  g_signal_connect (gated.element, "opened", G_CALLBACK (note_opened), log);
  g_signal_connect (gated.element, "closed", G_CALLBACK (note_closed), log);
  gated_run (&gated, 0, 11, GATED_NORMAL);
  gated_run (&gated, 12, 25, GATED_ANOMALOUS);
  set_caps (&gated, 640);
  gated_run (&gated, 26, 31, GATED_ANOMALOUS);
  gated_run (&gated, 32, 50, GATED_NORMAL);
  gated_run (&gated, 51, 52, GATED_ANOMALOUS);
  gst_element_set_state (gated.element, GST_STATE_READY);
  fail_unless_equals_string (log->str, "[kbbbbkbbbb][kbbbbk]c[kbb][kbbbbkbb]");
  g_string_free (log, TRUE);
  gated_close (&gated);
}
GST_END_TEST

/* What was before goes out with the caps it had, as a segment of its own. */
GST_START_TEST (test_new_caps_in_the_pre_roll)
{
  Gated gated;
  GString *log;

  gated_open (&gated, ROLLS (18, 5), NULL);
  gated.key_interval = 5;
  gated_run (&gated, 0, 39, GATED_NORMAL);
  set_caps (&gated, 640);
  gated_run (&gated, 40, 46, GATED_NORMAL);
  log = watch (&gated);
  gated_run (&gated, 47, 54, GATED_ANOMALOUS);
  gated_expect_message (&gated, "open", 25, 47, NULL);
  gated_expect_message (&gated, "close", 25, 40, "caps");
  gated_expect_message (&gated, "open", 40, 47, NULL);
  gated_expect (&gated, 25, 39);
  gated_expect (&gated, 40, 54);
  fail_unless_equals_string (log->str, "kbbbbkbbbbkbbbbckbbbbkbbbbkbbbb");
  g_string_free (log, TRUE);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_new_segment_in_a_segment)
{
  Gated gated;
  GstSegment segment;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 49, GATED_ANOMALOUS);

  /* One that goes on changes nothing. */
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.stop = 100 * GATED_FRAME;
  gated_push_event (&gated, gst_event_new_segment (&segment));
  gated_run (&gated, 50, 54, GATED_ANOMALOUS);
  gated_expect (&gated, 30, 54);
  gated_expect_message (&gated, "open", 30, 40, NULL);
  gated_expect_no_message (&gated);

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.time = 200 * GATED_FRAME;
  segment.base = 55 * GATED_FRAME;
  gated_push_event (&gated, gst_event_new_segment (&segment));
  gated_expect_message (&gated, "close", 30, 55, "segment");
  gated_run (&gated, 200, 205, GATED_ANOMALOUS);
  gated_expect (&gated, 200, 205);
  gated_close (&gated);
}
GST_END_TEST

/* ---- times that go back ---- */

/* Not to be mixed up with what was at those times before. */
GST_START_TEST (test_running_times_start_over)
{
  GstSegment segment;
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 195, GATED_NORMAL);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.time = 500 * GATED_FRAME;
  gated_push_event (&gated, gst_event_new_segment (&segment));
  gated_run (&gated, 5, 194, GATED_NORMAL);
  gated_expect_none (&gated);
  gated_run (&gated, 195, 195, GATED_ANOMALOUS);
  gated_run (&gated, 196, 250, GATED_NORMAL);
  gated_expect (&gated, 180, 200);
  gated_expect_none (&gated);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_times_go_back_in_a_segment)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 100, 129, GATED_NORMAL);
  gated_run (&gated, 130, 139, GATED_ANOMALOUS);
  gated_run (&gated, 5, 15, GATED_ANOMALOUS);
  gated_run (&gated, 16, 60, GATED_NORMAL);
  gated_expect (&gated, 120, 139);
  gated_expect (&gated, 10, 20);
  gated_expect_none (&gated);
  gated_expect_message (&gated, "open", 120, 130, NULL);
  gated_expect_message (&gated, "close", 120, 140, "segment");
  gated_expect_message (&gated, "open", 10, 10, NULL);
  gated_expect_message (&gated, "close", 10, 21, "quiet");
  gated_close (&gated);
}
GST_END_TEST

/* One frame is said to be in a day. */
static void
push_wrong (Gated *gated, guint n, GatedKind kind, gboolean has_dts)
{
  GstBuffer *buffer = gated_frame (gated, n, kind);

  GST_BUFFER_PTS (buffer) += 24 * 3600 * GST_SECOND;
  if (!has_dts)
    GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  gated_push (gated, buffer);
}

GST_START_TEST (test_wrong_pts)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 35, GATED_NORMAL);
  push_wrong (&gated, 36, GATED_NORMAL, TRUE);
  gated_run (&gated, 37, 39, GATED_NORMAL);
  gated_run (&gated, 40, 44, GATED_ANOMALOUS);
  push_wrong (&gated, 45, GATED_ANOMALOUS, TRUE);
  gated_run (&gated, 46, 150, GATED_NORMAL);
  gated_expect (&gated, 30, 50);
  gated_expect_none (&gated);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_wrong_timestamp)
{
  GstBuffer *early;
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated.key_interval = 1;
  gated_run (&gated, 0, 35, GATED_NORMAL);
  push_wrong (&gated, 36, GATED_NORMAL, FALSE);
  early = gated_frame (&gated, 37, GATED_NORMAL);
  gated_push (&gated, gst_buffer_ref (early));
  gated_run (&gated, 38, 99, GATED_NORMAL);
  ASSERT_MINI_OBJECT_REFCOUNT (early, "early", 1);
  gst_buffer_unref (early);

  gated_run (&gated, 100, 104, GATED_ANOMALOUS);
  push_wrong (&gated, 105, GATED_ANOMALOUS, FALSE);
  gated_run (&gated, 106, 110, GATED_ANOMALOUS);
  gated_run (&gated, 111, 150, GATED_NORMAL);
  gated_expect (&gated, 90, 105);
  gated_expect (&gated, 106, 115);
  gated_expect_none (&gated);
  gated_close (&gated);
}
GST_END_TEST

/* ---- events and times ---- */

GST_START_TEST (test_gaps_do_not_pile_up)
{
  GstEvent *first = gst_event_new_gap (10 * GATED_FRAME, GATED_FRAME);
  Gated gated;

  gated_open (&gated, "max-bytes", (guint64)5000, NULL);
  gated_run (&gated, 0, 9, GATED_NORMAL);
  gated_push_event (&gated, gst_event_ref (first));
  for (guint n = 11; n < 100; n++)
    gated_push_event (&gated, gst_event_new_gap (n * GATED_FRAME, GATED_FRAME));
  ASSERT_MINI_OBJECT_REFCOUNT (first, "first", 1);
  gst_event_unref (first);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_events_keep_their_place)
{
  Gated gated;
  GString *log;

  gated_open (&gated, ROLLS (3, 3), NULL);
  gated.key_interval = 5;
  log = watch (&gated);
  gated_run (&gated, 0, 6, GATED_NORMAL);
  gated_push_event (&gated, gst_event_new_tag (gst_tag_list_new_empty ()));
  gated_push_event (&gated, gst_event_new_gap (7 * GATED_FRAME, GATED_FRAME));
  gated_run (&gated, 8, 8, GATED_ANOMALOUS);
  gated_run (&gated, 9, 11, GATED_NORMAL);
  fail_unless_equals_string (log->str, "kbtgbbkb");
  gated_run (&gated, 12, 30, GATED_NORMAL);
  g_string_truncate (log, 0);
  gated_push_event (&gated, gst_event_new_tag (gst_tag_list_new_empty ()));
  gated_push_event (&gated, gst_event_new_gap (31 * GATED_FRAME, GATED_FRAME));
  gated_run (&gated, 32, 100, GATED_NORMAL);
  fail_unless_equals_string (log->str, "t");
  g_string_free (log, TRUE);
  gated_close (&gated);
}
GST_END_TEST

static GstClockTime
pull_running_time (Gated *gated)
{
  GstBuffer *buffer = gst_harness_pull (gated->harness);
  GstPad *pad = gst_element_get_static_pad (gated->element, "src");
  GstEvent *event = gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;
  GstClockTime time;

  gst_event_parse_segment (event, &segment);
  time = gst_segment_to_running_time (
      segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  gst_event_unref (event);
  gst_object_unref (pad);
  gst_buffer_unref (buffer);
  return time;
}

/* What came through goes on from frame *next. */
static void
expect_running_times (Gated *gated, guint *next)
{
  while (gst_harness_buffers_in_queue (gated->harness) > 0)
    fail_unless_equals_uint64 (
        pull_running_time (gated), (*next)++ * GATED_FRAME);
}

/* Running times go on from 0; the messages tell those of the source. */
GST_START_TEST (test_retimestamp)
{
  Gated gated;
  guint next = 0;

  gated_open (&gated, ROLLS (0, 4), "retimestamp", TRUE, NULL);
  for (guint n = 0; n < 200; n++) {
    gated_run (&gated, n, n, n % 60 == 32 ? GATED_ANOMALOUS : GATED_NORMAL);
    expect_running_times (&gated, &next);
  }
  fail_unless_equals_int (next, 3 * 7);
  gated_expect_message (&gated, "open", 30, 32, NULL);
  gated_expect_message (&gated, "close", 30, 37, "quiet");
  gated_expect_message (&gated, "open", 90, 92, NULL);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_retimestamp_and_max_duration)
{
  guint next = 0;
  Gated gated;

  gated_open (&gated, ROLLS (0, 4), "retimestamp", TRUE, "max-duration",
      15 * GATED_FRAME, NULL);
  for (guint n = 0; n < 200; n++) {
    gated_run (&gated, n, n,
        n % 100 >= 32 && n % 100 < 60 ? GATED_ANOMALOUS : GATED_NORMAL);
    expect_running_times (&gated, &next);
  }
  fail_unless_equals_int (next, 2 * 34);
  gated_close (&gated);
}
GST_END_TEST

/* Those of the source go back; downstream they go on. */
GST_START_TEST (test_retimestamp_and_times_that_go_back)
{
  guint next = 0;
  Gated gated;

  gated_open (&gated, ROLLS (0, 4), "retimestamp", TRUE, NULL);
  for (guint i = 0; i < 300; i++) {
    guint n = i % 200;

    gated_run (&gated, n, n, n % 60 == 32 ? GATED_ANOMALOUS : GATED_NORMAL);
    expect_running_times (&gated, &next);
  }
  fail_unless_equals_int (next, 5 * 7);
  gated_close (&gated);
}
GST_END_TEST

/* As of a camera's. */
GST_START_TEST (test_retimestamp_without_durations)
{
  guint next = 0;
  Gated gated;

  gated_open (&gated, ROLLS (0, 4), "retimestamp", TRUE, NULL);
  for (guint n = 0; n < 120; n++) {
    GstBuffer *buffer =
        gated_frame (&gated, n, n % 60 == 32 ? GATED_ANOMALOUS : GATED_NORMAL);

    GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
    gated_push (&gated, buffer);
    expect_running_times (&gated, &next);
  }
  fail_unless_equals_int (next, 2 * 7);
  gated_expect_message (&gated, "open", 30, 32, NULL);
  gated_expect_message (&gated, "close", 30, 37, "quiet");
  gated_close (&gated);
}
GST_END_TEST

/* Sends this upstream. The same as the gate passes on, or NULL. */
static GstEvent *
send_upstream (Gated *gated, GstEvent *sent)
{
  GstEventType type = GST_EVENT_TYPE (sent);
  GstEvent *event;

  while ((event = gst_harness_try_pull_upstream_event (gated->harness)))
    gst_event_unref (event);
  gst_harness_push_upstream_event (gated->harness, sent);
  while ((event = gst_harness_try_pull_upstream_event (gated->harness)) &&
         GST_EVENT_TYPE (event) != type)
    gst_event_unref (event);
  return event;
}

/* What comes from downstream is in running times of there. */
GST_START_TEST (test_retimestamp_and_key_requests)
{
  GstEvent *event;
  GstClockTime time;
  Gated gated;

  gated_open (&gated, ROLLS (0, 4), "retimestamp", TRUE, NULL);
  gated_run (&gated, 0, 31, GATED_NORMAL);
  gated_run (&gated, 32, 32, GATED_ANOMALOUS);
  event = send_upstream (&gated,
      gst_video_event_new_upstream_force_key_unit (2 * GATED_FRAME, TRUE, 1));
  fail_unless (event && gst_video_event_parse_upstream_force_key_unit (
                            event, &time, NULL, NULL));
  fail_unless_equals_uint64 (time, 32 * GATED_FRAME);
  gst_event_unref (event);
  gated_close (&gated);
}
GST_END_TEST

/* It is late by design: nothing is to be dropped for that. */
GST_START_TEST (test_keeps_qos_from_upstream)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 30, GATED_NORMAL);
  gated_run (&gated, 31, 31, GATED_ANOMALOUS);
  fail_unless (
      send_upstream (&gated, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2,
                                 5 * GST_SECOND, 20 * GATED_FRAME)) == NULL);
  gated_close (&gated);
}
GST_END_TEST

static void
expect_field (GstMessage *message, const gchar *field, guint frame)
{
  guint64 time;

  fail_unless (gst_structure_get_uint64 (
      gst_message_get_structure (message), field, &time));
  fail_unless_equals_uint64 (time, frame * GATED_FRAME);
}

/* Messages count from 0, but tell of the buffers' own times. */
GST_START_TEST (test_negative_running_times)
{
  GstMessage *message;
  GstSegment segment;
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 50 * GATED_FRAME;
  gated_push_event (&gated, gst_event_new_segment (&segment));
  gated_run (&gated, 20, 44, GATED_NORMAL);
  gated_run (&gated, 45, 45, GATED_ANOMALOUS);
  gated_run (&gated, 46, 80, GATED_NORMAL);
  gated_expect (&gated, 30, 50);

  message = gst_bus_pop_filtered (gated.bus, GST_MESSAGE_ELEMENT);
  expect_field (message, "timestamp", 45);
  expect_field (message, "running-time", 0);
  expect_field (message, "start", 0);
  expect_field (message, "duration", 15);
  gst_message_unref (message);
  message = gst_bus_pop_filtered (gated.bus, GST_MESSAGE_ELEMENT);
  expect_field (message, "timestamp", 51);
  expect_field (message, "running-time", 1);
  expect_field (message, "duration", 21);
  gst_message_unref (message);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_other_rates)
{
  static const gdouble rates[] = {0.5, 2, -1};
  GstSegment segment;
  Gated gated;

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    guint n_per_second = GST_SECOND * ABS (rates[i]) / GATED_FRAME;

    gated_open (
        &gated, "pre-roll", 2 * GST_SECOND, "post-roll", GST_SECOND, NULL);
    gated.key_interval = 1;
    gst_segment_init (&segment, GST_FORMAT_TIME);
    segment.rate = rates[i];
    segment.stop = 100 * GATED_FRAME;
    gated_push_event (&gated, gst_event_new_segment (&segment));
    for (guint n = 0; n < 90; n++)
      gated_run (&gated, rates[i] > 0 ? n : 99 - n, rates[i] > 0 ? n : 99 - n,
          n == 50 ? GATED_ANOMALOUS : GATED_NORMAL);
    for (guint n = 50 - 2 * n_per_second; n <= 50 + n_per_second; n++)
      fail_unless_equals_int (
          gated_pull (&gated, NULL), rates[i] > 0 ? n : 99 - n);
    gated_expect_none (&gated);
    gated_close (&gated);
  }
}
GST_END_TEST

/* A parameter set on its own, say. */
GST_START_TEST (test_some_timestamps_are_missing)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  for (guint n = 0; n < 100; n++) {
    GstBuffer *buffer =
        gated_frame (&gated, n, n == 44 ? GATED_ANOMALOUS : GATED_NORMAL);

    if (n % 10 == 3)
      GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    else if (n % 10 == 5)
      GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
    gated_push (&gated, buffer);
  }
  gated_expect (&gated, 30, 49);
  gated_expect_none (&gated);
  gated_close (&gated);
}
GST_END_TEST

/* They are when they come. */
GST_START_TEST (test_all_timestamps_are_missing)
{
  GstTestClock *clock;
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gst_harness_use_testclock (gated.harness);
  clock = gst_harness_get_testclock (gated.harness);
  for (guint n = 0; n < 100; n++) {
    GstBuffer *buffer =
        gated_frame (&gated, n, n == 44 ? GATED_ANOMALOUS : GATED_NORMAL);

    gst_test_clock_set_time (clock, n * GATED_FRAME);
    GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    gated_push (&gated, buffer);
  }
  gated_expect (&gated, 30, 49);
  gated_expect_none (&gated);
  gst_object_unref (clock);
  gated_close (&gated);
}
GST_END_TEST

/* ---- downstream ---- */

GST_START_TEST (test_tells_upstream_what_downstream_says)
{
  Gated gated;
  GstBuffer *buffer;

  gated_open (&gated, ROLLS (0, 5), NULL);
  gated.key_interval = 1;
  gst_pad_set_active (gated.harness->sinkpad, FALSE);
  gated_run (&gated, 0, 9, GATED_NORMAL);
  buffer = gated_frame (&gated, 10, GATED_ANOMALOUS);
  fail_unless_equals_int (
      gst_harness_push (gated.harness, buffer), GST_FLOW_FLUSHING);
  gated_close (&gated);
}
GST_END_TEST

/* So that frame n does not get through. */
static void
unlink_gated (Gated *gated, guint n)
{
  GstPad *pad = gst_element_get_static_pad (gated->element, "src");

  gst_pad_unlink (pad, gated->harness->sinkpad);
  gst_object_unref (pad);
  fail_unless_equals_int (gst_harness_push (gated->harness,
                              gated_frame (gated, n, GATED_ANOMALOUS)),
      GST_FLOW_NOT_LINKED);
}

static void
link_gated (Gated *gated)
{
  GstPad *pad = gst_element_get_static_pad (gated->element, "src");

  fail_unless_equals_int (
      gst_pad_link (pad, gated->harness->sinkpad), GST_PAD_LINK_OK);
  gst_object_unref (pad);
}

static void
push_segment (Gated *gated, guint base)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = base * GATED_FRAME;
  gated_push_event (gated, gst_event_new_segment (&segment));
}

GST_START_TEST (test_linked_anew)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  unlink_gated (&gated, 30);
  link_gated (&gated);
  gated_run (&gated, 31, 45, GATED_ANOMALOUS);
  gated_expect (&gated, 40, 45);
  gated_close (&gated);
}
GST_END_TEST

/* They are neither lost nor kept. */
GST_START_TEST (test_events_while_not_linked)
{
  GstEvent *event = gst_event_new_custom (
      GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty ("any"));
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  unlink_gated (&gated, 30);
  push_segment (&gated, 500);
  gst_harness_push_event (gated.harness, gst_event_ref (event));
  ASSERT_MINI_OBJECT_REFCOUNT (event, "event", 1);
  link_gated (&gated);
  gated_run (&gated, 31, 45, GATED_ANOMALOUS);
  fail_unless_equals_uint64 (pull_running_time (&gated), 540 * GATED_FRAME);
  gst_event_unref (event);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_events_held_when_unlinked)
{
  Gated gated;

  gated_open (&gated, ROLLS (10, 5), NULL);
  gated_run (&gated, 0, 20, GATED_NORMAL);
  push_segment (&gated, 500);
  gated_run (&gated, 21, 29, GATED_NORMAL);
  g_signal_emit_by_name (gated.element, "open", 0);
  unlink_gated (&gated, 30);
  link_gated (&gated);
  gated_run (&gated, 31, 45, GATED_ANOMALOUS);
  fail_unless_equals_uint64 (pull_running_time (&gated), 540 * GATED_FRAME);
  gated_close (&gated);
}
GST_END_TEST

static gboolean
discards_files (GstElement *splitmuxsink)
{
  return g_signal_has_handler_pending (splitmuxsink,
      g_signal_lookup ("format-location-full", G_OBJECT_TYPE (splitmuxsink)), 0,
      FALSE);
}

/* Only the empty file that EOS alone would make is kept from being written. */
GST_START_TEST (test_splitmuxsink_after_eos)
{
  GstElement *gate = gst_element_factory_make ("vaelstmgate", NULL);
  GstElement *sink = gst_element_factory_make ("splitmuxsink", NULL);
  GstPad *pad = gst_element_get_static_pad (gate, "sink");

  gst_object_ref_sink (gate);
  gst_object_ref_sink (sink);
  fail_unless (gst_element_link_pads (gate, "src", sink, "video"));
  gst_element_set_state (gate, GST_STATE_PAUSED);
  gst_pad_send_event (pad, gst_event_new_stream_start ("empty"));
  fail_if (discards_files (sink));
  gst_pad_send_event (pad, gst_event_new_eos ());
  fail_unless (discards_files (sink));
  if (__i__ == 0)
    gst_element_unlink (gate, sink);
  else
    gst_element_set_state (gate, GST_STATE_READY);
  fail_if (discards_files (sink));

  gst_element_set_state (gate, GST_STATE_NULL);
  gst_object_unref (pad);
  gst_object_unref (gate);
  gst_object_unref (sink);
}
GST_END_TEST

/* Frames take most of their time: a sink that just keeps up. */
static GstPadProbeReturn
delay (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  g_usleep (80 * G_USEC_PER_SEC / 1000);
  return GST_PAD_PROBE_OK;
}

static void
delay_frames (Gated *gated)
{
  GstPad *pad = gst_element_get_static_pad (gated->element, "src");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, delay, NULL, NULL);
  gst_object_unref (pad);
}

/* Frame n, and up to `most` come through for it, the first of which is *next.
 */
static void
push_with_backlog (Gated *gated, guint n, guint most, guint *next)
{
  guint before = *next;
  gint passed;

  gated_push (gated, gated_frame (gated, n, GATED_ANOMALOUS));
  while ((passed = gated_pull (gated, NULL)) >= 0)
    fail_unless_equals_int (passed, (*next)++);
  fail_unless (*next > before);
  fail_unless (*next - before <= most, "%u at once", *next - before);
}

/* One for each, as with no gate, when downstream has no time for more. */
GST_START_TEST (test_backlog_does_not_hold_up_the_source)
{
  guint next = 10;
  Gated gated;

  gated_open (&gated, ROLLS (30, 20), NULL);
  delay_frames (&gated);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  for (guint n = 40; n < 45; n++)
    push_with_backlog (&gated, n, 1, &next);
  gated_close (&gated);
}
GST_END_TEST

/* However many segments it makes. */
GST_START_TEST (test_backlog_of_short_segments)
{
  guint next = 10;
  Gated gated;

  gated_open (&gated, ROLLS (30, 20), "max-duration", (guint64)1, NULL);
  gated.key_interval = 1;
  delay_frames (&gated);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  for (guint n = 40; n < 43; n++)
    push_with_backlog (&gated, n, 1, &next);
  gated_close (&gated);
}
GST_END_TEST

/* Nor does it all go into the queue that follows. */
GST_START_TEST (test_backlog_leaves_room_downstream)
{
  guint next = 10;
  Gated gated;

  gated_open (&gated, ROLLS (30, 20), NULL);
  gated_run (&gated, 0, 39, GATED_NORMAL);
  for (guint n = 40; n < 50; n++)
    push_with_backlog (&gated, n, 4, &next);
  gated_push_event (&gated, gst_event_new_eos ());
  while (gated_pull (&gated, NULL) == (gint)next)
    next++;
  fail_unless_equals_int (next, 50);
  gated_close (&gated);
}
GST_END_TEST

/* Nor are buffers given back that are asked for. */
GST_START_TEST (test_keeps_pools_from_upstream)
{
  GstQuery *allocation = gst_query_new_allocation (NULL, TRUE);
  GstQuery *drain = gst_query_new_drain ();
  GstPad *pad;
  Gated gated;

  gated_open (&gated, NULL);
  pad = gst_element_get_static_pad (gated.element, "sink");
  fail_if (gst_pad_query (pad, allocation));
  fail_if (gst_pad_query (pad, drain));
  gst_query_unref (allocation);
  gst_query_unref (drain);

  gst_harness_set_upstream_latency (gated.harness, 30 * GST_MSECOND);
  fail_unless_equals_uint64 (
      gst_harness_query_latency (gated.harness), 30 * GST_MSECOND);
  gst_object_unref (pad);
  gated_close (&gated);
}
GST_END_TEST

/* ---- a stream that follows ---- */

#define SOUND (GATED_FRAME / 5)

static GstHarness *
add_sound (Gated *gated)
{
  GstHarness *sound =
      gst_harness_new_with_element (gated->element, "sink_%u", "src_0");

  gst_harness_set_src_caps_str (sound, "audio/x-raw");
  return sound;
}

/* Pushes the sound of frames first..last, five buffers each. */
static void
run_sound (GstHarness *sound, guint first_frame, guint last_frame)
{
  for (guint n = 5 * first_frame; n < 5 * (last_frame + 1); n++) {
    GstBuffer *buffer = gst_buffer_new_allocate (NULL, 10, NULL);

    GST_BUFFER_PTS (buffer) = n * SOUND;
    GST_BUFFER_DURATION (buffer) = SOUND;
    fail_unless_equals_int (gst_harness_push (sound, buffer), GST_FLOW_OK);
  }
}

/* That of frames first..last has come through, the first buffer flagged. */
static void
expect_sound (GstHarness *sound, guint first_frame, guint last_frame)
{
  for (guint n = 5 * first_frame; n < 5 * (last_frame + 1); n++) {
    GstBuffer *buffer = gst_harness_try_pull (sound);
    gboolean starts = n == 5 * first_frame;

    fail_unless (buffer != NULL, "sound %u is missing", n);
    fail_unless_equals_uint64 (GST_BUFFER_PTS (buffer), n * SOUND);
    fail_unless_equals_int (
        GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT), starts);
    gst_buffer_unref (buffer);
  }
}

/* Two segments; the sound is some frames ahead (> 0) or behind. */
static void
check_sound (gint ahead)
{
  Gated gated;
  GstHarness *sound;

  gated_open (&gated, ROLLS (10, 5), NULL);
  sound = add_sound (&gated);
  for (gint n = -40; n < 240; n++) {
    if (n + ahead >= 0)
      run_sound (sound, n + ahead, n + ahead);
    if (n >= 0)
      gated_run (&gated, n, n,
          (n >= 32 && n <= 40) || n == 100 ? GATED_ANOMALOUS : GATED_NORMAL);
  }
  gated_expect (&gated, 20, 45);
  gated_expect (&gated, 90, 105);
  expect_sound (sound, 20, 45);
  expect_sound (sound, 90, 105);
  fail_unless (gst_harness_try_pull (sound) == NULL);
  gst_harness_teardown (sound);
  gated_close (&gated);
}

GST_START_TEST (test_sound_follows)
{
  check_sound (0);
}
GST_END_TEST

GST_START_TEST (test_sound_that_is_ahead)
{
  check_sound (25);
}
GST_END_TEST

GST_START_TEST (test_sound_that_is_behind)
{
  check_sound (-25);
}
GST_END_TEST

/* The number of sound buffers that came through. */
static guint
count_sound (GstHarness *sound)
{
  GstBuffer *buffer;
  guint n = 0;

  while ((buffer = gst_harness_try_pull (sound))) {
    gst_buffer_unref (buffer);
    n++;
  }
  return n;
}

/* No more than had gone ahead. */
GST_START_TEST (test_sound_ends_where_a_segment_is_cut)
{
  Gated gated;
  GstHarness *sound;

  gated_open (&gated, ROLLS (0, 50), NULL);
  sound = add_sound (&gated);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  gated_run (&gated, 30, 32, GATED_ANOMALOUS);
  run_sound (sound, 0, 34);
  set_caps (&gated, 640);
  run_sound (sound, 35, 60);
  gated_run (&gated, 33, 39, GATED_NO_META);
  gated_run (&gated, 200, 250, GATED_NORMAL);
  run_sound (sound, 61, 80);
  expect_sound (sound, 30, 34);
  fail_unless_equals_int (count_sound (sound), 0);
  gst_harness_teardown (sound);
  gated_close (&gated);
}
GST_END_TEST

/* Not lost, but in the next segment. */
GST_START_TEST (test_sound_goes_on_after_a_cut)
{
  Gated gated;
  GstHarness *sound;

  gated_open (&gated, ROLLS (0, 5), NULL);
  sound = add_sound (&gated);
  gated_run (&gated, 0, 29, GATED_NORMAL);
  gated_run (&gated, 30, 39, GATED_ANOMALOUS);
  run_sound (sound, 0, 39);
  set_caps (&gated, 640);
  run_sound (sound, 40, 45);
  gated_run (&gated, 40, 49, GATED_ANOMALOUS);
  run_sound (sound, 46, 46);
  expect_sound (sound, 30, 39);
  expect_sound (sound, 40, 46);
  gst_harness_teardown (sound);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_sound_and_max_duration)
{
  Gated gated;
  GstHarness *sound;

  gated_open (&gated, ROLLS (0, 5), "max-duration", 15 * GATED_FRAME, NULL);
  sound = add_sound (&gated);
  for (guint n = 0; n < 120; n++) {
    gated_run (
        &gated, n, n, n >= 32 && n < 60 ? GATED_ANOMALOUS : GATED_NORMAL);
    run_sound (sound, n, n);
  }
  gated_expect (&gated, 30, 49);
  gated_expect (&gated, 50, 64);
  expect_sound (sound, 30, 49);
  expect_sound (sound, 50, 64);
  fail_unless_equals_int (count_sound (sound), 0);
  gst_harness_teardown (sound);
  gated_close (&gated);
}
GST_END_TEST

static gboolean
pull_gap (GstHarness *sound)
{
  GstEvent *event;

  while ((event = gst_harness_try_pull_event (sound))) {
    gboolean found = GST_EVENT_TYPE (event) == GST_EVENT_GAP;

    gst_event_unref (event);
    if (found)
      return TRUE;
  }
  return FALSE;
}

GST_START_TEST (test_gaps_of_sound)
{
  Gated gated;
  GstHarness *sound;

  gated_open (&gated, ROLLS (10, 5), NULL);
  sound = add_sound (&gated);
  gst_harness_push_event (
      sound, gst_event_new_gap (19 * GATED_FRAME, GATED_FRAME));
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 45, GATED_ANOMALOUS);
  run_sound (sound, 20, 20);
  fail_if (pull_gap (sound));
  gst_harness_push_event (
      sound, gst_event_new_gap (40 * GATED_FRAME, GATED_FRAME));
  fail_unless (pull_gap (sound));
  gst_harness_teardown (sound);
  gated_close (&gated);
}
GST_END_TEST

/* The next stream, with no flush between. */
GST_START_TEST (test_sound_after_eos)
{
  GstSegment segment;
  Gated gated;
  GstHarness *sound;

  gated_open (&gated, ROLLS (10, 5), NULL);
  sound = add_sound (&gated);
  gated_run (&gated, 0, 59, GATED_NORMAL);
  gated_push_event (&gated, gst_event_new_eos ());
  run_sound (sound, 0, 59);
  gated_push_event (&gated, gst_event_new_stream_start ("next"));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.base = segment.start = segment.time = 60 * GATED_FRAME;
  gated_push_event (&gated, gst_event_new_segment (&segment));
  gated_run (&gated, 60, 60, GATED_NORMAL);
  run_sound (sound, 60, 110);
  gated_run (&gated, 61, 99, GATED_NORMAL);
  gated_run (&gated, 100, 105, GATED_ANOMALOUS);
  gated_run (&gated, 106, 130, GATED_NORMAL);
  run_sound (sound, 111, 111);
  expect_sound (sound, 90, 110);
  fail_unless (gst_harness_try_pull (sound) == NULL);
  gst_harness_teardown (sound);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_flush_keeps_caps_of_sound)
{
  Gated gated;
  GstHarness *sound;
  GstCaps *caps;

  gated_open (&gated, NULL);
  sound = add_sound (&gated);
  run_sound (sound, 0, 0);
  gst_harness_set_src_caps_str (sound, "audio/x-raw,rate=8000");
  gst_harness_push_event (sound, gst_event_new_flush_start ());
  gst_harness_push_event (sound, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (sound, gst_event_new_eos ());
  caps = gst_pad_get_current_caps (sound->sinkpad);
  fail_unless (caps && gst_structure_has_field (
                           gst_caps_get_structure (caps, 0), "rate"));
  gst_caps_unref (caps);
  gst_harness_teardown (sound);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_sound_linked_anew)
{
  Gated gated;
  GstHarness *sound;
  GstPad *pad;

  gated_open (&gated, ROLLS (10, 5), NULL);
  sound = add_sound (&gated);
  pad = gst_element_get_static_pad (gated.element, "src_0");
  gated_run (&gated, 0, 39, GATED_NORMAL);
  gated_run (&gated, 40, 45, GATED_ANOMALOUS);
  gst_pad_unlink (pad, sound->sinkpad);
  fail_unless_equals_int (
      gst_harness_push (sound, gated_frame (&gated, 30, GATED_NO_META)),
      GST_FLOW_NOT_LINKED);
  gst_pad_link (pad, sound->sinkpad);
  run_sound (sound, 31, 40);
  expect_sound (sound, 31, 40);
  gst_object_unref (pad);
  gst_harness_teardown (sound);
  gated_close (&gated);
}
GST_END_TEST

static gpointer
end_sound (gpointer sound)
{
  gst_harness_push_event (sound, gst_event_new_eos ());
  return NULL;
}

/* Sound that has ended is not lost while frames are still to come. */
GST_START_TEST (test_sound_ends_first)
{
  GThread *thread;
  Gated gated;
  GstHarness *sound;

  gated_open (&gated, ROLLS (10, 5), NULL);
  sound = add_sound (&gated);
  gated_run (&gated, 0, 20, GATED_NORMAL);
  run_sound (sound, 0, 60);
  thread = g_thread_new ("sound", end_sound, sound);
  gated_run (&gated, 21, 44, GATED_NORMAL);
  gated_run (&gated, 45, 50, GATED_ANOMALOUS);
  gated_run (&gated, 51, 58, GATED_NORMAL);
  gated_push_event (&gated, gst_event_new_eos ());
  g_thread_join (thread);
  expect_sound (sound, 30, 55);
  fail_unless (gst_harness_try_pull (sound) == NULL);
  gst_harness_teardown (sound);
  gated_close (&gated);
}
GST_END_TEST

/* Stopping ends the wait. */
GST_START_TEST (test_stop_while_sound_waits)
{
  GThread *thread;
  Gated gated;
  GstHarness *sound;

  gated_open (&gated, NULL);
  sound = add_sound (&gated);
  run_sound (sound, 0, 60);
  thread = g_thread_new ("sound", end_sound, sound);
  g_usleep (G_USEC_PER_SEC / 100);
  gst_element_set_state (gated.element, GST_STATE_NULL);
  g_thread_join (thread);
  gst_harness_teardown (sound);
  gated_close (&gated);
}
GST_END_TEST

GST_START_TEST (test_pads_come_in_pairs)
{
  GstElement *gate = gst_element_factory_make ("vaelstmgate", NULL);
  GstPad *sink, *src, *found;
  GstIterator *links;
  GValue value = G_VALUE_INIT;

  sink = gst_element_request_pad_simple (gate, "sink_%u");
  found = gst_element_get_static_pad (gate, "src_0");
  fail_unless (found != NULL);
  gst_object_unref (found);
  src = gst_element_request_pad_simple (gate, "src_7");
  found = gst_element_get_static_pad (gate, "sink_7");
  fail_unless (found != NULL);

  links = gst_pad_iterate_internal_links (src);
  fail_unless_equals_int (gst_iterator_next (links, &value), GST_ITERATOR_OK);
  fail_unless (g_value_get_object (&value) == found);
  fail_unless_equals_int (gst_iterator_next (links, &value), GST_ITERATOR_DONE);
  g_value_unset (&value);
  gst_iterator_free (links);
  gst_object_unref (found);

  fail_unless (GST_ELEMENT_GET_CLASS (gate)->request_new_pad (
                   gate, GST_PAD_PAD_TEMPLATE (sink), "sink_07", NULL) == NULL);

  gst_element_release_request_pad (gate, sink);
  fail_unless (gst_element_get_static_pad (gate, "src_0") == NULL);
  gst_object_unref (sink);
  gst_object_unref (src);
  gst_object_unref (gate); /* with a pair that nobody released */
}
GST_END_TEST

static void
expect_no_links (GstElement *gate, GstPad *pad, guint *n_removed)
{
  ++*n_removed;
  fail_unless (gst_pad_iterate_internal_links (pad) == NULL);
}

GST_START_TEST (test_released_pads_link_to_nothing)
{
  GstElement *gate = gst_element_factory_make ("vaelstmgate", NULL);
  GstPad *sink = gst_element_request_pad_simple (gate, "sink_%u");
  guint n_removed = 0;

  g_signal_connect (
      gate, "pad-removed", G_CALLBACK (expect_no_links), &n_removed);
  gst_element_release_request_pad (gate, sink);
  fail_unless_equals_int (n_removed, 2);
  g_signal_handlers_disconnect_by_data (gate, &n_removed);
  gst_object_unref (sink);
  gst_object_unref (gate);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_lets_nothing_through_unasked);
  tcase_add_test (tcase, test_segment_from_key_frame_to_post_roll);
  tcase_add_test (tcase, test_key_frames_further_apart_than_pre_roll);
  tcase_add_test (tcase, test_starts_with_what_there_is);
  tcase_add_test (tcase, test_waits_for_a_key_frame);
  tcase_add_test (tcase, test_no_rolls);
  tcase_add_test (tcase, test_anomaly_in_post_roll_goes_on);
  tcase_add_test (tcase, test_two_anomalies_make_two_segments);
  tcase_add_test (tcase, test_second_pre_roll_reaches_into_the_first_segment);
  tcase_add_test (tcase, test_anomaly_before_the_next_key_frame_goes_on);
  tcase_add_test (tcase, test_max_duration);
  tcase_add_test (tcase, test_asks_for_key_frames);
  tcase_add_test (tcase, test_max_bytes);
  tcase_add_test (tcase, test_group_larger_than_max_bytes);
  tcase_add_test (tcase, test_frees_what_is_too_old);
  tcase_add_loop_test (tcase, test_bounded_pool, 0, 2);
  tcase_add_test (tcase, test_b_frames);
  tcase_add_test (tcase, test_open_groups);
  tcase_add_test (tcase, test_open_groups_and_max_duration);
  tcase_add_test (tcase, test_events_where_the_meta_is_lost);
  tcase_add_test (tcase, test_meta_counts_more_than_events);
  tcase_add_test (tcase, test_detector_in_another_branch);
  tcase_add_test (tcase, test_events_in_another_branch);
  tcase_add_test (tcase, test_detector_that_is_late);
  tcase_add_test (tcase, test_late_detector_and_max_duration);
  tcase_add_test (tcase, test_detector_that_is_late_at_eos);
  tcase_add_loop_test (
      tcase, test_wait_at_eos_is_interrupted, 0, G_N_ELEMENTS (interruptions));
  tcase_add_test (tcase, test_detector_that_stops_later);
  tcase_add_test (tcase, test_detector_that_says_nothing);
  tcase_add_test (tcase, test_detector_that_drops_analysis);
  tcase_add_test (tcase, test_silent_detector_and_max_bytes);
  tcase_add_test (tcase, test_action_signals);
  tcase_add_test (tcase, test_opened_for_later);
  tcase_add_test (tcase, test_opened_for_later_and_closed);
  tcase_add_test (tcase, test_opened_before_what_a_detector_told);
  tcase_add_test (tcase, test_open_by_hand_lasts);
  tcase_add_test (tcase, test_signals);
  tcase_add_test (tcase, test_eos);
  tcase_add_test (tcase, test_eos_with_undecided_frames);
  tcase_add_test (tcase, test_segment_done);
  tcase_add_test (tcase, test_flush);
  tcase_add_test (tcase, test_stop_and_start);
  tcase_add_test (tcase, test_flush_keeps_caps_and_tags);
  tcase_add_test (tcase, test_new_caps_in_a_segment);
  tcase_add_test (tcase, test_signals_enclose_segments);
  tcase_add_test (tcase, test_new_caps_in_the_pre_roll);
  tcase_add_test (tcase, test_new_segment_in_a_segment);
  tcase_add_test (tcase, test_running_times_start_over);
  tcase_add_test (tcase, test_times_go_back_in_a_segment);
  tcase_add_test (tcase, test_wrong_pts);
  tcase_add_test (tcase, test_wrong_timestamp);
  tcase_add_test (tcase, test_gaps_do_not_pile_up);
  tcase_add_test (tcase, test_events_keep_their_place);
  tcase_add_test (tcase, test_retimestamp);
  tcase_add_test (tcase, test_retimestamp_and_max_duration);
  tcase_add_test (tcase, test_retimestamp_and_times_that_go_back);
  tcase_add_test (tcase, test_retimestamp_without_durations);
  tcase_add_test (tcase, test_retimestamp_and_key_requests);
  tcase_add_test (tcase, test_keeps_qos_from_upstream);
  tcase_add_test (tcase, test_negative_running_times);
  tcase_add_test (tcase, test_other_rates);
  tcase_add_test (tcase, test_some_timestamps_are_missing);
  tcase_add_test (tcase, test_all_timestamps_are_missing);
  tcase_add_test (tcase, test_tells_upstream_what_downstream_says);
  tcase_add_test (tcase, test_linked_anew);
  tcase_add_test (tcase, test_events_while_not_linked);
  tcase_add_test (tcase, test_events_held_when_unlinked);
  tcase_add_test (tcase, test_backlog_does_not_hold_up_the_source);
  tcase_add_test (tcase, test_backlog_of_short_segments);
  tcase_add_test (tcase, test_backlog_leaves_room_downstream);
  tcase_add_loop_test (tcase, test_splitmuxsink_after_eos, 0, 2);
  tcase_add_test (tcase, test_keeps_pools_from_upstream);
  tcase_add_test (tcase, test_sound_follows);
  tcase_add_test (tcase, test_sound_that_is_ahead);
  tcase_add_test (tcase, test_sound_that_is_behind);
  tcase_add_test (tcase, test_sound_ends_where_a_segment_is_cut);
  tcase_add_test (tcase, test_sound_goes_on_after_a_cut);
  tcase_add_test (tcase, test_sound_and_max_duration);
  tcase_add_test (tcase, test_gaps_of_sound);
  tcase_add_test (tcase, test_sound_after_eos);
  tcase_add_test (tcase, test_sound_linked_anew);
  tcase_add_test (tcase, test_flush_keeps_caps_of_sound);
  tcase_add_test (tcase, test_sound_ends_first);
  tcase_add_test (tcase, test_stop_while_sound_waits);
  tcase_add_test (tcase, test_pads_come_in_pairs);
  tcase_add_test (tcase, test_released_pads_link_to_nothing);
}

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("gate");
  TCase *tcase = tcase_create ("gate");

  gst_check_init (&argc, &argv);
  add_tests (tcase);
  suite_add_tcase (suite, tcase);
  return gst_check_run_suite (suite, "gate", __FILE__) != 0;
}
