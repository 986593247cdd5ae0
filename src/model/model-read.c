/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model-file.h"

#include <math.h>
#include <string.h>

#include "json.h"
#include "self-test.h"

static gboolean
set_error (
    GError **error, VlTensorFile *file, VlModelError code, const char *message)
{
  return vl_model_set_error (
      error, vl_tensor_file_path (file), code, "%s", message);
}

/* The JSON object under a key of the metadata; NULL with error set. */
static JsonObject *
read_object (VlTensorFile *file, const char *key, GError **error)
{
  const char *text = vl_tensor_file_metadata (file, key);
  g_autoptr (GError) cause = NULL;
  JsonObject *object =
      text ? vl_json_parse_object (text, strlen (text), &cause) : NULL;

  if (object == NULL)
    vl_model_set_error (error, vl_tensor_file_path (file),
        VL_MODEL_ERROR_FORMAT, "%s of its metadata %s", key,
        text ? cause->message : "is missing");
  return object;
}

static gboolean
check_version (VlTensorFile *file, GError **error)
{
  const char *format = vl_tensor_file_metadata (file, VL_KEY_FORMAT);
  const char *text = vl_tensor_file_metadata (file, VL_KEY_VERSION);
  guint64 version;

  if (g_strcmp0 (format, VL_MODEL_FORMAT) != 0)
    return set_error (error, file, VL_MODEL_ERROR_FORMAT,
        "is not a model, expected format " VL_MODEL_FORMAT " in its metadata");
  if (text == NULL ||
      !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT, &version, NULL))
    return set_error (error, file, VL_MODEL_ERROR_FORMAT,
        "has no format_version, expected a number");
  if (version != VL_MODEL_VERSION)
    return vl_model_set_error (error, vl_tensor_file_path (file),
        VL_MODEL_ERROR_VERSION, "is a model of format version %u, expected %d",
        (guint)version, VL_MODEL_VERSION);
  return TRUE;
}

static gboolean
read_architecture (
    VlTensorFile *file, VlVae *vae, VlMdnRnn *rnn, GError **error)
{
  g_autoptr (JsonObject) object =
      read_object (file, VL_KEY_ARCHITECTURE, error);
  VlArchitecture a;

  if (object == NULL)
    return FALSE;
  if (!vl_json_get_uint (object, "width", &a.width) ||
      !vl_json_get_uint (object, "latent", &a.latent) ||
      !vl_json_get_uint (object, "extra", &a.extra) ||
      !vl_json_get_uint (object, "hidden_dim", &a.hidden_dim) ||
      !vl_json_get_uint (object, "hidden_units", &a.hidden_units) ||
      !vl_json_get_uint (object, "layers", &a.layers) ||
      !vl_json_get_uint (object, "gaussians", &a.gaussians) ||
      !vl_json_get_boolean (object, "residual", &a.residual))
    return set_error (error, file, VL_MODEL_ERROR_FORMAT,
        "architecture lacks a size, expected width, latent, extra, hidden_dim, "
        "hidden_units, layers, gaussians and residual");
  return vl_architecture_init (&a, vae, rnn, vl_tensor_file_path (file), error);
}

/* "10/1" */
static gboolean
parse_rate (const char *text, VlInput *input)
{
  g_auto (GStrv) parts = g_strsplit (text, "/", 3);
  guint64 n, d;

  if (g_strv_length (parts) != 2 ||
      !g_ascii_string_to_unsigned (
          parts[0], 10, 1, VL_MODEL_MAX_RATE, &n, NULL) ||
      !g_ascii_string_to_unsigned (
          parts[1], 10, 1, VL_MODEL_MAX_RATE, &d, NULL))
    return FALSE;
  input->rate_n = n;
  input->rate_d = d;
  return TRUE;
}

static gboolean
parse_channels (const char *text, VlInput *input)
{
  input->kind = g_str_equal (text, "motion") ? VL_INPUT_MOTION : VL_INPUT_RGB;
  return input->kind == VL_INPUT_MOTION || g_str_equal (text, "rgb");
}

static gboolean
read_input (
    VlTensorFile *file, VlInput *input, unsigned vae_width, GError **error)
{
  g_autoptr (JsonObject) object = read_object (file, VL_KEY_INPUT, error);
  const char *channels, *rate;

  if (object == NULL)
    return FALSE;
  channels = vl_json_get_string (object, "channels");
  rate = vl_json_get_string (object, "rate");
  if (channels == NULL || !parse_channels (channels, input) || rate == NULL ||
      !parse_rate (rate, input))
    return set_error (error, file, VL_MODEL_ERROR_FORMAT,
        "input has no valid channels or rate, expected \"rgb\" or \"motion\" "
        "and a fraction such as \"10/1\"");
  if (!vl_json_get_uint (object, "width", &input->width) ||
      !vl_json_get_uint (object, "height", &input->height) ||
      !vl_json_get_uint (object, "stride", &input->stride) ||
      !vl_input_is_valid (input, vae_width))
    return vl_model_set_error (error, vl_tensor_file_path (file),
        VL_MODEL_ERROR_FORMAT,
        "input has no valid size, expected width and height of %d to %d, "
        "times the networks' width at most %u, and a stride that is a multiple "
        "of %d",
        VL_WINDOW, VL_MODEL_MAX_SIDE, VL_MODEL_MAX_WORK, VL_VAE_STEP);
  return TRUE;
}

