/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "event.h"

#include <check.h>
#include <gst/video/video.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>

/* 2026-11-23T20:23:49.250Z */
#define EPOCH G_GINT64_CONSTANT (1795465429250000)

static VlEvent *
make_event (const char *camera)
{
  VlEvent *event = vl_event_new (camera, 3, EPOCH, GST_SECOND, NULL);

  event->sighting = (VlSighting){
      .any = TRUE,
      .first = 6 * GST_SECOND,
      .last = 8500 * GST_MSECOND,
      .peak = 7 * GST_SECOND,
      .position = 61 * GST_SECOND,
      .score = 7.1234567,
      .threshold = 3.1,
      .appearance = 0.1,
      .dynamics = 7.9999,
      .region = {0.25, 0, 0.5, 1},
  };
  return event;
}

static JsonObject *
to_object (const VlEvent *event, JsonParser *parser)
{
  g_autofree char *json = vl_event_to_json (event);

  ck_assert_ptr_null (strchr (json, '\n'));
  ck_assert_msg (
      json_parser_load_from_data (parser, json, -1, NULL), "%s", json);
  return json_node_get_object (json_parser_get_root (parser));
}

START_TEST (test_members)
{
  g_autoptr (VlEvent) event = make_event ("yard");
  g_autofree char *json = NULL;

  event->clip_path = g_strdup ("events/yard.mp4");
  event->model = g_strdup ("room.vaelstm");
  json = vl_event_to_json (event);
  ck_assert_str_eq (json,
      "{\"camera\":\"yard\",\"event\":3,"
      "\"start\":\"2026-11-23T20:23:55.250Z\","
      "\"end\":\"2026-11-23T20:23:57.750Z\","
      "\"peak\":\"2026-11-23T20:23:56.250Z\",\"duration\":2.500,"
      "\"position\":61.000,\"score\":7.123,\"threshold\":3.100,"
      "\"appearance\":0.100,\"dynamics\":8.000,"
      "\"region\":[0.250,0.000,0.500,1.000],\"clip\":\"events/yard.mp4\","
      "\"clip_start\":\"2026-11-23T20:23:50.250Z\",\"picture\":null,"
      "\"model\":\"room.vaelstm\",\"checksum\":null}");
}
END_TEST

START_TEST (test_unknown)
{
  g_autoptr (VlEvent) event = make_event ("yard");
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object;

  event->sighting.region[2] = 0;
  event->sighting.position = GST_CLOCK_TIME_NONE;
  object = to_object (event, parser);
  ck_assert (json_object_get_null_member (object, "region"));
  ck_assert (!json_object_has_member (object, "position"));
}
END_TEST

START_TEST (test_any_text)
{
  g_autoptr (VlEvent) event = make_event ("yard");
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonObject *object;

  event->model = g_strdup ("a \"b\"\n\\ \xff.vaelstm");
  object = to_object (event, parser);
  ck_assert_str_eq (json_object_get_string_member (object, "model"),
      "a \"b\"\n\\ \xef\xbf\xbd.vaelstm");
}
END_TEST

/* A frame of 100x50 pixels with two regions. */
static GstBuffer *
make_frame (GstClockTime pts)
{
  GstBuffer *frame = gst_buffer_new_allocate (NULL, 100 * 50, NULL);

  GST_BUFFER_PTS (frame) = pts;
  gst_buffer_add_video_region_of_interest_meta (frame, "anomaly", 10, 5, 20, 5);
  gst_buffer_add_video_region_of_interest_meta (
      frame, "anomaly", 50, 5, 10, 20);
  gst_buffer_add_video_region_of_interest_meta (frame, "face", 0, 0, 100, 50);
  return frame;
}

/* An active pad with caps and a segment that starts at 10 s. */
static GstPad *
make_pad (void)
{
  GstPad *pad = gst_pad_new ("src", GST_PAD_SRC);
  g_autoptr (GstCaps) caps = gst_caps_from_string (
      "video/x-raw,format=GRAY8,width=100,height=50,framerate=10/1");
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 10 * GST_SECOND;
  segment.time = 100 * GST_SECOND;
  gst_pad_set_active (pad, TRUE);
  gst_pad_push_event (pad, gst_event_new_stream_start ("a"));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
  return pad;
}

static void
see (VlSighting *sighting, GstPad *pad, double seconds, double score)
{
  const GstVaeLstmAnomaly anomaly = {
      .score = score, .threshold = 3, .anomalous = TRUE};
  g_autoptr (GstBuffer) frame = make_frame (seconds * GST_SECOND);

  vl_sighting_add (sighting, pad, frame, &anomaly, TRUE);
}

