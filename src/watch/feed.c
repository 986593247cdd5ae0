/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "feed.h"

#include "diary.h"
#include "layout.h"

#include <gst/app/gstappsink.h>
#include <string.h>

/* How much of a clip may wait for the disk, bytes: all that a gate holds when
 * it opens (its max-bytes), and half as much. */
#define CLIP_BACKLOG (192 * 1024 * 1024)

struct VlFeed {
  const VlFeedOptions *options;
  VlFeedFuncs funcs;
  gpointer user_data;
  GstElement *pipeline;
  VlDiary *diary;
  guint bus_watch;
  gint64 epoch; /* us since 1970 when it was made */
  gboolean is_lost;
  gint is_built;  /* the pipeline is complete; atomic */
  gint n_frames;  /* atomic */
  gint is_ending; /* the next picture ends the stream; atomic */

  /* Of the gate's thread. */
  VlEvent *event; /* the open one */
};

/* ---- what the main thread is told -----------------------------------------*/

typedef struct {
  void (*tell) (VlEvent *event, gpointer user_data);
  VlEvent *event;
  gpointer user_data;
} Telling;

static gboolean
tell (gpointer data)
{
  Telling *telling = data;

  telling->tell (telling->event, telling->user_data);
  return G_SOURCE_REMOVE;
}

static void
free_telling (gpointer data)
{
  vl_event_unref (((Telling *)data)->event);
  g_free (data);
}

/* In order, and from the main loop even where this is its thread. */
static void
tell_later (VlFeed *feed, void (*func) (VlEvent *event, gpointer user_data),
    VlEvent *event)
{
  Telling *telling = g_new (Telling, 1);

  *telling = (Telling){func, vl_event_ref (event), feed->user_data};
  g_idle_add_full (G_PRIORITY_DEFAULT, tell, telling, free_telling);
}

static void
lose (VlFeed *feed, const char *why)
{
  if (feed->is_lost)
    return;
  feed->is_lost = TRUE;
  feed->funcs.lost (why, feed->user_data);
}

/* ---- events ---------------------------------------------------------------*/

/* The time at running time 0: as the clock says now for a camera, as it said
 * when reading began for a file. */
static gint64
find_epoch (VlFeed *feed)
{
  GstClockTime now = gst_element_get_current_running_time (feed->pipeline);

  if (feed->options->source->kind != VL_SOURCE_FILE &&
      GST_CLOCK_TIME_IS_VALID (now))
    return g_get_real_time () - (gint64)(now / GST_USECOND);
  return feed->epoch;
}

static VlEvent *
make_event (VlFeed *feed, GstClockTime start, VlClip *clip)
{
  return vl_event_new (feed->options->source->name,
      feed->funcs.number (feed->user_data), find_epoch (feed), start, clip);
}

static void
on_opened (GstElement *gate, guint event_id, GstClockTime start, VlFeed *feed)
{
  g_autoptr (VlClip) clip =
      feed->options->record ? vl_clip_new (CLIP_BACKLOG) : NULL;
  VlEvent *event = make_event (feed, start, clip);

  vl_diary_open (feed->diary);
  g_clear_pointer (&feed->event, vl_event_unref);
  feed->event = event;
  tell_later (feed, feed->funcs.begun, event);
}

static void
settle (VlFeed *feed)
{
  VlEvent *event;

  while ((event = vl_diary_settle (feed->diary)) != NULL) {
    tell_later (feed, feed->funcs.over, event);
    vl_event_unref (event);
  }
}

static void
on_closed (GstElement *gate, guint event_id, GstClockTime start,
    GstClockTime end, VlFeed *feed)
{
  g_autoptr (VlEvent) event = g_steal_pointer (&feed->event);

  if (event == NULL)
    return;
  if (event->clip != NULL)
    vl_clip_finish (event->clip);
  vl_diary_close (feed->diary, event, end);
  settle (feed);
}

/* An event without a clip. */
static void
tell_missed (VlFeed *feed)
{
  VlSighting missed;
  g_autoptr (VlEvent) event = NULL;

  if (!vl_diary_take_missed (feed->diary, &missed))
    return;
  event = make_event (feed, missed.first, NULL);
  event->sighting = missed;
  tell_later (feed, feed->funcs.begun, event);
  tell_later (feed, feed->funcs.over, event);
  GST_ELEMENT_WARNING (feed->pipeline, STREAM, FORMAT,
      ("An event without a clip: there was no key frame to begin one with."),
      (NULL));
}

static GstFlowReturn
on_sample (GstAppSink *sink, gpointer data)
{
  VlFeed *feed = data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);

  /* the gate opens and closes in this thread */
  if (sample != NULL && feed->event != NULL && feed->event->clip != NULL)
    vl_clip_push (feed->event->clip, sample);
  return GST_FLOW_OK;
}