static gboolean
import_tensors (VlTensorFile *file, const char *prefix,
    const VlTensorSpec *specs, unsigned n, float *arena, GError **error)
{
  for (unsigned i = 0; i < n; i++) {
    if (!vl_model_import_tensor (file, prefix, &specs[i], arena, error))
      return FALSE;
  }
  return TRUE;
}

/* The model without its calibration. */
static VlModel *
read_networks (VlTensorFile *file, GError **error)
{
  VlInput input;
  VlVae vae;
  VlMdnRnn rnn;
  g_autoptr (VlModel) model = NULL;

  /* all tensors are in the file before memory of their size is allocated */
  if (!read_architecture (file, &vae, &rnn, error) ||
      !read_input (file, &input, vae.width, error) ||
      !vl_model_check_tensors (
          file, VL_VAE_PREFIX, vae.specs, VL_VAE_N_TENSORS, error) ||
      !vl_model_check_tensors (
          file, VL_MDNRNN_PREFIX, rnn.specs, rnn.n_tensors, error))
    return NULL;

  model = vl_model_new (&input, &vae, &rnn);
  if (!import_tensors (file, VL_VAE_PREFIX, vae.specs, VL_VAE_N_TENSORS,
          model->vae_params, error) ||
      !import_tensors (file, VL_MDNRNN_PREFIX, rnn.specs, rnn.n_tensors,
          model->rnn_params, error))
    return NULL;
  return g_steal_pointer (&model);
}

/* A tensor of the calibration, named after its channel. */
static const float *
calibration_tensor (VlTensorFile *file, const char *channel, const char *part,
    guint64 n, GError **error)
{
  g_autofree char *name =
      g_strconcat ("calibration.", channel, ".", part, NULL);

  return vl_model_tensor (file, name, 1, &n, error);
}

