/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Importing PyTorch's weights: sizes are read off the shapes, the unfolded
 * decoder is folded exactly, and what does not fit is named. */

#include <check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "model-fixture.h"

/* Odd and unequal, so that a swapped index shows. */
enum {
  W = 2,
  Z = 3,
  C = 8 * W * 36, /* fc3's outputs */
  N = 4 * W * 25, /* deconv1's */
  D = 5,
  H = 4,
  K = 2
};

static char *directory, *vae_path, *rnn_path;

static void
setup (void)
{
  directory = g_dir_make_tmp ("vaelstm-XXXXXX", NULL);
  vae_path = g_build_filename (directory, "vae.safetensors", NULL);
  rnn_path = g_build_filename (directory, "mdnrnn.safetensors", NULL);
}

static void
teardown (void)
{
  g_unlink (vae_path);
  g_unlink (rnn_path);
  ck_assert_int_eq (g_rmdir (directory), 0);
  g_free (rnn_path);
  g_free (vae_path);
  g_free (directory);
}

typedef struct {
  const char *name;
  unsigned n_dims;
  guint64 shape[4];
} Layer;

static const Layer vae_layers[] = {{"conv1.weight", 4, {W, 3, 4, 4}},
    {"conv1.bias", 1, {W}}, {"conv2.weight", 4, {2 * W, W, 4, 4}},
    {"conv2.bias", 1, {2 * W}}, {"conv3.weight", 4, {4 * W, 2 * W, 4, 4}},
    {"conv3.bias", 1, {4 * W}}, {"conv4.weight", 4, {8 * W, 4 * W, 4, 4}},
    {"conv4.bias", 1, {8 * W}}, {"fc1.weight", 2, {Z, C}}, {"fc1.bias", 1, {Z}},
    {"fc2.weight", 2, {Z, C}}, {"fc2.bias", 1, {Z}},
    {"deconv2.weight", 4, {4 * W, 2 * W, 5, 5}}, {"deconv2.bias", 1, {2 * W}},
    {"deconv3.weight", 4, {2 * W, W, 5, 5}}, {"deconv3.bias", 1, {W}},
    {"deconv4.weight", 4, {W, W / 2, 6, 6}}, {"deconv4.bias", 1, {W / 2}},
    {"deconv5.weight", 4, {W / 2, 3, 6, 6}}, {"deconv5.bias", 1, {3}}};
static const Layer unfolded_layers[] = {{"fc3.weight", 2, {C, Z}},
    {"fc3.bias", 1, {C}}, {"deconv1.weight", 4, {C, 4 * W, 5, 5}},
    {"deconv1.bias", 1, {4 * W}}};
static const Layer folded_layers[] = {
    {"deconv1.weight", 4, {Z, 4 * W, 5, 5}}, {"deconv1.bias", 1, {4 * W}}};
static const Layer mapped_layers[] = {{"deconv1.weight", 4, {Z, 4 * W, 5, 5}},
    {"deconv1.bias", 3, {4 * W, 5, 5}}};
static const Layer rnn_layers[] = {{"fc1.weight", 2, {D, Z}},
    {"fc1.bias", 1, {D}}, {"lstm.weight_ih_l0", 2, {4 * H, D}},
    {"lstm.weight_hh_l0", 2, {4 * H, H}}, {"lstm.bias_ih_l0", 1, {4 * H}},
    {"lstm.bias_hh_l0", 1, {4 * H}}, {"lstm.weight_ih_l1", 2, {4 * H, H}},
    {"lstm.weight_hh_l1", 2, {4 * H, H}}, {"lstm.bias_ih_l1", 1, {4 * H}},
    {"lstm.bias_hh_l1", 1, {4 * H}}, {"z_pi.weight", 2, {K * Z, H}},
    {"z_pi.bias", 1, {K * Z}}, {"z_sigma.weight", 2, {K * Z, H}},
    {"z_sigma.bias", 1, {K * Z}}, {"z_mu.weight", 2, {K * Z, H}},
    {"z_mu.bias", 1, {K * Z}}};

/* A checkpoint as it is built; numbers own what the writer borrows. */
typedef struct {
  VlTensorWriter *writer;
  GHashTable *numbers; /* name -> float array */
} Checkpoint;

static Checkpoint
checkpoint_new (void)
{
  return (Checkpoint){vl_tensor_writer_new (),
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free)};
}

