/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is asked for and cannot be, directories that cannot be written, and
 * programs per event that do what programs do. None of it stops the detection.
 */

#include <gio/gio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "footage.h"
#include "studio.h"

#define N_VISITS 2
#define N_MANY 8

static char *video; /* N_VISITS */
static char *many;  /* N_MANY */

/* ---- what cannot be ----------------------------------------------------- */

typedef struct {
  const char *args[5];
  const char *named; /* in the message */
} Refusal;

/* In place of an argument: a video, a model. */
#define VIDEO "VIDEO"
#define MODEL "MODEL"

static const Refusal refusals[] = {
    {{"-m", MODEL}, "SOURCE"},
    {{"-m", MODEL, "nothing.mp4"}, "nothing.mp4"},
    {{"-m", MODEL, "nosuchscheme://camera/1"}, "nosuchscheme"},
    {{"-m", MODEL, "rtsp://"}, "rtsp://"},
    {{"-m", MODEL, "yard="}, "yard="},
    {{"-m", MODEL, "=rtsp://camera/1"}, "=rtsp"},
    {{"-m", MODEL, "."}, "."},
    {{VIDEO}, "-m MODEL"},
    {{"-m", MODEL, "--max-gib=-1", VIDEO}, "--max-gib"},
    {{"-m", MODEL, "--keep-days=soon", VIDEO}, "--keep-days"},
    {{"-m", MODEL, "--pre-roll=1e9", VIDEO}, "--pre-roll"},
    {{"-m", MODEL, "--cooldown=nan", VIDEO}, "--cooldown"},
    {{"-m", MODEL, "--set=nonsense=1", VIDEO}, "nonsense"},
    {{"-m", MODEL, "--set=threshold", VIDEO}, "threshold"},
    {{"-m", MODEL, "--set=threshold=high", VIDEO}, "threshold=high"},
    {{"-m", MODEL, "--set=threshold=-1", VIDEO}, "threshold=-1"},
    {{"-m", MODEL, "--exec=", VIDEO}, "--exec"},
    {{"-m", MODEL, "--exec=notify 'me", VIDEO}, "--exec"},
    {{"-m", MODEL, "--nonsense", VIDEO}, "--nonsense"},
};

START_TEST (test_bad_usage)
{
  const Refusal *refusal = &refusals[_i];
  const char *args[G_N_ELEMENTS (refusal->args) + 1] = {NULL};
  g_autoptr (Watching) watching = NULL;
  g_autofree char *errors = NULL;
  int status;

  for (guint i = 0; refusal->args[i]; i++)
    args[i] = g_str_equal (refusal->args[i], VIDEO)   ? video
              : g_str_equal (refusal->args[i], MODEL) ? studio_model
                                                      : refusal->args[i];
  watching = studio_watch_args (args);
  status = watching_end (watching);
  errors = watching_errors (watching);
  ck_assert_msg (status == 2, "%d: %s", status, errors);
  ck_assert_msg (strstr (errors, refusal->named) != NULL, "%s", errors);
  ck_assert_uint_eq (watching_n_lines (watching), 0);
}
END_TEST

