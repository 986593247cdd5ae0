/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* vaelstmdetect's writable properties: what they are, and their values. No
 * locking here; the element holds its object lock. */

#pragma once

#include <gst/gst.h>

#include "detector.h"
#include "gstvaelstmenums.h"

/* The element's own properties take ids from this one on. */
#define GST_VAE_LSTM_SETTINGS_LAST_ID 15

/* Properties that act while PLAYING. */
typedef struct {
  VlDetectorSettings detector;
  gint rate_n, rate_d;
  GstVaeLstmPost post_messages;
  gboolean attach_meta;
  gboolean attach_regions;
} GstVaeLstmTuning;

typedef struct {
  gchar *model_file;
  GstVaeLstmMode mode;
  GstClockTime learn_duration;
  GstClockTime training_budget;
  gboolean drop_analysis;
  GstVaeLstmTuning tuning;
  gchar *exclude;
  gboolean tuning_changed; /* tuning or exclude was set: for the user of the
                              settings to clear */
} GstVaeLstmSettings;

/* Installs the properties with ids 1..GST_VAE_LSTM_SETTINGS_LAST_ID. */
void gst_vae_lstm_settings_install (GObjectClass *klass);

/* Defaults. */
void gst_vae_lstm_settings_init (GstVaeLstmSettings *settings);
void gst_vae_lstm_settings_clear (GstVaeLstmSettings *settings);

/* FALSE when prop_id is none of theirs. */
gboolean gst_vae_lstm_settings_set (
    GstVaeLstmSettings *settings, guint prop_id, const GValue *value);
gboolean gst_vae_lstm_settings_get (
    const GstVaeLstmSettings *settings, guint prop_id, GValue *value);
