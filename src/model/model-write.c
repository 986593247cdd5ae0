/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model-file.h"

#include <math.h>
#include <string.h>

#include "json.h"
#include "self-test.h"

static void
add_object (VlTensorWriter *writer, const char *key, JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, FALSE);

  vl_tensor_writer_metadata (writer, key, text);
}

static void
set_int (JsonBuilder *builder, const char *member, gint64 value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_int_value (builder, value);
}

static void
set_double (JsonBuilder *builder, const char *member, double value)
{
  json_builder_set_member_name (builder, member);
  json_builder_add_double_value (builder, value);
}

static void
set_floats (
    JsonBuilder *builder, const char *member, const float *numbers, guint n)
{
  json_builder_set_member_name (builder, member);
  json_builder_begin_array (builder);
  for (guint i = 0; i < n; i++)
    json_builder_add_double_value (builder, numbers[i]);
  json_builder_end_array (builder);
}

static void
add_architecture (VlTensorWriter *writer, const VlModel *model)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const VlMdnRnn *rnn = &model->rnn;

  json_builder_begin_object (builder);
  set_int (builder, "width", model->vae.width);
  set_int (builder, "latent", model->vae.Z);
  set_int (builder, "extra", rnn->extra);
  set_int (builder, "hidden_dim", rnn->D);
  set_int (builder, "hidden_units", rnn->H);
  set_int (builder, "layers", rnn->layers);
  set_int (builder, "gaussians", rnn->K);
  json_builder_set_member_name (builder, "residual");
  json_builder_add_boolean_value (builder, rnn->residual);
  json_builder_end_object (builder);
  add_object (writer, VL_KEY_ARCHITECTURE, builder);
}

static void
add_input (VlTensorWriter *writer, const VlInput *input)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *rate =
      g_strdup_printf ("%u/%u", input->rate_n, input->rate_d);

  json_builder_begin_object (builder);
  set_int (builder, "width", input->width);
  set_int (builder, "height", input->height);
  set_int (builder, "stride", input->stride);
  json_builder_set_member_name (builder, "channels");
  json_builder_add_string_value (
      builder, input->kind == VL_INPUT_MOTION ? "motion" : "rgb");
  json_builder_set_member_name (builder, "rate");
  json_builder_add_string_value (builder, rate);
  json_builder_end_object (builder);
  add_object (writer, VL_KEY_INPUT, builder);
}

static void
add_self_test (VlTensorWriter *writer, const VlSelfTest *test)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  set_floats (builder, "mu", test->mu, test->Z);
  set_floats (builder, "x_hat", test->x_hat, VL_SELF_TEST_PIXELS);
  set_double (builder, "nll", test->nll);
  json_builder_end_object (builder);
  add_object (writer, VL_KEY_SELF_TEST, builder);
}

static void
set_tail (JsonBuilder *builder, const char *member, const VlTail *tail)
{
  json_builder_set_member_name (builder, member);
  json_builder_begin_object (builder);
  set_double (builder, "u", tail->u);
  set_double (builder, "zeta", tail->zeta);
  set_double (builder, "xi", tail->xi);
  set_double (builder, "sigma", tail->sigma);
  set_double (builder, "theta", tail->theta);
  json_builder_end_object (builder);
}

static void
add_tails (VlTensorWriter *writer, const VlCalibration *calibration)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  set_int (builder, "n_frames", calibration->n_frames);
  json_builder_set_member_name (builder, "tails");
  json_builder_begin_object (builder);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++)
    set_tail (builder, vl_channel_name (c), &calibration->channels[c].tail);
  set_tail (builder, "combined", &calibration->combined);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
  add_object (writer, VL_KEY_CALIBRATION, builder);
}

static void
add_vector (VlTensorWriter *writer, const char *channel, const char *part,
    const float *numbers, guint64 n)
{
  g_autofree char *name =
      g_strconcat ("calibration.", channel, ".", part, NULL);

  vl_tensor_writer_add (writer, name, numbers, 1, &n);
}

/* background: the model's, as floats. */
static void
add_calibration (
    VlTensorWriter *writer, const VlModel *model, const float *background)
{
  const VlCalibration *calibration = model->calibration;
  const VlInput *input = &model->input;
  const guint64 latents[] = {vl_model_grid_height (model),
      vl_model_grid_width (model), calibration->Z};
  const guint64 picture[] = {
      input->height, input->width, vl_input_bytes_per_pixel (input)};

  add_tails (writer, calibration);
  vl_tensor_writer_add (
      writer, "calibration.latent_mean", calibration->latent_mean, 3, latents);
  vl_tensor_writer_add (writer, "calibration.latent_spread",
      calibration->latent_spread, 3, latents);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++) {
    const VlChannelCalibration *channel = &calibration->channels[c];
    const char *name = vl_channel_name (c);

    add_vector (writer, name, "mean", channel->mean, calibration->n_tiles);
    add_vector (writer, name, "spread", channel->spread, calibration->n_tiles);
    add_vector (writer, name, "body", channel->tail.body, VL_TAIL_BODY);
  }
  add_vector (
      writer, "combined", "body", calibration->combined.body, VL_TAIL_BODY);
  vl_tensor_writer_add (
      writer, "calibration.background", background, 3, picture);
}

