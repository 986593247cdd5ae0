/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgatesettings.h"

enum {
  PROP_0,
  PROP_PRE_ROLL,
  PROP_POST_ROLL,
  PROP_MAX_DURATION,
  PROP_MAX_BYTES,
  PROP_RETIMESTAMP,
  PROP_SPLIT
};

G_STATIC_ASSERT (PROP_SPLIT == GST_VAE_LSTM_GATE_SETTINGS_LAST_ID);

#define DEFAULT_PRE_ROLL (5 * GST_SECOND)
#define DEFAULT_POST_ROLL (5 * GST_SECOND)
#define DEFAULT_MAX_DURATION 0
#define DEFAULT_MAX_BYTES (128 * 1024 * 1024)
#define DEFAULT_RETIMESTAMP FALSE
#define DEFAULT_SPLIT TRUE

#define PROPERTY_FLAGS                                                         \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_limits (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_PRE_ROLL,
      g_param_spec_uint64 ("pre-roll", "Pre-roll",
          "What to record before an anomaly, in nanoseconds; a segment starts "
          "at the key frame before that",
          0, G_MAXINT64, DEFAULT_PRE_ROLL, PROPERTY_FLAGS));
  g_object_class_install_property (klass, PROP_POST_ROLL,
      g_param_spec_uint64 ("post-roll", "Post-roll",
          "What to record after the last anomalous frame, in nanoseconds", 0,
          G_MAXINT64, DEFAULT_POST_ROLL, PROPERTY_FLAGS));
  g_object_class_install_property (klass, PROP_MAX_DURATION,
      g_param_spec_uint64 ("max-duration", "Maximum duration",
          "Length after which a segment ends with the next key frame and "
          "another starts with it, in nanoseconds; 0 = none",
          0, G_MAXINT64, DEFAULT_MAX_DURATION, PROPERTY_FLAGS));
  g_object_class_install_property (klass, PROP_MAX_BYTES,
      g_param_spec_uint64 ("max-bytes", "Maximum bytes",
          "Bytes to hold undecided, at most, whatever pre-roll and a late "
          "detector ask for; 0 = as many as it takes",
          0, G_MAXUINT64, DEFAULT_MAX_BYTES, PROPERTY_FLAGS));
}

static void
install_ways (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_RETIMESTAMP,
      g_param_spec_boolean ("retimestamp", "Retimestamp",
          "Close the gaps between segments: running times downstream start at "
          "0 and go on from segment to segment, except where those of the "
          "source go back to before what was left out so far; timestamps stay "
          "as they are",
          DEFAULT_RETIMESTAMP, PROPERTY_FLAGS));
  g_object_class_install_property (klass, PROP_SPLIT,
      g_param_spec_boolean ("split", "Split",
          "Have every splitmuxsink downstream start a new file with each "
          "segment",
          DEFAULT_SPLIT, PROPERTY_FLAGS));
}

void
gst_vae_lstm_gate_settings_install (GObjectClass *klass)
{
  install_limits (klass);
  install_ways (klass);
}

void
gst_vae_lstm_gate_settings_init (GstVaeLstmGateSettings *settings)
{
  *settings = (GstVaeLstmGateSettings){
      .limits = {DEFAULT_PRE_ROLL, DEFAULT_POST_ROLL, DEFAULT_MAX_DURATION,
          DEFAULT_MAX_BYTES},
      .retimestamp = DEFAULT_RETIMESTAMP,
      .split = DEFAULT_SPLIT,
  };
}

gboolean
gst_vae_lstm_gate_settings_set (
    GstVaeLstmGateSettings *settings, guint prop_id, const GValue *value)
{
  switch (prop_id) {
  case PROP_PRE_ROLL:
    settings->limits.pre_roll = g_value_get_uint64 (value);
    return TRUE;
  case PROP_POST_ROLL:
    settings->limits.post_roll = g_value_get_uint64 (value);
    return TRUE;
  case PROP_MAX_DURATION:
    settings->limits.max_duration = g_value_get_uint64 (value);
    return TRUE;
  case PROP_MAX_BYTES:
    settings->limits.max_bytes = g_value_get_uint64 (value);
    return TRUE;
  case PROP_RETIMESTAMP:
    settings->retimestamp = g_value_get_boolean (value);
    return TRUE;
  case PROP_SPLIT:
    settings->split = g_value_get_boolean (value);
    return TRUE;
  default:
    return FALSE;
  }
}

gboolean
gst_vae_lstm_gate_settings_get (
    const GstVaeLstmGateSettings *settings, guint prop_id, GValue *value)
{
  switch (prop_id) {
  case PROP_PRE_ROLL:
    g_value_set_uint64 (value, settings->limits.pre_roll);
    return TRUE;
  case PROP_POST_ROLL:
    g_value_set_uint64 (value, settings->limits.post_roll);
    return TRUE;
  case PROP_MAX_DURATION:
    g_value_set_uint64 (value, settings->limits.max_duration);
    return TRUE;
  case PROP_MAX_BYTES:
    g_value_set_uint64 (value, settings->limits.max_bytes);
    return TRUE;
  case PROP_RETIMESTAMP:
    g_value_set_boolean (value, settings->retimestamp);
    return TRUE;
  case PROP_SPLIT:
    g_value_set_boolean (value, settings->split);
    return TRUE;
  default:
    return FALSE;
  }
}
