/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recording.h"

#include <glib/gstdio.h>

#include "running.h"

#define KEY_FRAMES "10" /* frames from one to the next */

static gchar *directory;

void
recording_set_up (void)
{
  directory = g_dir_make_tmp ("vaelstm-test-XXXXXX", NULL);
  fail_unless (directory != NULL);
}

void
recording_tear_down (void)
{
  GDir *dir = g_dir_open (directory, 0, NULL);
  const gchar *name;

  while ((name = g_dir_read_name (dir))) {
    gchar *path = recording_path (name);

    g_unlink (path);
    g_free (path);
  }
  g_dir_close (dir);
  g_rmdir (directory);
  g_free (directory);
}

gchar *
recording_path (const gchar *name)
{
  return g_build_filename (directory, name, NULL);
}

gchar *
recording_make (const gchar *muxer)
{
  gchar *path = recording_path ("recording");
  gchar *line = g_strdup_printf (
      "videotestsrc num-buffers=%d pattern=ball ! video/x-raw,format=I420,"
      "width=160,height=120,framerate=10/1 ! x264enc speed-preset=ultrafast "
      "bframes=2 key-int-max=" KEY_FRAMES " ! h264parse ! %s ! "
      "filesink location=\"%s\"",
      RECORDING_FRAMES, muxer, path);
  GstElement *pipeline = running_launch (line);

  running_play_to_eos (pipeline);
  running_stop (pipeline);
  g_free (line);
  return path;
}
