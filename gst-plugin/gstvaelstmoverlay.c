/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * SECTION:element-vaelstmoverlay
 * @title: vaelstmoverlay
 * @short_description: Draws what vaelstmdetect found onto the video
 * @see_also: vaelstmdetect
 *
 * Shows what the buffers' `VaeLstmAnomalyMeta` and regions of type `anomaly`
 * say, as vaelstmdetect upstream attached them:
 *
 * * a panel with the detector's state or the number of the open event, the
 *   score and the threshold as numbers and as a bar, and the curve of recent
 *   scores against the threshold
 * * an outline around each anomalous tile, the stronger the higher its score
 *
 * Red means that something is over the threshold. All that is drawn grows with
 * the picture's height and never covers more than a corner of it. Buffers
 * without the meta go through as they are; timestamps always do.
 *
 * Where downstream takes overlays apart from the video (a sink that draws with
 * the graphics card, say), buffers get a #GstVideoOverlayCompositionMeta and
 * their pixels stay as they are. Elsewhere the overlay is blended into the
 * pixels, of a copy where others hold the memory too.
 *
 * The curve starts anew with every flush, discontinuity and segment that does
 * not continue the one before.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! vaelstmdetect model-file=room.vaelstm !
 * vaelstmoverlay ! videoconvert ! autovideosink
 * ]| Shows a camera, and what is unusual there.
 * |[
 * gst-launch-1.0 filesrc location=today.mp4 ! decodebin ! vaelstmdetect
 * model-file=room.vaelstm ! vaelstmoverlay position=bottom-right
 * duration=120000000000 ! videoconvert ! x264enc ! mp4mux ! filesink
 * location=seen.mp4
 * ]| Writes a recording with the overlay in it, the curve covering two minutes.
 */

#include "gstvaelstmoverlay.h"

#include <gst/video/video.h>

#include "gstvaelstmframe.h"
#include "gstvaelstmmeta.h"
#include "gstvaelstmoverlayblend.h"
#include "gstvaelstmoverlaycanvas.h"
#include "gstvaelstmoverlaycontent.h"
#include "gstvaelstmoverlaydraw.h"
#include "gstvaelstmoverlayhistory.h"
#include "gstvaelstmtimes.h"

GST_DEBUG_CATEGORY_STATIC (vaelstmoverlay_debug);
#define GST_CAT_DEFAULT vaelstmoverlay_debug

typedef enum {
  POSITION_TOP_LEFT,
  POSITION_TOP_RIGHT,
  POSITION_BOTTOM_LEFT,
  POSITION_BOTTOM_RIGHT
} GstVaeLstmOverlayPosition;

enum {
  PROP_SHOW_PANEL = 1,
  PROP_SHOW_CURVE,
  PROP_SHOW_REGIONS,
  PROP_POSITION,
  PROP_DURATION
};

#define DEFAULT_DURATION (30 * GST_SECOND)

typedef struct {
  gboolean show_panel, show_curve, show_regions;
  GstVaeLstmOverlayPosition position;
  GstClockTime duration;
} Settings;

struct _GstVaeLstmOverlay {
  GstBaseTransform parent;

  /* Under the object lock. */
  Settings settings;

  /* By the streaming thread. */
  Settings now; /* settings in use */
  GstVideoInfo info;
  GstClockTime next_timestamp; /* of a frame that does not tell */
  gboolean attaches;           /* hands compositions on; else blends them */
  gboolean unsure;             /* whether downstream draws what is handed on */
  gint refused;                /* atomic; it does not: hand on nothing */
  GstVaeLstmHistory history;
  GstVaeLstmContent shown;                 /* in both of the following */
  guint64 shown_span;                      /* the newest of its curve */
  GstVideoOverlayComposition *tiles;       /* NULL: to be drawn */
  GstVideoOverlayComposition *composition; /* NULL: to be drawn */
};

