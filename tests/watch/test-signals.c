/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Being told to stop in the middle of an event. */

#include <glib.h>
#include <signal.h>

#include "live.h"
#include "studio.h"
#include "tiny-model.h"

/* Watches the office until an event has gone on for a while. */
static Watching *
watch_office (Watching **camera, const char *directory)
{
  LivePort port = "0";
  g_autofree char *uri = NULL;
  Watching *watching;

  *camera = live_start (&live_office, port);
  uri = live_source ("hall", port);
  watching =
      studio_watch (STUDIO_MODEL, STUDIO_ROLLS, "--record", directory, uri);
  watching_await (watching, "has begun");
  live_await_showings (*camera, 1);
  return watching;
}

static void
check_ends_by (int signal, const char *name)
{
  g_autofree char *directory = studio_make_directory (name);
  g_autoptr (Watching) camera = NULL;
  g_autoptr (Watching) watching = watch_office (&camera, directory);

  watching_signal (watching, signal);
  live_check_events (watching, 1, 1, 4 * TINY_RATE, &live_office, LIVE_WHOLE);
  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
}

START_TEST (test_interrupted)
{
  check_ends_by (SIGINT, "interrupted");
}
END_TEST

START_TEST (test_terminated)
{
  check_ends_by (SIGTERM, "terminated");
}
END_TEST

/* All but the last second or so is on the disk, and plays. */
START_TEST (test_killed)
{
  g_autofree char *directory = studio_make_directory ("killed");
  g_autoptr (Watching) camera = NULL;
  g_autoptr (Watching) watching = watch_office (&camera, directory);
  g_autoptr (GDir) dir = NULL;
  const char *name;
  guint n = 0;

  watching_signal (watching, SIGKILL);
  ck_assert_int_eq (watching_end (watching), -SIGKILL);
  dir = g_dir_open (directory, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *clip = g_build_filename (directory, name, NULL);

    if (!g_str_has_suffix (name, STUDIO_CLIP))
      continue;
    ck_assert_uint_ge (
        live_check_clip (clip, &live_office, LIVE_CUT), 3 * TINY_RATE);
    n++;
  }
  ck_assert_uint_eq (n, 1);
}
END_TEST

static void
add_tests (TCase *tests)
{
  tcase_add_test (tests, test_interrupted);
  tcase_add_test (tests, test_terminated);
  tcase_add_test (tests, test_killed);
}

int
main (int argc, char **argv)
{
  int status =
      studio_main (argc, argv, "watch-signals", live_prepare, add_tests);

  live_clear ();
  return status;
}
