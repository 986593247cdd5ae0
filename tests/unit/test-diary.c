/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Of which event it is what vaelstmdetect has said, whichever of it and the
 * gate is ahead. */

#include "diary.h"

#include <check.h>
#include <stdlib.h>

#define POST_ROLL (2 * GST_SECOND)

static VlDiary *diary;
static GstPad *pad;

static void
set_up (void)
{
  GstSegment segment;

  diary = vl_diary_new (POST_ROLL, FALSE);
  pad = gst_object_ref_sink (gst_pad_new ("src", GST_PAD_SRC));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_set_active (pad, TRUE);
  gst_pad_push_event (pad, gst_event_new_stream_start ("a"));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
}

static void
tear_down (void)
{
  vl_diary_free (diary);
  gst_object_unref (pad);
}

/* A frame at that second; anomalous if score is above 3. */
static void
see (guint second, double score)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstCustomMeta *meta =
      gst_buffer_add_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME);
  GstPadProbeInfo info = {.type = GST_PAD_PROBE_TYPE_BUFFER, .data = buffer};

  GST_BUFFER_PTS (buffer) = second * GST_SECOND;
  gst_structure_set (gst_custom_meta_get_structure (meta), "score",
      G_TYPE_DOUBLE, score, "appearance", G_TYPE_DOUBLE, score, "dynamics",
      G_TYPE_DOUBLE, score, "threshold", G_TYPE_DOUBLE, 3.0, "anomalous",
      G_TYPE_BOOLEAN, score > 3, "event-id", G_TYPE_UINT, 1, "state",
      G_TYPE_STRING, "detecting", "age", G_TYPE_UINT64, (guint64)0, NULL);
  vl_diary_see (diary, pad, &info);
  gst_buffer_unref (buffer);
}

static void
see_range (guint first, guint last, double score)
{
  for (guint i = first; i <= last; i++)
    see (i, score);
}

/* An event whose recording goes from one second to another. */
static void
record (guint start, guint end)
{
  g_autoptr (VlEvent) event =
      vl_event_new ("a", 1, 0, start * GST_SECOND, NULL);

  vl_diary_open (diary);
  vl_diary_close (diary, event, end * GST_SECOND);
}

static void
check_next (guint first, guint peak, guint last, double score)
{
  g_autoptr (VlEvent) event = vl_diary_settle (diary);

  ck_assert_ptr_nonnull (event);
  ck_assert_uint_eq (event->sighting.first, first * GST_SECOND);
  ck_assert_uint_eq (event->sighting.peak, peak * GST_SECOND);
  ck_assert_uint_eq (event->sighting.last, last * GST_SECOND);
  ck_assert_double_eq (event->sighting.score, score);
}

static void
check_no_next (void)
{
  ck_assert_ptr_null (vl_diary_settle (diary));
}

START_TEST (test_detector_ahead)
{
  see_range (0, 9, 1);
  see_range (10, 11, 5);
  see (12, 7);
  see_range (13, 20, 1);
  record (5, 15);
  check_next (10, 12, 12, 7);
  check_no_next ();
}
END_TEST

/* Told when everything of it has been seen. */
START_TEST (test_detector_behind)
{
  see_range (0, 10, 1);
  see (11, 5);
  record (5, 15);
  check_no_next ();
  see (12, 7);
  see_range (13, 14, 1);
  check_no_next ();
  see (15, 1);
  check_next (11, 12, 12, 7);
}
END_TEST

/* No frame comes any more. */
START_TEST (test_end)
{
  GstEvent *eos = gst_event_new_eos ();
  GstPadProbeInfo info = {
      .type = GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, .data = eos};

  see (11, 5);
  record (5, 15);
  check_no_next ();
  if (_i == 0)
    vl_diary_finish (diary);
  else
    vl_diary_see (diary, pad, &info);
  check_next (11, 11, 11, 5);
  gst_event_unref (eos);
}
END_TEST

