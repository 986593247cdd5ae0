/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where the meta and the events go. What vaelstmdetect says about each frame is
 * compared with what comes out at the end of a path: every buffer there must
 * carry the words about its own frame. */

#include <gst/check/gstcheck.h>

#include "gstvaelstmmeta.h"
#include "running.h"

#define N_FRAMES 30
#define SOURCE                                                                 \
  "videotestsrc num-buffers=30 ! "                                             \
  "video/x-raw,format=I420,width=160,height=120,framerate=10/1 "
#define X264 "x264enc speed-preset=ultrafast ! h264parse "
#define X264_REORDERED "x264enc bframes=2 ! h264parse "

/* What is said about the frame of a buffer. */
typedef struct {
  GstClockTime timestamp;
  GstStructure *words; /* NULL: nothing */
} Saying;

typedef struct {
  GArray *said;    /* Sayings, by the detector, one a frame */
  GArray *heard;   /* Sayings, at the path's end, one a buffer */
  GString *events; /* what the vaelstm-anomaly events said there, in order */
} Journey;

/* ---------------------------------------------------------------- probing */

static void
add_saying (GArray *sayings, GstBuffer *buffer)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME);
  Saying saying = {GST_BUFFER_PTS (buffer),
      meta ? gst_structure_copy (gst_custom_meta_get_structure (meta)) : NULL};

  g_array_append_val (sayings, saying);
}

static gboolean
add_saying_of_list (GstBuffer **buffer, guint idx, gpointer sayings)
{
  add_saying (sayings, *buffer);
  return TRUE;
}

static void
add_event (GString *events, GstEvent *event)
{
  if (gst_event_has_name (event, "vaelstm-anomaly"))
    g_string_append_printf (events, "%s ",
        gst_structure_get_string (gst_event_get_structure (event), "event"));
}