#define COMPOSITION GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION
#define FORMATS GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS
#define CAPS                                                                   \
  GST_VIDEO_CAPS_MAKE (FORMATS)                                                \
  ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES (                                      \
      GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY "," COMPOSITION, FORMATS)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE (
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE (
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

#define gst_vae_lstm_overlay_parent_class parent_class
G_DEFINE_TYPE (GstVaeLstmOverlay, gst_vae_lstm_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE (
    vaelstmoverlay, "vaelstmoverlay", GST_RANK_NONE, GST_TYPE_VAE_LSTM_OVERLAY)

/* ------------------------------------------------------------- negotiation */

/* A copy in which every structure has the feature, or none has. */
static GstCaps *
caps_with_composition (const GstCaps *caps, gboolean wanted)
{
  GstCaps *copy = gst_caps_copy (caps);

  for (guint i = 0; i < gst_caps_get_size (copy); i++) {
    GstCapsFeatures *features = gst_caps_get_features (copy, i);

    gst_caps_features_remove (features, COMPOSITION);
    if (wanted)
      gst_caps_features_add (features, COMPOSITION);
  }
  return copy;
}

static gboolean
has_composition (const GstCaps *caps, guint index)
{
  return gst_caps_features_contains (
      gst_caps_get_features (caps, index), COMPOSITION);
}

/* Overlays may be added to what comes, never taken away. */
static GstCaps *
gst_vae_lstm_overlay_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstVaeLstmOverlay *self = GST_VAE_LSTM_OVERLAY (trans);
  GstCaps *result, *filtered;

  if (direction == GST_PAD_SRC)
    result = gst_caps_merge (
        caps_with_composition (caps, FALSE), gst_caps_copy (caps));
  else if (g_atomic_int_get (&self->refused))
    result = gst_caps_copy (caps);
  else
    result = gst_caps_merge (
        caps_with_composition (caps, TRUE), gst_caps_copy (caps));

  if (!filter)
    return result;
  filtered = gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref (result);
  return filtered;
}

/* Whatever downstream would like best: overlays apart from the video cost it
 * less. */
static GstCaps *
gst_vae_lstm_overlay_fixate_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps, GstCaps *othercaps)
{
  for (guint i = 0; i < gst_caps_get_size (othercaps); i++) {
    if (direction == GST_PAD_SINK && has_composition (othercaps, i)) {
      GstCaps *chosen = gst_caps_copy_nth (othercaps, i);

      gst_caps_unref (othercaps);
      return gst_caps_fixate (chosen);
    }
  }
  return gst_caps_fixate (othercaps);
}

static void
forget_drawings (GstVaeLstmOverlay *self)
{
  g_clear_pointer (&self->tiles, gst_video_overlay_composition_unref);
  g_clear_pointer (&self->composition, gst_video_overlay_composition_unref);
}

static gboolean
gst_vae_lstm_overlay_set_caps (
    GstBaseTransform *trans, GstCaps *incaps, GstCaps *outcaps)
{
  GstVaeLstmOverlay *self = GST_VAE_LSTM_OVERLAY (trans);

  self->attaches = has_composition (outcaps, 0);
  self->unsure = self->attaches && !has_composition (incaps, 0);
  forget_drawings (self);
  GST_DEBUG_OBJECT (self, "overlays are %s, caps %" GST_PTR_FORMAT,
      self->attaches ? "handed on" : "blended", outcaps);
  return gst_video_info_from_caps (&self->info, incaps);
}

/* Caps alone do not tell: elements that take anything let the feature in and
 * draw nothing. Only who lists the meta here draws it. */
static gboolean
downstream_draws (GstVaeLstmOverlay *self)
{
  GstPad *pad = GST_BASE_TRANSFORM_SRC_PAD (self);
  GstCaps *caps = gst_pad_get_current_caps (pad);
  GstQuery *query = gst_query_new_allocation (caps, FALSE);
  gboolean draws = gst_pad_peer_query (pad, query) &&
                   gst_query_find_allocation_meta (query,
                       GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);

  gst_query_unref (query);
  gst_clear_caps (&caps);
  return draws;
}

/* Downstream can be asked once it knows the caps, so that they may have to
 * change before the first frame. */
static GstFlowReturn
gst_vae_lstm_overlay_submit_input_buffer (
    GstBaseTransform *trans, gboolean is_discont, GstBuffer *input)
{
  GstVaeLstmOverlay *self = GST_VAE_LSTM_OVERLAY (trans);

  gst_base_transform_reconfigure (trans);
  if (self->unsure && !downstream_draws (self)) {
    g_atomic_int_set (&self->refused, TRUE);
    gst_base_transform_reconfigure_src (trans);
  }
  self->unsure = FALSE;
  return GST_BASE_TRANSFORM_CLASS (parent_class)
      ->submit_input_buffer (trans, is_discont, input);
}

/* ------------------------------------------------------------------ events */

/* With an empty curve. */
static void
start_anew (GstVaeLstmOverlay *self)
{
  gst_vae_lstm_history_reset (&self->history);
  forget_drawings (self);
}

static gboolean
gst_vae_lstm_overlay_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstVaeLstmOverlay *self = GST_VAE_LSTM_OVERLAY (trans);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP ||
      (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT &&
          gst_vae_lstm_times_jump (
              &trans->segment, event, &self->next_timestamp)))
    start_anew (self);
  return GST_BASE_TRANSFORM_CLASS (parent_class)->sink_event (trans, event);
}

