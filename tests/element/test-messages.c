/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is said, to whom and when. */

#include "stream.h"

#include <string.h>

/* A structure has exactly these fields. */
static void
check_fields (const GstStructure *structure, const char *const *names,
    const GType *types, guint n)
{
  fail_unless_equals_int (gst_structure_n_fields (structure), n);
  for (guint i = 0; i < n; i++)
    fail_unless (gst_structure_has_field_typed (structure, names[i], types[i]),
        "%s is not a %s", names[i], g_type_name (types[i]));
}

static void
check_message_fields (const GstStructure *structure)
{
  static const char *const names[] = {"event", "event-id", "score",
      "peak-score", "appearance", "dynamics", "threshold", "region",
      "timestamp", "stream-time", "running-time", "duration"};
  const GType types[] = {G_TYPE_STRING, G_TYPE_UINT, G_TYPE_DOUBLE,
      G_TYPE_DOUBLE, G_TYPE_DOUBLE, G_TYPE_DOUBLE, G_TYPE_DOUBLE, G_TYPE_STRING,
      G_TYPE_UINT64, G_TYPE_UINT64, G_TYPE_UINT64, G_TYPE_UINT64};

  check_fields (structure, names, types, G_N_ELEMENTS (names));
}

static void
check_region (const GstStructure *structure)
{
  gchar **parts =
      g_strsplit (gst_structure_get_string (structure, "region"), ",", -1);

  fail_unless_equals_int (g_strv_length (parts), 4);
  for (guint i = 0; i < 4; i++) {
    double share = g_ascii_strtod (parts[i], NULL);
    fail_unless (share >= 0 && share <= 1);
  }
  g_strfreev (parts);
}

/* Timestamps, stream times and running times that differ. */
static void
push_shifted_segment (Stream *stream)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 0;
  segment.time = 100 * GST_SECOND;
  segment.base = 7 * GST_SECOND;
  fail_unless (gst_harness_push_event (
      stream->harness, gst_event_new_segment (&segment)));
}

static void
check_times (const GstStructure *structure)
{
  guint64 timestamp = stream_get_time (structure, "timestamp");

  fail_unless_equals_uint64 (
      stream_get_time (structure, "stream-time"), timestamp + 100 * GST_SECOND);
  fail_unless_equals_uint64 (
      stream_get_time (structure, "running-time"), timestamp + 7 * GST_SECOND);
}

GST_START_TEST (test_meta_has_the_documented_fields)
{
  static const char *const names[] = {"score", "appearance", "dynamics",
      "threshold", "anomalous", "event-id", "state", "age"};
  const GType types[] = {G_TYPE_DOUBLE, G_TYPE_DOUBLE, G_TYPE_DOUBLE,
      G_TYPE_DOUBLE, G_TYPE_BOOLEAN, G_TYPE_UINT, G_TYPE_STRING, G_TYPE_UINT64};
  GstVaeLstmAnomaly anomaly;
  GstCustomMeta *meta;
  GstBuffer *buffer;
  Stream stream;

  stream_open_default (&stream);
  buffer = stream_pass (&stream, stream_next_buffer (&stream, FALSE));
  meta = gst_buffer_get_custom_meta (buffer, "VaeLstmAnomalyMeta");
  fail_unless (meta != NULL);
  check_fields (
      gst_custom_meta_get_structure (meta), names, types, G_N_ELEMENTS (names));

  anomaly = stream_take_meta (buffer);
  fail_unless_equals_string (anomaly.state, "warming-up");
  fail_unless_equals_uint64 (anomaly.age, 0);
  fail_unless_equals_int (anomaly.event_id, 0);
  fail_if (anomaly.anomalous);
  fail_unless (anomaly.threshold > 0);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_buffers_without_meta_are_told_apart)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstVaeLstmAnomaly anomaly;

  fail_if (gst_buffer_get_vaelstm_anomaly (buffer, &anomaly));
  gst_buffer_unref (buffer);
}
GST_END_TEST

GST_START_TEST (test_state_messages_come_once_per_change)
{
  GstStructure *message;
  Stream stream;

  stream_open_default (&stream);
  fail_unless_equals_string (
      stream_run (&stream, 20, FALSE).state, "detecting");
  message = stream_next_message (&stream, "vaelstmdetect-state", NULL);
  fail_unless (message != NULL);
  fail_unless_equals_string (
      gst_structure_get_string (message, "state"), "detecting");
  fail_unless_equals_string (
      gst_structure_get_string (message, "reason"), "warm");
  fail_unless_equals_int (
      stream_count_messages (&stream, "vaelstmdetect-state", NULL), 0);
  gst_structure_free (message);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_normal_video_raises_no_event)
{
  Stream stream;

  stream_open_default (&stream);
  fail_if (stream_run (&stream, 100, FALSE).anomalous);
  fail_unless_equals_int (
      stream_count_messages (&stream, "vaelstmdetect", NULL), 0);
  fail_unless_equals_uint64 (stream_stat (&stream, "events"), 0);
  stream_close (&stream);
}
GST_END_TEST

