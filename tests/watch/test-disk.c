/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A disk with a quota, a full one, and a clock that is set back. The third
 * argument is what sets it back, the library clock-back. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "live.h"
#include "recorded.h"
#include "studio.h"

/* ---- a quota ------------------------------------------------------------ */

#define FLOOD_FRAMES 2000
#define FLOOD_ENCODER                                                          \
  "x264enc key-int-max=10 bframes=0 pass=qual quantizer=10 threads=1 "         \
  "speed-preset=ultrafast ! h264parse"
#define MIB (1024 * 1024)

/* Large enough for what is held back of it, a sixteenth, to outweigh the clips
 * that are written between two looks at it at this speed. */
#define QUOTA (8 * MIB)
#define QUOTA_IN_GIB "0.0078125"

/* With what is to stay free. */
#define DISK (256 * MIB)
#define DISK_IN_MIB "256"

/* As another process sees it. */
static char *
path_in (Watching *watching, const char *path)
{
  return g_strdup_printf ("/proc/%s/root%s", watching_pid (watching), path);
}

/* Bytes in use on the mounted file system, at one moment; 0 before it is
 * mounted, and after. */
static guint64
measure (const char *place)
{
  struct statvfs info;

  if (statvfs (place, &info) != 0 || info.f_blocks * info.f_frsize != DISK)
    return 0;
  return (info.f_blocks - info.f_bfree) * info.f_frsize;
}

/* One alarm after the other, far faster than a camera's, of many times the
 * quota. It is never exceeded, and some of the clips are there at the end: how
 * many depends on how many were being written at a time. */
START_TEST (test_quota)
{
  static const Visit none[] = {VISITS_END};
  g_autofree char *video = studio_path ("flood.mp4");
  g_autofree char *directory = studio_make_directory ("quota");
  g_autofree char *place = NULL;
  g_autoptr (Watching) watching = NULL;
  guint64 used, last = 0, most = 0;
  GStatBuf info;

  if (!studio_can_mount ())
    return;
  visits_write (video, FLOOD_ENCODER, "mp4mux", FLOOD_FRAMES, none);
  ck_assert_int_eq (g_stat (video, &info), 0);
  ck_assert_int_gt (info.st_size, 2 * QUOTA);
  watching = studio_watch_mounted (directory, "size=" DISK_IN_MIB "m",
      (const char *const[]){"-m", studio_model, "--set", "threshold=1e-9",
          STUDIO_ROLLS, "--max-event", "1", "--max-gib", QUOTA_IN_GIB,
          "--record", directory, video, NULL});
  place = path_in (watching, directory);
  while (watching_is_running (watching)) {
    if ((used = measure (place)) > 0)
      last = used;
    most = MAX (most, used);
    g_usleep (1000);
  }
  ck_assert_int_eq (watching_end (watching), 0);
  ck_assert_uint_ge (watching_n_lines (watching), 100);
  ck_assert_msg (most <= QUOTA, "%" G_GUINT64_FORMAT " bytes", most);
  ck_assert_uint_ge (last, QUOTA / 8);
}
END_TEST

/* ---- a full disk -------------------------------------------------------- */

