/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The learner: what it collects, how its training goes on beside the stream,
 * and every way in which that ends. */

#include <check.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#ifdef __linux__
#include <sys/resource.h>
#endif

#include "gemm.h"
#include "learner.h"

#define FPS 10
#define INTERVAL (GST_SECOND / FPS)
#define N_FRAMES 80 /* of test footage */
#define WIDTH 64
#define HEIGHT 48
#define A_WHILE (10 * G_TIME_SPAN_MINUTE) /* of training, until cancelled */

/* ---- footage ---- */

static VlLearner *
new_learner (double seconds, const char *path)
{
  const VlLearnerOptions options = {.duration = N_FRAMES * INTERVAL,
      .budget = (guint64)(seconds * GST_SECOND),
      .rate_n = 0,
      .rate_d = 1,
      .path = path};

  return vl_learner_new (&options);
}

static void
set_format (VlLearner *learner, GstVideoFormat format, guint width,
    guint height, int fps_n)
{
  GstVideoInfo info;

  gst_video_info_set_format (&info, format, width, height);
  info.fps_n = fps_n;
  info.fps_d = 1;
  ck_assert (vl_learner_set_format (learner, &info, NULL));
}

/* A picture with a bright bar that wanders with its number. */
static GstBuffer *
draw (const GstVideoInfo *info, guint number)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoFrame frame;

  ck_assert (gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE));
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (&frame); p++) {
    guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (&frame, p);
    const guint n = GST_VIDEO_FRAME_PLANE_STRIDE (&frame, p) *
                    GST_VIDEO_FRAME_COMP_HEIGHT (&frame, p);
    for (guint i = 0; i < n; i++)
      data[i] = (i + number) % 16 < 4 ? 200 : 80;
  }
  gst_video_frame_unmap (&frame);
  return buffer;
}