static gboolean
all_positive (const float *numbers, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    if (!(numbers[i] > 0))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_ascending (const float *numbers, gsize n)
{
  for (gsize i = 1; i < n; i++) {
    if (numbers[i] < numbers[i - 1])
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_tail (VlTensorFile *file, VlTail *tail, const char *channel,
    JsonObject *tails, GError **error)
{
  JsonObject *object = vl_json_get_object (tails, channel);
  const float *body =
      calibration_tensor (file, channel, "body", VL_TAIL_BODY, error);

  if (body == NULL)
    return FALSE;
  memcpy (tail->body, body, sizeof tail->body);
  if (object == NULL || !vl_json_get_double (object, "u", &tail->u) ||
      !vl_json_get_double (object, "zeta", &tail->zeta) ||
      !vl_json_get_double (object, "xi", &tail->xi) ||
      !vl_json_get_double (object, "sigma", &tail->sigma) ||
      !vl_json_get_double (object, "theta", &tail->theta) ||
      !(tail->zeta > 0 && tail->zeta < 1) || !(tail->xi >= 0) ||
      !(tail->sigma > 0) || !(tail->theta > 0 && tail->theta <= 1) ||
      !is_ascending (tail->body, VL_TAIL_BODY))
    return vl_model_set_error (error, vl_tensor_file_path (file),
        VL_MODEL_ERROR_FORMAT,
        "calibration of %s has no valid tail, expected u, zeta in (0,1), "
        "xi >= 0, sigma > 0, theta in (0,1] and an ascending body",
        channel);
  return TRUE;
}

static gboolean
read_channel (VlTensorFile *file, VlChannelCalibration *channel, gsize n,
    const char *name, JsonObject *tails, GError **error)
{
  const float *mean = calibration_tensor (file, name, "mean", n, error);
  const float *spread =
      mean ? calibration_tensor (file, name, "spread", n, error) : NULL;

  if (spread == NULL)
    return FALSE;
  if (!all_positive (spread, n))
    return vl_model_set_error (error, vl_tensor_file_path (file),
        VL_MODEL_ERROR_FORMAT,
        "calibration.%s.spread has numbers that are not above 0", name);
  memcpy (channel->mean, mean, n * sizeof *mean);
  memcpy (channel->spread, spread, n * sizeof *spread);
  return read_tail (file, &channel->tail, name, tails, error);
}

/* Sets the model's calibration to tables that hold the latents' statistics. */
static gboolean
read_latent_statistics (VlTensorFile *file, VlModel *model, GError **error)
{
  const guint64 shape[] = {
      vl_model_grid_height (model), vl_model_grid_width (model), model->vae.Z};
  const gsize n = shape[0] * shape[1] * shape[2];
  const float *mean, *spread;

  mean = vl_model_tensor (file, "calibration.latent_mean", 3, shape, error);
  spread = mean ? vl_model_tensor (
                      file, "calibration.latent_spread", 3, shape, error)
                : NULL;
  if (spread == NULL)
    return FALSE;
  if (!all_positive (spread, n))
    return set_error (error, file, VL_MODEL_ERROR_FORMAT,
        "calibration.latent_spread has numbers that are not above 0");

  model->calibration =
      vl_calibration_new (vl_model_n_tiles (model), model->vae.Z);
  memcpy (model->calibration->latent_mean, mean, n * sizeof *mean);
  memcpy (model->calibration->latent_spread, spread, n * sizeof *spread);
  return TRUE;
}

static gboolean
read_background (VlTensorFile *file, VlModel *model, GError **error)
{
  const VlInput *input = &model->input;
  const guint64 shape[] = {
      input->height, input->width, vl_input_bytes_per_pixel (input)};
  const gsize n = shape[0] * shape[1] * shape[2];
  const float *levels =
      vl_model_tensor (file, "calibration.background", 3, shape, error);

  if (levels == NULL)
    return FALSE;
  model->background = g_malloc (n);
  for (gsize i = 0; i < n; i++) {
    if (levels[i] < 0 || levels[i] > 255)
      return set_error (error, file, VL_MODEL_ERROR_FORMAT,
          "calibration.background has levels outside 0 to 255");
    model->background[i] = (guint8)(levels[i] + 0.5f);
  }
  return TRUE;
}

static gboolean
read_calibration (VlTensorFile *file, VlModel *model, GError **error)
{
  g_autoptr (JsonObject) object = NULL;
  JsonObject *tails;
  VlCalibration *calibration;

  if (vl_tensor_file_metadata (file, VL_KEY_CALIBRATION) == NULL)
    return TRUE;
  object = read_object (file, VL_KEY_CALIBRATION, error);
  if (object == NULL || !read_latent_statistics (file, model, error))
    return FALSE;
  calibration = model->calibration;
  tails = vl_json_get_object (object, "tails");
  if (tails == NULL ||
      !vl_json_get_uint (object, "n_frames", &calibration->n_frames))
    return set_error (error, file, VL_MODEL_ERROR_FORMAT,
        "calibration of its metadata is incomplete, expected n_frames and "
        "tails");

  for (unsigned c = 0; c < VL_N_CHANNELS; c++) {
    if (!read_channel (file, &calibration->channels[c], calibration->n_tiles,
            vl_channel_name (c), tails, error))
      return FALSE;
  }
  return read_tail (file, &calibration->combined, "combined", tails, error) &&
         read_background (file, model, error);
}

static gboolean
read_record (VlTensorFile *file, VlModel *model, GError **error)
{
  g_autoptr (JsonObject) object = NULL;
  const char *text = vl_tensor_file_metadata (file, VL_KEY_TRAINING);

  if (text == NULL)
    return TRUE;
  object = read_object (file, VL_KEY_TRAINING, error);
  if (object == NULL)
    return FALSE;
  model->record = g_strdup (text);
  return TRUE;
}

static gboolean
check_self_test (VlTensorFile *file, const VlModel *model, GError **error)
{
  g_autoptr (JsonObject) object = read_object (file, VL_KEY_SELF_TEST, error);
  g_autoptr (VlSelfTest) expected = vl_self_test_new (model->vae.Z);
  g_autoptr (VlSelfTest) computed = NULL;

  if (object == NULL)
    return FALSE;
  if (!vl_json_get_floats (object, "mu", expected->mu, expected->Z) ||
      !vl_json_get_floats (
          object, "x_hat", expected->x_hat, VL_SELF_TEST_PIXELS) ||
      !vl_json_get_double (object, "nll", &expected->nll))
    return vl_model_set_error (error, vl_tensor_file_path (file),
        VL_MODEL_ERROR_FORMAT,
        "self_test is incomplete, expected %u mu, %d x_hat and nll",
        expected->Z, VL_SELF_TEST_PIXELS);
  computed = vl_self_test_run (model);
  if (!vl_self_test_agrees (computed, expected))
    return set_error (error, file, VL_MODEL_ERROR_SELF_TEST,
        "computes other numbers here than where it was saved: the file is "
        "damaged, or this machine's BLAS is wrong");
  return TRUE;
}

VlModel *
vl_model_read (VlTensorFile *file, GError **error)
{
  g_autoptr (VlModel) model = NULL;
  GError *cause = NULL;

  if (!check_version (file, error))
    return NULL;
  model = read_networks (file, error);
  if (model == NULL || !read_calibration (file, model, error) ||
      !read_record (file, model, error) ||
      !check_self_test (file, model, error))
    return NULL;
  /* last, so that damage is named more closely where it can be */
  if (!vl_tensor_file_verify (file, &cause)) {
    vl_model_take_error (error, cause);
    return NULL;
  }
  model->checksum = vl_tensor_file_checksum (file);
  return g_steal_pointer (&model);
}
