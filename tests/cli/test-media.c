/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <check.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "footage.h"
#include "images.h"
#include "media.h"

static char *folder;

static void
setup (void)
{
  gst_init (NULL, NULL);
  folder = footage_folder ();
}

static void
teardown (void)
{
  footage_remove (folder);
}

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* Luma, or red, of the first pixel. */
static int
first_pixel (const GstVideoFrame *frame)
{
  return *(const guint8 *)GST_VIDEO_FRAME_COMP_DATA (frame, 0);
}

typedef struct {
  guint n;
  guint64 first, last;           /* indices */
  guint64 first_time, last_time; /* ns */
  int first_pixel, last_pixel;
} Seen;

/* Reads all of a range; checks that indices count and times do not fall. */
static gboolean
read_all (const char *where, VlRange range, Seen *seen, GError **error)
{
  GError *failure = NULL;
  g_autoptr (VlMedia) media =
      vl_media_open (where, &range, 10, 1, NULL, &failure);
  VlMediaFrame frame;

  memset (seen, 0, sizeof *seen);
  while (media != NULL && vl_media_next (media, &frame, &failure)) {
    if (seen->n++ == 0) {
      seen->first = frame.index;
      seen->first_time = frame.time;
      seen->first_pixel = first_pixel (frame.video);
    } else {
      ck_assert_uint_eq (frame.index, seen->last + 1);
      ck_assert_uint_ge (frame.time, seen->last_time);
    }
    seen->last = frame.index;
    seen->last_time = frame.time;
    seen->last_pixel = first_pixel (frame.video);
  }
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

/* A one-line error of a code that names the place. */
static void
assert_fails (const char *where, VlRange range, VlMediaError code)
{
  g_autoptr (GError) error = NULL;
  Seen seen;

  ck_assert (!read_all (where, range, &seen, &error));
  ck_assert_msg (
      g_error_matches (error, VL_MEDIA_ERROR, (int)code), "%s", error->message);
  ck_assert_msg (
      g_str_has_prefix (error->message, where), "%s", error->message);
  ck_assert_ptr_nonnull (strstr (error->message, "expected"));
  ck_assert_ptr_null (strchr (error->message, '\n'));
}

START_TEST (test_video_file_and_uri)
{
  g_autofree char *path = footage_video (folder, "a.mov", "qtmux", 25);
  g_autofree char *uri = gst_filename_to_uri (path, NULL);
  Seen file, remote;

  ck_assert (read_all (path, VL_RANGE_ALL, &file, NULL));
  ck_assert_uint_eq (file.n, 25);
  ck_assert_uint_eq (file.first, 0);
  ck_assert_uint_eq (file.last_time - file.first_time, 2400 * GST_MSECOND);
  ck_assert (read_all (uri, VL_RANGE_ALL, &remote, NULL));
  ck_assert_mem_eq (&file, &remote, sizeof file);
}
END_TEST

START_TEST (test_range_keeps_the_clip_s_numbers)
{
  g_autofree char *path = footage_video (folder, "a.avi", "avimux", 20);
  Seen all, part;

  ck_assert (read_all (path, VL_RANGE_ALL, &all, NULL));
  ck_assert (read_all (path, (VlRange){5, 9}, &part, NULL));
  ck_assert_uint_eq (part.n, 4);
  ck_assert_uint_eq (part.first, 5);
  ck_assert_uint_eq (part.last, 8);
  ck_assert_uint_eq (part.first_time, 500 * GST_MSECOND);
  ck_assert (read_all (path, (VlRange){15, 1000}, &part, NULL));
  ck_assert_uint_eq (part.n, 5);
  ck_assert_uint_eq (part.last, all.last);
  assert_fails (path, (VlRange){20, 30}, VL_MEDIA_ERROR_NO_FRAME);
}
END_TEST

START_TEST (test_pattern_counts_from_anywhere)
{
  g_autofree char *pattern = path_of ("img%03d.png");
  Seen seen;

  footage_images (folder, "img%03d.png", 7, 5);
  footage_images (folder, "other%d.png", 0, 2);
  ck_assert (read_all (pattern, VL_RANGE_ALL, &seen, NULL));
  ck_assert_uint_eq (seen.n, 5);
  ck_assert_uint_eq (seen.first, 0);
  ck_assert_uint_eq (seen.last_time, 400 * GST_MSECOND);
  ck_assert_int_eq (seen.first_pixel, 16);
  ck_assert_int_eq (seen.last_pixel, 8 * 4 + 16);
  ck_assert (read_all (pattern, (VlRange){2, 3}, &seen, NULL));
  ck_assert_uint_eq (seen.n, 1);
  ck_assert_int_eq (seen.first_pixel, 8 * 2 + 16);
}
END_TEST

START_TEST (test_pattern_sorts_by_number)
{
  g_autofree char *pattern = path_of ("%d.png");
  Seen seen;

  /* by name 10 and 11 would come before 8 */
  footage_images (folder, "%d.png", 8, 4);
  ck_assert (read_all (pattern, VL_RANGE_ALL, &seen, NULL));
  ck_assert_uint_eq (seen.n, 4);
  ck_assert_int_eq (seen.first_pixel, 16);
  ck_assert_int_eq (seen.last_pixel, 8 * 3 + 16);
}
END_TEST

START_TEST (test_pattern_with_a_gap)
{
  g_autofree char *pattern = path_of ("img%03d.png");
  g_autofree char *gone = path_of ("img002.png");

  footage_images (folder, "img%03d.png", 0, 4);
  g_unlink (gone);
  assert_fails (pattern, VL_RANGE_ALL, VL_MEDIA_ERROR_MISSING);
}
END_TEST

START_TEST (test_folder_sorts_by_name)
{
  g_autofree char *note = footage_text (folder, "notes.txt", "not an image");
  Seen seen;

  footage_images (folder, "b%d.png", 0, 2);
  footage_images (folder, "a%d.png", 0, 3);
  ck_assert (read_all (folder, VL_RANGE_ALL, &seen, NULL));
  ck_assert_uint_eq (seen.n, 5);
  ck_assert_int_eq (seen.first_pixel, 16);
  ck_assert_int_eq (seen.last_pixel, 8 * 1 + 16);
}
END_TEST

START_TEST (test_damaged_image_is_named)
{
  g_autofree char *path = path_of ("img001.png");
  g_autofree char *cut = NULL;
  g_autoptr (GError) error = NULL;
  Seen seen;

  footage_images (folder, "img%03d.png", 0, 4);
  cut = footage_cut (path, "cut", 0.6);
  ck_assert_int_eq (g_rename (cut, path), 0);
  ck_assert (!read_all (folder, VL_RANGE_ALL, &seen, &error));
  ck_assert_msg (g_str_has_prefix (error->message, path), "%s", error->message);
}
END_TEST

START_TEST (test_folder_without_images)
{
  g_autofree char *note = footage_text (folder, "notes.txt", "not an image");

  assert_fails (folder, VL_RANGE_ALL, VL_MEDIA_ERROR_MISSING);
}
END_TEST

START_TEST (test_folder_of_two_kinds)
{
  g_autofree char *pipeline = g_strdup_printf (
      "videotestsrc num-buffers=1 ! jpegenc ! filesink location=\"%s/a.jpg\"",
      folder);

  footage_images (folder, "b%d.png", 0, 1);
  footage_run (pipeline);
  assert_fails (folder, VL_RANGE_ALL, VL_MEDIA_ERROR_TYPE);
}
END_TEST

START_TEST (test_files_that_are_no_video)
{
  g_autofree char *missing = path_of ("missing.mp4");
  g_autofree char *pattern = path_of ("missing%d.png");
  g_autofree char *empty = footage_text (folder, "empty.mp4", "");
  g_autofree char *text =
      footage_text (folder, "text.mp4", "once upon a time there was a file\n");
  g_autofree char *sound = path_of ("sound.wav");
  g_autofree char *pipeline = g_strdup_printf (
      "audiotestsrc num-buffers=20 ! wavenc ! filesink location=\"%s\"", sound);

  footage_run (pipeline);
  assert_fails (missing, VL_RANGE_ALL, VL_MEDIA_ERROR_MISSING);
  assert_fails (pattern, VL_RANGE_ALL, VL_MEDIA_ERROR_MISSING);
  assert_fails (empty, VL_RANGE_ALL, VL_MEDIA_ERROR_TYPE);
  assert_fails (text, VL_RANGE_ALL, VL_MEDIA_ERROR_TYPE);
  assert_fails (sound, VL_RANGE_ALL, VL_MEDIA_ERROR_TYPE);
}
END_TEST

START_TEST (test_cut_files)
{
  static const char *const muxers[] = {
      "qtmux", "qtmux faststart=true", "matroskamux", "avimux"};

  for (gsize i = 0; i < G_N_ELEMENTS (muxers); i++) {
    g_autofree char *whole = footage_video (folder, "whole", muxers[i], 20);
    g_autofree char *cut = footage_cut (whole, "cut", 0.6);
    g_autofree char *bytes = NULL;
    gsize size;

    ck_assert (g_file_get_contents (whole, &bytes, &size, NULL));
    ck_assert_uint_eq (vl_container_declared_size (whole), size);
    ck_assert_uint_gt (vl_container_declared_size (cut), size * 0.6);
    assert_fails (cut, VL_RANGE_ALL, VL_MEDIA_ERROR_DECODE);
  }
}
END_TEST

START_TEST (test_declared_size_of_anything)
{
  static const char *const hostile[] = {"RIFF", "\x1A\x45\xDF\xA3",
      "\x1A\x45\xDF\xA3\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
      "\x01\x01\x01\x01"
      "ftyp\x01\x01\x01\x01\x01\x01",
      "plain text of a kind"};

  for (gsize i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autofree char *path = footage_text (folder, "hostile", hostile[i]);

    vl_container_declared_size (path);
  }
  ck_assert_uint_eq (vl_container_declared_size ("/nonexistent"), 0);
}
END_TEST

START_TEST (test_cancelled)
{
  g_autofree char *path = footage_video (folder, "a.avi", "avimux", 20);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (VlMedia) media =
      vl_media_open (path, &VL_RANGE_ALL, 10, 1, cancellable, NULL);
  g_autoptr (GError) error = NULL;
  VlMediaFrame frame;

  ck_assert (vl_media_next (media, &frame, NULL));
  g_cancellable_cancel (cancellable);
  ck_assert (!vl_media_next (media, &frame, &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}
END_TEST

static const struct {
  const char *text;
  gboolean good;
  VlRange range;
} ranges[] = {{NULL, TRUE, {0, G_MAXUINT64}}, {"5:9", TRUE, {5, 9}},
    {"5:", TRUE, {5, G_MAXUINT64}}, {":9", TRUE, {0, 9}},
    {":", TRUE, {0, G_MAXUINT64}}, {"9:5"}, {"5:5"}, {"5"}, {""}, {"-1:5"},
    {"a:b"}, {"1:2:3"}};

START_TEST (test_ranges)
{
  VlRange range;

  ck_assert_int_eq (
      vl_range_parse (ranges[_i].text, &range, NULL), ranges[_i].good);
  if (ranges[_i].good) {
    ck_assert_uint_eq (range.first, ranges[_i].range.first);
    ck_assert_uint_eq (range.last, ranges[_i].range.last);
  }
}
END_TEST

START_TEST (test_clip_names)
{
  static const char *const names[][2] = {{"/a/b.mp4", "b.mp4"},
      {"b.mp4", "b.mp4"}, {"/a/folder/", "folder"},
      {"a/img%05d.png", "img%05d.png"}, {"http://x.org/v/c.mkv", "c.mkv"}};

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *name = vl_media_clip_name (names[i][0]);

    ck_assert_str_eq (name, names[i][1]);
  }
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("media");
  TCase *tcase = tcase_create ("media");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_checked_fixture (tcase, setup, teardown);
  tcase_set_timeout (tcase, 0); /* meson has one */
  tcase_add_test (tcase, test_video_file_and_uri);
  tcase_add_test (tcase, test_range_keeps_the_clip_s_numbers);
  tcase_add_test (tcase, test_pattern_counts_from_anywhere);
  tcase_add_test (tcase, test_pattern_sorts_by_number);
  tcase_add_test (tcase, test_pattern_with_a_gap);
  tcase_add_test (tcase, test_folder_sorts_by_name);
  tcase_add_test (tcase, test_damaged_image_is_named);
  tcase_add_test (tcase, test_folder_without_images);
  tcase_add_test (tcase, test_folder_of_two_kinds);
  tcase_add_test (tcase, test_files_that_are_no_video);
  tcase_add_test (tcase, test_cut_files);
  tcase_add_test (tcase, test_declared_size_of_anything);
  tcase_add_test (tcase, test_cancelled);
  tcase_add_loop_test (tcase, test_ranges, 0, G_N_ELEMENTS (ranges));
  tcase_add_test (tcase, test_clip_names);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