static void
add_frame (VlLearner *learner, const GstVideoInfo *info, guint64 time)
{
  GstBuffer *buffer = draw (info, (guint)(time / INTERVAL));
  GstVideoFrame frame;

  ck_assert (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
  vl_learner_add (learner, &frame, time);
  gst_video_frame_unmap (&frame);
  gst_buffer_unref (buffer);
}

/* Shows n frames of a format; returns how many were due. */
static guint
show (VlLearner *learner, GstVideoFormat format, guint width, guint height,
    guint64 time, guint64 interval, guint n)
{
  GstVideoInfo info;
  guint n_due = 0;

  gst_video_info_set_format (&info, format, width, height);
  for (guint i = 0; i < n; i++)
    if (vl_learner_is_due (learner, time + i * interval)) {
      add_frame (learner, &info, time + i * interval);
      n_due++;
    }
  return n_due;
}

static guint
show_small (VlLearner *learner, guint first, guint n)
{
  return show (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, first * INTERVAL,
      INTERVAL, n);
}

/* A learner that has collected all it needs. */
static VlLearner *
taught_learner (double seconds, const char *path)
{
  VlLearner *learner = new_learner (seconds, path);

  set_format (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, FPS);
  ck_assert_uint_eq (show_small (learner, 0, N_FRAMES), N_FRAMES);
  ck_assert (vl_learner_collected (learner) == 1);
  return learner;
}

/* ---- what is told from the training's thread ---- */

typedef struct {
  GMutex lock;
  GCond changed;
  guint n_waiting, n_progress;
} Told;

static void
told_init (Told *told)
{
  *told = (Told){0};
  g_mutex_init (&told->lock);
  g_cond_init (&told->changed);
}

static void
told_clear (Told *told)
{
  g_mutex_clear (&told->lock);
  g_cond_clear (&told->changed);
}

static void
on_progress (gboolean waiting, const VlProgress *progress, gpointer user_data)
{
  Told *told = user_data;

  ck_assert (waiting == (progress == NULL));
#ifdef __linux__
  ck_assert_int_eq (getpriority (PRIO_PROCESS, 0), 19);
#endif
  g_mutex_lock (&told->lock);
  told->n_waiting += waiting;
  told->n_progress += !waiting;
  g_cond_broadcast (&told->changed);
  g_mutex_unlock (&told->lock);
}

/* Blocks until that much was told. */
static void
await (Told *told, guint n_waiting, guint n_progress)
{
  g_mutex_lock (&told->lock);
  while (told->n_waiting < n_waiting || told->n_progress < n_progress)
    g_cond_wait (&told->changed, &told->lock);
  g_mutex_unlock (&told->lock);
}

static void
assert_fails (VlLearner *learner, GQuark domain, int code)
{
  g_autoptr (GError) save_error = NULL, error = NULL;

  ck_assert (vl_learner_wait (learner, NULL));
  ck_assert (vl_learner_is_done (learner));
  ck_assert_ptr_null (vl_learner_take (learner, &save_error, &error));
  ck_assert_msg (g_error_matches (error, domain, code), "%s", error->message);
  ck_assert_ptr_null (save_error);
}

static VlModel *
take_model (VlLearner *learner, GError **save_error)
{
  g_autoptr (GError) error = NULL;
  VlModel *model;

  ck_assert (vl_learner_wait (learner, NULL));
  model = vl_learner_take (learner, save_error, &error);
  ck_assert_msg (model != NULL, "%s", error ? error->message : "");
  ck_assert_ptr_nonnull (model->calibration);
  return model;
}

/* ---- collecting ---- */

START_TEST (test_collects_until_it_is_enough)
{
  g_autoptr (VlLearner) learner = new_learner (1, NULL);
  double last = 0;

  ck_assert (!vl_learner_is_due (learner, 0));
  ck_assert (vl_learner_collected (learner) == 0);
  set_format (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, FPS);
  for (guint i = 0; i < N_FRAMES; i++) {
    ck_assert_uint_eq (show_small (learner, i, 1), 1);
    ck_assert_double_gt (vl_learner_collected (learner), last);
    last = vl_learner_collected (learner);
    ck_assert (i + 1 == N_FRAMES || last < 1);
  }
  ck_assert (last == 1);
}
END_TEST

/* The duration alone does not make a model. */
START_TEST (test_broken_footage_is_not_enough)
{
  g_autoptr (VlLearner) learner = new_learner (1, NULL);
  const guint run = VL_TRAIN_SEQUENCE - 2;

  set_format (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, FPS);
  for (guint i = 0; i < 3 * N_FRAMES; i += run) {
    vl_learner_interrupt (learner);
    show_small (learner, i, run);
  }
  ck_assert_double_lt (vl_learner_collected (learner), 1);
  show_small (learner, 3 * N_FRAMES, 5 * N_FRAMES);
  ck_assert (vl_learner_collected (learner) == 1);
}
END_TEST

static const struct {
  guint rate_n, rate_d; /* asked for */
  int fps_n;            /* of the video; 0: unknown */
  guint shown, due;     /* frames of 4 seconds at 30 per second */
} rates[] = {{0, 1, 30, 120, 40}, {0, 1, 0, 120, 40}, {0, 1, 5, 120, 20},
    {15, 1, 30, 120, 60}, {1, 2, 30, 120, 2}};

START_TEST (test_rate)
{
  const VlLearnerOptions options = {.duration = GST_SECOND,
      .rate_n = rates[_i].rate_n,
      .rate_d = rates[_i].rate_d};
  g_autoptr (VlLearner) learner = vl_learner_new (&options);

  set_format (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, rates[_i].fps_n);
  ck_assert_uint_eq (show (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, 0,
                         GST_SECOND / 30, rates[_i].shown),
      rates[_i].due);
}
END_TEST

/* Frames with no time count for one period each. */
START_TEST (test_frames_without_a_time)
{
  g_autoptr (VlLearner) learner = new_learner (1, NULL);

  set_format (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, FPS);
  ck_assert_uint_eq (show (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT,
                         GST_CLOCK_TIME_NONE, 0, N_FRAMES),
      N_FRAMES);
  ck_assert (vl_learner_collected (learner) == 1);
}
END_TEST

/* Formats of any size come to the size of the first one's model. */
START_TEST (test_formats_change)
{
  g_autoptr (VlLearner) learner = new_learner (0.2, NULL);
  g_autoptr (VlModel) model = NULL;

  set_format (learner, GST_VIDEO_FORMAT_I420, 320, 180, FPS);
  show (learner, GST_VIDEO_FORMAT_I420, 320, 180, 0, INTERVAL, N_FRAMES / 2);
  set_format (learner, GST_VIDEO_FORMAT_RGB, 1, 1, FPS);
  show (learner, GST_VIDEO_FORMAT_RGB, 1, 1, 0, INTERVAL, 10);
  set_format (learner, GST_VIDEO_FORMAT_BGRx, 333, 777, 25);
  show (learner, GST_VIDEO_FORMAT_BGRx, 333, 777, 0, INTERVAL, N_FRAMES / 2);
  ck_assert (vl_learner_collected (learner) == 1);
  vl_learner_train (learner, NULL, NULL, NULL);
  model = take_model (learner, NULL);
  ck_assert_uint_eq (model->input.width, 224);
  ck_assert_uint_eq (model->input.height, 128);
  ck_assert_uint_eq (model->input.rate_n, FPS);
}
END_TEST

START_TEST (test_a_format_that_cannot_be_read)
{
  g_autoptr (VlLearner) learner = new_learner (1, NULL);
  g_autoptr (GError) error = NULL;
  GstVideoInfo info;

  set_format (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, FPS);
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT);
  info.interlace_mode = GST_VIDEO_INTERLACE_MODE_ALTERNATE;
  ck_assert (!vl_learner_set_format (learner, &info, &error));
  ck_assert_ptr_nonnull (error);
  ck_assert (!vl_learner_is_due (learner, 0));
  set_format (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, FPS);
  ck_assert (vl_learner_is_due (learner, 0));
}
END_TEST

