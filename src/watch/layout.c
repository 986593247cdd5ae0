/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "layout.h"

#include <string.h>

/* A live camera does not wait: what decoding cannot keep up with is dropped
 * before it, not in the camera's buffers. */
#define LIVE_QUEUE                                                             \
  "queue leaky=downstream max-size-bytes=0 max-size-buffers=0 "                \
  "max-size-time=2000000000"
#define QUEUE                                                                  \
  "queue max-size-bytes=0 max-size-buffers=0 max-size-time=2000000000"

/* Of any length of video: files are cut at key frames. */
#define KEY_FRAME_INTERVAL "50"

typedef struct {
  const char *type; /* of caps */
  const char *parser;
  const char *timestamper; /* network streams tell no decoding times */
  const char *caps;        /* as files hold it */
} Codec;

/* What is recorded as it comes. */
static const Codec codecs[] = {
    {"video/x-h264", "h264parse", "h264timestamper",
        "video/x-h264,stream-format=avc,alignment=au"},
    {"video/x-h265", "h265parse", "h265timestamper",
        "video/x-h265,stream-format=hvc1,alignment=au"},
};

typedef struct {
  const char *factory, *settings;
} Encoder;

/* What else is recorded with, the first that there is. */
static const Encoder encoders[] = {
    {"x264enc", "tune=zerolatency speed-preset=superfast pass=qual "
                "quantizer=23 key-int-max=" KEY_FRAME_INTERVAL},
    {"openh264enc", "gop-size=" KEY_FRAME_INTERVAL},
};

static const Codec *
find_codec (GstCaps *caps)
{
  for (gsize i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (gst_structure_has_name (
            gst_caps_get_structure (caps, 0), codecs[i].type))
      return &codecs[i];
  return NULL;
}

static gboolean
has_element (const char *factory)
{
  g_autoptr (GstElementFactory) found = gst_element_factory_find (factory);

  return found != NULL;
}

static char *
describe_parser (const Codec *codec)
{
  return has_element (codec->timestamper)
             ? g_strdup_printf ("%s ! %s ! %s", codec->parser,
                   codec->timestamper, codec->caps)
             : g_strdup_printf ("%s ! %s", codec->parser, codec->caps);
}

/* The elements that encode raw video for a clip; NULL with error set. */
static char *
describe_encoder (GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (encoders); i++)
    if (has_element (encoders[i].factory))
      return g_strdup_printf ("videoconvert ! %s %s ! %s ! %s",
          encoders[i].factory, encoders[i].settings, codecs[0].parser,
          codecs[0].caps);
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN,
      "recording this camera needs an H.264 encoder: expected x264enc "
      "(gst-plugins-ugly) or openh264enc (gst-plugins-bad)");
  return NULL;
}

/* A device cannot tell before it is open. */
static gboolean
is_live (const VlFeedOptions *options, GstPad *pad)
{
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live = options->source->kind == VL_SOURCE_DEVICE;

  if (!live && gst_pad_query (pad, query))
    gst_query_parse_latency (query, &live, NULL, NULL);
  return live;
}

/* What is seen by others than the detector. */
static const char *
describe_display (const VlFeedOptions *options, gboolean live)
{
  if (!options->display)
    return "fakesink sync=false async=false";
  return live ? "queue leaky=downstream max-size-buffers=3 ! vaelstmoverlay ! "
                "videoconvert ! autovideosink sync=false"
              : "queue ! vaelstmoverlay ! videoconvert ! autovideosink";
}

/* Where the pads of the source are linked to. */
#define ENTRY "tee name=entry ! "

#define DECODE "decodebin ! video/x-raw ! vaelstmdetect name=detector"
#define GATE "vaelstmgate name=gate ! appsink name=clips sync=false async=false"

