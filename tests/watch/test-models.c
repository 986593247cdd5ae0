/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Models that are learned, changed and shared while cameras are watched. */

#include <glib/gstdio.h>
#include <signal.h>

#include "live.h"
#include "studio.h"
#include "untrained.h"

static void
copy_file (const char *from, const char *to)
{
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  ck_assert (g_file_get_contents (from, &contents, &size, NULL));
  ck_assert_msg (g_file_set_contents (to, contents, size, &error), "%s",
      error ? error->message : "");
}

static char *
next_checksum (Watching *watching)
{
  g_autoptr (JsonObject) event = watching_next_event (watching);

  return g_strdup (json_object_get_string_member (event, "checksum"));
}

/* A bad model is refused and the old one stays; a good one takes its place. */
START_TEST (test_hang_up_reads_the_model_again)
{
  LivePort port = "0";
  g_autoptr (Watching) camera = live_start (&live_hall, port);
  g_autofree char *uri = live_source ("hall", port);
  g_autofree char *model = studio_path ("changing.vaelstm");
  g_autofree char *other = studio_train ("other.vaelstm", "2");
  g_autofree char *before = NULL, *between = NULL, *after = NULL;
  g_autoptr (Watching) watching = NULL;

  copy_file (studio_model, model);
  watching = studio_watch ("-m", model, "--set", "threshold=" STUDIO_THRESHOLD,
      "--set", "hold=500000000", LIVE_ROLLS, uri);
  before = next_checksum (watching);

  ck_assert (g_file_set_contents (model, "no model", -1, NULL));
  watching_signal (watching, SIGHUP);
  watching_await (watching, "hall: keeps its model");
  between = next_checksum (watching);
  ck_assert_str_eq (between, before);

  copy_file (other, model);
  watching_signal (watching, SIGHUP);
  watching_await (watching, "hall: reads its model again");
  watching_await (watching, "hall: watching");
  for (guint i = 0; i < 2; i++) {
    g_clear_pointer (&after, g_free);
    after = next_checksum (watching);
  }
  ck_assert_str_ne (after, before);
  watching_signal (watching, SIGINT);
  ck_assert_int_eq (watching_end (watching), 0);
}
END_TEST

/* Without -m a camera's model is learned once, and kept beside the recordings.
 */
START_TEST (test_learns_once)
{
  LivePort port = "0";
  g_autofree char *normal = studio_path ("normal.mp4");
  const LiveFilm empty = {.file = normal};
  g_autoptr (Watching) camera = live_start (&empty, port);
  g_autofree char *uri = live_source ("hall", port);
  g_autofree char *directory = studio_make_directory ("learns");
  g_autofree char *model = g_build_filename (directory, "hall.vaelstm", NULL);

  for (guint i = 0; i < 2; i++) {
    g_autoptr (Watching) watching = studio_watch ("--learn", "4", "--set",
        "training-budget=3000000000", "--record", directory, uri);

    watching_await (watching, "hall: watching");
    ck_assert (g_file_test (model, G_FILE_TEST_IS_REGULAR));
    ck_assert_int_eq (watching_n_said (watching, "learning") > 0, i == 0);
    watching_signal (watching, SIGINT);
    ck_assert_int_eq (watching_end (watching), 0);
  }
}
END_TEST

#define N_SHARING 4

/* Memory of cameras that are all detecting. */
static gint64
measure_cameras (const char *const *args)
{
  g_autoptr (Watching) watching = studio_watch_args (args);

  for (guint i = 0; i < N_SHARING; i++)
    watching_await (watching, ": connected");
  return watching_resident_bytes (watching);
}

/* Cameras with one model take less than cameras with models of their own, by
 * what the weights take. */
START_TEST (test_cameras_share_a_model)
{
  static const UntrainedSize size = {128, 128, 16, 16, 512, 128};
  LivePort port = "0";
  g_autoptr (Watching) camera = live_start (&live_hall, port);
  g_autofree char *directory = studio_make_directory ("sharing");
  char *model = untrained_model_make (&size);
  char *cameras[N_SHARING];
  gint64 shared, own, weights;
  GStatBuf info;

  ck_assert_int_eq (g_stat (model, &info), 0);
  weights = info.st_size;
  for (guint i = 0; i < N_SHARING; i++) {
    g_autofree char *file = g_strdup_printf ("hall%u.vaelstm", i);
    g_autofree char *copy = g_build_filename (directory, file, NULL);

    copy_file (model, copy);
    cameras[i] = g_strdup_printf ("hall%u=rtsp://127.0.0.1:%s/live", i, port);
  }
#define CAMERAS cameras[0], cameras[1], cameras[2], cameras[3], NULL
  shared = measure_cameras ((const char *const[]){
      "-m", model, "--set", "threshold=1e9", "--record", directory, CAMERAS});
  own = measure_cameras ((const char *const[]){
      "--set", "threshold=1e9", "--record", directory, CAMERAS});
  ck_assert_msg (own - shared > (N_SHARING - 1) * weights / 2,
      "%" G_GINT64_FORMAT " bytes with one model of %" G_GINT64_FORMAT
      ", %" G_GINT64_FORMAT " with %d",
      shared, weights, own, N_SHARING);

  for (guint i = 0; i < N_SHARING; i++)
    g_free (cameras[i]);
  untrained_model_remove (model);
}
END_TEST

static void
add_tests (TCase *tests)
{
  tcase_add_test (tests, test_hang_up_reads_the_model_again);
  tcase_add_test (tests, test_learns_once);
  tcase_add_test (tests, test_cameras_share_a_model);
}

int
main (int argc, char **argv)
{
  int status =
      studio_main (argc, argv, "watch-models", live_prepare, add_tests);

  live_clear ();
  return status;
}