/* Downstream has changed, and may draw now. */
static gboolean
gst_vae_lstm_overlay_src_event (GstBaseTransform *trans, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_RECONFIGURE)
    g_atomic_int_set (&GST_VAE_LSTM_OVERLAY (trans)->refused, FALSE);
  return GST_BASE_TRANSFORM_CLASS (parent_class)->src_event (trans, event);
}

/* ----------------------------------------------------------------- drawing */

/* Takes the rectangle. */
static void
add_rectangle (GstVideoOverlayComposition *composition,
    GstVideoOverlayRectangle *rectangle)
{
  gst_video_overlay_composition_add_rectangle (composition, rectangle);
  gst_video_overlay_rectangle_unref (rectangle);
}

/* The rectangles themselves: copies would have to be converted again. */
static void
add_rectangles (
    GstVideoOverlayComposition *to, GstVideoOverlayComposition *from)
{
  guint n = gst_video_overlay_composition_n_rectangles (from);

  for (guint i = 0; i < n; i++)
    gst_video_overlay_composition_add_rectangle (
        to, gst_video_overlay_composition_get_rectangle (from, i));
}

static void
add_panel (GstVaeLstmOverlay *self, const GstVaeLstmLayout *layout,
    const GstVaeLstmContent *content)
{
  gboolean right = self->now.position & 1, bottom = self->now.position & 2;
  gint width = GST_VIDEO_INFO_WIDTH (&self->info);
  gint height = GST_VIDEO_INFO_HEIGHT (&self->info);
  float curve[GST_VAE_LSTM_HISTORY_SPANS];
  GstVaeLstmPanel panel = {
      .state = content->state,
      .judged = content->judged,
      .score = content->score,
      .threshold = content->threshold,
      .anomalous = content->anomalous,
      .event_id = content->event_id,
      .curve = self->now.show_curve ? curve : NULL,
      .n_curve = self->now.show_curve ? G_N_ELEMENTS (curve) : 0,
      .duration = self->now.duration,
  };
  GstVaeLstmCanvas canvas;
  cairo_t *cr =
      gst_vae_lstm_canvas_open (&canvas, layout->width, layout->height);

  gst_vae_lstm_history_copy (&self->history, curve);
  gst_vae_lstm_draw_panel (cr, layout, &panel);
  add_rectangle (self->composition,
      gst_vae_lstm_canvas_close (&canvas, cr,
          right ? width - layout->margin - layout->width : layout->margin,
          bottom ? height - layout->margin - layout->height : layout->margin));
}