/* What has been seen of the next event stays there. */
START_TEST (test_two_events)
{
  see_range (10, 12, 5);
  see_range (13, 15, 1);
  see_range (16, 18, 6);
  see_range (19, 25, 1);
  record (5, 17); /* it goes on to a key frame at 17 s */
  record (17, 20);
  check_next (10, 10, 12, 5);
  check_next (17, 17, 18, 6);
}
END_TEST

/* Two anomalies that the gate joins. */
START_TEST (test_one_event)
{
  see_range (10, 12, 5);
  see (13, 1);
  see_range (14, 15, 4);
  see_range (16, 20, 1);
  record (5, 17);
  check_next (10, 10, 15, 5);
  check_no_next ();
}
END_TEST

/* A short anomaly in the rest of a recording is of it. */
START_TEST (test_anomaly_in_the_rest)
{
  see_range (10, 12, 5);
  see_range (13, 15, 1);
  see (16, 6);
  see_range (17, 25, 1);
  record (5, 19);
  check_next (10, 16, 16, 6);
}
END_TEST

/* One that lasts, cut. */
START_TEST (test_parts)
{
  see (10, 5);
  see_range (11, 14, 8);
  record (5, 15);
  see (15, 4);
  check_next (10, 11, 15, 8);
  see_range (16, 18, 6);
  see_range (19, 22, 1);
  record (15, 20);
  check_next (16, 16, 18, 6);
  record (20, 22);
  {
    g_autoptr (VlEvent) event = vl_diary_settle (diary);

    ck_assert (!event->sighting.any);
    ck_assert_uint_eq (event->sighting.first, 20 * GST_SECOND);
    ck_assert_uint_eq (event->sighting.last, 20 * GST_SECOND);
  }
}
END_TEST

/* A gate that finds no key frame. */
START_TEST (test_missed)
{
  VlSighting missed;

  see_range (10, 12, 5);
  see_range (13, 44, 1);
  ck_assert (!vl_diary_take_missed (diary, &missed));
  see (45, 1);
  vl_diary_open (diary);
  ck_assert (!vl_diary_take_missed (diary, &missed));
  record (50, 51);
  ck_assert (!vl_diary_take_missed (diary, &missed));
}
END_TEST

START_TEST (test_missed_is_told_once)
{
  VlSighting missed;

  see_range (10, 12, 5);
  see_range (13, 45, 1);
  ck_assert (vl_diary_take_missed (diary, &missed));
  ck_assert_uint_eq (missed.first, 10 * GST_SECOND);
  ck_assert_uint_eq (missed.last, 12 * GST_SECOND);
  vl_sighting_clear (&missed);
  ck_assert (!vl_diary_take_missed (diary, &missed));
}
END_TEST

/* However often it comes and goes, and nothing of it is lost. */
START_TEST (test_many)
{
  for (guint i = 0; i < 100; i++)
    see (10 + i, i % 2 ? 1 : 5 + i);
  see_range (110, 115, 1);
  record (5, 112);
  check_next (10, 108, 108, 103);
  check_no_next ();
}
END_TEST

int
main (void)
{
  const gchar *tags[] = {NULL};
  Suite *suite = suite_create ("diary");
  TCase *tcase = tcase_create ("diary");
  SRunner *runner = srunner_create (suite);

  gst_init (NULL, NULL);
  gst_meta_register_custom (
      GST_VAELSTM_ANOMALY_META_NAME, tags, NULL, NULL, NULL);
  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_test (tcase, test_detector_ahead);
  tcase_add_test (tcase, test_detector_behind);
  tcase_add_loop_test (tcase, test_end, 0, 2);
  tcase_add_test (tcase, test_two_events);
  tcase_add_test (tcase, test_one_event);
  tcase_add_test (tcase, test_anomaly_in_the_rest);
  tcase_add_test (tcase, test_parts);
  tcase_add_test (tcase, test_missed);
  tcase_add_test (tcase, test_missed_is_told_once);
  tcase_add_test (tcase, test_many);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  return srunner_ntests_failed (runner) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
