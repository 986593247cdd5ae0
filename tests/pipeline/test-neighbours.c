/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a pipeline's other elements get is what they would get without the
 * detector. */

#include "running.h"

#define N_FRAMES 20
#define PICTURE "video/x-raw,format=I420,width=160,height=120,framerate=50/1 "

/* ---- live, beside an identity ---- */

static GstPadProbeReturn
keep_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer kept)
{
  g_ptr_array_add (kept, gst_buffer_ref (GST_PAD_PROBE_INFO_BUFFER (info)));
  return GST_PAD_PROBE_OK;
}

static GPtrArray *
keep_buffers (GstElement *pipeline, const gchar *sink)
{
  GPtrArray *kept =
      g_ptr_array_new_with_free_func ((GDestroyNotify)gst_buffer_unref);
  GstPad *pad = running_get_pad (pipeline, sink, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, keep_buffer, kept, NULL);
  gst_object_unref (pad);
  return kept;
}

static void
check_same_buffer (GstBuffer *a, GstBuffer *b)
{
  fail_unless_equals_uint64 (GST_BUFFER_PTS (a), GST_BUFFER_PTS (b));
  fail_unless_equals_uint64 (GST_BUFFER_DTS (a), GST_BUFFER_DTS (b));
  fail_unless_equals_uint64 (GST_BUFFER_DURATION (a), GST_BUFFER_DURATION (b));
  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (a), GST_BUFFER_OFFSET (b));
  fail_unless_equals_int (gst_buffer_n_memory (a), 1);
  fail_unless (gst_buffer_peek_memory (a, 0) == gst_buffer_peek_memory (b, 0));
}

static void
check_same_latency (GstElement *pipeline)
{
  static const gchar *const sinks[] = {"watched", "plain"};
  GstClockTime times[2][2];
  gboolean live[2];

  for (guint i = 0; i < 2; i++) {
    GstPad *pad = running_get_pad (pipeline, sinks[i], "sink");
    GstQuery *query = gst_query_new_latency ();

    fail_unless (gst_pad_peer_query (pad, query));
    gst_query_parse_latency (query, &live[i], &times[i][0], &times[i][1]);
    gst_query_unref (query);
    gst_object_unref (pad);
  }
  fail_unless (live[0] && live[1]);
  fail_unless_equals_uint64 (times[0][0], times[1][0]);
  fail_unless_equals_uint64 (times[0][1], times[1][1]);
}

static const gchar *const variants[] = {
    "", "drop-analysis=true", "attach-meta=false"};

/* Both branches of a tee get the very same memory at the same times. */
GST_START_TEST (test_live_beside_an_identity)
{
  gchar *line =
      g_strdup_printf ("videotestsrc is-live=true num-buffers=20 ! " PICTURE
                       "! tee name=t ! queue ! %%s %s ! fakesink name=watched "
                       "sync=true  t. ! queue ! identity ! fakesink name=plain "
                       "sync=true",
          variants[__i__]);
  GstElement *pipeline = running_launch (line);
  GPtrArray *watched = keep_buffers (pipeline, "watched");
  GPtrArray *plain = keep_buffers (pipeline, "plain");

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_ASYNC_DONE));
  check_same_latency (pipeline);
  gst_message_unref (running_wait_for (pipeline, GST_MESSAGE_EOS));

  fail_unless_equals_int (watched->len, N_FRAMES);
  fail_unless_equals_int (plain->len, N_FRAMES);
  for (guint i = 0; i < N_FRAMES; i++)
    check_same_buffer (watched->pdata[i], plain->pdata[i]);
  running_stop (pipeline);
  g_ptr_array_unref (watched);
  g_ptr_array_unref (plain);
  g_free (line);
}
GST_END_TEST

/* ---- elements after it ---- */

static GstPadProbeReturn
digest (GstPad *pad, GstPadProbeInfo *info, gpointer checksum)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_READ);
  g_checksum_update (checksum, (const guchar *)&pts, sizeof pts);
  g_checksum_update (checksum, map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  return GST_PAD_PROBE_OK;
}

/* Of all that arrives at the sink, in time and in pixels. */
static gchar *
digest_of (const gchar *format, const gchar *element)
{
  gchar *line = g_strdup_printf (format, element);
  GstElement *pipeline = running_launch (line);
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gchar *text;

  running_probe_sink (pipeline, digest, checksum);
  running_play_to_eos (pipeline);
  running_stop (pipeline);
  text = g_strdup (g_checksum_get_string (checksum));
  g_checksum_free (checksum);
  g_free (line);
  return text;
}

#define BALL "videotestsrc num-buffers=20 pattern=ball ! " PICTURE

static const gchar *const lines[] = {
    BALL "! %s ! fakesink name=sink",
    BALL "! %s ! compositor name=c sink_1::xpos=80 ! " PICTURE
         "! fakesink name=sink  videotestsrc num-buffers=20 ! " PICTURE "! c.",
    BALL "! %s ! videoflip method=clockwise ! videoscale ! "
         "video/x-raw,width=64,height=64 ! fakesink name=sink",
    BALL "! %s ! videorate ! video/x-raw,framerate=20/1 ! fakesink name=sink",
};

GST_START_TEST (test_what_comes_out_is_the_same)
{
  gchar *without = digest_of (lines[__i__], "identity");
  gchar *with = digest_of (lines[__i__], "%s");

  fail_unless_equals_string (with, without);
  g_free (with);
  g_free (without);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_loop_test (
      tcase, test_live_beside_an_identity, 0, G_N_ELEMENTS (variants));
  tcase_add_loop_test (
      tcase, test_what_comes_out_is_the_same, 0, G_N_ELEMENTS (lines));
}

int
main (int argc, char **argv)
{
  return running_test_main (argc, argv, "neighbours", add_tests);
}