/* An outline is mostly empty: only where it is there are rectangles. */
static void
add_tile (GstVaeLstmOverlay *self, const GstVaeLstmLayout *layout,
    const GstVaeLstmTile *tile)
{
  GstVideoRectangle parts[GST_VAE_LSTM_TILE_PARTS];
  guint n = gst_vae_lstm_tile_parts (layout, tile->width, tile->height, parts);

  for (guint i = 0; i < n; i++) {
    const GstVideoRectangle *part = &parts[i];
    GstVaeLstmCanvas canvas;
    cairo_t *cr = gst_vae_lstm_canvas_open (&canvas, part->w, part->h);

    cairo_translate (cr, -part->x, -part->y);
    gst_vae_lstm_draw_tile (
        cr, layout, tile->width, tile->height, tile->strength);
    add_rectangle (self->tiles, gst_vae_lstm_canvas_close (&canvas, cr,
                                    tile->x + part->x, tile->y + part->y));
  }
}

static void
draw_tiles (GstVaeLstmOverlay *self, const GstVaeLstmLayout *layout,
    const GstVaeLstmContent *content)
{
  self->tiles = gst_video_overlay_composition_new (NULL);
  for (guint i = 0; self->now.show_regions && i < content->n_tiles; i++)
    add_tile (self, layout, &content->tiles[i]);
}

static void
draw (GstVaeLstmOverlay *self, const GstVaeLstmContent *content)
{
  GstVaeLstmLayout layout;

  gst_vae_lstm_layout_init (&layout, GST_VIDEO_INFO_WIDTH (&self->info),
      GST_VIDEO_INFO_HEIGHT (&self->info), self->now.show_curve);
  if (!gst_vae_lstm_content_equal_tiles (&self->shown, content))
    forget_drawings (self);
  if (!self->tiles)
    draw_tiles (self, &layout, content);

  g_clear_pointer (&self->composition, gst_video_overlay_composition_unref);
  self->composition = gst_video_overlay_composition_new (NULL);
  add_rectangles (self->composition, self->tiles);
  if (self->now.show_panel && layout.width > 0)
    add_panel (self, &layout, content);

  self->shown = *content;
  self->shown_span = self->history.newest;
}

static gboolean
is_shown (const GstVaeLstmOverlay *self, const GstVaeLstmContent *content)
{
  return self->composition && self->shown_span == self->history.newest &&
         gst_vae_lstm_content_equal (&self->shown, content);
}

/* ---------------------------------------------------------- frame by frame */

static void
take_over_settings (GstVaeLstmOverlay *self)
{
  Settings before = self->now;

  GST_OBJECT_LOCK (self);
  self->now = self->settings;
  GST_OBJECT_UNLOCK (self);

  if (self->now.duration != before.duration)
    gst_vae_lstm_history_init (&self->history, self->now.duration);
  if (memcmp (&before, &self->now, sizeof before) != 0)
    forget_drawings (self);
}

/* The score belongs to the frame that was analysed. */
static void
remember_score (
    GstVaeLstmOverlay *self, const GstVaeLstmContent *content, guint64 time)
{
  if (content->judged)
    gst_vae_lstm_history_add (
        &self->history, time - MIN (time, content->age), content->score);
  else
    gst_vae_lstm_history_break (&self->history);
}

static void
attach (GstVaeLstmOverlay *self, GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta =
      gst_buffer_get_video_overlay_composition_meta (buffer);

  if (!meta) {
    gst_buffer_add_video_overlay_composition_meta (buffer, self->composition);
    return;
  }
  meta->overlay = gst_video_overlay_composition_make_writable (meta->overlay);
  add_rectangles (meta->overlay, self->composition);
}

/* Mapping for writing copies memory that others hold. */
static void
blend (GstVaeLstmOverlay *self, GstBuffer *buffer)
{
  GstVideoFrame frame;
  GstVaeLstmFrameStatus status =
      gst_vae_lstm_frame_map (&frame, &self->info, buffer);

  if (status != GST_VAE_LSTM_FRAME_OK) {
    GST_WARNING_OBJECT (self, "%s It goes on with nothing drawn.",
        gst_vae_lstm_frame_status_text (status));
    return;
  }
  gst_video_frame_unmap (&frame);

  if (!gst_video_frame_map (&frame, &self->info, buffer,
          GST_MAP_READWRITE | (GstMapFlags)GST_VIDEO_FRAME_MAP_FLAG_NO_REF)) {
    GST_WARNING_OBJECT (self, "A frame cannot be written to.");
    return;
  }
  gst_vae_lstm_blend (self->composition, &frame);
  gst_video_frame_unmap (&frame);
}

