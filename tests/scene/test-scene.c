/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The scene: frames depend on the seed and their number alone, and the truth is
 * what is drawn. */

#include "scene.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 160
#define HEIGHT 120
#define SIZE (WIDTH * HEIGHT * 3)

typedef struct {
  int left, top, right, bottom; /* inclusive; right < left: empty */
} Box;

static const VlVisit from_left = {20, 119, VL_EDGE_LEFT};
static const VlVisit from_right = {150, 249, VL_EDGE_RIGHT};

static VlScene *
two_visits_new (guint seed, double noise)
{
  VlScene *scene = vl_scene_new (seed, WIDTH, HEIGHT);

  vl_scene_set_noise (scene, noise);
  vl_scene_add_visit (scene, &from_left);
  vl_scene_add_visit (scene, &from_right);
  return scene;
}

/* Bounds of the pixels in which two pictures differ. */
static Box
difference (const guint8 *a, const guint8 *b)
{
  Box box = {WIDTH, HEIGHT, -1, -1};

  for (int i = 0; i < WIDTH * HEIGHT; i++) {
    if (!memcmp (a + 3 * i, b + 3 * i, 3))
      continue;
    box.left = MIN (box.left, i % WIDTH);
    box.right = MAX (box.right, i % WIDTH);
    box.top = MIN (box.top, i / WIDTH);
    box.bottom = MAX (box.bottom, i / WIDTH);
  }
  return box;
}

/* Where the figure is in a frame of a scene without noise. */
static Box
figure_box (VlScene *scene, guint frame)
{
  static guint8 with[SIZE], without[SIZE];

  vl_scene_draw (scene, frame, TRUE, with);
  vl_scene_draw (scene, frame, FALSE, without);
  return difference (with, without);
}

START_TEST (test_same_seed_same_frames)
{
  static const guint frames[] = {40, 0, 200, 41};
  g_autoptr (VlScene) a = two_visits_new (7, VL_SCENE_NOISE);
  g_autoptr (VlScene) b = two_visits_new (7, VL_SCENE_NOISE);
  static guint8 in_order[G_N_ELEMENTS (frames)][SIZE], again[SIZE];

  for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
    vl_scene_draw (a, frames[i], TRUE, in_order[i]);
  for (int i = G_N_ELEMENTS (frames) - 1; i >= 0; i--) {
    vl_scene_draw (b, frames[i], TRUE, again);
    ck_assert_mem_eq (in_order[i], again, SIZE);
  }
}
END_TEST

START_TEST (test_other_seed_other_frames)
{
  g_autoptr (VlScene) a = two_visits_new (7, 0);
  g_autoptr (VlScene) b = two_visits_new (8, 0);
  static guint8 one[SIZE], other[SIZE];

  vl_scene_draw (a, 5, TRUE, one);
  vl_scene_draw (b, 5, TRUE, other);
  ck_assert_mem_ne (one, other, SIZE);
}
END_TEST

START_TEST (test_truth_is_what_is_drawn)
{
  g_autoptr (VlScene) scene = two_visits_new (3, 0);
  static guint8 with[SIZE], without[SIZE];

  for (guint frame = 0; frame < 270; frame++) {
    gboolean seen = vl_scene_draw (scene, frame, TRUE, with);

    ck_assert (!vl_scene_draw (scene, frame, FALSE, without));
    ck_assert_int_eq (seen, memcmp (with, without, SIZE) != 0);
  }
}
END_TEST

/* One unbroken stretch of frames, within the visit and nearly as long. */
START_TEST (test_visit_is_one_stretch)
{
  g_autoptr (VlScene) scene = two_visits_new (3, VL_SCENE_NOISE);
  static guint8 rgb[SIZE];
  guint first = 0, last = 0, n = 0;

  for (guint frame = 0; frame < from_right.first; frame++) {
    if (!vl_scene_draw (scene, frame, TRUE, rgb))
      continue;
    if (!n++)
      first = frame;
    last = frame;
  }
  ck_assert_uint_eq (n, last - first + 1);
  ck_assert_uint_ge (first, from_left.first);
  ck_assert_uint_le (last, from_left.last);
  ck_assert_uint_ge (n, 90);
}
END_TEST

START_TEST (test_noise_does_not_tell)
{
  g_autoptr (VlScene) scene = two_visits_new (3, VL_SCENE_NOISE);
  static guint8 with[SIZE], without[SIZE];

  ck_assert (!vl_scene_draw (scene, 10, TRUE, with));
  vl_scene_draw (scene, 10, FALSE, without);
  ck_assert_mem_eq (with, without, SIZE);
}
END_TEST

