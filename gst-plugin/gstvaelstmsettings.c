/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmsettings.h"

enum {
  PROP_0,
  PROP_MODEL_FILE,
  PROP_MODE,
  PROP_LEARN_DURATION,
  PROP_TRAINING_BUDGET,
  PROP_ANALYSIS_RATE,
  PROP_FALSE_ALARMS_PER_DAY,
  PROP_THRESHOLD,
  PROP_RELEASE_RATIO,
  PROP_MIN_DURATION,
  PROP_HOLD,
  PROP_POST_MESSAGES,
  PROP_ATTACH_META,
  PROP_ATTACH_REGIONS,
  PROP_DROP_ANALYSIS,
  PROP_EXCLUDE
};

G_STATIC_ASSERT (PROP_EXCLUDE == GST_VAE_LSTM_SETTINGS_LAST_ID);

#define DEFAULT_MODE GST_VAE_LSTM_MODE_AUTO
#define DEFAULT_LEARN_DURATION (60 * GST_SECOND)
#define DEFAULT_TRAINING_BUDGET (120 * GST_SECOND)
#define DEFAULT_POST_MESSAGES GST_VAE_LSTM_POST_EVENTS
#define DEFAULT_ATTACH_META TRUE
#define DEFAULT_ATTACH_REGIONS TRUE
#define DEFAULT_DROP_ANALYSIS FALSE

static const VlDetectorSettings default_settings = VL_DETECTOR_DEFAULTS;

#define READY_FLAGS                                                            \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING_FLAGS                                                          \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_start_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_MODEL_FILE,
      g_param_spec_string ("model-file", "Model file",
          "Model to use, as \"vaelstm train -o MODEL VIDEO...\" makes it; also "
          "where a learned model is saved",
          NULL, READY_FLAGS));
  g_object_class_install_property (klass, PROP_MODE,
      g_param_spec_enum ("mode", "Mode",
          "Whether to detect with a model or to learn one first",
          GST_TYPE_VAE_LSTM_MODE, DEFAULT_MODE, READY_FLAGS));
  g_object_class_install_property (klass, PROP_LEARN_DURATION,
      g_param_spec_uint64 ("learn-duration", "Learn duration",
          "How much video to learn from, in nanoseconds; 64 analysed frames at "
          "least are taken",
          1, G_MAXINT64, DEFAULT_LEARN_DURATION, READY_FLAGS));
  g_object_class_install_property (klass, PROP_TRAINING_BUDGET,
      g_param_spec_uint64 ("training-budget", "Training budget",
          "Wall time that training in the background may take, in nanoseconds",
          1, G_MAXINT64, DEFAULT_TRAINING_BUDGET, READY_FLAGS));
  g_object_class_install_property (klass, PROP_DROP_ANALYSIS,
      g_param_spec_boolean ("drop-analysis", "Drop analysis",
          "Analyse the newest frame in a thread beside the stream, which never "
          "waits, rather than score every analysed frame before it goes on",
          DEFAULT_DROP_ANALYSIS, READY_FLAGS));
}