static GstFlowReturn
gst_vae_lstm_overlay_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstVaeLstmOverlay *self = GST_VAE_LSTM_OVERLAY (trans);
  GstVaeLstmContent content;
  GstVaeLstmTimes times;

  gst_vae_lstm_times_find (
      &times, &trans->segment, buffer, 0, &self->next_timestamp);

  if (GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT))
    start_anew (self);
  take_over_settings (self);
  if (!gst_vae_lstm_content_read (&content, buffer, &self->info))
    return GST_FLOW_OK;

  remember_score (self, &content, times.time);
  if (!is_shown (self, &content))
    draw (self, &content);
  if (gst_video_overlay_composition_n_rectangles (self->composition) == 0)
    return GST_FLOW_OK;
  if (self->attaches)
    attach (self, buffer);
  else
    blend (self, buffer);
  return GST_FLOW_OK;
}

/* A buffer that says nothing goes on itself, writable or not. */
static GstFlowReturn
gst_vae_lstm_overlay_prepare_output_buffer (
    GstBaseTransform *trans, GstBuffer *input, GstBuffer **output)
{
  if (gst_buffer_get_custom_meta (input, GST_VAELSTM_ANOMALY_META_NAME))
    return GST_BASE_TRANSFORM_CLASS (parent_class)
        ->prepare_output_buffer (trans, input, output);
  *output = input;
  return GST_FLOW_OK;
}

static gboolean
gst_vae_lstm_overlay_stop (GstBaseTransform *trans)
{
  GstVaeLstmOverlay *self = GST_VAE_LSTM_OVERLAY (trans);

  start_anew (self);
  g_atomic_int_set (&self->refused, FALSE);
  self->next_timestamp = 0;
  return TRUE;
}

/* -------------------------------------------------------------- properties */

static void
gst_vae_lstm_overlay_set_property (
    GObject *object, guint prop_id, const GValue *value, GParamSpec *pspec)
{
  Settings *settings = &GST_VAE_LSTM_OVERLAY (object)->settings;

  GST_OBJECT_LOCK (object);
  switch (prop_id) {
  case PROP_SHOW_PANEL:
    settings->show_panel = g_value_get_boolean (value);
    break;
  case PROP_SHOW_CURVE:
    settings->show_curve = g_value_get_boolean (value);
    break;
  case PROP_SHOW_REGIONS:
    settings->show_regions = g_value_get_boolean (value);
    break;
  case PROP_POSITION:
    settings->position = g_value_get_enum (value);
    break;
  case PROP_DURATION:
    settings->duration = g_value_get_uint64 (value);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK (object);
}

static void
gst_vae_lstm_overlay_get_property (
    GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  const Settings *settings = &GST_VAE_LSTM_OVERLAY (object)->settings;

  GST_OBJECT_LOCK (object);
  switch (prop_id) {
  case PROP_SHOW_PANEL:
    g_value_set_boolean (value, settings->show_panel);
    break;
  case PROP_SHOW_CURVE:
    g_value_set_boolean (value, settings->show_curve);
    break;
  case PROP_SHOW_REGIONS:
    g_value_set_boolean (value, settings->show_regions);
    break;
  case PROP_POSITION:
    g_value_set_enum (value, settings->position);
    break;
  case PROP_DURATION:
    g_value_set_uint64 (value, settings->duration);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    break;
  }
  GST_OBJECT_UNLOCK (object);
}

static GType
position_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {POSITION_TOP_LEFT, "Top left", "top-left"},
      {POSITION_TOP_RIGHT, "Top right", "top-right"},
      {POSITION_BOTTOM_LEFT, "Bottom left", "bottom-left"},
      {POSITION_BOTTOM_RIGHT, "Bottom right", "bottom-right"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstVaeLstmOverlayPosition", values));
  return type;
}

/* ------------------------------------------------------------- class setup */

#define PROPERTY_FLAGS                                                         \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_SHOW_PANEL,
      g_param_spec_boolean ("show-panel", "Show the panel",
          "Draw the panel with state, score and curve", TRUE, PROPERTY_FLAGS));
  g_object_class_install_property (klass, PROP_SHOW_CURVE,
      g_param_spec_boolean ("show-curve", "Show the curve",
          "Draw the curve of recent scores in the panel", TRUE,
          PROPERTY_FLAGS));
  g_object_class_install_property (klass, PROP_SHOW_REGIONS,
      g_param_spec_boolean ("show-regions", "Show regions",
          "Draw outlines around anomalous tiles", TRUE, PROPERTY_FLAGS));
  g_object_class_install_property (klass, PROP_POSITION,
      g_param_spec_enum ("position", "Position",
          "Corner of the picture that the panel is in", position_get_type (),
          POSITION_TOP_LEFT, PROPERTY_FLAGS));
  g_object_class_install_property (klass, PROP_DURATION,
      g_param_spec_uint64 ("duration", "Duration",
          "Video that the curve covers, in nanoseconds; a change empties it",
          GST_SECOND, 24 * 3600 * GST_SECOND, DEFAULT_DURATION,
          PROPERTY_FLAGS));
}

