/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The model file: what is saved comes back, what is wrong is named, and
 * streams share what they load. */

#include <check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "model-fixture.h"

static char *directory, *path;

static void
setup (void)
{
  directory = g_dir_make_tmp ("vaelstm-XXXXXX", NULL);
  path = g_build_filename (directory, "room.vaelstm", NULL);
}

/* A new file: replacing one would wait for the disk. */
static void
overwrite (const char *bytes, gssize n)
{
  g_unlink (path);
  ck_assert (g_file_set_contents (path, bytes, n, NULL));
}

static void
teardown (void)
{
  g_unlink (path);
  ck_assert_int_eq (g_rmdir (directory), 0); /* nothing else was left there */
  g_free (path);
  g_free (directory);
}

/* The fixture's model, saved once: a save waits for the disk. */
static char *saved_bytes;
static gsize n_saved;

static void
save_once (void)
{
  g_autoptr (VlModel) model = make_model ();

  setup ();
  ck_assert (vl_model_save (model, path, NULL));
  ck_assert (g_file_get_contents (path, &saved_bytes, &n_saved, NULL));
  teardown ();
}

static void
free_saved (void)
{
  g_free (saved_bytes);
}

static void
save_model (void)
{
  overwrite (saved_bytes, n_saved);
}

/* Loading fails with the code and, unless NULL, what the message says after
 * the file's name. */
static void
assert_load_fails (VlModelError code, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *prefix = g_strconcat (path, ": ", NULL);

  ck_assert_ptr_null (vl_model_load (path, &error));
  ck_assert_msg (g_error_matches (error, VL_MODEL_ERROR, code),
      "expected code %d, got %d: %s", code, error->code, error->message);
  ck_assert (g_str_has_prefix (error->message, prefix));
  ck_assert_ptr_null (strchr (error->message, '\n'));
  if (message != NULL)
    ck_assert_str_eq (error->message + strlen (prefix), message);
}

#define ck_assert_same_numbers(a, b, n)                                        \
  ck_assert_mem_eq (a, b, (n) * sizeof *(a))

static void
assert_same_tail (const VlTail *a, const VlTail *b)
{
  ck_assert_same_numbers (a->body, b->body, VL_TAIL_BODY);
  ck_assert (a->u == b->u && a->zeta == b->zeta && a->xi == b->xi &&
             a->sigma == b->sigma && a->theta == b->theta);
}

static void
assert_same_calibration (const VlCalibration *a, const VlCalibration *b)
{
  ck_assert_uint_eq (a->n_tiles, b->n_tiles);
  ck_assert_uint_eq (a->Z, b->Z);
  ck_assert_uint_eq (a->n_frames, b->n_frames);
  ck_assert_same_numbers (a->latent_mean, b->latent_mean, a->n_tiles * a->Z);
  ck_assert_same_numbers (
      a->latent_spread, b->latent_spread, a->n_tiles * a->Z);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++) {
    const VlChannelCalibration *x = &a->channels[c], *y = &b->channels[c];

    ck_assert_same_numbers (x->mean, y->mean, a->n_tiles);
    ck_assert_same_numbers (x->spread, y->spread, a->n_tiles);
    assert_same_tail (&x->tail, &y->tail);
  }
  assert_same_tail (&a->combined, &b->combined);
}

static void
assert_same_networks (const VlModel *a, const VlModel *b)
{
  ck_assert_mem_eq (&a->input, &b->input, sizeof a->input);
  ck_assert_uint_eq (a->vae.width, b->vae.width);
  ck_assert_uint_eq (a->rnn.extra, b->rnn.extra);
  ck_assert_uint_eq (a->rnn.layers, b->rnn.layers);
  ck_assert_int_eq (a->rnn.residual, b->rnn.residual);
  ck_assert_uint_eq (a->vae.n_params, b->vae.n_params);
  ck_assert_uint_eq (a->rnn.n_params, b->rnn.n_params);
  ck_assert_same_numbers (a->vae_params, b->vae_params, a->vae.n_params);
  ck_assert_same_numbers (a->rnn_params, b->rnn_params, a->rnn.n_params);
}

