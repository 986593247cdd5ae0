/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Training: the same bits from the same seed, interrupted or not, and clear
 * refusals. */

#include <check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "detector.h"
#include "gemm.h"
#include "light.h"
#include "train.h"

#define SIDE 128
#define N_FRAMES 80
#define STEPS 6

static VlFrameStore *
make_store (guint n_clips, guint n_frames)
{
  const gsize size = SIDE * SIDE * 3;
  g_autofree guint8 *picture = g_malloc (size);
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  VlFrameStore *store = vl_frame_store_new (size, NULL);

  for (guint c = 0; c < n_clips; c++) {
    vl_frame_store_begin_clip (store);
    for (guint f = 0; f < n_frames; f++) {
      for (gsize i = 0; i < size; i++)
        picture[i] = i % 200 + g_rand_int_range (random, 0, 16);
      ck_assert (vl_frame_store_append (store, picture, NULL));
    }
  }
  ck_assert (vl_frame_store_finish (store, NULL));
  return store;
}

static VlTrainOptions
small_options (void)
{
  VlTrainOptions options = VL_TRAIN_DEFAULTS;

  options.input.width = options.input.height = SIDE;
  options.input.stride = vl_train_default_stride (SIDE, SIDE);
  options.width = 2;
  options.Z = 4;
  options.vae_steps = options.lstm_steps = STEPS;
  return options;
}

/* Trains, and cancels at a step of a stage unless it is 0. */
typedef struct {
  VlStage stage;
  guint step;
  GCancellable *cancellable;
} StopAt;

static void
stop_at (const VlProgress *progress, gpointer user_data)
{
  const StopAt *stop = user_data;

  ck_assert_uint_le (progress->step, progress->n_steps);
  ck_assert (progress->eta >= 0);
  if (progress->stage == stop->stage && progress->step == stop->step)
    g_cancellable_cancel (stop->cancellable);
}

static VlModel *
train (const VlTrainOptions *options, VlFrameStore *store,
    const char *checkpoint, gboolean resume, VlStage stage, guint step,
    GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  StopAt stop = {stage, step, cancellable};
  VlTrainSummary summary;

  return vl_train (options, store, NULL, checkpoint, resume, stop_at, &stop,
      cancellable, &summary, error);
}

static VlModel *
train_through (const VlTrainOptions *options, VlFrameStore *store)
{
  g_autoptr (GError) error = NULL;
  VlModel *model = train (options, store, NULL, FALSE, 0, 0, &error);

  ck_assert_msg (model != NULL, "%s", error ? error->message : "");
  return model;
}

static gboolean
same_bits (const VlModel *a, const VlModel *b)
{
  return !memcmp (a->vae_params, b->vae_params, a->vae.n_params * 4) &&
         !memcmp (a->rnn_params, b->rnn_params, a->rnn.n_params * 4) &&
         g_str_equal (a->record, b->record) &&
         !memcmp (&a->calibration->combined, &b->calibration->combined,
             sizeof (VlTail));
}

START_TEST (test_seed_decides_the_bits)
{
  g_autoptr (VlFrameStore) store = make_store (2, N_FRAMES);
  VlTrainOptions options = small_options ();
  g_autoptr (VlModel) one = train_through (&options, store);
  g_autoptr (VlModel) same = train_through (&options, store);

  options.seed++;
  g_autoptr (VlModel) other = train_through (&options, store);
  ck_assert (same_bits (one, same));
  ck_assert (!same_bits (one, other));
}
END_TEST

