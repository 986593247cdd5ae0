/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "source.h"

#include <check.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <stdlib.h>

static VlSource *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VlSource *source = vl_source_parse (text, &error);

  ck_assert_msg (source != NULL, "%s: %s", text, error ? error->message : "");
  return source;
}

static const struct {
  const char *text, *name, *location;
  VlSourceKind kind;
} places[] = {
    {"/dev/video2", "video2", "/dev/video2", VL_SOURCE_DEVICE},
    {"door=/dev/video0", "door", "/dev/video0", VL_SOURCE_DEVICE},
    {"http://10.0.0.5/live", "10.0.0.5-live", "http://10.0.0.5/live",
        VL_SOURCE_STREAM},
    {"http://cam/a/b.mjpg?user=me&x=1", "cam-a-b.mjpg",
        "http://cam/a/b.mjpg?user=me&x=1", VL_SOURCE_STREAM},
    {"http://me:secret@cam/1", "cam-1", "http://me:secret@cam/1",
        VL_SOURCE_STREAM},
    {"rtsp://h:8554/user=admin&password=hunter2&channel=1", "h-8554",
        "rtsp://h:8554/user=admin&password=hunter2&channel=1",
        VL_SOURCE_STREAM},
    {"rtsp://h/cam/realmonitor?channel=1", "h-cam-realmonitor",
        "rtsp://h/cam/realmonitor?channel=1", VL_SOURCE_STREAM},
    {"http://[::1]:8080/", "1-8080", "http://[::1]:8080/", VL_SOURCE_STREAM},
    {"yard=http://cam/?a=b", "yard", "http://cam/?a=b", VL_SOURCE_STREAM},
    {"file:///no/such/one.mp4", "no-such-one.mp4", "file:///no/such/one.mp4",
        VL_SOURCE_FILE},
};

START_TEST (test_place)
{
  g_autoptr (VlSource) source = parse (places[_i].text);

  ck_assert_str_eq (source->name, places[_i].name);
  ck_assert_str_eq (source->location, places[_i].location);
  ck_assert_int_eq (source->kind, places[_i].kind);
}
END_TEST

/* A file whose name has a sign in it is that file. */
START_TEST (test_file)
{
  g_autofree char *directory = g_dir_make_tmp ("XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "a=b c.mp4", NULL);
  g_autofree char *named = g_strconcat ("x=", path, NULL);
  g_autofree char *uri = g_filename_to_uri (path, NULL, NULL);

  ck_assert (g_file_set_contents (path, "", 0, NULL));
  {
    g_autoptr (VlSource) source = parse (path);
    g_autoptr (VlSource) other = parse (named);

    ck_assert_str_eq (source->name, "a-b-c");
    ck_assert_str_eq (source->location, uri);
    ck_assert_str_eq (other->name, "x");
    ck_assert_str_eq (other->location, uri);
  }
  g_unlink (path);
  g_rmdir (directory);
}
END_TEST

static const char *const mistakes[] = {"", "no such file", "/no/such/file.mp4",
    "/", "nothing://cam/1", "name=", "=/dev/video0", "name=nothing://cam/1",
    "name=missing.mp4", "rtsp://", "rtsp:/x", "http://cam:port/"};

START_TEST (test_mistake)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (vl_source_parse (mistakes[_i], &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_ptr_nonnull (strstr (error->message, "expected"));
}
END_TEST

START_TEST (test_names_differ)
{
  static const char *const texts[] = {
      "a=/dev/video0", "a=/dev/video1", "a-2=/dev/video2", "a=/dev/video3"};
  static const char *const names[] = {"a", "a-2", "a-2-2", "a-3"};
  g_autoptr (GPtrArray) sources =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vl_source_free);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_ptr_array_add (sources, parse (texts[i]));
  ck_assert_uint_eq (vl_sources_tell_apart (sources), 3);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    ck_assert_str_eq (((VlSource *)sources->pdata[i])->name, names[i]);
  ck_assert_uint_eq (vl_sources_tell_apart (sources), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("source");
  TCase *tcase = tcase_create ("parse");
  SRunner *runner = srunner_create (suite);

  gst_init (NULL, NULL);
  tcase_add_loop_test (tcase, test_place, 0, G_N_ELEMENTS (places));
  tcase_add_test (tcase, test_file);
  tcase_add_loop_test (tcase, test_mistake, 0, G_N_ELEMENTS (mistakes));
  tcase_add_test (tcase, test_names_differ);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  return srunner_ntests_failed (runner) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