static void
checkpoint_add (Checkpoint *checkpoint, const Layer *layers, unsigned n_layers)
{
  for (unsigned i = 0; i < n_layers; i++) {
    gsize n = 1;
    float *numbers;

    for (unsigned d = 0; d < layers[i].n_dims; d++)
      n *= layers[i].shape[d];
    numbers = g_new (float, n);
    fill_random (numbers, n, 0.3f, g_str_hash (layers[i].name));
    g_hash_table_insert (
        checkpoint->numbers, (gpointer)layers[i].name, numbers);
    vl_tensor_writer_add (checkpoint->writer, layers[i].name, numbers,
        layers[i].n_dims, layers[i].shape);
  }
}

static const float *
checkpoint_get (const Checkpoint *checkpoint, const char *name)
{
  return g_hash_table_lookup (checkpoint->numbers, name);
}

static void
checkpoint_save (Checkpoint *checkpoint, const char *path)
{
  ck_assert (vl_tensor_writer_save (checkpoint->writer, path, NULL));
}

static void
checkpoint_clear (Checkpoint *checkpoint)
{
  vl_tensor_writer_free (checkpoint->writer);
  g_hash_table_unref (checkpoint->numbers);
}

#define ADD(checkpoint, layers)                                                \
  checkpoint_add (checkpoint, layers, G_N_ELEMENTS (layers))

static void
save_rnn (void)
{
  Checkpoint rnn = checkpoint_new ();

  ADD (&rnn, rnn_layers);
  checkpoint_save (&rnn, rnn_path);
  checkpoint_clear (&rnn);
}

/* Imports both files; the weight (Z,4W,5,5) and the bias (4W,5,5) of deconv1
 * in PyTorch's order. */
static VlModel *
import_deconv1 (float weight[Z * N], float bias[N])
{
  g_autoptr (GError) error = NULL;
  VlModel *model = vl_model_import (vae_path, rnn_path, &error);
  const VlTensorSpec *specs;

  ck_assert_msg (model != NULL, "%s", error ? error->message : "");
  specs = model->vae.specs;
  vl_tensor_export (weight, model->vae_params,
      vl_tensor_find (specs, VL_VAE_N_TENSORS, "deconv1.weight"));
  vl_tensor_export (bias, model->vae_params,
      vl_tensor_find (specs, VL_VAE_N_TENSORS, "deconv1.bias"));
  return model;
}

/* deconv1 (fc3 (z)) in full, one output after the other. */
static double
unfolded_output (const Checkpoint *vae, const float z[Z], unsigned n)
{
  const float *fc3 = checkpoint_get (vae, "fc3.weight");
  const float *fc3_bias = checkpoint_get (vae, "fc3.bias");
  const float *deconv1 = checkpoint_get (vae, "deconv1.weight");
  double y = checkpoint_get (vae, "deconv1.bias")[n / 25];

  for (unsigned c = 0; c < C; c++) {
    double x = fc3_bias[c];

    for (unsigned d = 0; d < Z; d++)
      x += (double)fc3[c * Z + d] * z[d];
    y += x * deconv1[c * N + n];
  }
  return y;
}

START_TEST (test_unfolded_decoder_is_folded_exactly)
{
  Checkpoint vae = checkpoint_new ();
  g_autoptr (VlModel) model = NULL;
  float weight[Z * N], bias[N];

  ADD (&vae, vae_layers);
  ADD (&vae, unfolded_layers);
  checkpoint_save (&vae, vae_path);
  save_rnn ();
  model = import_deconv1 (weight, bias);

  for (unsigned trial = 0; trial < 4; trial++) {
    float z[Z];

    fill_random (z, Z, 2, trial);
    for (unsigned n = 0; n < N; n++) {
      const double expected = unfolded_output (&vae, z, n);
      double y = bias[n];

      for (unsigned d = 0; d < Z; d++)
        y += (double)weight[d * N + n] * z[d];
      ck_assert_double_eq_tol (y, expected, 1e-5 * fmax (1, fabs (expected)));
    }
  }
  checkpoint_clear (&vae);
}
END_TEST

START_TEST (test_folded_decoder)
{
  Checkpoint vae = checkpoint_new ();
  g_autoptr (VlModel) model = NULL;
  float weight[Z * N], bias[N];

  ADD (&vae, vae_layers);
  ADD (&vae, folded_layers);
  checkpoint_save (&vae, vae_path);
  save_rnn ();
  model = import_deconv1 (weight, bias);

  ck_assert_mem_eq (
      weight, checkpoint_get (&vae, "deconv1.weight"), sizeof weight);
  for (unsigned n = 0; n < N; n++)
    ck_assert_float_eq (bias[n], checkpoint_get (&vae, "deconv1.bias")[n / 25]);
  checkpoint_clear (&vae);
}
END_TEST