START_TEST (test_round_trip)
{
  g_autoptr (VlModel) saved = make_model (), loaded = NULL;
  const gsize n_pixels = (gsize)saved->input.width * saved->input.height;

  ck_assert (vl_model_save (saved, path, NULL));
  loaded = vl_model_load (path, NULL);
  ck_assert_ptr_nonnull (loaded);
  assert_same_networks (saved, loaded);
  assert_same_calibration (saved->calibration, loaded->calibration);
  ck_assert_mem_eq (saved->background, loaded->background, n_pixels);
  ck_assert_str_eq (saved->record, loaded->record);
  ck_assert_str_eq (saved->checksum, loaded->checksum);
}
END_TEST

START_TEST (test_uncalibrated_round_trip)
{
  g_autoptr (VlModel) saved = make_model (), loaded = NULL;

  g_clear_pointer (&saved->calibration, vl_calibration_free);
  g_clear_pointer (&saved->background, g_free);
  g_clear_pointer (&saved->record, g_free);
  ck_assert (vl_model_save (saved, path, NULL));
  loaded = vl_model_load (path, NULL);
  ck_assert_ptr_nonnull (loaded);
  assert_same_networks (saved, loaded);
  ck_assert_ptr_null (loaded->calibration);
  ck_assert_ptr_null (loaded->background);
  ck_assert_ptr_null (loaded->record);
}
END_TEST

START_TEST (test_checksum_is_sha256_of_the_file)
{
  g_autoptr (VlModel) model = make_model ();
  g_autofree char *contents = NULL, *expected = NULL;
  gsize n;

  ck_assert (vl_model_save (model, path, NULL));
  ck_assert (g_file_get_contents (path, &contents, &n, NULL));
  expected = g_compute_checksum_for_data (
      G_CHECKSUM_SHA256, (const guchar *)contents, n);
  ck_assert_str_eq (model->checksum, expected);
}
END_TEST

START_TEST (test_unchanged_file_is_shared)
{
  g_autofree char *link_path = g_build_filename (directory, "link", NULL);
  VlModel *first, *second, *third;

  save_model ();
  ck_assert_int_eq (symlink (path, link_path), 0);
  first = vl_model_load (path, NULL);
  second = vl_model_load (link_path, NULL);
  ck_assert_ptr_nonnull (first);
  ck_assert_ptr_eq (first, second);
  vl_model_unref (first);

  save_model (); /* the same content, but a new file */
  third = vl_model_load (path, NULL);
  ck_assert_ptr_nonnull (third);
  ck_assert_ptr_ne (third, second);
  ck_assert_str_eq (third->checksum, second->checksum);
  vl_model_unref (second);
  vl_model_unref (third);
  g_unlink (link_path);
}
END_TEST

static gpointer
load_often (gpointer data)
{
  for (unsigned i = 0; i < 50; i++) {
    g_autoptr (VlModel) model = vl_model_load (path, NULL);

    if (model == NULL || model->checksum == NULL)
      return GINT_TO_POINTER (1);
  }
  return NULL;
}

