/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Watching a camera that sends pictures over HTTP, one after another, and says
 * nothing of their times. */

#include <gio/gio.h>
#include <math.h>
#include <signal.h>

#include "recorded.h"
#include "studio.h"
#include "tiny-model.h"

#define N_FRAMES 140
#define FIRST 60
#define LAST 79

#define HEADER                                                                 \
  "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; "               \
  "boundary=frame\r\n\r\n"

static gboolean
send_all (GOutputStream *stream, const char *data, gsize size)
{
  return g_output_stream_write_all (stream, data, size, NULL, NULL, NULL) &&
         g_output_stream_flush (stream, NULL, NULL);
}

/* The film, at the pace at which it was taken, again and again. */
static gboolean
show (GThreadedSocketService *service, GSocketConnection *connection,
    GObject *source, gpointer film)
{
  GOutputStream *stream =
      g_io_stream_get_output_stream (G_IO_STREAM (connection));
  const char *data = g_bytes_get_data (film, NULL);
  const gsize size = g_bytes_get_size (film);

  if (!send_all (stream, HEADER, sizeof HEADER - 1))
    return TRUE;
  for (guint i = 0;; i = (i + 1) % N_FRAMES) {
    const gsize from = size * i / N_FRAMES, to = size * (i + 1) / N_FRAMES;

    if (!send_all (stream, data + from, to - from))
      break;
    g_usleep (G_USEC_PER_SEC / TINY_RATE);
  }
  return TRUE;
}

static void
drop_film (gpointer film, GClosure *closure)
{
  g_bytes_unref (film);
}

/* Its port; the film is freed with the service. */
static guint16
start_camera (GSocketService **service)
{
  static const Visit visits[] = {{FIRST, LAST}, VISITS_END};
  g_autofree char *path = studio_path ("film");
  char *data;
  gsize size;
  guint16 port;

  visits_write (
      path, VISITS_JPEG, "multipartmux boundary=frame", N_FRAMES, visits);
  ck_assert (g_file_get_contents (path, &data, &size, NULL));
  *service = g_threaded_socket_service_new (4);
  port = g_socket_listener_add_any_inet_port (
      G_SOCKET_LISTENER (*service), NULL, NULL);
  ck_assert_uint_ne (port, 0);
  g_signal_connect_data (*service, "run", G_CALLBACK (show),
      g_bytes_new_take (data, size), drop_film, 0);
  return port;
}

/* The service takes connections from a main loop. */
static gpointer
serve (gpointer loop)
{
  g_main_loop_run (loop);
  return NULL;
}

START_TEST (test_pictures_without_times)
{
  GSocketService *service;
  g_autofree char *directory = studio_make_directory ("http");
  g_autofree char *source =
      g_strdup_printf ("door=http://127.0.0.1:%u/", start_camera (&service));
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  GThread *thread = g_thread_new ("serve", serve, loop);
  g_autoptr (Watching) watching =
      studio_watch (STUDIO_MODEL, STUDIO_ROLLS, "--record", directory, source);
  g_autoptr (JsonObject) event = watching_next_event (watching);
  g_autofree char *clip = studio_file (event, "clip");
  g_autofree char *errors = NULL;
  int status;
  const double length = json_object_get_double_member (event, "duration");

  ck_assert_double_eq_tol (length, (LAST - FIRST) / (double)TINY_RATE, 1.5);
  ck_assert_double_ge (
      studio_time (event, "start") - studio_time (event, "clip_start"),
      STUDIO_ROLL);
  ck_assert_uint_ge (
      recorded_decode (clip), LAST - FIRST + STUDIO_ROLL * TINY_RATE);
  watching_signal (watching, SIGTERM);
  status = watching_end (watching);
  errors = watching_errors (watching);
  ck_assert_msg (status == 0, "%d: %s", status, errors);

  g_main_loop_quit (loop);
  g_thread_join (thread);
  g_socket_service_stop (service);
  g_object_unref (service);
}
END_TEST

static void
add_tests (TCase *tests)
{
  tcase_add_test (tests, test_pictures_without_times);
}

int
main (int argc, char **argv)
{
  return studio_main (argc, argv, "watch-http", NULL, add_tests);
}
