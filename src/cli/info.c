/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

#include "model.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>

/* How often an alarm may be false, and what score that takes. */
static const struct {
  const char *name, *words;
  double per_day;
} rates[] = {{"per_hour", "an hour", 24}, {"per_day", "a day", 1},
    {"per_week", "a week", 1.0 / 7}};

typedef struct {
  gboolean json;
  char **models;
} Options;

static gboolean
read_options (int argc, char **argv, Options *o, GError **error)
{
  const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &o->json,
                                      "Print one JSON object", NULL},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->models, NULL,
          NULL},
      {NULL}};

  if (!vl_command_parse (
          argc, argv, entries, "MODEL", "Describes a model.", error) ||
      !vl_command_require (o->models, "a MODEL", error))
    return FALSE;
  return o->models[1] == NULL || vl_usage_error (error, "expected one MODEL");
}

static const char *
kind_name (const VlModel *model)
{
  return model->input.kind == VL_INPUT_RGB ? "rgb" : "motion";
}

static double
calibrated_seconds (const VlModel *model)
{
  return model->calibration->n_frames / vl_input_rate (&model->input);
}

static double
threshold (const VlModel *model, double per_day)
{
  return vl_calibration_threshold (
      model->calibration, per_day, vl_input_rate (&model->input));
}

static void
add_number (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static void
add_whole (JsonBuilder *json, const char *name, gint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

static void
begin (JsonBuilder *json, const char *name)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
}

static void
add_architecture (JsonBuilder *json, const VlModel *model)
{
  begin (json, "architecture");
  begin (json, "vae");
  add_whole (json, "width", model->vae.width);
  add_whole (json, "latent", model->vae.Z);
  add_whole (json, "weights", (gint64)model->vae.n_params);
  json_builder_end_object (json);
  begin (json, "mdnrnn");
  add_whole (json, "inputs", model->rnn.Z + model->rnn.extra);
  add_whole (json, "fc1", model->rnn.D);
  add_whole (json, "hidden", model->rnn.H);
  add_whole (json, "layers", model->rnn.layers);
  add_whole (json, "mixtures", model->rnn.K);
  json_builder_set_member_name (json, "residual");
  json_builder_add_boolean_value (json, model->rnn.residual != 0);
  add_whole (json, "weights", (gint64)model->rnn.n_params);
  json_builder_end_object (json);
  json_builder_end_object (json);
}

static void
add_preprocessing (JsonBuilder *json, const VlModel *model)
{
  begin (json, "preprocessing");
  add_whole (json, "width", model->input.width);
  add_whole (json, "height", model->input.height);
  add_whole (json, "stride", model->input.stride);
  add_whole (json, "grid_width", vl_model_grid_width (model));
  add_whole (json, "grid_height", vl_model_grid_height (model));
  json_builder_set_member_name (json, "channels");
  json_builder_add_string_value (json, kind_name (model));
  add_number (json, "rate", vl_input_rate (&model->input));
  json_builder_end_object (json);
}

/* The record is JSON already; a model without one has null. */
static void
add_record (JsonBuilder *json, const VlModel *model)
{
  JsonNode *record =
      model->record != NULL ? json_from_string (model->record, NULL) : NULL;

  json_builder_set_member_name (json, "training");
  if (record != NULL)
    json_builder_add_value (json, record);
  else
    json_builder_add_null_value (json);
}

static void
add_calibration (JsonBuilder *json, const VlModel *model)
{
  if (model->calibration == NULL) {
    json_builder_set_member_name (json, "calibration");
    json_builder_add_null_value (json);
    return;
  }
  begin (json, "calibration");
  add_whole (json, "frames", model->calibration->n_frames);
  add_number (json, "seconds", calibrated_seconds (model));
  begin (json, "thresholds");
  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++)
    add_number (json, rates[i].name, threshold (model, rates[i].per_day));
  json_builder_end_object (json);
  json_builder_end_object (json);
}

static void
print_json (const VlModel *model, const char *path)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  g_autofree char *name = g_filename_display_name (path);

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "file");
  json_builder_add_string_value (json, name);
  add_whole (json, "version", VL_MODEL_VERSION);
  add_architecture (json, model);
  add_preprocessing (json, model);
  add_record (json, model);
  add_calibration (json, model);
  json_builder_set_member_name (json, "checksum");
  json_builder_add_string_value (json, model->checksum);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  text = json_to_string (root, TRUE);
  printf ("%s\n", text);
}

static void
print_architecture (const VlModel *model)
{
  const VlInput *input = &model->input;

  printf ("autoencoder: width %u, latent %u, %zu weights\n", model->vae.width,
      model->vae.Z, model->vae.n_params);
  printf ("lstm: %u units in %u layer%s, %u mixtures, predicts %s, %zu "
          "weights\n",
      model->rnn.H, model->rnn.layers, model->rnn.layers == 1 ? "" : "s",
      model->rnn.K, model->rnn.residual ? "the change" : "the next latent",
      model->rnn.n_params);
  printf ("input: %ux%u %s, %g frames per second, %ux%u tiles every %u "
          "pixels\n",
      input->width, input->height, kind_name (model), vl_input_rate (input),
      vl_model_grid_width (model), vl_model_grid_height (model), input->stride);
}

static void
print_record (const VlModel *model)
{
  g_autoptr (JsonNode) record =
      model->record != NULL ? json_from_string (model->record, NULL) : NULL;
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (record == NULL || !JSON_NODE_HOLDS_OBJECT (record))
    return;
  json_object_iter_init_ordered (&iter, json_node_get_object (record));
  while (json_object_iter_next_ordered (&iter, &name, &value)) {
    g_autofree char *text = json_to_string (value, FALSE);

    if (json_node_get_value_type (value) == G_TYPE_DOUBLE)
      printf ("training %s: %g\n", name, json_node_get_double (value));
    else
      printf ("training %s: %s\n", name, text);
  }
}

/* The tail beyond the footage held out is a fitted curve: says how far. */
static void
print_calibration (const VlModel *model)
{
  double seconds;

  if (model->calibration == NULL) {
    printf ("calibration: none; this model cannot score\n");
    return;
  }
  seconds = calibrated_seconds (model);
  printf ("calibration: %u held-out normal frames, %.0f s of video\n",
      model->calibration->n_frames, seconds);
  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++) {
    const double period = 86400 / rates[i].per_day;

    printf ("threshold for one false alarm %s: %.2f%s\n", rates[i].words,
        threshold (model, rates[i].per_day),
        period > seconds ? " (extrapolated)" : "");
  }
  if (seconds < 86400)
    printf ("one false alarm a day is %.0f times rarer than anything the "
            "calibration has seen: more normal video makes it surer\n",
        86400 / MAX (seconds, 1));
}

static void
print_text (const VlModel *model, const char *path)
{
  printf ("model: %s, version %d\n", path, VL_MODEL_VERSION);
  print_architecture (model);
  print_record (model);
  print_calibration (model);
  printf ("checksum: sha256 %s\n", model->checksum);
}

gboolean
vl_command_info (int argc, char **argv, GError **error)
{
  Options o = {FALSE};
  g_autoptr (VlModel) model = NULL;
  const gboolean done = read_options (argc, argv, &o, error) &&
                        (model = vl_model_load (o.models[0], error)) != NULL;

  if (done && o.json)
    print_json (model, o.models[0]);
  else if (done)
    print_text (model, o.models[0]);
  g_strfreev (o.models);
  return done;
}