START_TEST (test_folded_decoder_with_bias_map)
{
  Checkpoint vae = checkpoint_new ();
  g_autoptr (VlModel) model = NULL;
  float weight[Z * N], bias[N];

  ADD (&vae, vae_layers);
  ADD (&vae, mapped_layers);
  checkpoint_save (&vae, vae_path);
  save_rnn ();
  model = import_deconv1 (weight, bias);
  ck_assert_mem_eq (bias, checkpoint_get (&vae, "deconv1.bias"), sizeof bias);
  checkpoint_clear (&vae);
}
END_TEST

/* A tensor of the model, back in PyTorch's order, is the checkpoint's. */
static void
assert_imported (const Checkpoint *checkpoint, const VlTensorSpec *specs,
    unsigned n_specs, const float *params, const Layer *layers, unsigned n)
{
  for (unsigned i = 0; i < n; i++) {
    const VlTensorSpec *spec = vl_tensor_find (specs, n_specs, layers[i].name);
    g_autofree float *numbers = g_new (float, vl_tensor_size (spec));

    vl_tensor_export (numbers, params, spec);
    ck_assert_mem_eq (numbers, checkpoint_get (checkpoint, layers[i].name),
        vl_tensor_size (spec) * sizeof *numbers);
  }
}

START_TEST (test_sizes_come_from_the_shapes)
{
  Checkpoint vae = checkpoint_new (), rnn = checkpoint_new ();
  g_autoptr (VlModel) model = NULL;

  ADD (&vae, vae_layers);
  ADD (&vae, folded_layers);
  checkpoint_save (&vae, vae_path);
  ADD (&rnn, rnn_layers);
  checkpoint_save (&rnn, rnn_path);
  model = vl_model_import (vae_path, rnn_path, NULL);
  ck_assert_ptr_nonnull (model);
  ck_assert_uint_eq (model->vae.width, W);
  ck_assert_uint_eq (model->vae.Z, Z);
  ck_assert_uint_eq (model->rnn.extra, 0);
  ck_assert_uint_eq (model->rnn.D, D);
  ck_assert_uint_eq (model->rnn.H, H);
  ck_assert_uint_eq (model->rnn.layers, 2);
  ck_assert_uint_eq (model->rnn.K, K);
  ck_assert (!model->rnn.residual);
  ck_assert_ptr_null (model->calibration);
  ck_assert_uint_eq (model->input.width, 128);
  ck_assert_uint_eq (model->input.kind, VL_INPUT_RGB);
  assert_imported (&vae, model->vae.specs, VL_VAE_N_TENSORS, model->vae_params,
      vae_layers, G_N_ELEMENTS (vae_layers));
  assert_imported (&rnn, model->rnn.specs, model->rnn.n_tensors,
      model->rnn_params, rnn_layers, G_N_ELEMENTS (rnn_layers));
  checkpoint_clear (&vae);
  checkpoint_clear (&rnn);
}
END_TEST

START_TEST (test_imported_model_saves_and_loads)
{
  Checkpoint vae = checkpoint_new ();
  g_autoptr (VlModel) model = NULL, loaded = NULL;
  g_autofree char *path = g_build_filename (directory, "m.vaelstm", NULL);

  ADD (&vae, vae_layers);
  ADD (&vae, unfolded_layers);
  checkpoint_save (&vae, vae_path);
  save_rnn ();
  model = vl_model_import (vae_path, rnn_path, NULL);
  ck_assert_ptr_nonnull (model);
  ck_assert (vl_model_save (model, path, NULL));
  loaded = vl_model_load (path, NULL);
  ck_assert_ptr_nonnull (loaded);
  ck_assert_mem_eq (loaded->vae_params, model->vae_params,
      model->vae.n_params * sizeof (float));
  g_unlink (path);
  checkpoint_clear (&vae);
}
END_TEST

static void
assert_import_fails (VlModelError code, const char *file, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strconcat (file, ": ", message, NULL);

  ck_assert_ptr_null (vl_model_import (vae_path, rnn_path, &error));
  ck_assert_str_eq (error->message, expected);
  ck_assert (g_error_matches (error, VL_MODEL_ERROR, code));
}

START_TEST (test_each_missing_tensor_is_named)
{
  Checkpoint vae = checkpoint_new ();

  ADD (&vae, vae_layers);
  ADD (&vae, unfolded_layers);
  checkpoint_save (&vae, vae_path);
  for (unsigned i = 0; i < G_N_ELEMENTS (rnn_layers); i++) {
    Checkpoint rnn = checkpoint_new ();
    g_autofree char *message =
        g_strdup_printf ("tensor %s is missing", rnn_layers[i].name);

    checkpoint_add (&rnn, rnn_layers, i);
    checkpoint_add (
        &rnn, rnn_layers + i + 1, G_N_ELEMENTS (rnn_layers) - i - 1);
    checkpoint_save (&rnn, rnn_path);
    /* without layer 1's first matrix there is but one layer */
    if (!g_str_equal (rnn_layers[i].name, "lstm.weight_ih_l1"))
      assert_import_fails (VL_MODEL_ERROR_SHAPE, rnn_path, message);
    checkpoint_clear (&rnn);
  }
  checkpoint_clear (&vae);
}
END_TEST

