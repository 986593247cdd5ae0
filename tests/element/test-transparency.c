/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* To the elements around it the detector is not there: memory, flags,
 * allocation, latency and negotiation are as without it. */

#include "stream.h"

#include <string.h>

#include "tiny-model.h"

/* ---- buffers ---- */

static void
check_same_memory (GstBuffer *a, GstBuffer *b)
{
  fail_unless_equals_int (gst_buffer_n_memory (a), gst_buffer_n_memory (b));
  for (guint i = 0; i < gst_buffer_n_memory (a); i++)
    fail_unless (gst_buffer_peek_memory (a, i) == gst_buffer_peek_memory (b, i),
        "memory %u", i);
}

/* A frame passes by reference and is analysed. Takes the buffer. */
static void
check_passes_by_reference (Stream *stream, GstBuffer *buffer)
{
  guint64 analysed = stream_stat (stream, "analysed");
  GstBuffer *before = gst_buffer_copy (buffer), *after;

  after = stream_pass (stream, buffer);
  check_same_memory (after, before);
  fail_unless_equals_uint64 (stream_stat (stream, "analysed"), analysed + 1);
  gst_buffer_unref (after);
  gst_buffer_unref (before);
}

static GstBuffer *
make_read_only (GstBuffer *buffer)
{
  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++)
    GST_MINI_OBJECT_FLAG_SET (
        gst_buffer_peek_memory (buffer, i), GST_MEMORY_FLAG_READONLY);
  return buffer;
}

GST_START_TEST (test_read_only_memory)
{
  Stream stream;

  stream_open_default (&stream);
  for (guint i = 0; i < 5; i++)
    check_passes_by_reference (
        &stream, make_read_only (stream_next_buffer (&stream, i > 2)));
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_shared_read_only_memory)
{
  GstBuffer *buffer, *owner;
  Stream stream;

  stream_open_default (&stream);
  buffer = make_read_only (stream_next_buffer (&stream, FALSE));
  owner = gst_buffer_ref (buffer);
  check_passes_by_reference (&stream, buffer);
  fail_if (gst_buffer_get_custom_meta (owner, GST_VAELSTM_ANOMALY_META_NAME));
  gst_buffer_unref (owner);
  stream_close (&stream);
}
GST_END_TEST

/* Planes as cameras hand them over: each in memory of its own. */
static GstBuffer *
frame_of_planes (GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new ();
  GstVideoInfo info;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_I420, 64, 48);
  for (guint i = 0; i < 3; i++) {
    gsize size = i == 0 ? 64 * 48 : 32 * 24;
    GstMemory *memory = gst_allocator_alloc (NULL, size, NULL);
    GstMapInfo map;

    gst_memory_map (memory, &map, GST_MAP_WRITE);
    memset (map.data, 100, size);
    gst_memory_unmap (memory, &map);
    gst_buffer_append_memory (buffer, memory);
  }
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_I420, 64, 48, 3, info.offset, info.stride);
  GST_BUFFER_PTS (buffer) = pts;
  return buffer;
}

GST_START_TEST (test_planes_in_separate_memory)
{
  Stream stream;

  stream_open_default (&stream);
  gst_harness_set_src_caps_str (stream.harness,
      "video/x-raw,format=I420,width=64,height=48,framerate=10/1");
  for (guint i = 0; i < 5; i++) {
    GstBuffer *buffer = frame_of_planes (i * GST_SECOND / 10);

    check_passes_by_reference (
        &stream, i % 2 ? make_read_only (buffer) : buffer);
  }
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_flags_and_metas_of_others_stay)
{
  const GstBufferFlags flags = GST_BUFFER_FLAG_CORRUPTED |
                               GST_BUFFER_FLAG_MARKER |
                               GST_BUFFER_FLAG_DELTA_UNIT;
  static const GstBufferFlags interruptions[] = {
      0, GST_BUFFER_FLAG_DISCONT, GST_BUFFER_FLAG_GAP};
  GstCaps *caps = gst_caps_new_empty_simple ("timestamp/x-test");
  Stream stream;

  stream_open_default (&stream);
  for (guint i = 0; i < G_N_ELEMENTS (interruptions); i++) {
    GstBuffer *buffer = stream_next_buffer (&stream, FALSE);
    GstReferenceTimestampMeta *meta;

    GST_BUFFER_FLAG_SET (buffer, flags | interruptions[i]);
    gst_buffer_add_reference_timestamp_meta (
        buffer, caps, 7, GST_CLOCK_TIME_NONE);
    buffer = stream_pass (&stream, buffer);

    fail_unless (GST_BUFFER_FLAGS (buffer) == (flags | interruptions[i]));
    meta = gst_buffer_get_reference_timestamp_meta (buffer, caps);
    fail_unless (meta && meta->timestamp == 7);
    gst_buffer_unref (buffer);
  }
  gst_caps_unref (caps);
  stream_close (&stream);
}
GST_END_TEST