static GstPadProbeReturn
see (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  VlFeed *feed = data;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    g_atomic_int_inc (&feed->n_frames);
  vl_diary_see (feed->diary, pad, info);
  settle (feed);
  tell_missed (feed);
  return GST_PAD_PROBE_OK;
}

/* ---- the pipeline ---------------------------------------------------------*/

static void
watch_frames (VlFeed *feed, GstElement *detector)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (detector, "src");

  gst_pad_add_probe (pad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, see,
      feed, NULL);
}

static void
watch_gate (VlFeed *feed, GstElement *gate, GstElement *sink)
{
  GstAppSinkCallbacks callbacks = {.new_sample = on_sample};

  g_signal_connect (gate, "opened", G_CALLBACK (on_opened), feed);
  g_signal_connect (gate, "closed", G_CALLBACK (on_closed), feed);
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, feed, NULL);
}

/* Some cameras send pictures without times: theirs is when they come. */
static GstBuffer *
stamp (VlFeed *feed, GstBuffer *buffer)
{
  if (feed->options->source->kind == VL_SOURCE_FILE ||
      GST_CLOCK_TIME_IS_VALID (GST_BUFFER_DTS_OR_PTS (buffer)))
    return buffer;
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_PTS (buffer) =
      gst_element_get_current_running_time (feed->pipeline);
  return buffer;
}

/* Where whole pictures come from the source. One that EOS would overtake on its
 * way here would be cut, so the stream is ended here. */
static GstPadProbeReturn
take_picture (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  VlFeed *feed = data;

  if (g_atomic_int_get (&feed->is_ending)) {
    gst_pad_push_event (pad, gst_event_new_eos ());
    return GST_PAD_PROBE_DROP;
  }
  info->data = stamp (feed, GST_PAD_PROBE_INFO_BUFFER (info));
  return GST_PAD_PROBE_OK;
}

/* Puts everything behind a pad that has video. */
static void
build_behind (VlFeed *feed, GstPad *pad, GstCaps *caps)
{
  g_autoptr (GError) error = NULL;
  VlLayout layout;
  g_autoptr (GstPad) sink = NULL;

  if (!vl_layout_build (&layout, feed->options, pad, caps, &error)) {
    GST_ELEMENT_ERROR (
        feed->pipeline, CORE, MISSING_PLUGIN, ("%s", error->message), (NULL));
    return;
  }
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, take_picture, feed, NULL);
  watch_frames (feed, layout.detector);
  watch_gate (feed, layout.gate, layout.clips);
  gst_bin_add (GST_BIN (feed->pipeline), layout.bin);
  sink = gst_element_get_static_pad (layout.bin, "sink");
  gst_element_sync_state_with_parent (layout.bin);
  if (gst_pad_link (pad, sink) != GST_PAD_LINK_OK)
    GST_ELEMENT_ERROR (feed->pipeline, CORE, NEGOTIATION,
        ("The video cannot be decoded."), ("%" GST_PTR_FORMAT, caps));
}

static void
on_stream (GstElement *parser, GstPad *pad, VlFeed *feed)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  const char *type;

  if (caps == NULL)
    caps = gst_pad_query_caps (pad, NULL);
  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps))
    return;
  type = gst_structure_get_name (gst_caps_get_structure (caps, 0));
  if ((g_str_has_prefix (type, "video/") ||
          g_str_has_prefix (type, "image/")) &&
      g_atomic_int_compare_and_exchange (&feed->is_built, FALSE, TRUE))
    build_behind (feed, pad, caps);
}

static GstElement *
add_element (VlFeed *feed, const char *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  gst_bin_add (GST_BIN (feed->pipeline), element);
  return element;
}

/* Each stream of a source is parsed by itself. */
static void
on_source_pad (GstElement *source, GstPad *pad, VlFeed *feed)
{
  GstElement *parser = add_element (feed, "parsebin");
  g_autoptr (GstPad) sink = gst_element_get_static_pad (parser, "sink");

  g_signal_connect (parser, "pad-added", G_CALLBACK (on_stream), feed);
  gst_element_sync_state_with_parent (parser);
  gst_pad_link (pad, sink);
}

/* UDP loses packets, and with them pictures; rtspu:// asks for it. */
static void
on_source_setup (GstElement *bin, GstElement *source, VlFeed *feed)
{
  if (g_str_has_prefix (feed->options->source->location, "rtsp://"))
    gst_util_set_object_arg (G_OBJECT (source), "protocols", "tcp");
}

static void
add_uri_source (VlFeed *feed)
{
  GstElement *source = add_element (feed, "urisourcebin");

  g_object_set (source, "uri", feed->options->source->location, NULL);
  g_signal_connect (source, "source-setup", G_CALLBACK (on_source_setup), feed);
  g_signal_connect (source, "pad-added", G_CALLBACK (on_source_pad), feed);
}

