/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What happens to frames, and which of them are analysed. */

#include "stream.h"

#include <gst/base/gstbasetransform.h>

#include "tiny-model.h"

/* The same pixels with padding around them. */
static GstBuffer *
pad_rows (GstBuffer *tight, gint stride, gsize offset)
{
  gint strides[GST_VIDEO_MAX_PLANES] = {stride};
  gsize offsets[GST_VIDEO_MAX_PLANES] = {offset};
  GstBuffer *padded =
      gst_buffer_new_allocate (NULL, offset + stride * TINY_SIDE, NULL);
  GstMapInfo map;

  gst_buffer_memset (padded, 0, 0xaa, -1);
  gst_buffer_map (tight, &map, GST_MAP_READ);
  for (guint y = 0; y < TINY_SIDE; y++)
    gst_buffer_fill (padded, offset + y * stride, map.data + y * TINY_SIDE * 3,
        TINY_SIDE * 3);
  gst_buffer_unmap (tight, &map);

  gst_buffer_copy_into (padded, tight, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  gst_buffer_add_video_meta_full (padded, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_RGB, TINY_SIDE, TINY_SIDE, 1, offsets, strides);
  gst_buffer_unref (tight);
  return padded;
}

GST_START_TEST (test_strides_and_offsets_change_nothing)
{
  Stream tight, padded;

  stream_open_default (&tight);
  stream_open_default (&padded);
  for (guint i = 0; i < 10; i++) {
    GstBuffer *buffer = stream_next_buffer (&padded, i > 5);
    double score = stream_run (&tight, 1, i > 5).score;

    buffer = stream_pass (&padded, pad_rows (buffer, 500, 64));
    fail_unless (score == stream_take_meta (buffer).score);
  }
  stream_close (&tight);
  stream_close (&padded);
}
GST_END_TEST

static gboolean
same_pixels (GstBuffer *a, GstBuffer *b)
{
  GstMapInfo map;
  gboolean same;

  gst_buffer_map (a, &map, GST_MAP_READ);
  same = gst_buffer_get_size (b) == map.size &&
         gst_buffer_memcmp (b, 0, map.data, map.size) == 0;
  gst_buffer_unmap (a, &map);
  return same;
}

GST_START_TEST (test_shared_frames_are_not_copied)
{
  GstBuffer *before, *after, *reference;
  GstVaeLstmAnomaly anomaly;
  Stream stream;

  stream_open_default (&stream);
  before = stream_next_buffer (&stream, FALSE);
  GST_BUFFER_DTS (before) = 1234;
  GST_BUFFER_OFFSET (before) = 99;
  reference = gst_buffer_copy_deep (before);
  after = stream_pass (&stream, gst_buffer_ref (before));

  fail_unless (after != before);
  fail_unless (
      gst_buffer_peek_memory (after, 0) == gst_buffer_peek_memory (before, 0));
  fail_if (gst_buffer_get_vaelstm_anomaly (before, &anomaly));
  fail_unless (gst_buffer_get_vaelstm_anomaly (after, &anomaly));

  fail_unless (same_pixels (after, reference));
  fail_unless_equals_uint64 (GST_BUFFER_PTS (after), GST_BUFFER_PTS (before));
  fail_unless_equals_uint64 (GST_BUFFER_DTS (after), 1234);
  fail_unless_equals_uint64 (
      GST_BUFFER_DURATION (after), GST_BUFFER_DURATION (before));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (after), 99);
  gst_buffer_unref (after);
  gst_buffer_unref (before);
  gst_buffer_unref (reference);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_unshared_frames_go_on_as_they_are)
{
  GstBuffer *before, *after;
  Stream stream;

  stream_open_default (&stream);
  before = stream_next_buffer (&stream, FALSE);
  after = stream_pass (&stream, before);
  fail_unless (after == before);
  gst_buffer_unref (after);
  stream_close (&stream);
}
GST_END_TEST

static gboolean
has_metas (GstBuffer *buffer)
{
  gpointer state = NULL;

  return gst_buffer_iterate_meta (buffer, &state) != NULL;
}

