/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The weights that ship: they load, help a training on a scene they have not
 * seen, and stay out of one they do not fit. */

#include <check.h>
#include <math.h>
#include <string.h>

#include "base.h"
#include "gemm.h"
#include "scene.h"
#include "train.h"

#define SIDE 128
#define STEPS 24

static VlFrameStore *
make_store (void)
{
  const gsize size = SIDE * SIDE * 3;
  g_autofree guint8 *picture = g_malloc (size);
  g_autoptr (VlScene) scene = vl_scene_new (1, SIDE, SIDE);
  VlFrameStore *store = vl_frame_store_new (size, NULL);

  vl_frame_store_begin_clip (store);
  for (guint f = 0; f < VL_TRAIN_MIN_FRAMES; f++) {
    vl_scene_draw (scene, f, FALSE, picture);
    ck_assert (vl_frame_store_append (store, picture, NULL));
  }
  ck_assert (vl_frame_store_finish (store, NULL));
  return store;
}

static VlModel *
train (unsigned width, unsigned steps, gboolean base, VlTrainSummary *summary)
{
  g_autoptr (VlFrameStore) store = make_store ();
  VlTrainOptions options = VL_TRAIN_DEFAULTS;
  VlModel *model;

  options.input.width = options.input.height = SIDE;
  options.input.stride = vl_train_default_stride (SIDE, SIDE);
  options.width = width;
  options.Z = VL_BASE_LATENT;
  options.vae_steps = steps;
  options.lstm_steps = 1;
  options.base = base;
  model = vl_train (
      &options, store, NULL, NULL, FALSE, NULL, NULL, NULL, summary, NULL);
  ck_assert_ptr_nonnull (model);
  return model;
}

/* The same whatever the VAE was, and every one of them a number. */
START_TEST (test_loads)
{
  VlVae vae;

  vl_vae_init (&vae, VL_BASE_WIDTH, VL_BASE_LATENT);
  g_autofree float *params = g_new (float, vae.n_params);
  g_autofree float *again = g_new0 (float, vae.n_params);
  for (gsize i = 0; i < vae.n_params; i++)
    params[i] = NAN;
  ck_assert (vl_base_load (&vae, params));
  ck_assert (vl_base_load (&vae, again));
  ck_assert_mem_eq (params, again, vae.n_params * sizeof *params);
  for (gsize i = 0; i < vae.n_params; i++)
    ck_assert (isfinite (params[i]));
}
END_TEST

START_TEST (test_other_sizes)
{
  static const unsigned sizes[][2] = {
      {VL_BASE_WIDTH / 2, VL_BASE_LATENT}, {VL_BASE_WIDTH, VL_BASE_LATENT + 1}};
  VlVae vae;

  vl_vae_init (&vae, sizes[_i][0], sizes[_i][1]);
  g_autofree float *params = g_new0 (float, vae.n_params);
  ck_assert (!vl_base_load (&vae, params));
  for (gsize i = 0; i < vae.n_params; i++)
    ck_assert (params[i] == 0);
}
END_TEST

START_TEST (test_learns_an_unseen_scene_sooner)
{
  VlTrainSummary from_random, from_base;
  g_autoptr (VlModel) a = train (VL_BASE_WIDTH, STEPS, FALSE, &from_random);
  g_autoptr (VlModel) b = train (VL_BASE_WIDTH, STEPS, TRUE, &from_base);

  ck_assert_double_lt (
      from_base.squared_error, 0.8 * from_random.squared_error);
  ck_assert_ptr_nonnull (strstr (a->record, "\"base\":false"));
  ck_assert_ptr_nonnull (strstr (b->record, "\"base\":true"));
}
END_TEST

START_TEST (test_other_sizes_train_from_random)
{
  VlTrainSummary summary;
  g_autoptr (VlModel) a = train (2, 2, FALSE, &summary);
  g_autoptr (VlModel) b = train (2, 2, TRUE, &summary);

  ck_assert_mem_eq (
      a->vae_params, b->vae_params, a->vae.n_params * sizeof *a->vae_params);
  ck_assert_ptr_nonnull (strstr (b->record, "\"base\":false"));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("base");
  TCase *tcase = tcase_create ("base");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  vl_gemm_use_one_thread ();
  tcase_set_timeout (tcase, 240);
  tcase_add_test (tcase, test_loads);
  tcase_add_loop_test (tcase, test_other_sizes, 0, 2);
  tcase_add_test (tcase, test_learns_an_unseen_scene_sooner);
  tcase_add_test (tcase, test_other_sizes_train_from_random);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed != 0;
}
