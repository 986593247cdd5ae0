/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Watching network cameras, which come and go. */

#include <signal.h>
#include <string.h>

#include "live.h"
#include "studio.h"

/* ---- a camera that comes and goes --------------------------------------- */

#define N_CONNECTIONS 4
#define VISITS_SEEN 2 /* each time; the camera dies in the last */

/* What may come and go with one connection. A decoder, a clip's muxer or a
 * model's buffers that were left behind each time would be more. glibc gives
 * threads heaps of their own, in which freed memory stays until threads of the
 * same heap need it: with a single heap the process is seen as it is. */
#define MEMORY_SLACK (3 * 1024 * 1024)

START_TEST (test_camera_comes_back)
{
  LivePort port = "0";
  g_autofree char *directory = studio_make_directory ("comes-back");
  g_autoptr (Watching) watching = NULL;
  gint64 memory[N_CONNECTIONS];
  guint n_events = 0;

  g_setenv ("MALLOC_ARENA_MAX", "1", TRUE);
  for (guint i = 0; i < N_CONNECTIONS; i++) {
    Watching *camera = live_start (live_hall, port);
    g_autofree char *uri = live_source ("hall", port);

    if (i == 0)
      watching =
          studio_watch (STUDIO_MODEL, LIVE_ROLLS, "--record", directory, uri);
    for (guint visit = 0; visit < VISITS_SEEN; visit++)
      watching_await (watching, "has begun");
    live_kill (camera);
    live_check_events (
        watching, n_events + 1, n_events + VISITS_SEEN, 5, live_hall);
    n_events += VISITS_SEEN;
    ck_assert_ptr_nonnull (
        strstr (watching_await (watching, "hall: lost"), "next attempt in"));
    ck_assert_uint_eq (watching_n_said (watching, "hall: connected"), i + 1);
    memory[i] = watching_resident_bytes (watching);
  }
  g_unsetenv ("MALLOC_ARENA_MAX");
  ck_assert_uint_eq (watching_n_lines (watching), n_events);
  for (guint i = 2; i < N_CONNECTIONS; i++)
    ck_assert_msg (memory[i] < memory[1] + MEMORY_SLACK,
        "%" G_GINT64_FORMAT " bytes after connection %u, %" G_GINT64_FORMAT
        " after the second",
        memory[i], i + 1, memory[1]);
  watching_signal (watching, SIGINT);
  ck_assert_int_eq (watching_end (watching), 0);
}
END_TEST

/* It is said and tried again, more and more seldom; the other source is
 * watched. */
START_TEST (test_unreachable_camera)
{
  LivePort port = "0";
  Watching *camera = live_start (live_hall, port);
  g_autofree char *uri = live_source ("hall", port);
  g_autofree char *file = g_strconcat ("file=", live_office, NULL);
  g_autoptr (Watching) watching = NULL;
  g_autoptr (JsonObject) event = NULL;

  live_kill (camera);
  watching = studio_watch (STUDIO_MODEL, uri, file);
  event = watching_next_event (watching);
  ck_assert_str_eq (json_object_get_string_member (event, "camera"), "file");
  watching_await (watching, "next attempt in 1 s");
  watching_await (watching, "next attempt in 2 s");
  ck_assert_uint_eq (watching_n_said (watching, "hall: connected"), 0);
  watching_signal (watching, SIGTERM);
  ck_assert_int_eq (watching_end (watching), 0);
}
END_TEST

static void
add_tests (TCase *tests)
{
  tcase_add_test (tests, test_camera_comes_back);
  tcase_add_test (tests, test_unreachable_camera);
}

int
main (int argc, char **argv)
{
  int status =
      studio_main (argc, argv, "watch-cameras", live_prepare, add_tests);

  live_clear ();
  return status;
}