static void
gst_vae_lstm_overlay_finalize (GObject *object)
{
  forget_drawings (GST_VAE_LSTM_OVERLAY (object));
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_vae_lstm_overlay_class_init (GstVaeLstmOverlayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (
      vaelstmoverlay_debug, "vaelstmoverlay", 0, "anomaly overlay");

  object_class->set_property = gst_vae_lstm_overlay_set_property;
  object_class->get_property = gst_vae_lstm_overlay_get_property;
  object_class->finalize = gst_vae_lstm_overlay_finalize;
  install_properties (object_class);

  gst_element_class_set_static_metadata (element_class, "Anomaly overlay",
      "Filter/Editor/Video/Overlay",
      "Draws the score, its curve, the state and the anomalous tiles that "
      "vaelstmdetect found",
      "The vaelstm authors");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);

  trans_class->stop = GST_DEBUG_FUNCPTR (gst_vae_lstm_overlay_stop);
  trans_class->transform_caps =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_overlay_transform_caps);
  trans_class->fixate_caps =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_overlay_fixate_caps);
  trans_class->set_caps = GST_DEBUG_FUNCPTR (gst_vae_lstm_overlay_set_caps);
  trans_class->submit_input_buffer =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_overlay_submit_input_buffer);
  trans_class->sink_event = GST_DEBUG_FUNCPTR (gst_vae_lstm_overlay_sink_event);
  trans_class->src_event = GST_DEBUG_FUNCPTR (gst_vae_lstm_overlay_src_event);
  trans_class->prepare_output_buffer =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_overlay_prepare_output_buffer);
  trans_class->transform_ip =
      GST_DEBUG_FUNCPTR (gst_vae_lstm_overlay_transform_ip);

  gst_type_mark_as_plugin_api (position_get_type (), 0);
}

static void
gst_vae_lstm_overlay_init (GstVaeLstmOverlay *self)
{
  GstBaseTransform *trans = GST_BASE_TRANSFORM (self);

  self->settings = (Settings){
      .show_panel = TRUE,
      .show_curve = TRUE,
      .show_regions = TRUE,
      .position = POSITION_TOP_LEFT,
      .duration = DEFAULT_DURATION,
  };
  self->now = self->settings;
  gst_vae_lstm_history_init (&self->history, self->now.duration);

  gst_base_transform_set_in_place (trans, TRUE);
  gst_base_transform_set_gap_aware (trans, TRUE);
  gst_base_transform_set_qos_enabled (trans, FALSE);
}
