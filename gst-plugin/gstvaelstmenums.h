/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The words of vaelstmdetect's properties and messages. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
  GST_VAE_LSTM_MODE_AUTO,
  GST_VAE_LSTM_MODE_DETECT,
  GST_VAE_LSTM_MODE_LEARN
} GstVaeLstmMode;

#define GST_TYPE_VAE_LSTM_MODE (gst_vae_lstm_mode_get_type ())
GType gst_vae_lstm_mode_get_type (void);

typedef enum {
  GST_VAE_LSTM_POST_NONE,
  GST_VAE_LSTM_POST_EVENTS,
  GST_VAE_LSTM_POST_ALL
} GstVaeLstmPost;

#define GST_TYPE_VAE_LSTM_POST (gst_vae_lstm_post_get_type ())
GType gst_vae_lstm_post_get_type (void);

typedef enum {
  GST_VAE_LSTM_STATE_LEARNING,
  GST_VAE_LSTM_STATE_TRAINING,
  GST_VAE_LSTM_STATE_WARMING_UP,
  GST_VAE_LSTM_STATE_DETECTING,
  GST_VAE_LSTM_STATE_BLIND
} GstVaeLstmState;

#define GST_TYPE_VAE_LSTM_STATE (gst_vae_lstm_state_get_type ())
GType gst_vae_lstm_state_get_type (void);

/* "warming-up" and so on. Static storage. */
const gchar *gst_vae_lstm_state_nick (GstVaeLstmState state);

G_END_DECLS
