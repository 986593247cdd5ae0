/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Watching files: what is printed for each event, and what is recorded. */

#include <gst/gst.h>
#include <math.h>
#include <string.h>

#include "recorded.h"
#include "studio.h"
#include "tiny-model.h"

#define N_FRAMES 260
#define FIRST_VISIT 60
#define SECOND_VISIT 170
#define VISIT_FRAMES 30

/* An event is one when it has lasted for vaelstmdetect's min-duration, 0.2 s.
 */
#define ONSET 0.25

#define SECONDS(frame) ((frame) / (double)TINY_RATE)
#define TIME(seconds) ((GstClockTime)((seconds)*GST_SECOND))

static const Visit two_visits[] = {
    {FIRST_VISIT, FIRST_VISIT + VISIT_FRAMES - 1},
    {SECOND_VISIT, SECOND_VISIT + VISIT_FRAMES - 1}, VISITS_END};

/* ---- what all events have ----------------------------------------------- */

static double
number_of (JsonObject *event, const char *member)
{
  ck_assert_msg (json_object_has_member (event, member), "no %s", member);
  return json_object_get_double_member (event, member);
}

static const char *
text_of (JsonObject *event, const char *member)
{
  return json_object_get_string_member_with_default (event, member, NULL);
}

/* The square, within a tile's width. */
static void
check_region (JsonObject *event)
{
  JsonArray *region = json_object_get_array_member (event, "region");
  double r[4];

  ck_assert_uint_eq (json_array_get_length (region), 4);
  for (guint i = 0; i < 4; i++)
    r[i] = json_array_get_double_element (region, i);
  ck_assert_double_ge (r[0], 0);
  ck_assert_double_ge (r[1], 0);
  ck_assert_double_le (r[0] + r[2], 1.001);
  ck_assert_double_le (r[1] + r[3], 1.001);
  ck_assert_double_lt (r[0] * TINY_SIDE, TINY_OBJECT_X + TINY_OBJECT_SIDE);
  ck_assert_double_gt ((r[0] + r[2]) * TINY_SIDE, TINY_OBJECT_X);
  ck_assert_double_lt (r[1] * TINY_SIDE, TINY_OBJECT_Y + TINY_OBJECT_SIDE);
  ck_assert_double_gt ((r[1] + r[3]) * TINY_SIDE, TINY_OBJECT_Y);
}

/* An event of this visit. */
static void
check_event (JsonObject *event, const char *camera, guint number, guint visit)
{
  double start = studio_time (event, "start"), end = studio_time (event, "end");
  double peak = studio_time (event, "peak");

  ck_assert_str_eq (text_of (event, "camera"), camera);
  ck_assert_int_eq (json_object_get_int_member (event, "event"), number);
  ck_assert_double_le (start, peak);
  ck_assert_double_le (peak, end);
  ck_assert_double_eq_tol (end - start, number_of (event, "duration"), 0.002);
  ck_assert_double_eq_tol (
      number_of (event, "duration"), SECONDS (VISIT_FRAMES), 0.5);
  ck_assert_double_eq_tol (
      number_of (event, "position"), SECONDS (visit), ONSET);
  ck_assert_double_gt (
      number_of (event, "score"), number_of (event, "threshold"));
  ck_assert_double_eq (number_of (event, "threshold"), 1000);
  ck_assert_double_gt (number_of (event, "appearance"), 0);
  ck_assert (json_object_has_member (event, "dynamics"));
  ck_assert_str_eq (text_of (event, "model"), studio_model);
  ck_assert_uint_ge (strlen (text_of (event, "checksum")), 64);
  check_region (event);
}

/* ---- what is recorded --------------------------------------------------- */