/* Not to be read, or no model: it is named. */
START_TEST (test_bad_model)
{
  g_autofree char *missing = studio_path ("missing.vaelstm");
  g_autofree char *broken = studio_path ("broken.vaelstm");
  const char *models[] = {missing, broken};

  ck_assert (g_file_set_contents (broken, "no model", -1, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autoptr (Watching) watching = studio_watch ("-m", models[i], video);

    ck_assert_int_gt (watching_end (watching), 0);
    watching_check_said_once (watching, models[i]);
  }
}
END_TEST

/* No video: the other source is watched, and the status tells. */
START_TEST (test_file_without_video)
{
  g_autofree char *text = studio_path ("text.mp4");
  g_autoptr (Watching) watching = NULL;

  ck_assert (g_file_set_contents (text, "not a video, but text\n", -1, NULL));
  watching = studio_watch (STUDIO_MODEL, STUDIO_ROLLS, text, video);
  watching_await (watching, "text: ");
  ck_assert_int_eq (watching_end (watching), 1);
  ck_assert_uint_eq (watching_n_lines (watching), N_VISITS);
}
END_TEST

/* ---- directories -------------------------------------------------------- */

static gboolean
is_recorded (JsonObject *event)
{
  return json_object_get_string_member_with_default (event, "clip", NULL) !=
         NULL;
}

/* Each visit is an event, though none is recorded, and why is said once. */
static void
check_not_recorded (Watching *watching)
{
  for (guint i = 0; i < N_VISITS; i++) {
    g_autoptr (JsonObject) event = watching_next_event (watching);

    ck_assert (!is_recorded (event));
  }
  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
  watching_check_said_once (watching, "not recording");
}

START_TEST (test_directory_that_cannot_be)
{
  g_autofree char *directory = g_build_filename (video, "recordings", NULL);
  g_autoptr (Watching) watching =
      studio_watch (STUDIO_MODEL, STUDIO_ROLLS, "--record", directory, video);

  check_not_recorded (watching);
  ck_assert_uint_ge (watching_n_said (watching, directory), 1);
}
END_TEST

/* Read-only even for root. */
START_TEST (test_read_only_directory)
{
  g_autofree char *directory = studio_make_directory ("read-only");
  g_autoptr (Watching) watching = NULL;

  if (!studio_can_mount ())
    return;
  watching = studio_watch_mounted (directory, "ro",
      (const char *const[]){
          STUDIO_MODEL, STUDIO_ROLLS, "--record", directory, video, NULL});
  check_not_recorded (watching);
}
END_TEST

/* It goes away while a camera is watched, with all that is in it, and is made
 * again for what is recorded next. */
START_TEST (test_vanishing_directory)
{
  char *directory = studio_make_directory ("vanishing");
  g_autofree char *path = g_strdup (directory);
  g_autoptr (Watching) watching = studio_watch (STUDIO_MODEL, "--pre-roll",
      "0.5", "--post-roll", "0.5", "--record", directory, many);
  gboolean recorded = FALSE;

  json_object_unref (watching_next_event (watching));
  footage_remove (directory);
  for (guint i = 1; i < N_MANY; i++) {
    g_autoptr (JsonObject) event = watching_next_event (watching);

    recorded = is_recorded (event);
  }
  ck_assert_ptr_null (watching_next_line (watching));
  ck_assert_int_eq (watching_end (watching), 0);
  ck_assert (recorded);
  ck_assert_uint_ge (studio_count (path, ".json"), 1);
}
END_TEST

/* ---- a program per event ------------------------------------------------ */

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

/* Each event reaches it byte for byte, whatever is in it: the directory's name
 * is a command to every shell. */
START_TEST (test_program_gets_events)
{
  g_autofree char *directory = studio_make_directory ("a \"b\" $(exit) `;é");
  g_autofree char *received = studio_path ("received");
  g_autofree char *command = g_strdup_printf ("sh -c 'cat >>%s'", received);
  g_autoptr (Watching) watching = studio_watch (STUDIO_MODEL, STUDIO_ROLLS,
      "--record", directory, "--exec", command, video);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  const char *printed[N_VISITS];

  for (guint i = 0; i < N_VISITS; i++)
    printed[i] = watching_next_line (watching);
  ck_assert_ptr_nonnull (printed[N_VISITS - 1]);
  ck_assert_int_eq (watching_end (watching), 0);
  ck_assert (g_file_get_contents (received, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  ck_assert_uint_eq (g_strv_length (lines), N_VISITS + 1);
  ck_assert_str_eq (lines[N_VISITS], "");
  qsort (lines, N_VISITS, sizeof *lines, compare_lines);
  qsort (printed, N_VISITS, sizeof *printed, compare_lines);
  for (guint i = 0; i < N_VISITS; i++)
    ck_assert_str_eq (lines[i], printed[i]);
}
END_TEST

START_TEST (test_cooldown)
{
  g_autofree char *received = studio_path ("cooled");
  g_autofree char *command = g_strdup_printf ("sh -c 'cat >>%s'", received);
  g_autofree char *text = NULL;
  g_autoptr (Watching) watching = studio_watch (STUDIO_MODEL, STUDIO_ROLLS,
      "--cooldown", "3600", "--exec", command, video);
  const char *first = watching_next_line (watching);

  ck_assert_int_eq (watching_end (watching), 0);
  ck_assert_uint_eq (watching_n_lines (watching), N_VISITS);
  ck_assert (g_file_get_contents (received, &text, NULL, NULL));
  ck_assert_str_eq (g_strchomp (text), first);
}
END_TEST

/* It is said, and events are printed as ever. */
static void
check_program_fails (const char *command, const char *said)
{
  g_autoptr (Watching) watching =
      studio_watch (STUDIO_MODEL, STUDIO_ROLLS, "--exec", command, video);

  ck_assert_int_eq (watching_end (watching), 0);
  ck_assert_uint_eq (watching_n_lines (watching), N_VISITS);
  ck_assert_uint_ge (watching_n_said (watching, said), 1);
}

START_TEST (test_missing_program)
{
  check_program_fails ("/nowhere/notify --loudly", "/nowhere/notify");
}
END_TEST

START_TEST (test_failing_program)
{
  check_program_fails ("sh -c 'exit 3'", "sh: ");
}
END_TEST

/* What it prints is not among the events. */
START_TEST (test_talking_program)
{
  check_program_fails ("sh -c 'echo noise'", "noise");
}
END_TEST

/* Not one that has ended and that nobody has waited for. */
static gboolean
is_running (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *stat = NULL;

  return g_file_get_contents (path, &stat, NULL, NULL) &&
         !strstr (stat, ") Z ");
}

/* It holds up neither events nor, when asked to stop, the end, and does not
 * survive it. */
START_TEST (test_hanging_program)
{
  g_autofree char *pid_file = studio_path ("pid");
  g_autofree char *command =
      g_strdup_printf ("sh -c 'echo $$ >%s; exec sleep 1000'", pid_file);
  g_autofree char *text = NULL;
  g_autoptr (Watching) watching =
      studio_watch (STUDIO_MODEL, STUDIO_ROLLS, "--exec", command, video);
  int pid;

  for (guint i = 0; i < N_VISITS; i++)
    json_object_unref (watching_next_event (watching));
  while (!g_file_get_contents (pid_file, &text, NULL, NULL) || !*text) {
    g_clear_pointer (&text, g_free);
    g_usleep (10000);
  }
  pid = atoi (text);
  ck_assert (is_running (pid));
  watching_signal (watching, SIGTERM);
  ck_assert_int_eq (watching_end (watching), 0);
  watching_check_said_once (watching, "given up on runs");
  for (guint i = 0; i < 100 && is_running (pid); i++)
    g_usleep (10000);
  ck_assert (!is_running (pid));
}
END_TEST

/* ---- a standard output that takes nothing ------------------------------- */

/* It is said once, and again by the status, but holds up no recording. */
START_TEST (test_full_output)
{
  g_autofree char *directory = studio_make_directory ("unheard");
  g_autoptr (Watching) watching = watching_spawn ((const char *const[]){"sh",
      "-c", "exec \"$0\" \"$@\" >/dev/full", studio_arguments[1], "watch",
      STUDIO_MODEL, STUDIO_ROLLS, "--record", directory, video, NULL});

  ck_assert_int_eq (watching_end (watching), 1);
  watching_check_said_once (watching, "no longer prints");
  watching_check_said_once (watching, "not all events could be printed");
  ck_assert_uint_eq (studio_count (directory, ".json"), N_VISITS);
}
END_TEST

/* ---- the program -------------------------------------------------------- */

static void
prepare (void)
{
  static const Visit visits[N_VISITS + 1] = {{60, 79}, {170, 189}, VISITS_END};
  Visit often[N_MANY + 1] = {VISITS_END};

  for (guint i = 0; i < N_MANY; i++)
    often[i] = (Visit){60 + 100 * i, 69 + 100 * i};
  video = studio_path ("hall.mp4");
  many = studio_path ("stairs.mp4");
  visits_write (video, VISITS_H264, "mp4mux", 260, visits);
  visits_write (many, VISITS_H264, "mp4mux", 60 + 100 * N_MANY, often);
}

static void
add_tests (TCase *tests)
{
  tcase_add_loop_test (tests, test_bad_usage, 0, G_N_ELEMENTS (refusals));
  tcase_add_test (tests, test_bad_model);
  tcase_add_test (tests, test_file_without_video);
  tcase_add_test (tests, test_directory_that_cannot_be);
  tcase_add_test (tests, test_read_only_directory);
  tcase_add_test (tests, test_vanishing_directory);
  tcase_add_test (tests, test_full_output);
  tcase_add_test (tests, test_program_gets_events);
  tcase_add_test (tests, test_cooldown);
  tcase_add_test (tests, test_missing_program);
  tcase_add_test (tests, test_failing_program);
  tcase_add_test (tests, test_talking_program);
  tcase_add_test (tests, test_hanging_program);
}

int
main (int argc, char **argv)
{
  int status = studio_main (argc, argv, "watch-trouble", prepare, add_tests);

  g_free (video);
  g_free (many);
  return status;
}