/* One wrong layer in an otherwise sound pair of files. */
static void
assert_layer_fails (const Layer *wrong, gboolean in_vae, const char *message)
{
  const Layer *layers = in_vae ? vae_layers : rnn_layers;
  const unsigned n =
      in_vae ? G_N_ELEMENTS (vae_layers) : G_N_ELEMENTS (rnn_layers);
  Checkpoint good = checkpoint_new (), bad = checkpoint_new ();

  if (in_vae) {
    ADD (&good, rnn_layers);
    ADD (&bad, folded_layers);
  } else {
    ADD (&good, vae_layers);
    ADD (&good, folded_layers);
  }
  for (unsigned i = 0; i < n; i++) {
    if (g_str_equal (layers[i].name, wrong->name))
      checkpoint_add (&bad, wrong, 1);
    else
      checkpoint_add (&bad, &layers[i], 1);
  }
  checkpoint_save (&good, in_vae ? rnn_path : vae_path);
  checkpoint_save (&bad, in_vae ? vae_path : rnn_path);
  assert_import_fails (
      VL_MODEL_ERROR_SHAPE, in_vae ? vae_path : rnn_path, message);
  checkpoint_clear (&good);
  checkpoint_clear (&bad);
}

START_TEST (test_inconsistent_widths_are_named)
{
  g_autofree char *inputs = g_strdup_printf (
      "tensor fc1.weight has 4 inputs, expected 3, the latents of %s, or two "
      "more",
      vae_path);

  assert_layer_fails (&(Layer){"conv3.weight", 4, {8, 6, 4, 4}}, TRUE,
      "tensor conv3.weight has shape 8x6x4x4, expected 8x4x4x4");
  assert_layer_fails (&(Layer){"conv1.weight", 2, {2, 48}}, TRUE,
      "tensor conv1.weight has 2 dimensions, expected 4 of 1 or more");
  assert_layer_fails (&(Layer){"fc1.weight", 2, {D, 4}}, FALSE, inputs);
  assert_layer_fails (&(Layer){"z_pi.weight", 2, {7, H}}, FALSE,
      "tensor z_pi.weight has 7 outputs, expected a multiple of 3 latents");
  assert_layer_fails (&(Layer){"z_mu.weight", 2, {9, H}}, FALSE,
      "tensor z_mu.weight has shape 9x4, expected 6x4");
}
END_TEST

START_TEST (test_unreadable_files)
{
  save_rnn ();
  assert_import_fails (VL_MODEL_ERROR_READ, vae_path,
      "cannot be opened: No such file or directory");
}
END_TEST

START_TEST (test_nan_is_refused)
{
  Checkpoint vae = checkpoint_new ();
  float *fc3;

  ADD (&vae, vae_layers);
  ADD (&vae, unfolded_layers);
  fc3 = g_hash_table_lookup (vae.numbers, "fc3.weight");
  fc3[11] = NAN;
  checkpoint_save (&vae, vae_path);
  save_rnn ();
  assert_import_fails (VL_MODEL_ERROR_NON_FINITE, vae_path,
      "tensor fc3.weight has numbers that are NaN or infinite");
  checkpoint_clear (&vae);
}
END_TEST

static Suite *
import_suite (void)
{
  Suite *suite = suite_create ("import");
  TCase *tcase = tcase_create ("import");

  tcase_add_checked_fixture (tcase, setup, teardown);
  tcase_add_test (tcase, test_unfolded_decoder_is_folded_exactly);
  tcase_add_test (tcase, test_folded_decoder);
  tcase_add_test (tcase, test_folded_decoder_with_bias_map);
  tcase_add_test (tcase, test_sizes_come_from_the_shapes);
  tcase_add_test (tcase, test_imported_model_saves_and_loads);
  tcase_add_test (tcase, test_each_missing_tensor_is_named);
  tcase_add_test (tcase, test_inconsistent_widths_are_named);
  tcase_add_test (tcase, test_unreadable_files);
  tcase_add_test (tcase, test_nan_is_refused);
  tcase_set_timeout (tcase, 60);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (void)
{
  SRunner *runner = srunner_create (import_suite ());
  int failed;

  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed != 0;
}