/* ---- queries ---- */

#define POOL_SIZE 123456

/* What a sink wants, told by a probe in its place. */
static GstPadProbeReturn
propose_allocation (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  GstAllocationParams params;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;

  gst_allocation_params_init (&params);
  params.align = 63;
  gst_query_add_allocation_pool (query, user_data, POOL_SIZE, 3, 9);
  gst_query_add_allocation_param (query, NULL, &params);
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  gst_query_add_allocation_meta (query, GST_VIDEO_CROP_META_API_TYPE, NULL);
  return GST_PAD_PROBE_HANDLED;
}

static void
check_allocation (Stream *stream, GstBufferPool *wanted)
{
  GstCaps *caps = gst_pad_get_current_caps (stream->harness->srcpad);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);
  GstAllocationParams params;
  GstBufferPool *pool;
  guint size, min, max;

  fail_unless (gst_pad_peer_query (stream->harness->srcpad, query));
  fail_unless_equals_int (gst_query_get_n_allocation_pools (query), 1);
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  fail_unless (pool == wanted);
  fail_unless (size == POOL_SIZE && min == 3 && max == 9);

  fail_unless_equals_int (gst_query_get_n_allocation_params (query), 1);
  gst_query_parse_nth_allocation_param (query, 0, NULL, &params);
  fail_unless_equals_int (params.align, 63);

  fail_unless_equals_int (gst_query_get_n_allocation_metas (query), 2);
  fail_unless (
      gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL));
  fail_unless (gst_query_find_allocation_meta (
      query, GST_VIDEO_CROP_META_API_TYPE, NULL));
  gst_object_unref (pool);
  gst_query_unref (query);
  gst_caps_unref (caps);
}

GST_START_TEST (test_allocation_is_what_downstream_wants)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  Stream stream;

  stream_open_default (&stream);
  gst_pad_add_probe (stream.harness->sinkpad,
      GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, propose_allocation, pool, NULL);
  for (guint meta = 0; meta < 2; meta++) {
    g_object_set (stream.element, "attach-meta", meta, NULL);
    check_allocation (&stream, pool);
  }
  stream_close (&stream);
  gst_object_unref (pool);
}
GST_END_TEST

GST_START_TEST (test_no_latency_is_added)
{
  Stream stream;

  stream_open_default (&stream);
  stream_run (&stream, 5, FALSE);
  gst_harness_set_upstream_latency (stream.harness, 0);
  fail_unless_equals_uint64 (gst_harness_query_latency (stream.harness), 0);
  gst_harness_set_upstream_latency (stream.harness, 20 * GST_MSECOND);
  fail_unless_equals_uint64 (
      gst_harness_query_latency (stream.harness), 20 * GST_MSECOND);
  stream_close (&stream);
}
GST_END_TEST

/* ---- quality of service ---- */

/* Of 10 frames, how many come out when downstream says that they are all 10 s
 * late. */
static guint
frames_out_when_late (Stream *stream)
{
  guint before = gst_harness_buffers_received (stream->harness);

  gst_harness_push_upstream_event (
      stream->harness, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 2.0,
                           10 * GST_SECOND, stream->n * GST_SECOND / 10));
  for (guint i = 0; i < 10; i++)
    gst_harness_push (stream->harness, stream_next_buffer (stream, FALSE));
  return gst_harness_buffers_received (stream->harness) - before;
}

