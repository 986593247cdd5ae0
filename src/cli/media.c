/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "media.h"

#include "command.h"
#include "container.h"
#include "images.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/pbutils/pbutils.h>
#include <string.h>
#include <sys/stat.h>

#define POLL_TIME (100 * GST_MSECOND)
#define STALL_TIME (60 * G_TIME_SPAN_SECOND)
#define QUEUED_FRAMES 3
#define USUAL_FRAME_TIME (40 * GST_MSECOND) /* where the stream tells none */

struct VlMedia {
  char *where;
  VlRange range;
  GCancellable *cancellable;
  GstElement *pipeline;
  GstAppSink *sink;
  GstBus *bus;
  gboolean is_file;     /* a local video */
  GstElement *decoder;  /* of a local video, once there is one */
  char *missing_plugin; /* what GStreamer says it lacks; NULL */

  GPtrArray *images; /* paths, or NULL for a file or URI */
  guint next_image;
  unsigned rate_n, rate_d; /* of images */

  GstSample *sample; /* of the current frame */
  GstCaps *caps;
  GstVideoInfo info;
  GstVideoFrame frame;
  gboolean mapped;
  guint64 n_frames; /* decoded so far */
  guint64 time;     /* of the last one */
};

G_DEFINE_QUARK (vl_media_error, vl_media_error)

gboolean
vl_range_parse (const char *text, VlRange *range, GError **error)
{
  g_auto (GStrv) parts = text != NULL ? g_strsplit (text, ":", 3) : NULL;
  gboolean good = TRUE;

  *range = VL_RANGE_ALL;
  if (text == NULL)
    return TRUE;
  good = g_strv_length (parts) == 2;
  if (good && parts[0][0] != '\0')
    good = g_ascii_string_to_unsigned (
        parts[0], 10, 0, G_MAXINT64, &range->first, NULL);
  if (good && parts[1][0] != '\0')
    good = g_ascii_string_to_unsigned (
        parts[1], 10, 0, G_MAXINT64, &range->last, NULL);
  if (good && range->first < range->last)
    return TRUE;
  return vl_usage_error (
      error, "--frames: %s is no range, expected A:B with 0 <= A < B", text);
}

char *
vl_media_clip_name (const char *where)
{
  g_autofree char *name = g_path_get_basename (where);

  return g_filename_display_name (name);
}

static void
set_error (VlMedia *media, VlMediaError code, const char *what, GError **error)
{
  g_set_error (error, VL_MEDIA_ERROR, code,
      "%s: %s, expected a video GStreamer can decode", media->where, what);
}

/* The image that is next to decode; NULL when there is none. */
static const char *
current_image (const VlMedia *media)
{
  return media->images != NULL && media->n_frames < media->images->len
             ? media->images->pdata[media->n_frames]
             : NULL;
}

static void
set_image_error (const char *path, GError **error)
{
  g_set_error (error, VL_MEDIA_ERROR, VL_MEDIA_ERROR_DECODE,
      "%s: cannot be decoded, expected a whole %s", path,
      vl_image_type (path) + strlen ("image/"));
}

static void
set_decode_error (VlMedia *media, GstMessage *message, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (GString) what = g_string_new (NULL);
  VlMediaError code = VL_MEDIA_ERROR_DECODE;

  gst_message_parse_error (message, &cause, NULL);
  g_string_append (what, cause->message);
  if (what->len > 0 && what->str[what->len - 1] == '.')
    g_string_truncate (what, what->len - 1);
  if (media->missing_plugin != NULL)
    g_string_append_printf (what, " (missing: %s)", media->missing_plugin);
  if (media->n_frames > 0)
    g_string_append_printf (
        what, " after %" G_GUINT64_FORMAT " frames", media->n_frames);
  if (g_error_matches (cause, GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE) ||
      g_error_matches (
          cause, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND))
    code = VL_MEDIA_ERROR_TYPE;
  set_error (media, code, what->str, error);
}

/* The message of a failed pipeline in our words. */
static void
set_pipeline_error (VlMedia *media, GstMessage *message, GError **error)
{
  const char *image = current_image (media);

  if (image != NULL)
    set_image_error (image, error);
  else
    set_decode_error (media, message, error);
}

/* FALSE with error set when the pipeline has failed. */
static gboolean
check_bus (VlMedia *media, GError **error)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (
              media->bus, GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT)) != NULL) {
    const gboolean failed = GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR;

    if (failed)
      set_pipeline_error (media, message, error);
    else if (gst_is_missing_plugin_message (message) &&
             media->missing_plugin == NULL)
      media->missing_plugin =
          gst_missing_plugin_message_get_description (message);
    gst_message_unref (message);
    if (failed)
      return FALSE;
  }
  return TRUE;
}