GST_START_TEST (test_passthrough_still_detects)
{
  GstBuffer *before, *after;
  GstStructure *start;
  Stream stream;
  GstBus *bus;
  GstElement *element = stream_make_element (
      &bus, "model-file", stream_model, "attach-meta", FALSE, NULL);

  stream_open (&stream, NULL, element, bus);
  fail_unless (
      gst_base_transform_is_passthrough (GST_BASE_TRANSFORM (element)));
  for (guint i = 0; i < 40; i++) {
    before = stream_next_buffer (&stream, i >= 20);
    after = stream_pass (&stream, before);
    fail_unless (after == before);
    fail_if (has_metas (after));
    gst_buffer_unref (after);
  }
  start = stream_next_message (&stream, "vaelstmdetect", "start");
  fail_unless (start != NULL);
  gst_structure_free (start);

  g_object_set (element, "attach-meta", TRUE, NULL);
  fail_if (gst_base_transform_is_passthrough (GST_BASE_TRANSFORM (element)));
  stream_run (&stream, 1, FALSE);
  stream_close (&stream);
}
GST_END_TEST

static guint
count_warnings (Stream *stream)
{
  GstMessage *message;
  guint n = 0;

  while ((message = gst_bus_pop (stream->bus))) {
    n += GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING;
    gst_message_unref (message);
  }
  return n;
}

/* Possible in passthrough alone; the caps of before a stop are forgotten. */
GST_START_TEST (test_passthrough_of_buffers_without_caps)
{
  GstSegment segment;
  Stream stream;

  stream_open_default (&stream);
  stream_run (&stream, 5, FALSE);
  gst_element_set_state (stream.element, GST_STATE_READY);
  gst_pad_set_active (stream.harness->srcpad, FALSE);
  g_object_set (stream.element, "attach-meta", FALSE, NULL);
  gst_pad_set_active (stream.harness->srcpad, TRUE);
  gst_element_set_state (stream.element, GST_STATE_PLAYING);

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (
      stream.harness, gst_event_new_stream_start ("without caps"));
  gst_harness_push_event (stream.harness, gst_event_new_segment (&segment));
  for (guint i = 0; i < 5; i++)
    gst_buffer_unref (
        stream_pass (&stream, stream_next_buffer (&stream, FALSE)));
  fail_unless_equals_uint64 (stream_stat (&stream, "frames"), 5);
  fail_unless_equals_uint64 (stream_stat (&stream, "analysed"), 0);
  fail_unless_equals_int (count_warnings (&stream), 0);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_a_meta_from_upstream_is_replaced)
{
  GstBuffer *buffer;
  gpointer state = NULL;
  guint n = 0;
  Stream stream;

  stream_open_default (&stream);
  buffer = stream_pass (&stream, stream_next_buffer (&stream, FALSE));
  buffer = stream_pass (&stream, buffer);
  while (gst_buffer_iterate_meta (buffer, &state))
    n++;
  fail_unless_equals_int (n, 1);
  gst_buffer_unref (buffer);
  stream_close (&stream);
}
GST_END_TEST

/* 30 frames/s, of which 10 are analysed. */
GST_START_TEST (test_frames_between_carry_the_last_score)
{
  GstVaeLstmAnomaly analysed = {0};
  Stream stream;

  stream_open_default (&stream);
  for (guint i = 0; i < 30; i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);
    GstVaeLstmAnomaly anomaly;

    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (i, GST_SECOND, 30);
    anomaly = stream_take_meta (stream_pass (&stream, buffer));
    if (i % 3 == 0)
      analysed = anomaly;
    fail_unless_equals_uint64 (
        anomaly.age, gst_util_uint64_scale (i, GST_SECOND, 30) -
                         gst_util_uint64_scale (i / 3 * 3, GST_SECOND, 30));
    fail_unless (anomaly.score == analysed.score);
  }
  fail_unless_equals_uint64 (stream_stat (&stream, "frames"), 30);
  fail_unless_equals_uint64 (stream_stat (&stream, "analysed"), 10);

  g_object_set (stream.element, "analysis-rate", 15, 1, NULL);
  for (guint i = 30; i < 90; i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);

    GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (i, GST_SECOND, 30);
    gst_buffer_unref (stream_pass (&stream, buffer));
  }
  fail_unless_equals_uint64 (stream_stat (&stream, "analysed"), 40);
  stream_close (&stream);
}
GST_END_TEST

