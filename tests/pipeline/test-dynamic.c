/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Pipelines that change while they play. */

#include "running.h"

#include <string.h>

#include "change.h"
#include "gstvaelstmmeta.h"

/* Slow enough to leave the processor to others. */
#define SOURCE                                                                 \
  "videotestsrc ! video/x-raw,format=I420,width=64,height=48,framerate=20/1 "  \
  "! identity name=before sleep-time=1000 "

static const gboolean drop_analysis[] = {FALSE, TRUE};

/* ---- adding and removing the detector ---- */

/* What arrives at the sink. */
typedef struct {
  gint n_plain, n_watched; /* atomic: frames without the meta, with it */
  guint64 next;            /* number of the next frame */
} Arrivals;

static GstPadProbeReturn
note_arrival (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  Arrivals *arrivals = user_data;
  GstVaeLstmAnomaly anomaly;

  fail_unless_equals_uint64 (GST_BUFFER_OFFSET (buffer), arrivals->next);
  arrivals->next++;
  if (gst_buffer_get_vaelstm_anomaly (buffer, &anomaly))
    g_atomic_int_inc (&arrivals->n_watched);
  else
    g_atomic_int_inc (&arrivals->n_plain);
  return GST_PAD_PROBE_OK;
}

/* Element messages `vaelstmdetect` of this event, emptying the bus. */
static void
count_events (GstElement *pipeline, guint *n_starts, guint *n_ends)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message;

  *n_starts = *n_ends = 0;
  while ((message = gst_bus_pop_filtered (
              bus, GST_MESSAGE_ELEMENT | GST_MESSAGE_ERROR))) {
    const GstStructure *structure = gst_message_get_structure (message);

    fail_unless (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT);
    if (gst_message_has_name (message, "vaelstmdetect")) {
      const gchar *event = gst_structure_get_string (structure, "event");

      *n_starts += g_str_equal (event, "start");
      *n_ends += g_str_equal (event, "end");
    }
    gst_message_unref (message);
  }
  gst_object_unref (bus);
}

/* A new detector each time. Every frame arrives, once and in order, and events
 * that are open when the detector goes have an end. */
GST_START_TEST (test_detector_comes_and_goes)
{
  GstElement *pipeline =
      running_launch (SOURCE "! identity name=after ! fakesink name=sink");
  Arrivals arrivals = {0};
  Change change;

  change_init (&change, pipeline);
  running_probe_sink (pipeline, note_arrival, &arrivals);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < 10; i++) {
    guint n_starts, n_ends;

    change.detect =
        gst_object_ref_sink (gst_element_factory_make ("vaelstmdetect", NULL));
    g_object_set (change.detect, "model-file", running_model, "drop-analysis",
        drop_analysis[__i__], NULL);
    running_wait_until (&arrivals.n_plain, arrivals.n_plain + 5);
    change_add_detector (&change);
    running_wait_until (&arrivals.n_watched, arrivals.n_watched + 40);
    change_remove_detector (&change);
    gst_object_unref (change.detect);

    count_events (pipeline, &n_starts, &n_ends);
    fail_unless_equals_int (n_starts, n_ends);
    fail_unless (drop_analysis[__i__] || n_starts == 1);
  }
  running_wait_until (&arrivals.n_plain, arrivals.n_plain + 5);
  change_clear (&change);
  running_stop (pipeline);
}
GST_END_TEST

/* ---- new caps ---- */

static const gchar *const caps_in_turn[] = {
    "video/x-raw,format=NV12,width=320,height=240,framerate=20/1",
    "video/x-raw,format=BGRx,width=33,height=17,framerate=20/1",
    "video/x-raw,format=YUY2,width=640,height=360,framerate=20/1",
    "video/x-raw,format=GRAY8,width=1,height=1,framerate=20/1",
    "video/x-raw,format=RGB,width=128,height=128,framerate=20/1",
    "video/x-raw,format=P010_10LE,width=176,height=144,framerate=20/1",
    "video/x-raw,format=I420,width=1280,height=720,framerate=20/1",
    "video/x-raw,format=I420,width=1280,height=720,framerate=5/1",
    "video/x-raw,format=AYUV64,width=98,height=50,framerate=20/1",
    "video/x-raw,format=I420,width=64,height=48,framerate=20/1"};

