/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* rtsp-camera FILE PORT: a network camera that sees an H.264 file again and
 * again, as one live stream without a seam in its times. Any number of viewers
 * share rtsp://127.0.0.1:PORT/live; the first one starts the film. Port 0
 * stands for any free one. Prints `ready PORT` when it listens and `shown N`
 * when the file has been sent N times, and runs until it is killed. Nothing is
 * encoded: it takes next to no processor time. */

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <stdio.h>
#include <stdlib.h>

#define EXIT_USAGE 2

/* The file's access units in decode order, and how long they last. */
typedef struct {
  GPtrArray *units; /* GstSample */
  GstClockTime length;
} Film;

/* Where a stream is in it. */
typedef struct {
  const Film *film;
  guint next, n_shown;
  GstClockTime offset; /* of this time */
} Showing;

/* ---- the film ----------------------------------------------------------- */

static gboolean
take_units (Film *film, GstAppSink *sink)
{
  GstClockTime start = GST_CLOCK_TIME_NONE, end = 0;
  GstSample *unit;

  while ((unit = gst_app_sink_pull_sample (sink)) != NULL) {
    GstBuffer *buffer = gst_sample_get_buffer (unit);

    g_ptr_array_add (film->units, unit);
    if (!GST_BUFFER_PTS_IS_VALID (buffer) ||
        !GST_BUFFER_DURATION_IS_VALID (buffer))
      return FALSE;
    start = MIN (start, GST_BUFFER_PTS (buffer));
    end = MAX (end, GST_BUFFER_PTS (buffer) + GST_BUFFER_DURATION (buffer));
  }
  film->length = end - start;
  return film->units->len > 0;
}

static gboolean
load (Film *film, const char *path)
{
  GstElement *pipeline = gst_parse_launch (
      "filesrc name=file ! parsebin ! h264parse config-interval=-1 ! "
      "video/x-h264,stream-format=byte-stream,alignment=au ! "
      "appsink name=units sync=false",
      NULL);
  g_autoptr (GstElement) file =
      gst_bin_get_by_name (GST_BIN (pipeline), "file");
  g_autoptr (GstElement) units =
      gst_bin_get_by_name (GST_BIN (pipeline), "units");
  gboolean loaded;

  g_object_set (file, "location", path, NULL);
  film->units = g_ptr_array_new ();
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  loaded = take_units (film, GST_APP_SINK (units));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
  return loaded;
}

/* ---- showing it --------------------------------------------------------- */

static void
say (const char *what, guint number)
{
  printf ("%s %u\n", what, number);
  fflush (stdout);
}

static void
push_next (GstElement *source, guint size, gpointer user_data)
{
  Showing *showing = user_data;
  GstSample *unit = g_ptr_array_index (showing->film->units, showing->next);
  GstBuffer *buffer = gst_buffer_copy (gst_sample_get_buffer (unit));

  GST_BUFFER_PTS (buffer) += showing->offset;
  if (GST_BUFFER_DTS_IS_VALID (buffer))
    GST_BUFFER_DTS (buffer) += showing->offset;
  gst_app_src_push_buffer (GST_APP_SRC (source), buffer);

  if (++showing->next == showing->film->units->len) {
    showing->next = 0;
    say ("shown", ++showing->n_shown);
    showing->offset += showing->film->length;
  }
}

static void
free_showing (gpointer showing, GClosure *closure)
{
  g_free (showing);
}

static void
start_showing (
    GstRTSPMediaFactory *factory, GstRTSPMedia *media, gpointer user_data)
{
  const Film *film = user_data;
  g_autoptr (GstElement) bin = gst_rtsp_media_get_element (media);
  g_autoptr (GstElement) source =
      gst_bin_get_by_name_recurse_up (GST_BIN (bin), "film");
  Showing *showing = g_new0 (Showing, 1);

  showing->film = film;
  g_object_set (source, "caps",
      gst_sample_get_caps (g_ptr_array_index (film->units, 0)), NULL);
  g_signal_connect_data (
      source, "need-data", G_CALLBACK (push_next), showing, free_showing, 0);
}

/* The port, or -1. */
static int
serve (const Film *film, const char *port)
{
  GstRTSPServer *server = gst_rtsp_server_new ();
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();
  g_autoptr (GstRTSPMountPoints) mounts =
      gst_rtsp_server_get_mount_points (server);

  gst_rtsp_media_factory_set_launch (factory,
      "( appsrc name=film format=time is-live=true max-bytes=1 ! clocksync ! "
      "rtph264pay name=pay0 pt=96 )");
  gst_rtsp_media_factory_set_shared (factory, TRUE);
  g_signal_connect (
      factory, "media-configure", G_CALLBACK (start_showing), (gpointer)film);
  gst_rtsp_mount_points_add_factory (mounts, "/live", factory);

  gst_rtsp_server_set_address (server, "127.0.0.1");
  gst_rtsp_server_set_service (server, port);
  if (gst_rtsp_server_attach (server, NULL) == 0)
    return -1;
  return gst_rtsp_server_get_bound_port (server);
}

int
main (int argc, char **argv)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Film film;
  int port;

  gst_init (&argc, &argv);
  if (argc != 3) {
    g_printerr ("usage: rtsp-camera FILE PORT\n");
    return EXIT_USAGE;
  }
  if (!load (&film, argv[1])) {
    g_printerr ("rtsp-camera: %s: not H.264 with times\n", argv[1]);
    return EXIT_FAILURE;
  }
  port = serve (&film, argv[2]);
  if (port < 0) {
    g_printerr ("rtsp-camera: cannot listen at port %s\n", argv[2]);
    return EXIT_FAILURE;
  }
  say ("ready", port);
  g_main_loop_run (loop);
  return EXIT_SUCCESS;
}
