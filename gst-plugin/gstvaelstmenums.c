/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmenums.h"

GType
gst_vae_lstm_mode_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_VAE_LSTM_MODE_AUTO,
          "Detect with model-file when it exists, else learn from this stream "
          "first",
          "auto"},
      {GST_VAE_LSTM_MODE_DETECT, "Detect with model-file, which must exist",
          "detect"},
      {GST_VAE_LSTM_MODE_LEARN,
          "Learn from this stream first; EOS waits for the training to end",
          "learn"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstVaeLstmMode", values));
  return type;
}

GType
gst_vae_lstm_post_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_VAE_LSTM_POST_NONE, "No messages about scores", "none"},
      {GST_VAE_LSTM_POST_EVENTS,
          "Start and end of each event, and an update every second between",
          "events"},
      {GST_VAE_LSTM_POST_ALL, "The same, and one message per analysed frame",
          "all"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstVaeLstmPost", values));
  return type;
}

static const GEnumValue state_values[] = {
    {GST_VAE_LSTM_STATE_LEARNING, "Collecting normal video", "learning"},
    {GST_VAE_LSTM_STATE_TRAINING, "Training on what was collected", "training"},
    {GST_VAE_LSTM_STATE_WARMING_UP,
        "Too few frames since the last reset to judge", "warming-up"},
    {GST_VAE_LSTM_STATE_DETECTING, "Judging frames", "detecting"},
    {GST_VAE_LSTM_STATE_BLIND, "Frames are not judged: learning failed",
        "blind"},
    {0, NULL, NULL},
};

GType
gst_vae_lstm_state_get_type (void)
{
  static gsize type = 0;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstVaeLstmState", state_values));
  return type;
}

const gchar *
gst_vae_lstm_state_nick (GstVaeLstmState state)
{
  return state_values[state].value_nick;
}