/* Interrupted in each stage, and taken up again. */
START_TEST (test_resume_comes_to_the_same_bits)
{
  static const struct {
    VlStage stage;
    guint step;
  } stops[] = {{VL_STAGE_VAE, 3}, {VL_STAGE_LATENTS, 5}, {VL_STAGE_LSTM, 4}};
  g_autoptr (VlFrameStore) store = make_store (1, N_FRAMES);
  g_autofree char *dir = g_dir_make_tmp ("vaelstm-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "checkpoint", NULL);
  const VlTrainOptions options = small_options ();
  g_autoptr (VlModel) straight = train_through (&options, store);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (train (
      &options, store, path, FALSE, stops[_i].stage, stops[_i].step, &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  g_clear_error (&error);
  g_autoptr (VlModel) resumed =
      train (&options, store, path, TRUE, 0, 0, &error);
  ck_assert_msg (resumed != NULL, "%s", error ? error->message : "");
  ck_assert (same_bits (straight, resumed));
  ck_assert_int_eq (g_unlink (path), 0);
  ck_assert_int_eq (g_rmdir (dir), 0);
}
END_TEST

START_TEST (test_checkpoint_of_other_options_is_refused)
{
  g_autoptr (VlFrameStore) store = make_store (1, N_FRAMES);
  g_autofree char *dir = g_dir_make_tmp ("vaelstm-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "checkpoint", NULL);
  VlTrainOptions options = small_options ();
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (
      train (&options, store, path, FALSE, VL_STAGE_VAE, 2, NULL));
  options.Z++;
  ck_assert_ptr_null (train (&options, store, path, TRUE, 0, 0, &error));
  ck_assert (
      g_error_matches (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_CHECKPOINT));
  ck_assert (g_str_has_prefix (error->message, path));
  g_unlink (path);
  g_rmdir (dir);
}
END_TEST

/* Every way to weigh the losses, and several threads, lower the loss. */
START_TEST (test_losses_fall)
{
  g_autoptr (VlFrameStore) store = make_store (1, N_FRAMES);
  VlTrainOptions options = small_options ();
  VlTrainSummary first, last;

  options.loss.kind = _i;
  options.threads = 3;
  options.vae_steps = 1;
  g_autoptr (VlModel) a = vl_train (
      &options, store, NULL, NULL, FALSE, NULL, NULL, NULL, &first, NULL);
  options.vae_steps = 60;
  g_autoptr (VlModel) b = vl_train (
      &options, store, NULL, NULL, FALSE, NULL, NULL, NULL, &last, NULL);
  ck_assert (a && b);
  if (_i == VL_LOSS_PUBLISHED) /* its KLD outweighs the picture */
    ck_assert_double_lt (last.kld, first.kld);
  else
    ck_assert_double_lt (last.squared_error, first.squared_error);
}
END_TEST

/* A progress function that sums what is left and what has passed. */
static void
check_budget (const VlProgress *progress, gpointer user_data)
{
  const double *seconds = user_data;

  ck_assert_double_ge (progress->elapsed + progress->eta, *seconds - 1e-6);
}

START_TEST (test_a_budget_makes_the_steps)
{
  g_autoptr (VlFrameStore) store = make_store (1, N_FRAMES);
  VlTrainOptions options = small_options ();
  VlTrainSummary summary;
  double seconds = 0.5;

  options.vae_steps = options.lstm_steps = 0;
  options.minutes = seconds / 60;
  g_autoptr (VlModel) model = vl_train (&options, store, NULL, NULL, FALSE,
      check_budget, &seconds, NULL, &summary, NULL);
  ck_assert_ptr_nonnull (model);
  ck_assert_uint_ge (summary.vae_steps, 1);
  ck_assert_uint_ge (summary.lstm_steps, 1);
  ck_assert (isfinite (summary.nll_held_out));
}
END_TEST

/* ---- wandering light ---- */

static double
mean_level (const guint8 *picture, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += picture[i];
  return sum / n;
}

START_TEST (test_light_wanders_about_what_it_is)
{
  enum { N = 4000 };
  const gsize size = SIDE * SIDE * 3;
  g_autofree guint8 *picture = g_malloc (size);
  VlTrainOptions options = small_options ();
  double sum = 0, square = 0;
  VlLight light;

  for (gsize i = 0; i < size; i++)
    picture[i] = 80 + i % 100;
  options.light = 0.02;
  vl_light_init (&light, &options, VL_STAGE_LATENTS);
  for (guint f = 0; f < N; f++) {
    const double gain = mean_level (vl_light_apply (&light, picture), 3000) /
                        mean_level (picture, 3000);
    sum += gain;
    square += (gain - 1) * (gain - 1);
  }
  vl_light_clear (&light);
  ck_assert_double_eq_tol (sum / N, 1, 0.004);
  ck_assert_double_eq_tol (sqrt (square / N), 0.02, 0.003);
}
END_TEST

START_TEST (test_no_light_leaves_the_picture)
{
  const guint8 picture[SIDE * SIDE * 3] = {0};
  const VlTrainOptions options = small_options ();
  VlLight light;

  vl_light_init (&light, &options, VL_STAGE_LATENTS);
  ck_assert_ptr_eq (vl_light_apply (&light, picture), picture);
  vl_light_clear (&light);
}
END_TEST

START_TEST (test_light_ends_at_black_and_white)
{
  g_autofree guint8 *picture = g_malloc (SIDE * SIDE * 3);
  VlTrainOptions options = small_options ();
  VlLight light;

  for (gsize i = 0; i < SIDE * SIDE * 3; i++)
    picture[i] = i % 2 ? 255 : 0;
  options.light = 5;
  vl_light_init (&light, &options, VL_STAGE_LATENTS);
  for (guint f = 0; f < 50; f++) {
    const guint8 *lit = vl_light_apply (&light, picture);
    ck_assert_uint_eq (lit[0], 0);
    ck_assert_uint_eq (lit[2], 0);
  }
  vl_light_clear (&light);
}
END_TEST

/* Highest score of the footage a little dimmer. */
static double
score_dimmed (double light)
{
  const VlDetectorSettings settings = VL_DETECTOR_DEFAULTS;
  const gsize size = SIDE * SIDE * 3;
  g_autofree guint8 *dimmed = g_malloc (size);
  g_autoptr (VlFrameStore) store = make_store (1, N_FRAMES);
  VlTrainOptions options = small_options ();
  double highest = 0;

  options.light = light;
  g_autoptr (VlModel) model = train_through (&options, store);
  g_autoptr (VlDetector) detector = vl_detector_new (model, &settings);
  for (guint f = 0; f < 20; f++) {
    const guint8 *picture = vl_frame_store_get (store, 0, f);
    VlResult result;
    for (gsize i = 0; i < size; i++)
      dimmed[i] = picture[i] * 0.98;
    vl_detector_process_picture (detector, dimmed, f * 100000000, &result);
    highest = MAX (highest, result.score);
  }
  return highest;
}

START_TEST (test_light_makes_a_little_dimmer_normal)
{
  ck_assert_double_lt (score_dimmed (0.02), score_dimmed (0) / 2);
}
END_TEST

/* ---- refusals ---- */

START_TEST (test_too_little_footage)
{
  static const guint lengths[][2] = {{1, 63}, {10, 20}};
  g_autoptr (VlFrameStore) store = make_store (lengths[_i][0], lengths[_i][1]);
  const VlTrainOptions options = small_options ();
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (train (&options, store, NULL, FALSE, 0, 0, &error));
  ck_assert (g_error_matches (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_TOO_SHORT));
}
END_TEST

START_TEST (test_sizes_that_make_no_grid)
{
  static const guint sizes[][3] = {{127, 128, 16}, {128, 127, 16},
      {136, 128, 16}, {160, 128, 24}, {160, 128, 0}, {8192, 128, 32}};
  g_autoptr (VlFrameStore) store = make_store (1, 1);
  VlTrainOptions options = small_options ();
  g_autoptr (GError) error = NULL;

  options.input.width = sizes[_i][0];
  options.input.height = sizes[_i][1];
  options.input.stride = sizes[_i][2];
  ck_assert_ptr_null (train (&options, store, NULL, FALSE, 0, 0, &error));
  ck_assert (g_error_matches (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_INPUT));
}
END_TEST

START_TEST (test_default_stride)
{
  ck_assert_uint_eq (vl_train_default_stride (128, 128), 32);
  ck_assert_uint_eq (vl_train_default_stride (384, 256), 32);
  ck_assert_uint_eq (vl_train_default_stride (144, 128), 16);
  ck_assert_uint_eq (vl_train_default_stride (130, 128), 0);
  ck_assert_uint_eq (vl_train_default_stride (64, 128), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("train");
  TCase *tcase = tcase_create ("training");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  vl_gemm_use_one_thread ();
  tcase_set_timeout (tcase, 120);
  tcase_add_test (tcase, test_seed_decides_the_bits);
  tcase_add_loop_test (tcase, test_resume_comes_to_the_same_bits, 0, 3);
  tcase_add_test (tcase, test_checkpoint_of_other_options_is_refused);
  tcase_add_loop_test (tcase, test_losses_fall, 0, 3);
  tcase_add_test (tcase, test_a_budget_makes_the_steps);
  tcase_add_test (tcase, test_light_wanders_about_what_it_is);
  tcase_add_test (tcase, test_no_light_leaves_the_picture);
  tcase_add_test (tcase, test_light_ends_at_black_and_white);
  tcase_add_test (tcase, test_light_makes_a_little_dimmer_normal);
  tcase_add_loop_test (tcase, test_too_little_footage, 0, 2);
  tcase_add_loop_test (tcase, test_sizes_that_make_no_grid, 0, 6);
  tcase_add_test (tcase, test_default_stride);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed != 0;
}
