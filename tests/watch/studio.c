/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "studio.h"

#include <gio/gio.h>
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "footage.h"

#define N_NORMAL_FRAMES 300
#define TIMEOUT 300 /* seconds, of the whole test program */

char **studio_arguments;
char *studio_model;

static char *folder;
static void (*prepare_tests) (void);

/* ---- files -------------------------------------------------------------- */

char *
studio_path (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

char *
studio_make_directory (const char *name)
{
  char *path = studio_path (name);

  ck_assert_int_eq (g_mkdir_with_parents (path, 0755), 0);
  return path;
}

guint
studio_count (const char *directory, const char *end)
{
  GDir *dir = g_dir_open (directory, 0, NULL);
  const char *name;
  guint n = 0;

  while (dir && (name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_suffix (name, end);
  g_clear_pointer (&dir, g_dir_close);
  return n;
}

/* ---- the model ---------------------------------------------------------- */

void
studio_run (const char *const *argv)
{
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  ck_assert (g_spawn_sync (NULL, (char **)argv, NULL,
      G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &errors, &status, &error));
  ck_assert_msg (
      g_spawn_check_wait_status (status, NULL), "%s: %s", argv[1], errors);
}

char *
studio_train (const char *name, const char *seed)
{
  g_autofree char *normal = studio_path ("normal.mp4");
  char *model = studio_path (name);

  studio_run ((const char *const[]){studio_arguments[1], "train", "-o", model,
      "--size", "128x128", "--width", "8", "--latent", "8", "--steps", "12",
      "--lstm-steps", "12", "--threads", "1", "--seed", seed, normal, NULL});
  return model;
}

/* ---- the program -------------------------------------------------------- */

static void
set_up (void)
{
  static const Visit none[] = {VISITS_END};
  g_autofree char *normal = NULL;

  folder = footage_folder ();
  normal = studio_path ("normal.mp4");
  visits_write (normal, VISITS_H264, "mp4mux", N_NORMAL_FRAMES, none);
  studio_model = studio_train ("room.vaelstm", "1");
  if (prepare_tests)
    prepare_tests ();
}

static void
tear_down (void)
{
  watching_kill_all ();
  g_clear_pointer (&studio_model, g_free);
  footage_remove (g_steal_pointer (&folder));
}

int
studio_main (int argc, char **argv, const char *name, void (*prepare) (void),
    void (*add_tests) (TCase *))
{
  Suite *suite = suite_create (name);
  TCase *tests = tcase_create ("general");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  studio_arguments = argv;
  prepare_tests = prepare;
  gst_init (NULL, NULL);
  tcase_set_timeout (tests, TIMEOUT);
  tcase_add_unchecked_fixture (tests, set_up, tear_down);
  add_tests (tests);
  suite_add_tcase (suite, tests);
  srunner_set_fork_status (runner, CK_NOFORK);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* `prefix`, the command, args. */
static Watching *
watch_behind (const char *const *prefix, const char *const *args)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();

  for (; *prefix; prefix++)
    g_ptr_array_add (argv, (char *)*prefix);
  g_ptr_array_add (argv, studio_arguments[1]);
  g_ptr_array_add (argv, "watch");
  for (; *args; args++)
    g_ptr_array_add (argv, (char *)*args);
  g_ptr_array_add (argv, NULL);
  return watching_spawn ((const char *const *)argv->pdata);
}

Watching *
studio_watch_args (const char *const *args)
{
  return watch_behind ((const char *const[]){NULL}, args);
}

/* ---- mounts ------------------------------------------------------------- */

#define MOUNT "mount -t tmpfs -o \"$1\" none \"$0\" && shift && exec \"$@\""

gboolean
studio_can_mount (void)
{
  g_autofree char *program = g_find_program_in_path ("unshare");
  g_autoptr (Watching) trial = NULL;

  if (program == NULL)
    return FALSE;
  trial = watching_spawn ((const char *const[]){
      "unshare", "-rm", "sh", "-c", MOUNT, folder, "size=1m", "true", NULL});
  return watching_end (trial) == 0;
}

Watching *
studio_watch_mounted (
    const char *directory, const char *options, const char *const *args)
{
  return watch_behind ((const char *const[]){"unshare", "-rm", "sh", "-c",
                           MOUNT, directory, options, NULL},
      args);
}

/* ---- events ------------------------------------------------------------- */

static const char *
string_of (JsonObject *event, const char *member)
{
  const char *text =
      json_object_get_string_member_with_default (event, member, NULL);

  ck_assert_msg (text != NULL, "no %s", member);
  return text;
}

char *
studio_file (JsonObject *event, const char *member)
{
  const char *path = string_of (event, member);

  ck_assert_msg (g_file_test (path, G_FILE_TEST_IS_REGULAR), "no %s", path);
  return g_strdup (path);
}

double
studio_time (JsonObject *event, const char *member)
{
  const char *text = string_of (event, member);
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, NULL);

  ck_assert_msg (time && strlen (text) == strlen ("2026-11-23T20:23:49.123Z") &&
                     g_str_has_suffix (text, "Z") && text[19] == '.',
      "%s: %s", member, text);
  return g_date_time_to_unix (time) +
         g_date_time_get_microsecond (time) / (double)G_USEC_PER_SEC;
}