/* CAMERA-YYYYMMDDTHHMMSSZ.EXTENSION in the directory, of the clip's start. */
static void
check_name (JsonObject *event, const char *member, const char *directory)
{
  g_autofree char *path = studio_file (event, member);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *parent = g_path_get_dirname (path);
  g_autofree char *pattern =
      g_strdup_printf ("^%s-[0-9]{8}T[0-9]{6}Z(-[0-9]+)?\\.[a-z0-9]+$",
          text_of (event, "camera"));
  g_autofree char *stamp = g_strdup (text_of (event, "clip_start"));

  ck_assert_str_eq (parent, directory);
  ck_assert_msg (g_regex_match_simple (pattern, name, 0, 0), "%s", name);
  for (char *c = stamp; *c; c++)
    if (*c == '.')
      *c = '\0';
  stamp = g_strdelimit (stamp, "-:", ' ');
  for (char *to = stamp, *from = stamp;; from++)
    if (*from != ' ' && (*to++ = *from) == '\0')
      break;
  ck_assert_msg (strstr (name, stamp) != NULL, "%s is not of %s", name, stamp);
}

/* The .json file beside the clip is what was printed. */
static void
check_record (JsonObject *event, const char *line)
{
  g_autofree char *clip = studio_file (event, "clip");
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;

  *strrchr (clip, '.') = '\0';
  path = g_strconcat (clip, ".json", NULL);
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_str_eq (g_strchomp (text), line);
}

/* A clip that copies the video around a visit, the picture and the record. */
static void
check_files (JsonObject *event, const char *line, const char *directory,
    const char *video)
{
  g_autofree char *clip = studio_file (event, "clip");
  g_autofree char *picture = studio_file (event, "picture");
  double position = number_of (event, "position");
  double lead =
      studio_time (event, "start") - studio_time (event, "clip_start");
  GstClockTime first =
      recorded_check_copy (clip, video, TIME (position - STUDIO_ROLL),
          TIME (position + number_of (event, "duration") + STUDIO_ROLL));

  ck_assert_double_eq_tol (lead, position - first / (double)GST_SECOND, 0.05);
  ck_assert_uint_eq (recorded_decode (picture), 1);
  check_name (event, "clip", directory);
  check_name (event, "picture", directory);
  check_record (event, line);
}

/* ---- videos that are coded, or not -------------------------------------- */

START_TEST (test_h264_is_copied)
{
  g_autofree char *video = studio_path ("hall.mp4");
  g_autofree char *directory = studio_make_directory ("copied");
  g_autoptr (Watching) watching =
      studio_watch (STUDIO_MODEL, STUDIO_ROLLS, "--record", directory, video);

  for (guint i = 0; i < 2; i++) {
    const char *line = watching_next_line (watching);
    g_autoptr (JsonNode) node = NULL;
    JsonObject *event;

    ck_assert_ptr_nonnull (line);
    node = json_from_string (line, NULL);
    event = json_node_get_object (node);
    check_event (event, "hall", i + 1, two_visits[i].first);
    check_files (event, line, directory, video);
  }
  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
  ck_assert_uint_eq (studio_count (directory, ""), 2 * 3);
}
END_TEST

/* Watches the two visits in a video that has to be encoded first. */
static void
check_encoded (const char *name, const char *encoder, const char *muxer)
{
  g_autofree char *stem = g_strdup_printf ("encoded-%s", muxer);
  g_autofree char *video = studio_path (name);
  g_autofree char *directory = studio_make_directory (stem);
  g_autoptr (Watching) watching = NULL;

  visits_write (video, encoder, muxer, N_FRAMES, two_visits);
  watching =
      studio_watch (STUDIO_MODEL, STUDIO_ROLLS, "--record", directory, video);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (JsonObject) event = watching_next_event (watching);
    g_autofree char *clip = studio_file (event, "clip");
    g_autoptr (GPtrArray) units = recorded_units (clip);
    const RecordedUnit *first = g_ptr_array_index (units, 0);
    double lead =
        studio_time (event, "start") - studio_time (event, "clip_start");

    check_event (event, "shed", i + 1, two_visits[i].first);
    ck_assert (first->key);
    ck_assert_double_ge (lead, STUDIO_ROLL - 0.001);
    ck_assert_uint_ge (recorded_decode (clip),
        (lead + number_of (event, "duration") + STUDIO_ROLL) * TINY_RATE);
  }
  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
}

START_TEST (test_jpeg_is_encoded)
{
  check_encoded ("shed.mkv", VISITS_JPEG, "matroskamux");
}
END_TEST