typedef struct {
  GstCaps *wanted; /* under the pipeline's object lock */
  gint n;          /* atomic: frames with these caps and the meta */
} Renegotiation;

static GstPadProbeReturn
note_caps (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Renegotiation *renegotiation = user_data;
  GstCaps *caps = gst_pad_get_current_caps (pad);
  GstVaeLstmAnomaly anomaly;

  fail_unless (gst_buffer_get_vaelstm_anomaly (
      GST_PAD_PROBE_INFO_BUFFER (info), &anomaly));
  if (gst_caps_is_subset (caps, g_atomic_pointer_get (&renegotiation->wanted)))
    g_atomic_int_inc (&renegotiation->n);
  gst_caps_unref (caps);
  return GST_PAD_PROBE_OK;
}

/* Every caps in turn is negotiated while frames flow. */
GST_START_TEST (test_caps_change_in_mid_stream)
{
  GstElement *pipeline = running_launch (
      "videotestsrc ! capsfilter name=caps ! identity sleep-time=1000 ! %s ! "
      "fakesink name=sink");
  GstElement *filter = gst_bin_get_by_name (GST_BIN (pipeline), "caps");
  GstElement *detect = gst_bin_get_by_name (GST_BIN (pipeline), "detect");
  GstCaps *all[G_N_ELEMENTS (caps_in_turn)];
  Renegotiation renegotiation = {0};

  g_object_set (detect, "drop-analysis", drop_analysis[__i__], NULL);
  running_probe_sink (pipeline, note_caps, &renegotiation);
  for (guint i = 0; i < G_N_ELEMENTS (caps_in_turn); i++) {
    all[i] = gst_caps_from_string (caps_in_turn[i]);
    g_object_set (filter, "caps", all[i], NULL);
    g_atomic_pointer_set (&renegotiation.wanted, all[i]);
    g_atomic_int_set (&renegotiation.n, 0);
    if (i == 0)
      gst_element_set_state (pipeline, GST_STATE_PLAYING);
    running_wait_until (&renegotiation.n, 10);
  }
  gst_object_unref (detect);
  gst_object_unref (filter);
  running_stop (pipeline);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    gst_caps_unref (all[i]);
}
GST_END_TEST

/* ---- flushes ---- */

/* At any moment, also in the middle of an analysis. */
GST_START_TEST (test_flush_while_analysing)
{
  GstElement *pipeline = running_launch (
      "videotestsrc ! video/x-raw,format=I420,width=640,height=480,"
      "framerate=10/1 ! %s ! fakesink name=sink");
  GstElement *detect = gst_bin_get_by_name (GST_BIN (pipeline), "detect");
  GRand *random = g_rand_new_with_seed (13);
  gint n_frames = 0;

  g_object_set (detect, "drop-analysis", drop_analysis[__i__], NULL);
  running_count_at_sink (pipeline, &n_frames);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  running_wait_until (&n_frames, 1);
  for (guint i = 0; i < 100; i++) {
    fail_unless (gst_element_seek_simple (pipeline, GST_FORMAT_TIME,
        GST_SEEK_FLAG_FLUSH, g_rand_int_range (random, 0, 100) * GST_SECOND));
    g_usleep (g_rand_int_range (random, 0, 5000));
  }
  running_wait_until (&n_frames, g_atomic_int_get (&n_frames) + 20);
  fail_unless (running_frames_seen (pipeline) > 20);
  g_rand_free (random);
  gst_object_unref (detect);
  running_stop (pipeline);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  const guint n = G_N_ELEMENTS (drop_analysis);

  tcase_add_loop_test (tcase, test_detector_comes_and_goes, 0, n);
  tcase_add_loop_test (tcase, test_caps_change_in_mid_stream, 0, n);
  tcase_add_loop_test (tcase, test_flush_while_analysing, 0, n);
}

int
main (int argc, char **argv)
{
  return running_test_main (argc, argv, "dynamic", add_tests);
}