START_TEST (test_threads_load_and_release)
{
  GThread *threads[4];

  save_model ();
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("load", load_often, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    ck_assert_ptr_null (g_thread_join (threads[i]));
}
END_TEST

START_TEST (test_unreadable)
{
  assert_load_fails (
      VL_MODEL_ERROR_READ, "cannot be opened: No such file or directory");
  ck_assert_int_eq (g_mkdir (path, 0700), 0);
  assert_load_fails (VL_MODEL_ERROR_READ, "is not a regular file");
  ck_assert_int_eq (g_rmdir (path), 0);
}
END_TEST

START_TEST (test_truncated)
{
  g_autofree char *whole = NULL;
  gsize n;

  save_model ();
  ck_assert (g_file_get_contents (path, &whole, &n, NULL));
  for (gsize i = 0; i < n; i += i < 100 ? 1 : 397) {
    overwrite (whole, i);
    assert_load_fails (VL_MODEL_ERROR_TRUNCATED, NULL);
  }
}
END_TEST

START_TEST (test_not_a_model)
{
  g_autoptr (VlTensorWriter) writer = vl_tensor_writer_new ();
  const float zero = 0;

  overwrite ("an ordinary text", -1);
  assert_load_fails (VL_MODEL_ERROR_FORMAT, NULL);
  vl_tensor_writer_add (writer, "x", &zero, 0, NULL);
  ck_assert (vl_tensor_writer_save (writer, path, NULL));
  assert_load_fails (VL_MODEL_ERROR_FORMAT,
      "is not a model, expected format vaelstm in its metadata");
}
END_TEST

/* Bits of the header: whatever loads after a flip has sound sizes. */
START_TEST (test_bit_flips_in_header)
{
  g_autofree char *whole = NULL;
  guint64 header;
  gsize n;

  save_model ();
  ck_assert (g_file_get_contents (path, &whole, &n, NULL));
  memcpy (&header, whole, sizeof header);
  header = GUINT64_FROM_LE (header) + sizeof header;
  for (gsize byte = 0; byte < header; byte += 3) {
    g_autoptr (VlModel) model = NULL;
    g_autoptr (GError) error = NULL;

    whole[byte] ^= 1 << byte % 7;
    overwrite (whole, n);
    whole[byte] ^= 1 << byte % 7;
    model = vl_model_load (path, &error);
    ck_assert ((model == NULL) == (error != NULL));
    if (model != NULL)
      ck_assert_uint_eq (model->vae.Z, 3);
  }
}
END_TEST

/* Wherever it is, also in the calibration, which the self-test does not see. */
START_TEST (test_any_damaged_byte_is_noticed)
{
  g_autofree char *whole = NULL;
  guint64 header;
  gsize n;

  save_model ();
  ck_assert (g_file_get_contents (path, &whole, &n, NULL));
  memcpy (&header, whole, sizeof header);
  header = GUINT64_FROM_LE (header) + sizeof header;
  for (gsize byte = header; byte < n; byte += 911) {
    g_autoptr (GError) error = NULL;

    whole[byte] ^= 1;
    overwrite (whole, n);
    whole[byte] ^= 1;
    ck_assert_ptr_null (vl_model_load (path, &error));
    ck_assert_int_eq (error->domain, VL_MODEL_ERROR);
  }
}
END_TEST

#define ARCHITECTURE(width, latent, extra, dim, units, layers, k, residual)    \
  "{\"width\":" width ",\"latent\":" latent ",\"extra\":" extra                \
  ",\"hidden_dim\":" dim ",\"hidden_units\":" units ",\"layers\":" layers      \
  ",\"gaussians\":" k ",\"residual\":" residual "}"
#define INPUT(width, height, stride, channels, rate)                           \
  "{\"width\":" width ",\"height\":" height ",\"stride\":" stride              \
  ",\"channels\":" channels ",\"rate\":" rate "}"
#define CALIBRATION(u, zeta, xi, sigma, theta)                                 \
  "{\"n_frames\":1,\"tails\":{\"dynamics\":{\"u\":" u ",\"zeta\":" zeta        \
  ",\"xi\":" xi ",\"sigma\":" sigma ",\"theta\":" theta "}}}"
#define TEN "[[[[[[[[[["
#define TEN_ENDS "]]]]]]]]]]"

static const struct {
  Edit edit;
  VlModelError code;
  const char *message;
} edits[] = {
    {{"format", NULL}, VL_MODEL_ERROR_FORMAT},
    {{"format", "other"}, VL_MODEL_ERROR_FORMAT},
    {{"format_version", NULL}, VL_MODEL_ERROR_FORMAT,
        "has no format_version, expected a number"},
    {{"format_version", "one"}, VL_MODEL_ERROR_FORMAT},
    {{"format_version", "2"}, VL_MODEL_ERROR_VERSION,
        "is a model of format version 2, expected 1"},
    {{"architecture", NULL}, VL_MODEL_ERROR_FORMAT,
        "architecture of its metadata is missing"},
    {{"architecture", ""}, VL_MODEL_ERROR_FORMAT},
    {{"architecture", "{}"}, VL_MODEL_ERROR_FORMAT},
    {{"architecture", "[1]"}, VL_MODEL_ERROR_FORMAT},
    {{"architecture", "{\"a\":" TEN TEN TEN_ENDS TEN_ENDS "}"},
        VL_MODEL_ERROR_FORMAT,
        "architecture of its metadata is nested too deeply"},
    {{"architecture", ARCHITECTURE ("0", "3", "2", "5", "4", "2", "2", "true")},
        VL_MODEL_ERROR_FORMAT, "the network has width 0, expected 2 to 256"},
    {{"architecture", ARCHITECTURE ("3", "3", "2", "5", "4", "2", "2", "true")},
        VL_MODEL_ERROR_FORMAT},
    {{"architecture",
         ARCHITECTURE ("-2", "3", "2", "5", "4", "2", "2", "true")},
        VL_MODEL_ERROR_FORMAT},
    {{"architecture",
         ARCHITECTURE ("2", "3.5", "2", "5", "4", "2", "2", "true")},
        VL_MODEL_ERROR_FORMAT},
    {{"architecture",
         ARCHITECTURE ("2", "4294967299", "2", "5", "4", "2", "2", "true")},
        VL_MODEL_ERROR_FORMAT},
    {{"architecture", ARCHITECTURE ("2", "3", "1", "5", "4", "2", "2", "true")},
        VL_MODEL_ERROR_FORMAT},
    {{"architecture", ARCHITECTURE ("2", "3", "2", "5", "4", "9", "2", "true")},
        VL_MODEL_ERROR_FORMAT, "the network has layers 9, expected 1 to 8"},
    {{"architecture", ARCHITECTURE ("2", "3", "2", "5", "4", "2", "2", "1")},
        VL_MODEL_ERROR_FORMAT},
    {{"architecture",
         ARCHITECTURE ("256", "1024", "2", "4096", "4096", "8", "64", "true")},
        VL_MODEL_ERROR_FORMAT},
    {{"architecture",
         ARCHITECTURE ("32", "32", "2", "256", "256", "1", "5", "true")},
        VL_MODEL_ERROR_SHAPE,
        "tensor vae.conv1.weight has shape 2x3x4x4, expected 32x3x4x4"},
    {{"input", INPUT ("160", "127", "16", "\"rgb\"", "\"1/1\"")},
        VL_MODEL_ERROR_FORMAT},
    {{"input", INPUT ("4097", "128", "16", "\"rgb\"", "\"1/1\"")},
        VL_MODEL_ERROR_FORMAT},
    {{"input", INPUT ("160", "128", "0", "\"rgb\"", "\"1/1\"")},
        VL_MODEL_ERROR_FORMAT},
    {{"input", INPUT ("160", "128", "24", "\"rgb\"", "\"1/1\"")},
        VL_MODEL_ERROR_FORMAT},
    {{"input", INPUT ("160", "128", "16", "\"yuv\"", "\"1/1\"")},
        VL_MODEL_ERROR_FORMAT},
    {{"input", INPUT ("160", "128", "16", "\"rgb\"", "\"1/0\"")},
        VL_MODEL_ERROR_FORMAT},
    {{"input", INPUT ("160", "128", "16", "\"rgb\"", "\"10\"")},
        VL_MODEL_ERROR_FORMAT},
    {{"input", INPUT ("160", "128", "16", "\"rgb\"", "10")},
        VL_MODEL_ERROR_FORMAT},
    {{"input", INPUT ("4096", "4096", "16", "\"motion\"", "\"1/1\"")},
        VL_MODEL_ERROR_SHAPE,
        "tensor calibration.latent_mean has shape 1x3x3, expected 249x249x3"},
    {{"calibration", "{}"}, VL_MODEL_ERROR_FORMAT},
    {{"calibration", "{\"n_frames\":1,\"tails\":{}}"}, VL_MODEL_ERROR_FORMAT},
    {{"calibration", CALIBRATION ("0", "0", "0", "1", "1")},
        VL_MODEL_ERROR_FORMAT},
    {{"calibration", CALIBRATION ("0", "2", "0", "1", "1")},
        VL_MODEL_ERROR_FORMAT},
    {{"calibration", CALIBRATION ("0", "1", "-1", "1", "1")},
        VL_MODEL_ERROR_FORMAT},
    {{"calibration", CALIBRATION ("0", "1", "0", "0", "1")},
        VL_MODEL_ERROR_FORMAT},
    {{"calibration", CALIBRATION ("0", "1", "0", "1", "0")},
        VL_MODEL_ERROR_FORMAT},
    {{"calibration", CALIBRATION ("1e999", "1", "0", "1", "1")},
        VL_MODEL_ERROR_FORMAT},
    {{"training", "no object"}, VL_MODEL_ERROR_FORMAT},
    {{"self_test", NULL}, VL_MODEL_ERROR_FORMAT,
        "self_test of its metadata is missing"},
    {{"self_test", "{}"}, VL_MODEL_ERROR_FORMAT},
    {{"self_test", "{\"mu\":[1,2],\"x_hat\":[],\"nll\":1}"},
        VL_MODEL_ERROR_FORMAT},
    {{.tensor = "vae.fc1.bias", .how = DROP}, VL_MODEL_ERROR_SHAPE,
        "tensor vae.fc1.bias is missing"},
    {{.tensor = "mdnrnn.lstm.weight_hh_l1", .how = RESHAPE},
        VL_MODEL_ERROR_SHAPE,
        "tensor mdnrnn.lstm.weight_hh_l1 has shape 16x3, expected 16x4"},
    {{.tensor = "calibration.combined.body", .how = DROP},
        VL_MODEL_ERROR_SHAPE},
    {{.tensor = "calibration.latent_spread", .how = RESHAPE},
        VL_MODEL_ERROR_SHAPE},
    {{.tensor = "calibration.appearance.mean", .how = RESHAPE},
        VL_MODEL_ERROR_SHAPE},
    {{.tensor = "calibration.background", .how = DROP}, VL_MODEL_ERROR_SHAPE},
    {{.tensor = "vae.deconv3.weight", .how = SET_NUMBER, .number = NAN},
        VL_MODEL_ERROR_NON_FINITE,
        "tensor vae.deconv3.weight has numbers that are NaN or infinite"},
    {{.tensor = "mdnrnn.z_mu.bias", .how = SET_NUMBER, .number = INFINITY},
        VL_MODEL_ERROR_NON_FINITE},
    {{.tensor = "calibration.appearance.mean",
         .how = SET_NUMBER,
         .number = NAN},
        VL_MODEL_ERROR_NON_FINITE},
    {{.tensor = "calibration.background", .how = SET_NUMBER, .number = NAN},
        VL_MODEL_ERROR_NON_FINITE},
    {{.tensor = "calibration.background", .how = SET_NUMBER, .number = 256},
        VL_MODEL_ERROR_FORMAT},
    {{.tensor = "calibration.dynamics.spread", .how = SET_NUMBER, .number = 0},
        VL_MODEL_ERROR_FORMAT},
    {{.tensor = "calibration.latent_spread", .how = SET_NUMBER, .number = -1},
        VL_MODEL_ERROR_FORMAT},
    {{.tensor = "calibration.appearance.body", .how = SET_NUMBER, .number = 99},
        VL_MODEL_ERROR_FORMAT},
    {{.tensor = "vae.conv1.bias", .how = SET_NUMBER, .number = 2},
        VL_MODEL_ERROR_SELF_TEST},
    {{.tensor = "vae.deconv5.bias", .how = SET_NUMBER, .number = 2},
        VL_MODEL_ERROR_SELF_TEST},
    {{.tensor = "mdnrnn.lstm.weight_hh_l0", .how = SET_NUMBER, .number = 9},
        VL_MODEL_ERROR_SELF_TEST},
};

START_TEST (test_edited)
{
  save_model ();
  edit_file (path, &edits[_i].edit);
  assert_load_fails (edits[_i].code, edits[_i].message);
}
END_TEST

START_TEST (test_unknown_keys_and_tensors_are_ignored)
{
  g_autoptr (VlModel) model = NULL;

  save_model ();
  edit_file (path, &(Edit){.tensor = "future", .how = ADD});
  edit_file (path, &(Edit){.key = "training", .value = NULL});
  model = vl_model_load (path, NULL);
  ck_assert_ptr_nonnull (model);
}
END_TEST

static void
assert_save_fails (VlModel *model, const char *to, VlModelError code)
{
  g_autoptr (GError) error = NULL;

  ck_assert (!vl_model_save (model, to, &error));
  ck_assert_msg (g_error_matches (error, VL_MODEL_ERROR, code),
      "expected code %d, got %d: %s", code, error->code, error->message);
  ck_assert (g_str_has_prefix (error->message, to));
}

START_TEST (test_failed_save_keeps_the_older_file)
{
  g_autoptr (VlModel) model = make_model (), kept = NULL;
  g_autofree char *nowhere = g_build_filename (directory, "no", "x", NULL);
  g_autofree char *checksum = NULL;
  struct rlimit old, small;

  ck_assert (vl_model_save (model, path, NULL));
  checksum = g_strdup (model->checksum);
  assert_save_fails (model, nowhere, VL_MODEL_ERROR_WRITE);

  ck_assert_int_eq (getrlimit (RLIMIT_FSIZE, &old), 0);
  small = (struct rlimit){10000, old.rlim_max};
  signal (SIGXFSZ, SIG_IGN);
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &small), 0);
  assert_save_fails (model, path, VL_MODEL_ERROR_WRITE);
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &old), 0);

  model->rnn_params[7] = NAN;
  assert_save_fails (model, path, VL_MODEL_ERROR_NON_FINITE);
  model->rnn_params[7] = 0;
  model->calibration->combined.sigma = INFINITY;
  assert_save_fails (model, path, VL_MODEL_ERROR_NON_FINITE);

  kept = vl_model_load (path, NULL);
  ck_assert_ptr_nonnull (kept);
  ck_assert_str_eq (kept->checksum, checksum);
}
END_TEST

