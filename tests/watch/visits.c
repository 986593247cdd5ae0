/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "visits.h"

#include <check.h>
#include <gst/app/gstappsrc.h>

#include "tiny-model.h"

#define CAPS                                                                   \
  "video/x-raw,format=RGB,width=" G_STRINGIFY (                                \
      TINY_SIDE) ",height=" G_STRINGIFY (TINY_SIDE) ",framerate=10/1"
G_STATIC_ASSERT (TINY_RATE == 10);

static gboolean
is_visited (guint n, const Visit *visits)
{
  for (; visits->last > 0; visits++)
    if (n >= visits->first && n <= visits->last)
      return TRUE;
  return FALSE;
}

static void
push_frames (GstAppSrc *source, guint n, const Visit *visits)
{
  for (guint i = 0; i < n; i++) {
    guint8 *rgb = g_malloc (TINY_SIZE);
    GstBuffer *buffer = gst_buffer_new_wrapped (rgb, TINY_SIZE);

    tiny_scene_draw (rgb, i, is_visited (i, visits));
    GST_BUFFER_PTS (buffer) = i * GST_SECOND / TINY_RATE;
    GST_BUFFER_DURATION (buffer) = GST_SECOND / TINY_RATE;
    gst_app_src_push_buffer (source, buffer);
  }
  gst_app_src_end_of_stream (source);
}

void
visits_write (const char *path, const char *encoder, const char *muxer, guint n,
    const Visit *visits)
{
  g_autofree char *line =
      g_strdup_printf ("appsrc name=source format=time block=true "
                       "max-bytes=1000000 caps=\"" CAPS "\" ! videoconvert ! "
                       "video/x-raw,format=I420 ! %s ! %s ! "
                       "filesink location=\"%s\"",
          encoder, muxer, path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, &error);
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstBus) bus = NULL;
  g_autoptr (GstMessage) message = NULL;

  ck_assert_msg (error == NULL, "%s: %s", line, error ? error->message : "");
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  push_frames (GST_APP_SRC (source), n, visits);
  message = gst_bus_timed_pop_filtered (
      bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  ck_assert_msg (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS, "%s", line);
}