/* Streams that are no video stay undecoded. */
static gboolean
on_autoplug_continue (
    GstElement *decoder, GstPad *pad, GstCaps *caps, gpointer data)
{
  const char *type = gst_structure_get_name (gst_caps_get_structure (caps, 0));

  return !g_str_has_prefix (type, "audio/") &&
         !g_str_has_prefix (type, "text/") &&
         !g_str_has_prefix (type, "subpicture/");
}

static void
on_pad_added (GstElement *decoder, GstPad *pad, gpointer data)
{
  VlMedia *media = data;
  g_autoptr (GstPad) sink_pad =
      gst_element_get_static_pad (GST_ELEMENT (media->sink), "sink");
  g_autoptr (GstCaps) caps = gst_pad_query_caps (pad, NULL);

  if (gst_caps_is_empty (caps) || gst_caps_is_any (caps) ||
      !gst_structure_has_name (gst_caps_get_structure (caps, 0), "video/x-raw"))
    return;
  if (!gst_pad_is_linked (sink_pad))
    gst_pad_link (pad, sink_pad);
}

static void
on_no_more_pads (GstElement *decoder, gpointer data)
{
  VlMedia *media = data;
  g_autoptr (GstPad) sink_pad =
      gst_element_get_static_pad (GST_ELEMENT (media->sink), "sink");

  if (!gst_pad_is_linked (sink_pad))
    GST_ELEMENT_ERROR (
        decoder, STREAM, WRONG_TYPE, ("It holds no video"), (NULL));
}

/* Keeps the decoder of a local file, to make it strict. */
static void
on_deep_element_added (
    GstBin *pipeline, GstBin *bin, GstElement *element, gpointer data)
{
  VlMedia *media = data;

  if (media->is_file && GST_IS_VIDEO_DECODER (element))
    gst_object_replace (
        (GstObject **)&media->decoder, GST_OBJECT_CAST (element));
}

/* Hands the next image's bytes to the decoder. */
static void
on_need_data (GstAppSrc *source, guint size, gpointer data)
{
  VlMedia *media = data;
  g_autoptr (GError) error = NULL;
  GstBuffer *buffer;
  char *bytes;
  gsize n_bytes;

  if (media->next_image == media->images->len) {
    gst_app_src_end_of_stream (source);
    return;
  }
  if (!g_file_get_contents (
          media->images->pdata[media->next_image], &bytes, &n_bytes, &error)) {
    GST_ELEMENT_ERROR (source, RESOURCE, READ, ("%s", error->message), (NULL));
    return;
  }
  buffer = gst_buffer_new_wrapped (bytes, n_bytes);
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (
      media->next_image, (guint64)GST_SECOND * media->rate_d, media->rate_n);
  GST_BUFFER_DURATION (buffer) =
      gst_util_uint64_scale (GST_SECOND, media->rate_d, media->rate_n);
  media->next_image++;
  gst_app_src_push_buffer (source, buffer);
}

static GstElement *
add_element (VlMedia *media, const char *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (element != NULL)
    gst_bin_add (GST_BIN (media->pipeline), element);
  return element;
}

/* appsrc ! pngdec ! sink */
static gboolean
add_image_source (VlMedia *media)
{
  const char *type = vl_image_type (media->images->pdata[0]);
  GstElement *source = add_element (media, "appsrc");
  GstElement *decoder = add_element (
      media, strcmp (type, "image/png") == 0 ? "pngdec" : "jpegdec");
  g_autoptr (GstCaps) caps = gst_caps_new_simple (
      type, "framerate", GST_TYPE_FRACTION, media->rate_n, media->rate_d, NULL);

  if (source == NULL || decoder == NULL)
    return FALSE;
  g_object_set (source, "caps", caps, "format", GST_FORMAT_TIME, NULL);
  g_signal_connect (source, "need-data", G_CALLBACK (on_need_data), media);
  gst_video_decoder_set_max_errors (GST_VIDEO_DECODER (decoder), 0);
  return gst_element_link_many (
      source, decoder, GST_ELEMENT (media->sink), NULL);
}

/* uridecodebin ! sink, linked when the video shows */
static gboolean
add_uri_source (VlMedia *media, const char *uri)
{
  GstElement *source = add_element (media, "uridecodebin");

  if (source == NULL)
    return FALSE;
  g_object_set (source, "uri", uri, NULL);
  g_signal_connect (source, "pad-added", G_CALLBACK (on_pad_added), media);
  g_signal_connect (
      source, "no-more-pads", G_CALLBACK (on_no_more_pads), media);
  g_signal_connect (
      source, "autoplug-continue", G_CALLBACK (on_autoplug_continue), NULL);
  g_signal_connect (media->pipeline, "deep-element-added",
      G_CALLBACK (on_deep_element_added), media);
  return TRUE;
}