/* The model's background as floats; free with g_free(). */
static float *
background_levels (const VlModel *model)
{
  const VlInput *input = &model->input;
  const gsize n =
      (gsize)input->width * input->height * vl_input_bytes_per_pixel (input);
  float *levels = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    levels[i] = model->background[i];
  return levels;
}

/* Adds a network's tensors from an arena, through one of the same size in
 * PyTorch's order. */
static void
add_network (VlTensorWriter *writer, const char *prefix,
    const VlTensorSpec *specs, unsigned n, const float *arena,
    float *torch_order)
{
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *name = g_strconcat (prefix, specs[i].name, NULL);
    float *numbers = torch_order + specs[i].offset;
    guint64 shape[4];
    const unsigned n_dims = vl_model_spec_shape (&specs[i], shape);

    vl_tensor_export (numbers, arena, &specs[i]);
    vl_tensor_writer_add (writer, name, numbers, n_dims, shape);
  }
}

static gboolean
is_finite_tail (const VlTail *tail)
{
  return vl_all_finite (tail->body, VL_TAIL_BODY) && isfinite (tail->u) &&
         isfinite (tail->zeta) && isfinite (tail->xi) &&
         isfinite (tail->sigma) && isfinite (tail->theta);
}

static gboolean
is_finite_calibration (const VlCalibration *calibration)
{
  const gsize n = (gsize)calibration->n_tiles * calibration->Z;

  for (unsigned c = 0; c < VL_N_CHANNELS; c++) {
    const VlChannelCalibration *channel = &calibration->channels[c];

    if (!vl_all_finite (channel->mean, calibration->n_tiles) ||
        !vl_all_finite (channel->spread, calibration->n_tiles) ||
        !is_finite_tail (&channel->tail))
      return FALSE;
  }
  return vl_all_finite (calibration->latent_mean, n) &&
         vl_all_finite (calibration->latent_spread, n) &&
         is_finite_tail (&calibration->combined);
}

static gboolean
is_finite_model (const VlModel *model, const VlSelfTest *test)
{
  return vl_all_finite (model->vae_params, model->vae.n_params) &&
         vl_all_finite (model->rnn_params, model->rnn.n_params) &&
         vl_self_test_is_finite (test) &&
         (model->calibration == NULL ||
             is_finite_calibration (model->calibration));
}

/* Refuses what could not be loaded again. */
static gboolean
check_writable (const VlModel *model, const VlSelfTest *test, const char *path,
    GError **error)
{
  g_autoptr (JsonObject) record = NULL;
  g_autoptr (GError) cause = NULL;

  if (!is_finite_model (model, test))
    return vl_model_set_error (error, path, VL_MODEL_ERROR_NON_FINITE,
        "cannot be written: the model has or computes numbers that are NaN or "
        "infinite");
  if (!vl_input_is_valid (&model->input, model->vae.width))
    return vl_model_set_error (error, path, VL_MODEL_ERROR_FORMAT,
        "cannot be written: its size, stride, rate or width is out of range");
  if (model->record == NULL)
    return TRUE;
  record = vl_json_parse_object (model->record, strlen (model->record), &cause);
  if (record == NULL)
    return vl_model_set_error (error, path, VL_MODEL_ERROR_WRITE,
        "cannot be written: the training record %s", cause->message);
  return TRUE;
}

gboolean
vl_model_save (VlModel *model, const char *path, GError **error)
{
  g_autoptr (VlTensorWriter) writer = vl_tensor_writer_new ();
  g_autoptr (VlSelfTest) test = vl_self_test_run (model);
  g_autofree float *vae = g_new (float, model->vae.n_params);
  g_autofree float *rnn = g_new (float, model->rnn.n_params);
  g_autofree float *background = NULL;
  g_autofree char *version = g_strdup_printf ("%d", VL_MODEL_VERSION);
  GError *cause = NULL;

  if (!check_writable (model, test, path, error))
    return FALSE;
  vl_tensor_writer_metadata (writer, VL_KEY_FORMAT, VL_MODEL_FORMAT);
  vl_tensor_writer_metadata (writer, VL_KEY_VERSION, version);
  if (model->record != NULL)
    vl_tensor_writer_metadata (writer, VL_KEY_TRAINING, model->record);
  add_architecture (writer, model);
  add_input (writer, &model->input);
  add_self_test (writer, test);
  add_network (writer, VL_VAE_PREFIX, model->vae.specs, VL_VAE_N_TENSORS,
      model->vae_params, vae);
  add_network (writer, VL_MDNRNN_PREFIX, model->rnn.specs, model->rnn.n_tensors,
      model->rnn_params, rnn);
  if (model->calibration != NULL) {
    background = background_levels (model);
    add_calibration (writer, model, background);
  }

  if (!vl_tensor_writer_save (writer, path, &cause))
    return vl_model_take_error (error, cause);
  g_free (model->checksum);
  model->checksum = g_strdup (vl_tensor_writer_checksum (writer));
  return TRUE;
}