GST_START_TEST (test_late_frames_are_not_dropped)
{
  Stream stream;

  stream_open_default (&stream);
  fail_unless_equals_int (frames_out_when_late (&stream), 10);

  /* the user's choice, and a proof that the frames were late */
  g_object_set (stream.element, "qos", TRUE, NULL);
  fail_unless (frames_out_when_late (&stream) < 10);
  stream_close (&stream);
}
GST_END_TEST

/* ---- negotiation ---- */

static const gchar *const refused[] = {
    "video/x-raw(memory:GLMemory),format=RGBA,width=64,height=64",
    "video/x-raw(memory:DMABuf),format=NV12,width=64,height=64",
    "video/x-raw(memory:VAMemory),format=NV12,width=64,height=64",
    "video/x-raw(memory:NVMM),format=NV12,width=64,height=64",
    "video/x-raw(format:Interlaced),format=I420,width=64,height=64,"
    "interlace-mode=alternate",
    "video/x-raw,format=ENCODED,width=64,height=64",
    "video/x-raw,format=I420,width=0,height=64",
    "image/jpeg,width=64,height=64",
    "audio/x-raw,format=S16LE,rate=48000,channels=2"};

GST_START_TEST (test_what_cannot_be_read_is_refused_at_negotiation)
{
  Stream stream;
  GstCaps *caps = gst_caps_from_string (refused[__i__]);
  GstPad *pad;

  stream_open_default (&stream);
  pad = gst_element_get_static_pad (stream.element, "sink");
  fail_if (gst_pad_query_accept_caps (pad, caps), "%s", refused[__i__]);

  /* and the stream so far is none the worse */
  stream_run (&stream, 5, FALSE);
  gst_caps_unref (caps);
  gst_object_unref (pad);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_upstream_sees_what_downstream_can_take)
{
  GstCaps *wanted =
      gst_caps_from_string ("video/x-raw,format={NV12,RGB},width=[8,640],"
                            "height=480,framerate=15/1,interlace-mode="
                            "progressive");
  GstHarness *harness = gst_harness_new ("vaelstmdetect");
  GstCaps *seen;

  gst_harness_set_sink_caps (harness, gst_caps_ref (wanted));
  seen = gst_pad_peer_query_caps (harness->srcpad, NULL);
  fail_unless (gst_caps_is_equal (seen, wanted), "%" GST_PTR_FORMAT, seen);
  gst_caps_unref (seen);
  gst_caps_unref (wanted);
  gst_harness_teardown (harness);
}
GST_END_TEST

GST_START_TEST (test_caps_go_on_as_they_came)
{
  GstCaps *caps = gst_caps_from_string (
      "video/x-raw,format=NV12,width=320,height=240,framerate=25/1,"
      "pixel-aspect-ratio=4/3,colorimetry=bt709,interlace-mode=mixed,"
      "multiview-mode=mono,something=else");
  GstCaps *after;
  Stream stream;

  stream_open_default (&stream);
  gst_harness_set_src_caps (stream.harness, gst_caps_ref (caps));
  after = gst_pad_get_current_caps (stream.harness->sinkpad);
  fail_unless (gst_caps_is_strictly_equal (after, caps));
  gst_caps_unref (after);
  gst_caps_unref (caps);
  stream_close (&stream);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_read_only_memory);
  tcase_add_test (tcase, test_shared_read_only_memory);
  tcase_add_test (tcase, test_planes_in_separate_memory);
  tcase_add_test (tcase, test_flags_and_metas_of_others_stay);
  tcase_add_test (tcase, test_allocation_is_what_downstream_wants);
  tcase_add_test (tcase, test_no_latency_is_added);
  tcase_add_test (tcase, test_late_frames_are_not_dropped);
  tcase_add_loop_test (tcase,
      test_what_cannot_be_read_is_refused_at_negotiation, 0,
      G_N_ELEMENTS (refused));
  tcase_add_test (tcase, test_upstream_sees_what_downstream_can_take);
  tcase_add_test (tcase, test_caps_go_on_as_they_came);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "transparency", add_tests);
}