START_TEST (test_raw_is_encoded)
{
  check_encoded ("shed.avi", "identity", "avimux");
}
END_TEST

START_TEST (test_without_recording)
{
  g_autofree char *video = studio_path ("hall.mp4");
  g_autoptr (Watching) watching =
      studio_watch (STUDIO_MODEL, STUDIO_ROLLS, video);

  for (guint i = 0; i < 2; i++) {
    g_autoptr (JsonObject) event = watching_next_event (watching);

    check_event (event, "hall", i + 1, two_visits[i].first);
    ck_assert_ptr_null (text_of (event, "clip"));
    ck_assert_ptr_null (text_of (event, "picture"));
  }
  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
}
END_TEST

/* ---- what is one event -------------------------------------------------- */

START_TEST (test_nothing_reaches_the_threshold)
{
  g_autofree char *video = studio_path ("hall.mp4");
  g_autofree char *directory = studio_make_directory ("calm");
  g_autoptr (Watching) watching = studio_watch ("-m", studio_model, "--set",
      "threshold=1e9", "--record", directory, video);

  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
  ck_assert_uint_eq (studio_count (directory, STUDIO_CLIP), 0);
}
END_TEST

/* The second visit comes within the post-roll of the first. */
START_TEST (test_visits_within_the_post_roll_are_one_event)
{
  g_autofree char *video = studio_path ("hall.mp4");
  g_autofree char *directory = studio_make_directory ("one");
  g_autoptr (Watching) watching = studio_watch (STUDIO_MODEL, "--pre-roll", "2",
      "--post-roll", "10", "--record", directory, video);
  g_autoptr (JsonObject) event = watching_next_event (watching);
  g_autofree char *clip = studio_file (event, "clip");

  ck_assert_double_eq_tol (number_of (event, "duration"),
      SECONDS (SECOND_VISIT + VISIT_FRAMES - FIRST_VISIT), 0.5);
  recorded_check_copy (
      clip, video, TIME (SECONDS (FIRST_VISIT) - 2), TIME (SECONDS (N_FRAMES)));
  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
}
END_TEST

/* Two short visits, the second one from frame `second` on. */
static void
check_two_clips (const char *name, guint second)
{
  const Visit visits[] = {{60, 79}, {second, second + 19}, VISITS_END};
  g_autofree char *file = g_strconcat (name, ".mp4", NULL);
  g_autofree char *video = studio_path (file);
  g_autofree char *directory = studio_make_directory (name);
  g_autoptr (Watching) watching = NULL;

  visits_write (video, VISITS_H264, "mp4mux", second + 60, visits);
  watching = studio_watch (STUDIO_MODEL, "--pre-roll", "0.5", "--post-roll",
      "1", "--record", directory, video);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (JsonObject) event = watching_next_event (watching);
    g_autofree char *clip = studio_file (event, "clip");

    ck_assert_double_eq_tol (
        number_of (event, "position"), SECONDS (visits[i].first), ONSET);
    ck_assert_double_eq_tol (number_of (event, "duration"), 2, 0.5);
    recorded_check_copy (clip, video, TIME (SECONDS (visits[i].first)),
        TIME (SECONDS (visits[i].last) + 1));
  }
  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
}

/* A fast reader has seen the second one before the first one's clip ends. */
START_TEST (test_visits_beyond_the_post_roll_are_two)
{
  check_two_clips ("soon", 115);
}
END_TEST

/* The second one begins with the key frame at which the first one's clip ends.
 */
START_TEST (test_clips_that_touch)
{
  check_two_clips ("touching", 100);
}
END_TEST

/* A visit longer than --max-event: clip follows clip, and no picture is lost
 * between them. */