START_TEST (test_sighting)
{
  g_autoptr (GstPad) pad = gst_object_ref_sink (make_pad ());
  VlSighting sighting = {0};

  see (&sighting, pad, 11, 4);
  see (&sighting, pad, 12, 6);
  see (&sighting, pad, 13, 5);
  see (&sighting, pad, 14, 2);
  ck_assert (sighting.any);
  ck_assert_uint_eq (sighting.first, GST_SECOND);
  ck_assert_uint_eq (sighting.last, 3 * GST_SECOND);
  ck_assert_uint_eq (sighting.peak, 2 * GST_SECOND);
  ck_assert_uint_eq (sighting.position, 101 * GST_SECOND);
  ck_assert_double_eq (sighting.score, 6);
  ck_assert_uint_eq (
      GST_BUFFER_PTS (gst_sample_get_buffer (sighting.frame)), 12 * GST_SECOND);
  ck_assert_double_eq_tol (sighting.region[0], 0.1, 1e-9);
  ck_assert_double_eq_tol (sighting.region[1], 0.1, 1e-9);
  ck_assert_double_eq_tol (sighting.region[2], 0.5, 1e-9);
  ck_assert_double_eq_tol (sighting.region[3], 0.4, 1e-9);
  vl_sighting_clear (&sighting);
  ck_assert_ptr_null (sighting.frame);
}
END_TEST

/* The peak is the higher one's, whichever came first. */
START_TEST (test_join)
{
  g_autoptr (GstPad) pad = gst_object_ref_sink (make_pad ());
  const double scores[2][2] = {{4, 6}, {6, 4}};
  VlSighting a = {0}, b = {0};

  see (&a, pad, 11, scores[_i][0]);
  see (&b, pad, 15, scores[_i][1]);
  vl_sighting_join (&a, &b);
  ck_assert_uint_eq (a.first, GST_SECOND);
  ck_assert_uint_eq (a.last, 5 * GST_SECOND);
  ck_assert_uint_eq (a.peak, (_i == 0 ? 5 : 1) * GST_SECOND);
  ck_assert_uint_eq (a.position, 101 * GST_SECOND);
  ck_assert_double_eq (a.score, 6);
  ck_assert (!b.any);
  ck_assert_ptr_null (b.frame);
  vl_sighting_clear (&a);
}
END_TEST

START_TEST (test_join_nothing)
{
  g_autoptr (GstPad) pad = gst_object_ref_sink (make_pad ());
  VlSighting a = {0}, b = {0};

  see (&b, pad, 15, 4);
  vl_sighting_join (&a, &b);
  ck_assert_uint_eq (a.first, 5 * GST_SECOND);
  ck_assert_double_eq (a.score, 4);
  ck_assert_ptr_nonnull (a.frame);
  vl_sighting_clear (&a);
}
END_TEST

/* It was anomalous before that was certain. */
START_TEST (test_begin)
{
  g_autoptr (GstStructure) start =
      gst_structure_new ("vaelstm-anomaly", "running-time", G_TYPE_UINT64,
          5 * GST_SECOND, "stream-time", G_TYPE_UINT64, 65 * GST_SECOND,
          "duration", G_TYPE_UINT64, GST_SECOND, NULL);
  g_autoptr (GstPad) pad = gst_object_ref_sink (make_pad ());
  VlSighting sighting = {0};

  vl_sighting_begin (&sighting, start);
  see (&sighting, pad, 15, 4);
  ck_assert_uint_eq (sighting.first, 4 * GST_SECOND);
  ck_assert_uint_eq (sighting.position, 64 * GST_SECOND);
  ck_assert_uint_eq (sighting.peak, 5 * GST_SECOND);
  vl_sighting_clear (&sighting);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("event");
  TCase *tcase = tcase_create ("event");
  SRunner *runner = srunner_create (suite);

  gst_init (NULL, NULL);
  tcase_add_test (tcase, test_members);
  tcase_add_test (tcase, test_unknown);
  tcase_add_test (tcase, test_any_text);
  tcase_add_test (tcase, test_sighting);
  tcase_add_loop_test (tcase, test_join, 0, 2);
  tcase_add_test (tcase, test_join_nothing);
  tcase_add_test (tcase, test_begin);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  return srunner_ntests_failed (runner) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
