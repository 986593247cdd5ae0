/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "footage.h"

#include <check.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <stdarg.h>

char *
footage_folder (void)
{
  char *folder = g_dir_make_tmp ("vaelstm-test-XXXXXX", NULL);

  ck_assert_ptr_nonnull (folder);
  return folder;
}

void
footage_remove (char *folder)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      footage_remove (g_strdup (path));
    else
      g_unlink (path);
  }
  g_dir_close (dir);
  g_rmdir (folder);
  g_free (folder);
}

void
footage_run (const char *description)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  ck_assert_msg (error == NULL, "%s: %s", description,
      error != NULL ? error->message : "");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  ck_assert_msg (
      GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%s", description);
}

char *
footage_video (
    const char *folder, const char *name, const char *muxer, unsigned n)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autofree char *pipeline = g_strdup_printf (
      "videotestsrc num-buffers=%u pattern=ball ! "
      "video/x-raw,format=I420,width=160,height=120,framerate=10/1 ! "
      "jpegenc ! %s ! filesink location=\"%s\"",
      n, muxer, path);

  footage_run (pipeline);
  return path;
}

void
footage_images (
    const char *folder, const char *pattern, unsigned first, unsigned n)
{
  for (unsigned i = 0; i < n; i++) {
    const unsigned grey = 8 * i + 16;
    g_autofree char *pipeline = g_strdup_printf (
        "videotestsrc num-buffers=1 pattern=solid-color "
        "foreground-color=%u ! video/x-raw,format=RGB,width=48,height=32 ! "
        "pngenc ! multifilesink index=%u location=\"%s/%s\"",
        0xff000000 | grey << 16 | grey << 8 | grey, first + i, folder, pattern);

    footage_run (pipeline);
  }
}

char *
footage_cut (const char *path, const char *name, double share)
{
  g_autofree char *folder = g_path_get_dirname (path);
  char *cut = g_build_filename (folder, name, NULL);
  g_autofree char *bytes = NULL;
  gsize size;

  ck_assert (g_file_get_contents (path, &bytes, &size, NULL));
  ck_assert (g_file_set_contents (cut, bytes, (gssize)(size * share), NULL));
  return cut;
}

char *
footage_text (const char *folder, const char *name, const char *text)
{
  char *path = g_build_filename (folder, name, NULL);

  ck_assert (g_file_set_contents (path, text, -1, NULL));
  return path;
}