/* An object is there from 3 s to 6 s. */
static void
play_visit (Stream *stream)
{
  double normal;
  GstVaeLstmAnomaly anomaly;

  push_shifted_segment (stream);
  normal = stream_run (stream, 30, FALSE).score;
  anomaly = stream_run (stream, 30, TRUE);
  fail_unless (anomaly.score > normal);
  fail_unless (anomaly.score >= anomaly.threshold);
  fail_unless (anomaly.appearance > 0);
  fail_unless (anomaly.anomalous);
  fail_unless_equals_int (anomaly.event_id, 1);

  anomaly = stream_run (stream, 40, FALSE);
  fail_if (anomaly.anomalous);
  fail_unless_equals_int (anomaly.event_id, 0);
}

static void
check_start (const GstStructure *start)
{
  guint64 timestamp = stream_get_time (start, "timestamp");
  guint64 duration = stream_get_time (start, "duration");

  check_message_fields (start);
  check_times (start);
  check_region (start);
  fail_unless_equals_int (stream_get_uint (start, "event-id"), 1);
  fail_unless (stream_get_double (start, "score") >=
               stream_get_double (start, "threshold"));
  /* Since the first frame with the object, which had to last for 200 ms. */
  fail_unless_equals_uint64 (timestamp - duration, 3 * GST_SECOND);
  fail_unless_equals_uint64 (duration, 200 * GST_MSECOND);
}

static void
check_end (const GstStructure *end)
{
  guint64 timestamp = stream_get_time (end, "timestamp");
  guint64 duration = stream_get_time (end, "duration");

  check_message_fields (end);
  check_times (end);
  fail_unless_equals_int (stream_get_uint (end, "event-id"), 1);
  fail_unless_equals_uint64 (timestamp - duration, 3 * GST_SECOND);
  /* The average over a few frames lets the score fall slowly. */
  fail_unless (timestamp >= 5900 * GST_MSECOND && timestamp < 8 * GST_SECOND);
  fail_unless (stream_get_double (end, "peak-score") >=
               stream_get_double (end, "threshold"));
}

GST_START_TEST (test_visit_is_one_event_on_the_bus)
{
  GstStructure *start, *update, *end;
  Stream stream;

  stream_open_default (&stream);
  play_visit (&stream);

  start = stream_next_message (&stream, "vaelstmdetect", NULL);
  fail_unless_equals_string (
      gst_structure_get_string (start, "event"), "start");
  check_start (start);

  update = stream_next_message (&stream, "vaelstmdetect", NULL);
  fail_unless_equals_string (
      gst_structure_get_string (update, "event"), "update");
  check_message_fields (update);
  check_times (update);
  fail_unless_equals_uint64 (stream_get_time (update, "timestamp"),
      stream_get_time (start, "timestamp") + GST_SECOND);
  fail_unless_equals_uint64 (stream_get_time (update, "timestamp") -
                                 stream_get_time (update, "duration"),
      3 * GST_SECOND);

  end = stream_next_message (&stream, "vaelstmdetect", "end");
  fail_unless (end != NULL);
  check_end (end);
  fail_unless (stream_next_message (&stream, "vaelstmdetect", NULL) == NULL);
  fail_unless_equals_uint64 (stream_stat (&stream, "events"), 1);

  gst_structure_free (start);
  gst_structure_free (update);
  gst_structure_free (end);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_visit_is_one_event_downstream)
{
  GstStructure *start, *end;
  Stream stream;

  stream_open_default (&stream);
  play_visit (&stream);

  start = stream_next_event (&stream, "vaelstm-anomaly", NULL);
  fail_unless_equals_string (
      gst_structure_get_string (start, "event"), "start");
  check_start (start);
  end = stream_next_event (&stream, "vaelstm-anomaly", NULL);
  fail_unless_equals_string (gst_structure_get_string (end, "event"), "end");
  check_end (end);
  fail_unless (stream_next_event (&stream, "vaelstm-anomaly", NULL) == NULL);

  gst_structure_free (start);
  gst_structure_free (end);
  stream_close (&stream);
}
GST_END_TEST

/* Whether the middles of the buffer's regions are in the object's corner of
 * the picture is a matter of training; that they are in the picture is not. */