static void
add_device_source (VlFeed *feed)
{
  GstElement *source = add_element (feed, "v4l2src");
  g_autoptr (GstPad) pad = gst_element_get_static_pad (source, "src");
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("video/x-raw");

  g_object_set (source, "device", feed->options->source->location, NULL);
  feed->is_built = TRUE;
  build_behind (feed, pad, caps);
}

static gboolean
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  VlFeed *feed = data;
  const GstStructure *structure = gst_message_get_structure (message);
  g_autoptr (GError) error = NULL;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    gst_message_parse_error (message, &error, NULL);
    lose (feed, error->message);
    break;
  case GST_MESSAGE_WARNING:
    gst_message_parse_warning (message, &error, NULL);
    feed->funcs.warning (error->message, feed->user_data);
    break;
  case GST_MESSAGE_EOS:
    lose (feed, NULL);
    break;
  case GST_MESSAGE_ELEMENT:
    if (gst_structure_has_name (structure, "vaelstmdetect-state"))
      feed->funcs.state (gst_structure_get_string (structure, "state"),
          gst_structure_get_string (structure, "reason"), feed->user_data);
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

static void
watch_bus (VlFeed *feed)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (feed->pipeline);

  feed->bus_watch = gst_bus_add_watch (bus, on_message, feed);
}

VlFeed *
vl_feed_new (
    const VlFeedOptions *options, const VlFeedFuncs *funcs, gpointer user_data)
{
  VlFeed *feed = g_new0 (VlFeed, 1);

  feed->options = options;
  feed->funcs = *funcs;
  feed->user_data = user_data;
  feed->epoch = g_get_real_time ();
  feed->diary = vl_diary_new (options->post_roll, options->record);
  feed->pipeline = gst_pipeline_new (options->source->name);
  watch_bus (feed);
  if (options->source->kind == VL_SOURCE_DEVICE)
    add_device_source (feed);
  else
    add_uri_source (feed);
  gst_element_set_state (feed->pipeline, GST_STATE_PLAYING);
  return feed;
}

void
vl_feed_free (VlFeed *feed)
{
  feed->is_lost = TRUE;
  gst_element_set_state (feed->pipeline, GST_STATE_NULL);
  g_source_remove (feed->bus_watch);
  gst_object_unref (feed->pipeline);
  g_clear_pointer (&feed->event, vl_event_unref);
  vl_diary_finish (feed->diary);
  settle (feed);
  vl_diary_free (feed->diary);
  g_free (feed);
}

void
vl_feed_end (VlFeed *feed)
{
  g_atomic_int_set (&feed->is_ending, TRUE);
}

guint
vl_feed_n_frames (VlFeed *feed)
{
  return g_atomic_int_get (&feed->n_frames);
}

/* ---- checks before --------------------------------------------------------*/

static GstElement *
make_or_explain (const char *factory, const char *where, GError **error)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (element == NULL)
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
        "no element %s: expected %s; is GST_PLUGIN_PATH right?", factory,
        where);
  else
    gst_object_ref_sink (element);
  return element;
}

/* Without one autovideosink tries drivers of which some crash. */
static gboolean
has_desktop (void)
{
  return g_getenv ("DISPLAY") != NULL || g_getenv ("WAYLAND_DISPLAY") != NULL;
}

static gboolean
check_display (GError **error)
{
  g_autoptr (GstElement) sink = NULL;
  gboolean works;

  if (!has_desktop ()) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
        "there is no display to show video on: expected DISPLAY or "
        "WAYLAND_DISPLAY to be set");
    return FALSE;
  }
  sink = make_or_explain ("autovideosink", "gst-plugins-good", error);
  if (sink == NULL)
    return FALSE;
  works =
      gst_element_set_state (sink, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE;
  gst_element_set_state (sink, GST_STATE_NULL);
  if (!works)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
        "video cannot be shown on this display");
  return works;
}

gboolean
vl_feed_check (const VlFeedOptions *options, GError **error)
{
  static const char *const needed[][2] = {
      {"vaelstmgate", "vaelstm's plugin"},
      {"urisourcebin", "gst-plugins-base"},
      {"v4l2src", "gst-plugins-good"},
      {"parsebin", "gst-plugins-base"},
  };
  g_autoptr (GstElement) detector =
      make_or_explain ("vaelstmdetect", "vaelstm's plugin", error);

  if (detector == NULL ||
      !vl_layout_configure_detector (detector, options, error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (needed); i++) {
    g_autoptr (GstElement) element =
        make_or_explain (needed[i][0], needed[i][1], error);

    if (element == NULL)
      return FALSE;
  }
  return !options->display || check_display (error);
}
