/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Watching network cameras, which come and go. */

#include <signal.h>

#include "live.h"
#include "studio.h"

START_TEST (test_camera_comes_back)
{
  g_autofree char *directory = studio_make_directory ("comes-back");

  live_check_comes_back (&live_hall, directory,
      (const char *const[]){STUDIO_MODEL, LIVE_ROLLS, NULL});
}
END_TEST

/* It is said and tried again, more and more seldom; the other source is
 * watched. */
START_TEST (test_unreachable_camera)
{
  LivePort port = "0";
  Watching *camera = live_start (&live_hall, port);
  g_autofree char *uri = live_source ("hall", port);
  g_autofree char *file = g_strconcat ("file=", live_office.file, NULL);
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