static GstPadProbeReturn
hear_detector (GstPad *pad, GstPadProbeInfo *info, gpointer journey)
{
  add_saying (((Journey *)journey)->said, GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
hear_end (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Journey *journey = user_data;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    add_saying (journey->heard, GST_PAD_PROBE_INFO_BUFFER (info));
  else if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST)
    gst_buffer_list_foreach (GST_PAD_PROBE_INFO_BUFFER_LIST (info),
        add_saying_of_list, journey->heard);
  else
    add_event (journey->events, GST_PAD_PROBE_INFO_EVENT (info));
  return GST_PAD_PROBE_OK;
}

static void
add_probe (GstElement *pipeline, const gchar *element, const gchar *pad_name,
    GstPadProbeType type, GstPadProbeCallback callback, Journey *journey)
{
  GstPad *pad = running_get_pad (pipeline, element, pad_name);

  gst_pad_add_probe (pad, type, callback, journey, NULL);
  gst_object_unref (pad);
}

/* -------------------------------------------------------------- journeying */

/* NULL where GStreamer lacks an element of the path. */
static GstElement *
build (const gchar *path)
{
  gchar *line = g_strdup_printf (SOURCE
      "! vaelstmdetect name=detect model-file=\"%s\" ! %s ! fakesink name=sink",
      running_model, path);
  GError *error = NULL;
  GstElement *pipeline =
      gst_parse_launch_full (line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);

  if (g_error_matches (error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT))
    g_printerr ("%s: not tested, %s\n", path, error->message);
  else
    fail_unless (error == NULL, "%s: %s", path, error ? error->message : "");
  g_clear_error (&error);
  g_free (line);
  return pipeline;
}

static void
clear_saying (gpointer saying)
{
  gst_clear_structure (&((Saying *)saying)->words);
}

static GArray *
make_sayings (void)
{
  GArray *sayings = g_array_new (FALSE, FALSE, sizeof (Saying));

  g_array_set_clear_func (sayings, clear_saying);
  return sayings;
}

/* FALSE where the path cannot be built. */
static gboolean
travel (Journey *journey, const gchar *path)
{
  GstElement *pipeline = build (path);

  if (!pipeline)
    return FALSE;

  *journey = (Journey){make_sayings (), make_sayings (), g_string_new (NULL)};
  add_probe (pipeline, "detect", "src", GST_PAD_PROBE_TYPE_BUFFER,
      hear_detector, journey);
  add_probe (pipeline, "sink", "sink", GST_PAD_PROBE_TYPE_DATA_DOWNSTREAM,
      hear_end, journey);
  running_play_to_eos (pipeline);
  running_stop (pipeline);
  fail_unless_equals_int (journey->said->len, N_FRAMES);
  return TRUE;
}

static void
forget (Journey *journey)
{
  g_array_unref (journey->said);
  g_array_unref (journey->heard);
  g_string_free (journey->events, TRUE);
}

/* ------------------------------------------------------------------- tests */

static gint
compare_timestamps (gconstpointer a, gconstpointer b)
{
  const Saying *left = a, *right = b;

  return (left->timestamp > right->timestamp) -
         (left->timestamp < right->timestamp);
}

/* Timestamps may have moved on the way, but not their order: the buffers with
 * the k-th timestamp are those of frame k. */
static void
assert_own_words (Journey *journey, const gchar *path)
{
  const Saying *said = NULL, *before = NULL;
  guint n = 0;

  g_array_sort (journey->heard, compare_timestamps);
  for (guint i = 0; i < journey->heard->len; i++) {
    const Saying *heard = &g_array_index (journey->heard, Saying, i);

    if (!before || heard->timestamp != before->timestamp) {
      fail_unless (n < N_FRAMES, "%s: more frames than went in", path);
      said = &g_array_index (journey->said, Saying, n++);
    }
    fail_unless (heard->words != NULL, "%s: frame %u has no meta", path, n);
    fail_unless (gst_structure_is_equal (heard->words, said->words),
        "%s: frame %u has the meta of another", path, n);
    before = heard;
  }
  fail_unless (n == N_FRAMES, "%s: only %u frames arrive", path, n);
}

/* The meta arrives. */
static const gchar *const keeping_paths[] = {
    "queue",
    "tee name=t ! queue ! fakesink t. ! queue",
    "videoconvert ! video/x-raw,format=BGRx",
    "videoscale ! video/x-raw,width=64,height=48",
    "videocrop left=8 ! videoflip method=clockwise",
    "jpegenc",
    "jpegenc ! jpegparse ! jpegdec",
    "jpegenc ! matroskamux ! matroskademux",
    "jpegenc ! rtpjpegpay ! rtpjpegdepay",
    "vp8enc deadline=1 ! webmmux ! matroskademux",
    X264,
    X264 "! avdec_h264",
    X264 "! matroskamux ! matroskademux",
    X264 "! mp4mux fragment-duration=500 ! qtdemux",
    X264 "! rtph264pay",
    X264 "! rtph264pay ! rtph264depay",
    X264 "! rtph264pay mtu=200 ! rtpjitterbuffer ! rtph264depay ! h264parse",
    X264_REORDERED,
    X264_REORDERED "! avdec_h264",
    X264_REORDERED "! matroskamux ! matroskademux",
    X264_REORDERED "! mp4mux fragment-duration=500 ! qtdemux",
    X264_REORDERED "! rtph264pay ! rtph264depay",
};

GST_START_TEST (test_meta_arrives)
{
  const gchar *path = keeping_paths[__i__];
  Journey journey;

  if (travel (&journey, path)) {
    assert_own_words (&journey, path);
    forget (&journey);
  }
}
GST_END_TEST

/* What these put out are new buffers without a meta; the events arrive. */
static const gchar *const event_paths[] = {
    "compositor",
    "deinterlace mode=interlaced",
    X264 "! mpegtsmux ! tsdemux",
    X264 "! flvmux ! flvdemux",
};

GST_START_TEST (test_events_arrive)
{
  Journey journey;

  if (travel (&journey, event_paths[__i__])) {
    fail_unless_equals_string (journey.events->str, "start end ");
    forget (&journey);
  }
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_loop_test (
      tcase, test_meta_arrives, 0, G_N_ELEMENTS (keeping_paths));
  tcase_add_loop_test (
      tcase, test_events_arrive, 0, G_N_ELEMENTS (event_paths));
}

int
main (int argc, char **argv)
{
  return running_test_main (argc, argv, "meta", add_tests);
}
