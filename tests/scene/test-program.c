/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The program vaelstm-scene: a video of the length asked for, labels that name
 * it, and errors told by exit status. */

#include <check.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <stdlib.h>
#include <sys/wait.h>

static char *folder;

/* Runs the program with arguments, in the folder; returns its exit status. */
static int
run (const char *arguments)
{
  g_autofree char *line =
      g_strdup_printf ("'%s' %s", g_getenv ("VAELSTM_SCENE"), arguments);
  g_auto (GStrv) argv = NULL;
  int status;

  ck_assert (g_shell_parse_argv (line, NULL, &argv, NULL));
  ck_assert (g_spawn_sync (folder, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL,
      NULL, NULL, NULL, &status, NULL));
  ck_assert (WIFEXITED (status));
  return WEXITSTATUS (status);
}

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* Frames in a video, which must be JPEGs at 10 per second. */
static guint
count_frames (const char *name)
{
  g_autofree char *path = path_of (name);
  g_autofree char *line =
      g_strdup_printf ("filesrc location=\"%s\" ! matroskademux ! "
                       "image/jpeg,framerate=10/1 ! appsink name=sink "
                       "sync=false",
          path);
  GstElement *pipeline = gst_parse_launch (line, NULL);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample;
  guint n = 0;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = gst_app_sink_pull_sample (GST_APP_SINK (sink)))) {
    ck_assert_uint_eq (
        GST_BUFFER_PTS (gst_sample_get_buffer (sample)), n * GST_SECOND / 10);
    gst_sample_unref (sample);
    n++;
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  return n;
}

static char *
read_labels (const char *name)
{
  g_autofree char *path = path_of (name);
  char *text = NULL;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

START_TEST (test_writes_video_and_labels)
{
  g_autofree char *labels = NULL;
  guint first, last;

  ck_assert_int_eq (run ("--out v.mkv --labels v.csv --frames 60 --size "
                         "128x96 --visits 10:49:right"),
      0);
  ck_assert_uint_eq (count_frames ("v.mkv"), 60);
  labels = read_labels ("v.csv");
  ck_assert_int_eq (
      sscanf (labels, "clip,first,last,label\nv.mkv,%u,%u,anomaly\n", &first,
          &last),
      2);
  ck_assert_uint_ge (first, 10);
  ck_assert_uint_le (last, 49);
}
END_TEST

START_TEST (test_two_visits_unless_told)
{
  g_autofree char *labels = NULL;
  g_auto (GStrv) lines = NULL;

  ck_assert_int_eq (
      run ("--out two.mkv --labels two.csv --frames 100 --size 64x48"), 0);
  labels = read_labels ("two.csv");
  lines = g_strsplit (labels, "\n", -1);
  ck_assert_uint_eq (g_strv_length (lines), 4); /* head, two rows, end */
}
END_TEST

START_TEST (test_normal_has_no_row)
{
  g_autofree char *labels = NULL;

  ck_assert_int_eq (run ("--out n.mkv --labels n.csv --frames 30 --size 64x48 "
                         "--normal"),
      0);
  labels = read_labels ("n.csv");
  ck_assert_str_eq (labels, "clip,first,last,label\n");
}
END_TEST

START_TEST (test_bad_usage)
{
  static const char *const bad[] = {"", "--out x.mkv --frames 0",
      "--out x.mkv --size 8x8", "--out x.mkv --size 320", "--out x.mkv extra",
      "--out x.mkv --visits 9:3", "--out x.mkv --visits 1:2:top",
      "--out x.mkv --visits 1:2:", "--out x.mkv --rate 0",
      "--out x.mkv --noise -1", "--out x.mkv --normal --visits 1:2", "--wrong"};

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *path = path_of ("x.mkv");

    ck_assert_msg (run (bad[i]) == 2, "%s", bad[i]);
    ck_assert (!g_file_test (path, G_FILE_TEST_EXISTS));
  }
}
END_TEST

START_TEST (test_unwritable)
{
  ck_assert_int_eq (run ("--out absent/x.mkv --frames 5 --size 64x48"), 1);
  ck_assert_int_eq (
      run ("--out y.mkv --labels absent/y.csv --frames 5 --size 64x48"), 1);
}
END_TEST

static void
remove_folder (void)
{
  static const char *const names[] = {
      "v.mkv", "v.csv", "two.mkv", "two.csv", "n.mkv", "n.csv", "y.mkv"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = path_of (names[i]);

    g_unlink (path);
  }
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("vaelstm-scene");
  TCase *tcase = tcase_create ("program");
  SRunner *runner = srunner_create (suite);
  int failed;

  gst_init (&argc, &argv);
  folder = g_dir_make_tmp ("vaelstm-scene-XXXXXX", NULL);
  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_writes_video_and_labels);
  tcase_add_test (tcase, test_two_visits_unless_told);
  tcase_add_test (tcase, test_normal_has_no_row);
  tcase_add_test (tcase, test_bad_usage);
  tcase_add_test (tcase, test_unwritable);
  srunner_set_fork_status (runner, CK_NOFORK);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  remove_folder ();
  g_free (folder);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
