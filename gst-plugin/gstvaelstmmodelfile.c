/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmmodelfile.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define HOW_TO_GET_ONE                                                         \
  "Set model-file to one made with \"vaelstm train -o MODEL VIDEO...\", or "   \
  "let the element learn from the stream with mode=auto or mode=learn."

static gboolean
is_set (const gchar *model_file)
{
  return model_file && *model_file != '\0';
}

gboolean
gst_vae_lstm_model_file_is_to_be_learned (
    GstVaeLstmMode mode, const gchar *model_file)
{
  switch (mode) {
  case GST_VAE_LSTM_MODE_LEARN:
    return TRUE;
  case GST_VAE_LSTM_MODE_AUTO:
    return !is_set (model_file) ||
           !g_file_test (model_file, G_FILE_TEST_EXISTS);
  default:
    return FALSE;
  }
}

static gboolean
check_exists (GstElement *element, const gchar *model_file)
{
  if (!is_set (model_file)) {
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
        ("mode=detect needs a model, and no model-file is "
         "set. " HOW_TO_GET_ONE),
        (NULL));
    return FALSE;
  }
  if (!g_file_test (model_file, G_FILE_TEST_EXISTS)) {
    GST_ELEMENT_ERROR (element, RESOURCE, NOT_FOUND,
        ("Model file \"%s\" does not exist. " HOW_TO_GET_ONE, model_file),
        (NULL));
    return FALSE;
  }
  return TRUE;
}

VlModel *
gst_vae_lstm_model_file_load (GstElement *element, const gchar *model_file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VlModel) model = NULL;

  if (!check_exists (element, model_file))
    return NULL;

  model = vl_model_load (model_file, &error);
  if (!model) {
    GST_ELEMENT_ERROR (element, RESOURCE, READ, ("%s", error->message),
        ("model-file=\"%s\"", model_file));
    return NULL;
  }
  if (!model->calibration) {
    GST_ELEMENT_ERROR (element, RESOURCE, SETTINGS,
        ("Model file \"%s\" has no calibration: its weights were imported, and "
         "what scores are normal was never measured.",
            model_file),
        (NULL));
    return NULL;
  }
  return g_steal_pointer (&model);
}

gboolean
gst_vae_lstm_model_file_check_place (
    GstElement *element, const gchar *model_file)
{
  g_autofree gchar *dir = NULL;

  if (!is_set (model_file))
    return TRUE;

  if (g_file_test (model_file, G_FILE_TEST_IS_DIR)) {
    GST_ELEMENT_ERROR (element, RESOURCE, OPEN_WRITE,
        ("model-file \"%s\" is a directory: expected the name of a file to "
         "save the learned model as.",
            model_file),
        (NULL));
    return FALSE;
  }
  dir = g_path_get_dirname (model_file);
  if (!g_file_test (dir, G_FILE_TEST_IS_DIR) || g_access (dir, W_OK) != 0) {
    GST_ELEMENT_ERROR (element, RESOURCE, OPEN_WRITE,
        ("Model file \"%s\" cannot be saved once it is learned: expected "
         "\"%s\" to be a directory that can be written to.",
            model_file, dir),
        (NULL));
    return FALSE;
  }
  return TRUE;
}
