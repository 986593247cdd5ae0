/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "live.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>

#include "recorded.h"
#include "studio.h"

char *live_hall, *live_office;

void
live_prepare (void)
{
  static const Visit hall_visits[] = {{10, 13}, VISITS_END};
  static const Visit office_visits[] = {{10, 59}, VISITS_END};

  live_hall = studio_path ("hall.mp4");
  live_office = studio_path ("office.mp4");
  visits_write (
      live_hall, VISITS_H264_LIVE, "mp4mux", LIVE_HALL_FRAMES, hall_visits);
  visits_write (live_office, VISITS_H264_LIVE, "mp4mux", LIVE_OFFICE_FRAMES,
      office_visits);
}

void
live_clear (void)
{
  g_clear_pointer (&live_hall, g_free);
  g_clear_pointer (&live_office, g_free);
}

/* ---- cameras ------------------------------------------------------------ */

Watching *
live_start (const char *film, LivePort port)
{
  Watching *camera = watching_spawn (
      (const char *const[]){studio_arguments[2], film, port, NULL});
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

static guint
find_digest (GPtrArray *units, const char *digest)
{
  for (guint i = 0; i < units->len; i++)
    if (g_str_equal (
            ((RecordedUnit *)g_ptr_array_index (units, i))->digest, digest))
      return i;
  ck_abort_msg ("a picture that is not the camera's");
  return 0;
}

guint
live_check_clip (const char *path, const char *film)
{
  g_autoptr (GPtrArray) clip = recorded_units (path);
  g_autoptr (GPtrArray) source = recorded_units (film);
  const RecordedUnit *head = g_ptr_array_index (clip, 0);
  guint first = find_digest (source, head->digest);

  ck_assert (head->key);
  for (guint i = 0; i < clip->len; i++) {
    const RecordedUnit *copy = g_ptr_array_index (clip, i);
    const RecordedUnit *original =
        g_ptr_array_index (source, (first + i) % source->len);

    ck_assert_msg (g_str_equal (copy->digest, original->digest),
        "picture %u of %s is not the next one", i, path);
  }
  ck_assert_uint_eq (recorded_decode (path), clip->len);
  return clip->len;
}

void
live_check_events (
    Watching *watching, guint first, guint last, guint n, const char *film)
{
  guint seen = 0, all = (1u << (last - first + 1)) - 1;

  for (guint i = first; i <= last; i++) {
    g_autoptr (JsonObject) event = watching_next_event (watching);
    g_autofree char *clip = studio_file (event, "clip");
    g_autofree char *errors = watching_errors (watching);
    gint64 number = json_object_get_int_member (event, "event");

    ck_assert_msg (number >= first && number <= last,
        "event %" G_GINT64_FORMAT " is not %u to %u:\n%s", number, first, last,
        errors);
    seen |= 1u << (number - first);
    ck_assert_double_le (
        studio_time (event, "clip_start"), studio_time (event, "start"));
    ck_assert_uint_ge (live_check_clip (clip, film), n);
  }
  ck_assert_uint_eq (seen, all);
}
