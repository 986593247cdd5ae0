/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What model-file stands for at the start, with errors on the bus where it
 * cannot be that. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmenums.h"
#include "model.h"

/* Whether to learn, rather than to detect with what is in model_file (may be
 * NULL). */
gboolean gst_vae_lstm_model_file_is_to_be_learned (
    GstVaeLstmMode mode, const gchar *model_file);

/* A calibrated model. NULL when there is none, with an error posted. */
VlModel *gst_vae_lstm_model_file_load (
    GstElement *element, const gchar *model_file);

/* Whether a model can be saved as model_file (NULL: needs no place); learning
 * only to find out is too late. FALSE with an error posted when not. */
gboolean gst_vae_lstm_model_file_check_place (
    GstElement *element, const gchar *model_file);