/* Counted by frame rate, from the start of the segment. */
GST_START_TEST (test_frames_without_timestamps)
{
  GstStructure *message = NULL;
  Stream stream;

  stream_open_default (&stream);
  gst_util_set_object_arg (G_OBJECT (stream.element), "post-messages", "all");
  for (guint i = 0; i < 8; i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);

    GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_NONE;
    GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
    buffer = stream_pass (&stream, buffer);
    fail_if (GST_BUFFER_PTS_IS_VALID (buffer));
    gst_buffer_unref (buffer);

    message = stream_next_message (&stream, "vaelstmdetect", "frame");
    fail_unless (message != NULL);
    fail_unless_equals_uint64 (
        stream_get_time (message, "timestamp"), i * 100 * GST_MSECOND);
    gst_structure_free (message);
  }
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_short_frames_warn_once_and_go_on)
{
  Stream stream;

  stream_open_default (&stream);
  stream_run (&stream, 5, FALSE);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);

    gst_buffer_set_size (buffer, 1000);
    buffer = stream_pass (&stream, buffer);
    fail_unless_equals_int (gst_buffer_get_size (buffer), 1000);
    fail_unless_equals_uint64 (
        stream_take_meta (buffer).age, (i + 1) * 100 * GST_MSECOND);
  }
  fail_unless_equals_int (count_warnings (&stream), 1);
  fail_unless_equals_uint64 (stream_stat (&stream, "skipped"), 3);
  fail_unless_equals_uint64 (stream_run (&stream, 1, FALSE).age, 0);
  stream_close (&stream);
}
GST_END_TEST

/* A video meta that promises more than the memory holds. */
GST_START_TEST (test_short_planes_warn_once_and_go_on)
{
  Stream stream;

  stream_open_default (&stream);
  for (guint i = 0; i < 3; i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);

    buffer = pad_rows (buffer, 500, 64);
    gst_buffer_set_size (buffer, 64 + 500 * (TINY_SIDE - 1) + 383);
    gst_buffer_unref (stream_pass (&stream, buffer));
  }
  fail_unless_equals_int (count_warnings (&stream), 1);
  fail_unless_equals_uint64 (stream_stat (&stream, "skipped"), 3);
  stream_close (&stream);
}
GST_END_TEST

/* The last row needs no padding behind it. */
GST_START_TEST (test_planes_may_end_with_their_last_pixel)
{
  GstBuffer *buffer;
  Stream stream;

  stream_open_default (&stream);
  buffer = pad_rows (stream_next_buffer (&stream, FALSE), 500, 64);
  gst_buffer_set_size (buffer, 64 + 500 * (TINY_SIDE - 1) + 384);
  gst_buffer_unref (stream_pass (&stream, buffer));
  fail_unless_equals_uint64 (stream_stat (&stream, "analysed"), 1);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_a_contradicting_video_meta_warns_and_goes_on)
{
  GstBuffer *buffer;
  Stream stream;

  stream_open_default (&stream);
  buffer = stream_next_buffer (&stream, FALSE);
  gst_buffer_add_video_meta (
      buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, 64, 64);
  gst_buffer_unref (stream_pass (&stream, buffer));
  fail_unless_equals_int (count_warnings (&stream), 1);
  fail_unless_equals_uint64 (stream_stat (&stream, "skipped"), 1);
  stream_close (&stream);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_strides_and_offsets_change_nothing);
  tcase_add_test (tcase, test_shared_frames_are_not_copied);
  tcase_add_test (tcase, test_unshared_frames_go_on_as_they_are);
  tcase_add_test (tcase, test_passthrough_still_detects);
  tcase_add_test (tcase, test_passthrough_of_buffers_without_caps);
  tcase_add_test (tcase, test_a_meta_from_upstream_is_replaced);
  tcase_add_test (tcase, test_frames_between_carry_the_last_score);
  tcase_add_test (tcase, test_frames_without_timestamps);
  tcase_add_test (tcase, test_short_frames_warn_once_and_go_on);
  tcase_add_test (tcase, test_short_planes_warn_once_and_go_on);
  tcase_add_test (tcase, test_planes_may_end_with_their_last_pixel);
  tcase_add_test (tcase, test_a_contradicting_video_meta_warns_and_goes_on);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "frames", add_tests);
}