static gboolean
add_sink (VlMedia *media)
{
  GstElement *sink = add_element (media, "appsink");
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("video/x-raw");

  if (sink == NULL)
    return FALSE;
  g_object_set (sink, "sync", FALSE, "max-buffers", QUEUED_FRAMES, "caps", caps,
      "enable-last-sample", FALSE, NULL);
  media->sink = gst_object_ref (GST_APP_SINK (sink));
  return TRUE;
}

/* uri is NULL for images. */
static gboolean
build_pipeline (VlMedia *media, const char *uri, GError **error)
{
  media->pipeline = gst_pipeline_new (NULL);
  media->bus = gst_element_get_bus (media->pipeline);
  if (!add_sink (media) ||
      !(uri != NULL ? add_uri_source (media, uri) : add_image_source (media))) {
    set_error (media, VL_MEDIA_ERROR_DECODE,
        "GStreamer's base or good plugins are not installed", error);
    return FALSE;
  }
  if (gst_element_set_state (media->pipeline, GST_STATE_PLAYING) !=
      GST_STATE_CHANGE_FAILURE)
    return TRUE;
  if (check_bus (media, error))
    set_error (media, VL_MEDIA_ERROR_DECODE, "cannot be opened", error);
  return FALSE;
}

/* The URI of a local file, after what GStreamer would not notice. */
static char *
file_uri (VlMedia *media, const GStatBuf *info, GError **error)
{
  const guint64 declared = vl_container_declared_size (media->where);

  if (S_ISREG (info->st_mode) && info->st_size == 0) {
    set_error (media, VL_MEDIA_ERROR_TYPE, "the file is empty", error);
    return NULL;
  }
  if (declared > (guint64)info->st_size) {
    g_autofree char *what = g_strdup_printf ("cut short at %" G_GUINT64_FORMAT
                                             " of %" G_GUINT64_FORMAT " bytes",
        (guint64)info->st_size, declared);

    set_error (media, VL_MEDIA_ERROR_DECODE, what, error);
    return NULL;
  }
  media->is_file = TRUE;
  return gst_filename_to_uri (media->where, error);
}

/* Fills in images, or returns a URI. NULL with no images: error is set. */
static char *
find_source (VlMedia *media, GError **error)
{
  GStatBuf info;
  int failure;

  if (g_stat (media->where, &info) == 0) {
    if (!S_ISDIR (info.st_mode))
      return file_uri (media, &info, error);
    media->images = vl_images_in_folder (media->where, error);
    return NULL;
  }
  failure = errno;
  if (gst_uri_is_valid (media->where))
    return g_strdup (media->where);
  if (vl_images_is_pattern (media->where))
    media->images = vl_images_of_pattern (media->where, error);
  else
    set_error (media, VL_MEDIA_ERROR_MISSING, g_strerror (failure), error);
  return NULL;
}

VlMedia *
vl_media_open (const char *where, const VlRange *range, unsigned rate_n,
    unsigned rate_d, GCancellable *cancellable, GError **error)
{
  g_autoptr (VlMedia) media = g_new0 (VlMedia, 1);
  g_autofree char *uri = NULL;

  media->where = g_strdup (where);
  media->range = *range;
  media->rate_n = rate_n;
  media->rate_d = rate_d;
  if (cancellable != NULL)
    media->cancellable = g_object_ref (cancellable);
  uri = find_source (media, error);
  if (uri == NULL && media->images == NULL)
    return NULL;
  return build_pipeline (media, uri, error) ? g_steal_pointer (&media) : NULL;
}

static void
drop_frame (VlMedia *media)
{
  if (media->mapped)
    gst_video_frame_unmap (&media->frame);
  media->mapped = FALSE;
  g_clear_pointer (&media->sample, gst_sample_unref);
}

void
vl_media_free (VlMedia *media)
{
  drop_frame (media);
  if (media->pipeline != NULL)
    gst_element_set_state (media->pipeline, GST_STATE_NULL);
  gst_clear_object (&media->sink);
  gst_clear_object (&media->bus);
  gst_clear_object (&media->decoder);
  gst_clear_object (&media->pipeline);
  gst_clear_caps (&media->caps);
  g_clear_pointer (&media->images, g_ptr_array_unref);
  g_clear_object (&media->cancellable);
  g_free (media->missing_plugin);
  g_free (media->where);
  g_free (media);
}