/* The bin as gst-launch-1.0 would have it; NULL with error set. */
static char *
describe (
    const VlFeedOptions *options, gboolean live, GstCaps *caps, GError **error)
{
  const char *queue = live ? LIVE_QUEUE : QUEUE;
  const char *display = describe_display (options, live);
  const Codec *codec = find_codec (caps);
  g_autofree char *coding = NULL;

  if (!options->record)
    return g_strdup_printf (ENTRY
        "%s ! " DECODE " ! tee name=seen ! queue ! " GATE "  seen. ! %s",
        queue, display);
  if (codec != NULL) {
    coding = describe_parser (codec);
    return g_strdup_printf (ENTRY "%s ! " DECODE " ! %s  "
                                  "entry. ! " QUEUE " ! %s ! " GATE,
        queue, display, coding);
  }
  if ((coding = describe_encoder (error)) == NULL)
    return NULL;
  return g_strdup_printf (ENTRY
      "%s ! " DECODE " ! tee name=seen ! queue ! %s ! " GATE "  seen. ! %s",
      queue, coding, display);
}

static gboolean
set_property (GstElement *detector, const char *setting, GError **error)
{
  const char *sign = strchr (setting, '=');
  g_autofree char *name = sign ? g_strndup (setting, sign - setting) : NULL;
  GParamSpec *spec =
      name ? g_object_class_find_property (G_OBJECT_GET_CLASS (detector), name)
           : NULL;
  g_auto (GValue) value = G_VALUE_INIT;

  if (spec == NULL || !(spec->flags & G_PARAM_WRITABLE)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "%s: expected PROPERTY=VALUE of vaelstmdetect", setting);
    return FALSE;
  }
  g_value_init (&value, spec->value_type);
  if (!gst_value_deserialize_with_pspec (&value, sign + 1, spec) ||
      g_param_value_validate (spec, &value)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "%s: no value of vaelstmdetect's %s", setting, name);
    return FALSE;
  }
  g_object_set_property (G_OBJECT (detector), name, &value);
  return TRUE;
}

gboolean
vl_layout_configure_detector (
    GstElement *detector, const VlFeedOptions *options, GError **error)
{
  g_object_set (detector, "model-file", options->model, NULL);
  gst_util_set_object_arg (
      G_OBJECT (detector), "mode", options->learn > 0 ? "auto" : "detect");
  if (options->learn > 0)
    g_object_set (detector, "learn-duration", options->learn, NULL);
  for (char **setting = options->settings; setting && *setting; setting++)
    if (!set_property (detector, *setting, error))
      return FALSE;
  return TRUE;
}

static void
configure_gate (
    const VlLayout *layout, const VlFeedOptions *options, gboolean copies)
{
  g_object_set (layout->gate, "pre-roll",
      options->record ? options->pre_roll : 0, "post-roll", options->post_roll,
      "max-duration", options->max_event, NULL);
  if (copies)
    g_object_set (layout->gate, "detector", layout->detector, NULL);
}

static GstElement *
get_element (GstElement *bin, const char *name)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (bin), name);

  gst_object_unref (element); /* the bin keeps it */
  return element;
}

static GstElement *
parse (const char *description, GError **error)
{
  GError *problem = NULL;
  GstElement *bin =
      gst_parse_bin_from_description (description, FALSE, &problem);

  if (problem != NULL) {
    g_clear_pointer (&bin, gst_object_unref);
    g_propagate_error (error, problem);
  }
  return bin;
}

static void
expose_entry (GstElement *bin)
{
  g_autoptr (GstPad) pad =
      gst_element_get_static_pad (get_element (bin, "entry"), "sink");

  gst_element_add_pad (bin, gst_ghost_pad_new ("sink", pad));
}

gboolean
vl_layout_build (VlLayout *layout, const VlFeedOptions *options, GstPad *pad,
    GstCaps *caps, GError **error)
{
  const gboolean live = is_live (options, pad);
  g_autofree char *description = describe (options, live, caps, error);

  if (description == NULL || (layout->bin = parse (description, error)) == NULL)
    return FALSE;
  expose_entry (layout->bin);
  layout->detector = get_element (layout->bin, "detector");
  layout->gate = get_element (layout->bin, "gate");
  layout->clips = get_element (layout->bin, "clips");
  g_object_set (layout->detector, "drop-analysis", live, NULL);
  configure_gate (layout, options, options->record && find_codec (caps));
  return vl_layout_configure_detector (layout->detector, options, error);
}