/* ---- training ---- */

START_TEST (test_learns)
{
  g_autoptr (VlLearner) learner = taught_learner (0.5, NULL);
  g_autoptr (VlModel) model = NULL;
  g_autoptr (GError) save_error = NULL;
  Told told;

  told_init (&told);
  vl_learner_train (learner, on_progress, &told, NULL);
  ck_assert (!vl_learner_is_due (learner, 0));
  model = take_model (learner, &save_error);
  ck_assert_ptr_null (save_error);
  ck_assert_uint_eq (model->input.width, 160);
  ck_assert_uint_eq (model->input.height, 128);
  ck_assert_uint_ge (told.n_progress, 1);
  ck_assert_uint_eq (told.n_waiting, 0);
  told_clear (&told);
}
END_TEST

START_TEST (test_too_little)
{
  g_autoptr (VlLearner) learner = new_learner (1, NULL);

  if (_i > 0) {
    set_format (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, FPS);
    show_small (learner, 0, _i);
  }
  vl_learner_train (learner, NULL, NULL, NULL);
  assert_fails (learner, VL_TRAIN_ERROR, VL_TRAIN_ERROR_TOO_SHORT);
}
END_TEST

/* Less than asked for is trained on all the same, where it is enough. */
START_TEST (test_stream_that_ends_early)
{
  g_autoptr (VlLearner) learner = new_learner (0.2, NULL);
  g_autoptr (VlModel) model = NULL;

  set_format (learner, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT, FPS);
  show_small (learner, 0, VL_TRAIN_MIN_FRAMES);
  ck_assert_double_lt (vl_learner_collected (learner), 1);
  vl_learner_train (learner, NULL, NULL, NULL);
  model = take_model (learner, NULL);
}
END_TEST