/* Takes all space that is left; returns the file that has it. */
static char *
fill (Watching *watching, const char *directory)
{
  static const char zeros[MIB];
  g_autofree char *place = path_in (watching, directory);
  char *ballast = g_build_filename (place, "ballast", NULL);
  int fd = g_open (ballast, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
  gsize block = sizeof zeros;

  ck_assert_int_ge (fd, 0);
  while (block > 0)
    if (write (fd, zeros, block) <= 0) {
      ck_assert_int_eq (errno, ENOSPC);
      block /= 2;
    }
  close (fd);
  return ballast;
}

/* Whether the next event has a clip, which has to be playable. */
static gboolean
next_is_recorded (Watching *watching)
{
  g_autoptr (JsonObject) event = watching_next_event (watching);
  const char *clip =
      json_object_get_string_member_with_default (event, "clip", NULL);
  g_autofree char *path = clip ? path_in (watching, clip) : NULL;

  if (path)
    live_check_clip (path, &live_hall, LIVE_CUT);
  return path != NULL;
}

/* It fills up in the middle of an event. That is said, but not per event. */
START_TEST (test_full_disk)
{
  LivePort port = "0";
  g_autoptr (Watching) camera = NULL;
  g_autoptr (Watching) watching = NULL;
  g_autofree char *directory = studio_make_directory ("full");
  g_autofree char *source = NULL;
  g_autofree char *ballast = NULL;
  guint n_said;

  if (!studio_can_mount ())
    return;
  camera = live_start (&live_hall, port);
  source = live_source ("hall", port);
  watching = studio_watch_mounted (directory, "size=72m",
      (const char *const[]){
          STUDIO_MODEL, LIVE_ROLLS, "--record", directory, source, NULL});
  ck_assert (next_is_recorded (watching));

  watching_await (watching, "event 2 has begun");
  ballast = fill (watching, directory);
  watching_await (watching, "not recording");
  next_is_recorded (watching); /* it may be, up to where the disk was full */
  ck_assert (!next_is_recorded (watching));
  n_said = watching_n_said (watching, "not recording");
  ck_assert (!next_is_recorded (watching));
  ck_assert_uint_eq (watching_n_said (watching, "not recording"), n_said);

  g_unlink (ballast);
  watching_await (watching, "recording again");
  ck_assert (next_is_recorded (watching) || next_is_recorded (watching));
  watching_signal (watching, SIGINT);
  ck_assert_int_eq (watching_end (watching), 0);
}
END_TEST

/* ---- the clock ---------------------------------------------------------- */

static Watching *
watch_with_clock (
    const char *set_back, const char *directory, const char *source)
{
  Watching *watching;

  g_setenv ("LD_PRELOAD", studio_arguments[3], TRUE);
  g_setenv ("CLOCK_BACK", set_back, TRUE);
  watching = studio_watch (STUDIO_MODEL, LIVE_ROLLS, "--keep-days", "1",
      "--max-gib", "1", "--record", directory, source);
  g_unsetenv ("LD_PRELOAD");
  g_unsetenv ("CLOCK_BACK");
  return watching;
}

/* An hour back, twice: every event is told and recorded, and stays. */
START_TEST (test_clock_is_set_back)
{
  LivePort port = "0";
  g_autoptr (Watching) camera = NULL;
  g_autoptr (Watching) watching = NULL;
  g_autofree char *set_back = studio_path ("set-back");
  g_autofree char *directory = studio_make_directory ("clock");
  g_autofree char *source = NULL;
  JsonObject *events[3];

  if (!studio_arguments[3])
    return;
  camera = live_start (&live_hall, port);
  source = live_source ("hall", port);
  watching = watch_with_clock (set_back, directory, source);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++) {
    events[i] = watching_next_event (watching);
    ck_assert (g_file_set_contents (set_back, "", 0, NULL));
  }
  ck_assert_double_lt (studio_time (events[2], "start"),
      studio_time (events[0], "start") - 3000);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++) {
    g_autofree char *clip = studio_file (events[i], "clip");

    ck_assert_double_le (studio_time (events[i], "clip_start"),
        studio_time (events[i], "start"));
    ck_assert_double_le (
        studio_time (events[i], "start"), studio_time (events[i], "end"));
    live_check_clip (clip, &live_hall, LIVE_WHOLE);
    json_object_unref (events[i]);
  }
  ck_assert_uint_eq (watching_n_said (watching, "not recording"), 0);
  ck_assert_uint_eq (watching_n_said (watching, "lost"), 0);
  watching_signal (watching, SIGINT);
  ck_assert_int_eq (watching_end (watching), 0);
}
END_TEST

static void
add_tests (TCase *tests)
{
  tcase_add_test (tests, test_quota);
  tcase_add_test (tests, test_full_disk);
  tcase_add_test (tests, test_clock_is_set_back);
}

int
main (int argc, char **argv)
{
  int status = studio_main (argc, argv, "watch-disk", live_prepare, add_tests);

  live_clear ();
  return status;
}