/* The next sample; NULL at the end, or with error set. */
static GstSample *
pull_sample (VlMedia *media, GError **error)
{
  const gint64 deadline = g_get_monotonic_time () + STALL_TIME;

  while (!g_cancellable_set_error_if_cancelled (media->cancellable, error)) {
    GstSample *sample = gst_app_sink_try_pull_sample (media->sink, POLL_TIME);
    const gboolean ended = sample == NULL && gst_app_sink_is_eos (media->sink);

    if (sample != NULL)
      return sample;
    if (!check_bus (media, error) || ended)
      return NULL;
    if (g_get_monotonic_time () > deadline) {
      set_error (
          media, VL_MEDIA_ERROR_DECODE, "no frame arrived for a minute", error);
      return NULL;
    }
  }
  return NULL;
}

static gboolean
take_caps (VlMedia *media, GstSample *sample)
{
  GstCaps *caps = gst_sample_get_caps (sample);

  if (caps == NULL)
    return FALSE;
  if (media->caps != NULL && gst_caps_is_equal (caps, media->caps))
    return TRUE;
  gst_caps_replace (&media->caps, caps);
  return gst_video_info_from_caps (&media->info, caps);
}

/* Time of a sample in its clip; where the stream tells none, or jumps back,
 * the frame rate does. */
static guint64
sample_time (VlMedia *media, GstSample *sample)
{
  const GstSegment *segment = gst_sample_get_segment (sample);
  const GstVideoInfo *info = &media->info;
  guint64 step = USUAL_FRAME_TIME, time = GST_CLOCK_TIME_NONE;

  if (segment->format == GST_FORMAT_TIME)
    time = gst_segment_to_stream_time (segment, GST_FORMAT_TIME,
        GST_BUFFER_PTS (gst_sample_get_buffer (sample)));
  if (info->fps_n > 0 && info->fps_d > 0)
    step = gst_util_uint64_scale (GST_SECOND, info->fps_d, info->fps_n);
  if (media->n_frames == 0)
    return GST_CLOCK_TIME_IS_VALID (time) ? time : 0;
  if (!GST_CLOCK_TIME_IS_VALID (time) || time < media->time)
    return media->time + step;
  return time;
}

/* Decodes one frame, in the range or not. */
static gboolean
advance (VlMedia *media, GError **error)
{
  drop_frame (media);
  media->sample = pull_sample (media, error);
  if (media->sample == NULL)
    return FALSE;
  if (!take_caps (media, media->sample)) {
    set_error (
        media, VL_MEDIA_ERROR_DECODE, "the frames' format is unknown", error);
    return FALSE;
  }
  /* By default decoders drop what they cannot decode, and every later frame
   * would get a wrong number. A file may begin with what its recorder cut off,
   * so it counts from the first frame on; a live stream goes on. */
  if (media->n_frames == 0 && media->decoder != NULL)
    gst_video_decoder_set_max_errors (GST_VIDEO_DECODER (media->decoder), 0);
  media->time = sample_time (media, media->sample);
  media->n_frames++;
  return TRUE;
}

/* Nothing came out of the range: says how much there is. */
static void
set_no_frame_error (VlMedia *media, GError **error)
{
  if (media->n_frames == 0)
    g_set_error (error, VL_MEDIA_ERROR, VL_MEDIA_ERROR_NO_FRAME,
        "%s: no frame in it, expected a video", media->where);
  else
    g_set_error (error, VL_MEDIA_ERROR, VL_MEDIA_ERROR_NO_FRAME,
        "%s: has %" G_GUINT64_FORMAT
        " frames, expected some from frame %" G_GUINT64_FORMAT " on",
        media->where, media->n_frames, media->range.first);
}

gboolean
vl_media_next (VlMedia *media, VlMediaFrame *frame, GError **error)
{
  GError *failure = NULL;

  if (media->n_frames >= media->range.last)
    return FALSE;
  do {
    if (!advance (media, &failure)) {
      if (failure != NULL)
        g_propagate_error (error, failure);
      else if (current_image (media) != NULL)
        set_image_error (current_image (media), error);
      else if (media->n_frames <= media->range.first)
        set_no_frame_error (media, error);
      return FALSE;
    }
  } while (media->n_frames <= media->range.first);

  if (!gst_video_frame_map (&media->frame, &media->info,
          gst_sample_get_buffer (media->sample), GST_MAP_READ)) {
    set_error (media, VL_MEDIA_ERROR_DECODE, "a frame cannot be read", error);
    return FALSE;
  }
  media->mapped = TRUE;
  frame->video = &media->frame;
  frame->index = media->n_frames - 1;
  frame->time = media->time;
  return TRUE;
}