START_TEST (test_saved_model_is_the_shared_one)
{
  g_autofree char *dir = g_dir_make_tmp ("vaelstm-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "room.vaelstm", NULL);
  g_autoptr (VlLearner) learner = taught_learner (0.2, path);
  g_autoptr (VlModel) model = NULL, loaded = NULL;

  vl_learner_train (learner, NULL, NULL, NULL);
  model = take_model (learner, NULL);
  loaded = vl_model_load (path, NULL);
  ck_assert_ptr_eq (model, loaded);
  ck_assert_int_eq (g_unlink (path), 0);
  ck_assert_int_eq (g_rmdir (dir), 0);
}
END_TEST

START_TEST (test_model_survives_a_failing_save)
{
  g_autoptr (VlLearner) learner =
      taught_learner (0.2, "/nonexistent/room.vaelstm");
  g_autoptr (VlModel) model = NULL;
  g_autoptr (GError) save_error = NULL;

  vl_learner_train (learner, NULL, NULL, NULL);
  model = take_model (learner, &save_error);
  ck_assert (
      g_error_matches (save_error, VL_MODEL_ERROR, VL_MODEL_ERROR_WRITE));
}
END_TEST

static gpointer
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* A wait that is cancelled ends alone. */
START_TEST (test_waiting_can_be_cancelled)
{
  g_autoptr (VlLearner) learner = taught_learner (A_WHILE, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread;

  vl_learner_train (learner, NULL, NULL, NULL);
  thread = g_thread_new ("cancel", cancel, cancellable);
  ck_assert (!vl_learner_wait (learner, cancellable));
  g_thread_join (thread);
  ck_assert (!vl_learner_wait (learner, cancellable));
  ck_assert (!vl_learner_is_done (learner));
  vl_learner_cancel (learner);
  assert_fails (learner, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}
END_TEST

/* At once, and on its way. */
START_TEST (test_training_can_be_cancelled)
{
  g_autoptr (VlLearner) learner = taught_learner (A_WHILE, NULL);
  Told told;

  told_init (&told);
  vl_learner_train (learner, on_progress, &told, NULL);
  await (&told, 0, _i);
  vl_learner_cancel (learner);
  assert_fails (learner, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  told_clear (&told);
}
END_TEST

/* Nothing is told of a training whose learner is gone; the next one's turn
 * comes. */
START_TEST (test_freeing_ends_the_training)
{
  VlLearner *learner = taught_learner (A_WHILE, NULL);
  g_autoptr (VlLearner) next = taught_learner (0.2, NULL);
  g_autoptr (VlModel) model = NULL;
  guint n_progress;
  Told told;

  told_init (&told);
  vl_learner_train (learner, on_progress, &told, NULL);
  await (&told, 0, 1);
  vl_learner_free (learner);
  n_progress = told.n_progress;
  vl_learner_train (next, NULL, NULL, NULL);
  model = take_model (next, NULL);
  ck_assert_uint_eq (told.n_progress, n_progress);
  told_clear (&told);
}
END_TEST

START_TEST (test_one_training_at_a_time)
{
  g_autoptr (VlLearner) first = taught_learner (A_WHILE, NULL);
  g_autoptr (VlLearner) second = taught_learner (A_WHILE, NULL);
  g_autoptr (VlLearner) third = taught_learner (0.2, NULL);
  g_autoptr (VlModel) model = NULL;
  Told told[3];

  for (guint i = 0; i < 3; i++)
    told_init (&told[i]);
  vl_learner_train (first, on_progress, &told[0], NULL);
  await (&told[0], 0, 1);
  vl_learner_train (second, on_progress, &told[1], NULL);
  await (&told[1], 1, 0);
  vl_learner_train (third, on_progress, &told[2], NULL);
  await (&told[2], 1, 0);
  ck_assert_uint_eq (told[0].n_waiting, 0);

  vl_learner_cancel (second); /* while it waits */
  assert_fails (second, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  ck_assert_uint_eq (told[1].n_progress, 0);
  ck_assert (!vl_learner_is_done (first));
  await (&told[0], 0, 2); /* goes on */
  ck_assert_uint_eq (told[2].n_progress, 0);

  vl_learner_cancel (first);
  model = take_model (third, NULL);
  for (guint i = 0; i < 3; i++)
    told_clear (&told[i]);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("learner");
  TCase *collect = tcase_create ("collect");
  TCase *train = tcase_create ("train");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  gst_init (&argc, &argv);
  vl_gemm_use_one_thread ();
  tcase_add_test (collect, test_collects_until_it_is_enough);
  tcase_add_test (collect, test_broken_footage_is_not_enough);
  tcase_add_loop_test (collect, test_rate, 0, G_N_ELEMENTS (rates));
  tcase_add_test (collect, test_frames_without_a_time);
  tcase_add_test (collect, test_a_format_that_cannot_be_read);
  suite_add_tcase (suite, collect);

  tcase_set_timeout (train, 0); /* meson has one */
  tcase_add_test (train, test_learns);
  tcase_add_test (train, test_formats_change);
  tcase_add_loop_test (train, test_too_little, 0, 2);
  tcase_add_test (train, test_stream_that_ends_early);
  tcase_add_test (train, test_saved_model_is_the_shared_one);
  tcase_add_test (train, test_model_survives_a_failing_save);
  tcase_add_test (train, test_waiting_can_be_cancelled);
  tcase_add_loop_test (train, test_training_can_be_cancelled, 0, 4);
  tcase_add_test (train, test_freeing_ends_the_training);
  tcase_add_test (train, test_one_training_at_a_time);
  suite_add_tcase (suite, train);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed != 0;
}