START_TEST (test_long_event_is_split)
{
  static const Visit visits[] = {{60, 179}, VISITS_END};
  g_autofree char *video = studio_path ("long.mp4");
  g_autofree char *directory = studio_make_directory ("split");
  g_autoptr (Watching) watching = NULL;
  GstClockTime from = 0, until = 0;
  const char *line;
  guint n = 0;

  visits_write (video, VISITS_H264, "mp4mux", N_FRAMES, visits);
  watching = studio_watch (STUDIO_MODEL, STUDIO_ROLLS, "--max-event", "4",
      "--record", directory, video);
  while ((line = watching_next_line (watching)) != NULL) {
    g_autoptr (JsonNode) node = json_from_string (line, NULL);
    g_autofree char *clip = studio_file (json_node_get_object (node), "clip");
    GstClockTime start = recorded_check_copy (clip, video, 1, 0);

    if (n++ > 0)
      ck_assert_uint_eq (start, until);
    else
      from = start;
    until = start + recorded_decode (clip) * GST_SECOND / TINY_RATE;
  }
  ck_assert_uint_ge (n, 3);
  ck_assert_uint_le (from, TIME (SECONDS (60) - STUDIO_ROLL));
  ck_assert_uint_ge (until, TIME (SECONDS (180) + STUDIO_ROLL));
  ck_assert_int_eq (watching_end (watching), 0);
}
END_TEST

/* ---- several ------------------------------------------------------------ */

/* Two files of one name in one process: each camera has its own name and
 * number of events, and none overwrites the other's files. */
START_TEST (test_two_cameras_with_one_name)
{
  g_autofree char *video = studio_path ("hall.mp4");
  g_autofree char *elsewhere = studio_make_directory ("elsewhere");
  g_autofree char *copy = g_build_filename (elsewhere, "hall.mp4", NULL);
  g_autofree char *directory = studio_make_directory ("twins");
  g_autoptr (Watching) watching = NULL;
  guint n_first = 0, n_second = 0;

  visits_write (copy, VISITS_H264, "mp4mux", N_FRAMES, two_visits);
  watching = studio_watch (
      STUDIO_MODEL, STUDIO_ROLLS, "--record", directory, video, copy);
  for (guint i = 0; i < 4; i++) {
    g_autoptr (JsonObject) event = watching_next_event (watching);
    const char *camera = text_of (event, "camera");
    gboolean is_first = g_str_equal (camera, "hall");
    guint number = is_first ? n_first++ : n_second++;

    check_event (event, is_first ? "hall" : "hall-2", number + 1,
        two_visits[number].first);
    check_name (event, "clip", directory);
  }
  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
  ck_assert_uint_eq (n_first, 2);
  ck_assert_uint_eq (n_second, 2);
  ck_assert_uint_eq (studio_count (directory, STUDIO_CLIP), 4);
  watching_check_said_once (watching, "NAME=SOURCE");
}
END_TEST

START_TEST (test_named_camera)
{
  g_autofree char *video = studio_path ("hall.mp4");
  g_autofree char *named = g_strconcat ("front-door=", video, NULL);
  g_autoptr (Watching) watching =
      studio_watch (STUDIO_MODEL, STUDIO_ROLLS, named);
  g_autoptr (JsonObject) event = watching_next_event (watching);

  ck_assert_str_eq (text_of (event, "camera"), "front-door");
  watching_await (watching, "front-door: ");
}
END_TEST

static void
prepare (void)
{
  g_autofree char *video = studio_path ("hall.mp4");

  visits_write (video, VISITS_H264, "mp4mux", N_FRAMES, two_visits);
}

static void
add_tests (TCase *tests)
{
  tcase_add_test (tests, test_h264_is_copied);
  tcase_add_test (tests, test_jpeg_is_encoded);
  tcase_add_test (tests, test_raw_is_encoded);
  tcase_add_test (tests, test_without_recording);
  tcase_add_test (tests, test_nothing_reaches_the_threshold);
  tcase_add_test (tests, test_visits_within_the_post_roll_are_one_event);
  tcase_add_test (tests, test_visits_beyond_the_post_roll_are_two);
  tcase_add_test (tests, test_clips_that_touch);
  tcase_add_test (tests, test_long_event_is_split);
  tcase_add_test (tests, test_two_cameras_with_one_name);
  tcase_add_test (tests, test_named_camera);
}

int
main (int argc, char **argv)
{
  return studio_main (argc, argv, "watch-files", prepare, add_tests);
}