START_TEST (test_grid)
{
  g_autoptr (VlModel) model = make_model ();
  float position[2];

  ck_assert_uint_eq (vl_model_grid_width (model), 3);
  ck_assert_uint_eq (vl_model_grid_height (model), 1);
  vl_model_tile_position (model, 0, position);
  ck_assert_float_eq (position[0], -1);
  ck_assert_float_eq (position[1], 0);
  vl_model_tile_position (model, 2, position);
  ck_assert_float_eq (position[0], 1);
  ck_assert_uint_eq (vl_model_n_tiles (model), 3);
  ck_assert_double_eq (vl_input_rate (&model->input), 12.5);
  ck_assert_uint_eq (vl_input_bytes_per_pixel (&model->input), 1);
}
END_TEST

static Suite *
model_suite (void)
{
  Suite *suite = suite_create ("model");
  TCase *load = tcase_create ("load"), *save = tcase_create ("save");

  tcase_add_unchecked_fixture (load, save_once, free_saved);
  tcase_add_checked_fixture (load, setup, teardown);
  tcase_add_test (load, test_round_trip);
  tcase_add_test (load, test_uncalibrated_round_trip);
  tcase_add_test (load, test_unchanged_file_is_shared);
  tcase_add_test (load, test_threads_load_and_release);
  tcase_add_test (load, test_unreadable);
  tcase_add_test (load, test_truncated);
  tcase_add_test (load, test_not_a_model);
  tcase_add_test (load, test_bit_flips_in_header);
  tcase_add_test (load, test_any_damaged_byte_is_noticed);
  tcase_add_loop_test (load, test_edited, 0, G_N_ELEMENTS (edits));
  tcase_add_test (load, test_unknown_keys_and_tensors_are_ignored);
  tcase_set_timeout (load, 120);
  suite_add_tcase (suite, load);

  tcase_add_checked_fixture (save, setup, teardown);
  tcase_add_test (save, test_checksum_is_sha256_of_the_file);
  tcase_add_test (save, test_failed_save_keeps_the_older_file);
  tcase_add_test (save, test_grid);
  suite_add_tcase (suite, save);
  return suite;
}

int
main (void)
{
  SRunner *runner = srunner_create (model_suite ());
  int failed;

  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed != 0;
}