static guint
check_regions (GstBuffer *buffer)
{
  GstVideoRegionOfInterestMeta *roi;
  gpointer state = NULL;
  guint n = 0;

  while (
      (roi = (GstVideoRegionOfInterestMeta *)gst_buffer_iterate_meta_filtered (
           buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    GstStructure *param =
        gst_video_region_of_interest_meta_get_param (roi, "anomaly");

    fail_unless_equals_string (g_quark_to_string (roi->roi_type), "anomaly");
    fail_unless (roi->w > 0 && roi->h > 0);
    fail_unless (roi->x + roi->w <= 128 && roi->y + roi->h <= 128);
    fail_unless (gst_structure_has_field_typed (param, "score", G_TYPE_DOUBLE));
    n++;
  }
  return n;
}

GST_START_TEST (test_regions_come_with_the_event)
{
  GstBuffer *buffer;
  Stream stream;

  stream_open_default (&stream);
  stream_run (&stream, 20, FALSE);
  buffer = stream_pass (&stream, stream_next_buffer (&stream, FALSE));
  fail_unless_equals_int (check_regions (buffer), 0);
  gst_buffer_unref (buffer);

  stream_run (&stream, 9, TRUE);
  buffer = stream_pass (&stream, stream_next_buffer (&stream, TRUE));
  fail_unless (check_regions (buffer) > 0);
  gst_buffer_unref (buffer);

  g_object_set (stream.element, "attach-regions", FALSE, NULL);
  buffer = stream_pass (&stream, stream_next_buffer (&stream, TRUE));
  fail_unless_equals_int (check_regions (buffer), 0);
  gst_buffer_unref (buffer);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_post_messages_all_has_one_frame_message_per_analysis)
{
  GstStructure *message;
  Stream stream;

  stream_open_default (&stream);
  g_object_set (stream.element, "analysis-rate", 5, 1, NULL);
  gst_util_set_object_arg (G_OBJECT (stream.element), "post-messages", "all");
  stream_run (&stream, 20, FALSE);

  message = stream_next_message (&stream, "vaelstmdetect", "frame");
  fail_unless (message != NULL);
  check_message_fields (message);
  fail_unless_equals_int (stream_get_uint (message, "event-id"), 0);
  fail_unless_equals_uint64 (stream_get_time (message, "duration"), 0);
  gst_structure_free (message);
  fail_unless_equals_int (
      stream_count_messages (&stream, "vaelstmdetect", "frame"), 9);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_post_messages_none_posts_none)
{
  GstStructure *event;
  Stream stream;

  stream_open_default (&stream);
  gst_util_set_object_arg (G_OBJECT (stream.element), "post-messages", "none");
  play_visit (&stream);
  fail_unless_equals_int (
      stream_count_messages (&stream, "vaelstmdetect", NULL), 0);

  event = stream_next_event (&stream, "vaelstm-anomaly", "start");
  fail_unless (event != NULL);
  gst_structure_free (event);
  stream_close (&stream);
}
GST_END_TEST

/* The harness's events in the order they came: TRUE when one called `name`
 * came before EOS. */
static gboolean
came_before_eos (Stream *stream, const gchar *name)
{
  gboolean came = FALSE, eos = FALSE;
  GstEvent *event;

  while (!eos && (event = gst_harness_try_pull_event (stream->harness))) {
    const GstStructure *structure = gst_event_get_structure (event);

    eos = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
    if (structure && gst_structure_has_name (structure, name) &&
        !strcmp (gst_structure_get_string (structure, "event"), "end"))
      came = TRUE;
    gst_event_unref (event);
  }
  return came && eos;
}

GST_START_TEST (test_eos_ends_an_open_event)
{
  GstStructure *end;
  Stream stream;

  stream_open_default (&stream);
  stream_run (&stream, 30, FALSE);
  fail_unless (stream_run (&stream, 15, TRUE).anomalous);
  fail_unless (gst_harness_push_event (stream.harness, gst_event_new_eos ()));

  end = stream_next_message (&stream, "vaelstmdetect", "end");
  fail_unless (end != NULL);
  check_message_fields (end);
  fail_unless_equals_uint64 (
      stream_get_time (end, "timestamp"), 4400 * GST_MSECOND);
  fail_unless_equals_uint64 (
      stream_get_time (end, "duration"), 1400 * GST_MSECOND);
  fail_unless (came_before_eos (&stream, "vaelstm-anomaly"));
  gst_structure_free (end);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_stopping_ends_an_open_event)
{
  GstStructure *end;
  Stream stream;

  stream_open_default (&stream);
  stream_run (&stream, 30, FALSE);
  fail_unless (stream_run (&stream, 15, TRUE).anomalous);
  fail_unless_equals_int (
      gst_element_set_state (stream.element, GST_STATE_READY),
      GST_STATE_CHANGE_SUCCESS);

  end = stream_next_message (&stream, "vaelstmdetect", "end");
  fail_unless (end != NULL);
  gst_structure_free (end);
  stream_close (&stream);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_meta_has_the_documented_fields);
  tcase_add_test (tcase, test_buffers_without_meta_are_told_apart);
  tcase_add_test (tcase, test_state_messages_come_once_per_change);
  tcase_add_test (tcase, test_normal_video_raises_no_event);
  tcase_add_test (tcase, test_visit_is_one_event_on_the_bus);
  tcase_add_test (tcase, test_visit_is_one_event_downstream);
  tcase_add_test (tcase, test_regions_come_with_the_event);
  tcase_add_test (
      tcase, test_post_messages_all_has_one_frame_message_per_analysis);
  tcase_add_test (tcase, test_post_messages_none_posts_none);
  tcase_add_test (tcase, test_eos_ends_an_open_event);
  tcase_add_test (tcase, test_stopping_ends_an_open_event);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "messages", add_tests);
}
