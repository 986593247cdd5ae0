/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "live.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "recorded.h"
#include "studio.h"
#include "tiny-model.h"

#define REORDERED 3 /* pictures, by B-frames */

/* Seconds: for an event to be certain, and for a stream to get going. */
#define LATE 0.5

LiveFilm live_hall = {NULL, 1, 3};
LiveFilm live_office = {NULL, 1, 6};

static void
make (LiveFilm *film, const char *name, const Visit *visits)
{
  film->file = studio_path (name);
  visits_write (
      film->file, VISITS_H264_LIVE, "mp4mux", film->length * TINY_RATE, visits);
}

void
live_prepare (void)
{
  static const Visit hall_visits[] = {{10, 13}, VISITS_END};
  static const Visit office_visits[] = {{10, 59}, VISITS_END};

  make (&live_hall, "hall.mp4", hall_visits);
  make (&live_office, "office.mp4", office_visits);
}

void
live_clear (void)
{
  g_clear_pointer (&live_hall.file, g_free);
  g_clear_pointer (&live_office.file, g_free);
}

/* ---- cameras ------------------------------------------------------------ */

Watching *
live_start (const LiveFilm *film, LivePort port)
{
  Watching *camera = watching_spawn (
      (const char *const[]){studio_arguments[2], film->file, port, NULL});
  const char *line = watching_next_line (camera);
  guint number;

  ck_assert_msg (line && sscanf (line, "ready %u", &number) == 1, "%s",
      line ? line : "the camera does not start");
  g_snprintf (port, sizeof (LivePort), "%u", number);
  return camera;
}

void
live_kill (Watching *camera)
{
  watching_signal (camera, SIGKILL);
  watching_end (camera);
  watching_free (camera);
}

void
live_await_showings (Watching *camera, guint n)
{
  const char *line;
  guint shown = 0;

  while (shown < n && (line = watching_next_line (camera)) != NULL)
    sscanf (line, "shown %u", &shown);
  ck_assert_uint_ge (shown, n);
}

char *
live_source (const char *name, const LivePort port)
{
  return g_strdup_printf ("%s=rtsp://127.0.0.1:%s/live", name, port);
}

/* ---- clips -------------------------------------------------------------- */

/* The film's length when it is not in it. */
static guint
find (GPtrArray *film, const RecordedUnit *picture)
{
  guint i;

  for (i = 0; i < film->len; i++)
    if (g_str_equal (((RecordedUnit *)g_ptr_array_index (film, i))->digest,
            picture->digest))
      break;
  return i;
}

guint
live_check_clip (const char *path, const LiveFilm *film, LiveEnd end)
{
  g_autoptr (GPtrArray) clip = recorded_units (path);
  g_autoptr (GPtrArray) source = recorded_units (film->file);
  const RecordedUnit *head = g_ptr_array_index (clip, 0);
  guint first = find (source, head), n;

  ck_assert (head->key);
  n = clip->len;
  if (end == LIVE_CUT &&
      find (source, g_ptr_array_index (clip, n - 1)) == source->len)
    n--;
  for (guint i = 0; i < n; i++) {
    guint found = find (source, g_ptr_array_index (clip, i));

    ck_assert_msg (found == (first + i) % source->len,
        "picture %u of %u in %s is the film's %u of %u, the first one its %u",
        i, clip->len, path, found, source->len, first);
  }
  /* a broken picture may take those with it that were to be shown around it */
  ck_assert_uint_ge (
      recorded_decode (path) + (n < clip->len ? REORDERED : 0), n);
  return n;
}

/* Event `number`, where the connection's first one is `first`. */
static void
check_event (JsonObject *event, guint number, guint first, const LiveFilm *film)
{
  double position = json_object_get_double_member (event, "position");
  double expected = film->visit + (number - first) * film->length;

  ck_assert_int_eq (json_object_get_int_member (event, "event"), number);
  ck_assert_msg (ABS (position - expected) <= LATE,
      "event %u is %.3f s after connecting, not %.3f", number, position,
      expected);
  ck_assert_double_le (
      studio_time (event, "clip_start"), studio_time (event, "start"));
}

void
live_check_events (Watching *watching, guint first, guint last, guint n,
    const LiveFilm *film, LiveEnd end)
{
  for (guint i = first; i <= last; i++) {
    g_autoptr (JsonObject) event = watching_next_event (watching);
    g_autofree char *clip = studio_file (event, "clip");

    check_event (event, i, first, film);
    ck_assert_uint_ge (
        live_check_clip (clip, film, i == last ? end : LIVE_WHOLE), n);
  }
}

/* ---- a camera that comes and goes --------------------------------------- */

#define N_CONNECTIONS 4
#define VISITS_SEEN 2 /* each time; the camera dies in the last */

/* What may come and go with one connection. A decoder, a clip's muxer or a
 * model's buffers that were left behind each time would be more. glibc gives
 * threads heaps of their own, in which freed memory stays until threads of the
 * same heap need it: with a single heap the process is seen as it is. */
#define MEMORY_SLACK (3 * 1024 * 1024)

static Watching *
watch_with_one_heap (
    const char *directory, const char *source, const char *const *args)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new ();
  Watching *watching;

  for (; *args; args++)
    g_ptr_array_add (all, (char *)*args);
  g_ptr_array_add (all, "--record");
  g_ptr_array_add (all, (char *)directory);
  g_ptr_array_add (all, (char *)source);
  g_ptr_array_add (all, NULL);
  g_setenv ("MALLOC_ARENA_MAX", "1", TRUE);
  watching = studio_watch_args ((const char *const *)all->pdata);
  g_unsetenv ("MALLOC_ARENA_MAX");
  return watching;
}

/* The first visit is seen, and the second one begins; then it dies. */
static void
see_visits (
    Watching *watching, Watching *camera, guint n_seen, const LiveFilm *film)
{
  for (guint i = 0; i < VISITS_SEEN; i++)
    watching_await (watching, "has begun");
  live_kill (camera);
  live_check_events (
      watching, n_seen + 1, n_seen + VISITS_SEEN, 5, film, LIVE_CUT);
  ck_assert_ptr_nonnull (
      strstr (watching_await (watching, "lost"), "next attempt in"));
}

/* After each connection. */
static void
check_memory (const gint64 *memory)
{
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory aside for long */
  for (guint i = 2; i < N_CONNECTIONS; i++)
    ck_assert_msg (memory[i] < memory[1] + MEMORY_SLACK,
        "%" G_GINT64_FORMAT " bytes after connection %u, %" G_GINT64_FORMAT
        " after the second",
        memory[i], i + 1, memory[1]);
#endif
}

void
live_check_comes_back (
    const LiveFilm *film, const char *directory, const char *const *args)
{
  LivePort port = "0";
  Watching *camera = live_start (film, port);
  g_autofree char *source = live_source ("hall", port);
  g_autoptr (Watching) watching = watch_with_one_heap (directory, source, args);
  gint64 memory[N_CONNECTIONS];

  for (guint i = 0; i < N_CONNECTIONS; i++) {
    if (i > 0)
      camera = live_start (film, port);
    see_visits (watching, camera, i * VISITS_SEEN, film);
    ck_assert_uint_eq (watching_n_said (watching, "hall: connected"), i + 1);
    memory[i] = watching_resident_bytes (watching);
  }
  ck_assert_uint_eq (watching_n_lines (watching), N_CONNECTIONS * VISITS_SEEN);
  check_memory (memory);
  watching_signal (watching, SIGINT);
  ck_assert_int_eq (watching_end (watching), 0);
}
