/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "snapshot.h"

#include <gio/gio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#define PATIENCE (5 * GST_SECOND)

/* What the overlay cannot draw on is converted before it. A single frame has no
 * curve. */
#define LINE                                                                   \
  "appsrc name=source format=time ! videoconvert ! "                           \
  "vaelstmoverlay show-curve=false ! videoconvert ! jpegenc ! "                \
  "appsink name=sink sync=false wait-on-eos=false"

/* The picture, or NULL with error set. */
static GstSample *
pull (GstElement *pipeline, GError **error)
{
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GstSample *picture;

  if (!message) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
        "The picture took too long to make");
    return NULL;
  }
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, error, NULL);
    return NULL;
  }
  picture = gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 0);
  if (!picture)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "No picture can be made of the frame");
  return picture;
}

/* The frame as a JPEG picture. */
static GstSample *
draw (GstSample *frame, GError **error)
{
  g_autoptr (GstElement) pipeline =
      gst_parse_launch_full (LINE, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  g_autoptr (GstElement) source = NULL;
  GstSample *picture;

  if (!pipeline)
    return NULL;
  gst_object_ref_sink (pipeline);
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_app_src_push_sample (GST_APP_SRC (source), frame);
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  picture = pull (pipeline, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return picture;
}

gboolean
vl_snapshot_write (GstSample *frame, const char *path, GError **error)
{
  g_autoptr (GstSample) picture = draw (frame, error);
  GstMapInfo map;
  gboolean ok;

  if (!picture) {
    g_prefix_error (error, "%s: ", path);
    return FALSE;
  }
  if (!gst_buffer_map (gst_sample_get_buffer (picture), &map, GST_MAP_READ)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "%s: The picture cannot be read", path);
    return FALSE;
  }
  ok = g_file_set_contents_full (path, (const char *)map.data, map.size,
      G_FILE_SET_CONTENTS_CONSISTENT, 0666, error);
  gst_buffer_unmap (gst_sample_get_buffer (picture), &map);
  return ok;
}