static void
install_trigger_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_FALSE_ALARMS_PER_DAY,
      g_param_spec_double ("false-alarms-per-day", "False alarms per day",
          "False alarms a day to put up with: sets the threshold from the "
          "model's calibration",
          1e-6, 1e6, default_settings.false_alarms_per_day, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_THRESHOLD,
      g_param_spec_double ("threshold", "Threshold",
          "Score that starts an event, -log10 of the share of normal frames "
          "that score as much; 0 = from false-alarms-per-day",
          0, G_MAXDOUBLE, default_settings.threshold, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_RELEASE_RATIO,
      g_param_spec_double ("release-ratio", "Release ratio",
          "An event lasts while the score is at least this share of the "
          "threshold",
          0.01, 1, default_settings.release_ratio, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_MIN_DURATION,
      g_param_spec_uint64 ("min-duration", "Minimum duration",
          "How long the score must stay above the threshold to start an event, "
          "in nanoseconds of video",
          0, G_MAXINT64, default_settings.min_duration, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_HOLD,
      g_param_spec_uint64 ("hold", "Hold",
          "How long it must be quiet to end an event, in nanoseconds of video",
          0, G_MAXINT64, default_settings.hold, PLAYING_FLAGS));
}

static void
install_stream_properties (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_ANALYSIS_RATE,
      gst_param_spec_fraction ("analysis-rate", "Analysis rate",
          "Frames analysed per second; 0/1 = as many as the model was trained "
          "with, which suits it best. Models are learned at this rate, or that "
          "of the video where it is lower; 0/1 = 10. Frames between carry the "
          "last score",
          0, 1, G_MAXINT, 1, 0, 1, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_POST_MESSAGES,
      g_param_spec_enum ("post-messages", "Post messages",
          "Which element messages to post about scores; changes of state are "
          "always posted",
          GST_TYPE_VAE_LSTM_POST, DEFAULT_POST_MESSAGES, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_ATTACH_META,
      g_param_spec_boolean ("attach-meta", "Attach meta",
          "Attach a VaeLstmAnomalyMeta to every buffer; false makes the "
          "element passthrough, with no regions attached either",
          DEFAULT_ATTACH_META, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_ATTACH_REGIONS,
      g_param_spec_boolean ("attach-regions", "Attach regions",
          "With attach-meta, attach a region of interest meta of type "
          "\"anomaly\" for each anomalous tile as well",
          DEFAULT_ATTACH_REGIONS, PLAYING_FLAGS));
  g_object_class_install_property (klass, PROP_EXCLUDE,
      g_param_spec_string ("exclude", "Exclude",
          "Rectangles of the picture to ignore, \"x,y,w,h;x,y,w,h\", as shares "
          "of its width and height in 0..1",
          NULL, PLAYING_FLAGS));
}

void
gst_vae_lstm_settings_install (GObjectClass *klass)
{
  install_start_properties (klass);
  install_stream_properties (klass);
  install_trigger_properties (klass);
}

void
gst_vae_lstm_settings_init (GstVaeLstmSettings *settings)
{
  *settings = (GstVaeLstmSettings){
      .mode = DEFAULT_MODE,
      .learn_duration = DEFAULT_LEARN_DURATION,
      .training_budget = DEFAULT_TRAINING_BUDGET,
      .drop_analysis = DEFAULT_DROP_ANALYSIS,
      .tuning =
          {
              .detector = default_settings,
              .rate_n = 0,
              .rate_d = 1,
              .post_messages = DEFAULT_POST_MESSAGES,
              .attach_meta = DEFAULT_ATTACH_META,
              .attach_regions = DEFAULT_ATTACH_REGIONS,
          },
  };
}

void
gst_vae_lstm_settings_clear (GstVaeLstmSettings *settings)
{
  g_clear_pointer (&settings->model_file, g_free);
  g_clear_pointer (&settings->exclude, g_free);
}

/* Properties that act at the next start. FALSE when it is another property. */
static gboolean
set_start_property (
    GstVaeLstmSettings *settings, guint prop_id, const GValue *value)
{
  switch (prop_id) {
  case PROP_MODEL_FILE:
    g_free (settings->model_file);
    settings->model_file = g_value_dup_string (value);
    return TRUE;
  case PROP_MODE:
    settings->mode = g_value_get_enum (value);
    return TRUE;
  case PROP_LEARN_DURATION:
    settings->learn_duration = g_value_get_uint64 (value);
    return TRUE;
  case PROP_TRAINING_BUDGET:
    settings->training_budget = g_value_get_uint64 (value);
    return TRUE;
  case PROP_DROP_ANALYSIS:
    settings->drop_analysis = g_value_get_boolean (value);
    return TRUE;
  default:
    return FALSE;
  }
}

/* Properties that act with the next frame; the same otherwise. */
static gboolean
set_tuning_property (
    GstVaeLstmSettings *settings, guint prop_id, const GValue *value)
{
  GstVaeLstmTuning *tuning = &settings->tuning;

  switch (prop_id) {
  case PROP_ANALYSIS_RATE:
    tuning->rate_n = gst_value_get_fraction_numerator (value);
    tuning->rate_d = gst_value_get_fraction_denominator (value);
    break;
  case PROP_FALSE_ALARMS_PER_DAY:
    tuning->detector.false_alarms_per_day = g_value_get_double (value);
    break;
  case PROP_THRESHOLD:
    tuning->detector.threshold = g_value_get_double (value);
    break;
  case PROP_RELEASE_RATIO:
    tuning->detector.release_ratio = g_value_get_double (value);
    break;
  case PROP_MIN_DURATION:
    tuning->detector.min_duration = g_value_get_uint64 (value);
    break;
  case PROP_HOLD:
    tuning->detector.hold = g_value_get_uint64 (value);
    break;
  case PROP_POST_MESSAGES:
    tuning->post_messages = g_value_get_enum (value);
    break;
  case PROP_ATTACH_META:
    tuning->attach_meta = g_value_get_boolean (value);
    break;
  case PROP_ATTACH_REGIONS:
    tuning->attach_regions = g_value_get_boolean (value);
    break;
  case PROP_EXCLUDE:
    g_free (settings->exclude);
    settings->exclude = g_value_dup_string (value);
    break;
  default:
    return FALSE;
  }
  settings->tuning_changed = TRUE;
  return TRUE;
}

gboolean
gst_vae_lstm_settings_set (
    GstVaeLstmSettings *settings, guint prop_id, const GValue *value)
{
  return set_start_property (settings, prop_id, value) ||
         set_tuning_property (settings, prop_id, value);
}

static gboolean
get_start_property (
    const GstVaeLstmSettings *settings, guint prop_id, GValue *value)
{
  switch (prop_id) {
  case PROP_MODEL_FILE:
    g_value_set_string (value, settings->model_file);
    return TRUE;
  case PROP_MODE:
    g_value_set_enum (value, settings->mode);
    return TRUE;
  case PROP_LEARN_DURATION:
    g_value_set_uint64 (value, settings->learn_duration);
    return TRUE;
  case PROP_TRAINING_BUDGET:
    g_value_set_uint64 (value, settings->training_budget);
    return TRUE;
  case PROP_DROP_ANALYSIS:
    g_value_set_boolean (value, settings->drop_analysis);
    return TRUE;
  default:
    return FALSE;
  }
}

static gboolean
get_tuning_property (
    const GstVaeLstmSettings *settings, guint prop_id, GValue *value)
{
  const GstVaeLstmTuning *tuning = &settings->tuning;

  switch (prop_id) {
  case PROP_ANALYSIS_RATE:
    gst_value_set_fraction (value, tuning->rate_n, tuning->rate_d);
    return TRUE;
  case PROP_FALSE_ALARMS_PER_DAY:
    g_value_set_double (value, tuning->detector.false_alarms_per_day);
    return TRUE;
  case PROP_THRESHOLD:
    g_value_set_double (value, tuning->detector.threshold);
    return TRUE;
  case PROP_RELEASE_RATIO:
    g_value_set_double (value, tuning->detector.release_ratio);
    return TRUE;
  case PROP_MIN_DURATION:
    g_value_set_uint64 (value, tuning->detector.min_duration);
    return TRUE;
  case PROP_HOLD:
    g_value_set_uint64 (value, tuning->detector.hold);
    return TRUE;
  case PROP_POST_MESSAGES:
    g_value_set_enum (value, tuning->post_messages);
    return TRUE;
  case PROP_ATTACH_META:
    g_value_set_boolean (value, tuning->attach_meta);
    return TRUE;
  case PROP_ATTACH_REGIONS:
    g_value_set_boolean (value, tuning->attach_regions);
    return TRUE;
  case PROP_EXCLUDE:
    g_value_set_string (value, settings->exclude);
    return TRUE;
  default:
    return FALSE;
  }
}

gboolean
gst_vae_lstm_settings_get (
    const GstVaeLstmSettings *settings, guint prop_id, GValue *value)
{
  return get_start_property (settings, prop_id, value) ||
         get_tuning_property (settings, prop_id, value);
}