START_TEST (test_enters_at_its_edge)
{
  g_autoptr (VlScene) scene = two_visits_new (3, 0);
  guint frame = from_left.first;
  Box box;

  while ((box = figure_box (scene, frame)).right < 0)
    frame++;
  ck_assert_int_eq (box.left, 0);
  ck_assert_int_lt (box.right, WIDTH / 8);

  frame = from_right.first;
  while ((box = figure_box (scene, frame)).right < 0)
    frame++;
  ck_assert_int_eq (box.right, WIDTH - 1);
  ck_assert_int_gt (box.left, WIDTH * 7 / 8);
}
END_TEST

START_TEST (test_walks_then_sits_still)
{
  g_autoptr (VlScene) scene = two_visits_new (3, 0);
  guint middle = (from_left.first + from_left.last) / 2;
  Box walking = figure_box (scene, 45), later = figure_box (scene, 55);
  Box sitting = figure_box (scene, middle);
  Box still = figure_box (scene, middle + 1);

  ck_assert_int_gt (later.left, walking.left);
  ck_assert_mem_eq (&sitting, &still, sizeof (Box));
  ck_assert_int_gt (sitting.top, walking.top);
  ck_assert_int_gt (sitting.left, walking.right);
}
END_TEST

START_TEST (test_normal_shows_nobody)
{
  g_autoptr (VlScene) scene = vl_scene_new (3, WIDTH, HEIGHT);
  static guint8 rgb[SIZE];

  for (guint frame = 0; frame < 300; frame += 7)
    ck_assert (!vl_scene_draw (scene, frame, TRUE, rgb));
}
END_TEST

/* The normal is alive: lamp, curtain and clock change without any noise. */
START_TEST (test_normal_moves)
{
  g_autoptr (VlScene) scene = vl_scene_new (3, WIDTH, HEIGHT);
  static guint8 now[SIZE], next[SIZE];

  vl_scene_set_noise (scene, 0);
  for (guint frame = 0; frame < 20; frame++) {
    vl_scene_draw (scene, frame, FALSE, now);
    vl_scene_draw (scene, frame + 1, FALSE, next);
    ck_assert_mem_ne (now, next, SIZE);
  }
}
END_TEST

START_TEST (test_noise_has_its_size)
{
  const double noise = 6;
  g_autoptr (VlScene) clean = vl_scene_new (3, WIDTH, HEIGHT);
  g_autoptr (VlScene) noisy = vl_scene_new (3, WIDTH, HEIGHT);
  static guint8 a[SIZE], b[SIZE];
  double sum = 0, squares = 0;
  guint n = 0;

  vl_scene_set_noise (clean, 0);
  vl_scene_set_noise (noisy, noise);
  vl_scene_draw (clean, 1, FALSE, a);
  vl_scene_draw (noisy, 1, FALSE, b);
  for (guint i = 0; i < SIZE; i++) {
    double d = (double)b[i] - a[i];

    if (a[i] < 40 || a[i] > 215) /* where clipping would take part */
      continue;
    sum += d;
    squares += d * d;
    n++;
  }
  ck_assert_uint_gt (n, SIZE / 2);
  ck_assert_double_lt (fabs (sum / n), 0.2);
  ck_assert_double_eq_tol (sqrt (squares / n), noise, 0.3);
}
END_TEST

START_TEST (test_any_size)
{
  static const guint sizes[][2] = {{16, 16}, {33, 17}, {640, 360}, {120, 200}};

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    guint n = 3 * sizes[i][0] * sizes[i][1];
    g_autofree guint8 *rgb = g_malloc (n + 1);
    g_autoptr (VlScene) scene = vl_scene_new (1, sizes[i][0], sizes[i][1]);

    rgb[n] = 0x5a;
    vl_scene_add_visit (scene, &from_left);
    ck_assert (vl_scene_draw (scene, 70, TRUE, rgb));
    ck_assert_uint_eq (rgb[n], 0x5a);
  }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("scene");
  TCase *tcase = tcase_create ("scene");
  SRunner *runner = srunner_create (suite);
  int failed;

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_same_seed_same_frames);
  tcase_add_test (tcase, test_other_seed_other_frames);
  tcase_add_test (tcase, test_truth_is_what_is_drawn);
  tcase_add_test (tcase, test_visit_is_one_stretch);
  tcase_add_test (tcase, test_noise_does_not_tell);
  tcase_add_test (tcase, test_enters_at_its_edge);
  tcase_add_test (tcase, test_walks_then_sits_still);
  tcase_add_test (tcase, test_normal_shows_nobody);
  tcase_add_test (tcase, test_normal_moves);
  tcase_add_test (tcase, test_noise_has_its_size);
  tcase_add_test (tcase, test_any_size);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
