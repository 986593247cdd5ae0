/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The hook: a program gets the text byte for byte, and no program is a trouble
 * of ours. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hook.h"

#define LONG 30 /* seconds; more than a test takes */

static char *directory;
static GPtrArray *failures; /* messages */

static void
set_up (void)
{
  directory = g_dir_make_tmp ("vaelstm-hook-XXXXXX", NULL);
  ck_assert_ptr_nonnull (directory);
  g_setenv ("HOOK_TEST", directory, TRUE);
  failures = g_ptr_array_new_with_free_func (g_free);
}

static void
tear_down (void)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);
    g_unlink (path);
  }
  g_rmdir (directory);
  g_clear_pointer (&directory, g_free);
  g_clear_pointer (&failures, g_ptr_array_unref);
}

static void
note_failure (const char *message, gpointer user_data)
{
  ck_assert_ptr_eq (user_data, &failures);
  g_ptr_array_add (failures, g_strdup (message));
}

static VlHook *
new_hook (const char *command, guint timeout)
{
  g_autoptr (GError) error = NULL;
  VlHook *hook =
      vl_hook_new (command, timeout, note_failure, &failures, &error);

  ck_assert_msg (hook != NULL, "%s", error != NULL ? error->message : "");
  return hook;
}

/* A shell script in the test's directory, which it finds as $HOOK_TEST. */
static VlHook *
new_script_hook (const char *script, guint timeout)
{
  g_autofree char *path = g_build_filename (directory, "script", NULL);
  g_autofree char *command = g_strdup_printf ("sh '%s' 'an argument'", path);

  ck_assert (g_file_set_contents (path, script, -1, NULL));
  return new_hook (command, timeout);
}

static void
wait_for_all (VlHook *hook)
{
  while (vl_hook_pending (hook) > 0)
    g_main_context_iteration (NULL, TRUE);
}

static char *
read_file (const char *name, gsize *length)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  char *text = NULL;

  g_file_get_contents (path, &text, length, NULL);
  return text;
}

static guint
count_files (const char *prefix)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_prefix (name, prefix);
  return n;
}

static void
wait_for_files (const char *prefix, guint n)
{
  while (count_files (prefix) < n) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (2000);
  }
}

static void
assert_no_failure (void)
{
  ck_assert_msg (failures->len == 0, "%s",
      failures->len > 0 ? (char *)failures->pdata[0] : "");
}

static void
assert_one_failure (const char *part)
{
  ck_assert_uint_eq (failures->len, 1);
  ck_assert_msg (strstr (failures->pdata[0], part) != NULL, "%s: %s", part,
      (char *)failures->pdata[0]);
}

/* Waits until the processes that left a file pid-NUMBER are no more, or only
 * have not been waited for. */
static void
wait_for_death (void)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = NULL, *stat = NULL;

    if (!g_str_has_prefix (name, "pid-"))
      continue;
    path = g_strdup_printf ("/proc/%s/stat", name + strlen ("pid-"));
    while (g_file_get_contents (path, &stat, NULL, NULL) &&
           strstr (stat, ") Z ") == NULL) {
      g_free (g_steal_pointer (&stat));
      g_usleep (2000);
    }
  }
}

/* What the program gets */

static const char *const texts[] = {
    "",
    "{\"camera\": \"front\", \"peak\": 12.5}",
    "$(touch $HOOK_TEST/pwned) `touch $HOOK_TEST/pwned`; touch pwned",
    "'; touch $HOOK_TEST/pwned; ' \" \\ %s %n \t \r",
    "two\nlines\n",
    "\xc3\xbc \xe2\x82\xac \xff",
};

START_TEST (test_text_arrives_byte_for_byte)
{
  g_autoptr (VlHook) hook = new_script_hook (
      "[ $# = 1 ] && [ \"$1\" = 'an argument' ] && cat >$HOOK_TEST/got", LONG);
  g_autofree char *expected = g_strconcat (texts[_i], "\n", NULL);
  g_autofree char *got = NULL;
  gsize length;

  vl_hook_run (hook, texts[_i]);
  ck_assert_uint_eq (vl_hook_pending (hook), 1);
  wait_for_all (hook);
  assert_no_failure ();
  got = read_file ("got", &length);
  ck_assert_uint_eq (length, strlen (expected));
  ck_assert_mem_eq (got, expected, length);
  ck_assert_uint_eq (count_files ("pwned"), 0);
}
END_TEST

START_TEST (test_long_texts_arrive)
{
  g_autoptr (VlHook) hook =
      new_script_hook ("sleep 0.1; cat >$HOOK_TEST/got", LONG);
  g_autofree char *text = g_strnfill (1 << 20, 'x');
  g_autofree char *got = NULL;
  gsize length;

  text[12345] = '\n';
  text[54321] = 'y';
  vl_hook_run (hook, text);
  wait_for_all (hook);
  assert_no_failure ();
  got = read_file ("got", &length);
  ck_assert_uint_eq (length, (1 << 20) + 1);
  ck_assert_mem_eq (got, text, 1 << 20);
}
END_TEST

static const char *const readers[] = {"exit 0", "exec <&-; sleep 0.1",
    "read line; exit 0", "head -c 1000 >$HOOK_TEST/head"};

START_TEST (test_nobody_has_to_read)
{
  g_autoptr (VlHook) hook = new_script_hook (readers[_i], LONG);
  g_autofree char *text = g_strnfill (1 << 20, 'x');

  signal (SIGPIPE, SIG_DFL);
  vl_hook_run (hook, text);
  wait_for_all (hook);
  assert_no_failure ();
}
END_TEST

START_TEST (test_programs_end_at_broken_pipes)
{
  g_autoptr (VlHook) hook = new_script_hook (
      "(yes; echo $? >$HOOK_TEST/status) | head -n 1 >/dev/null", LONG);
  g_autofree char *status = NULL;

  signal (SIGPIPE, SIG_IGN);
  vl_hook_run (hook, "event");
  wait_for_all (hook);
  status = read_file ("status", NULL);
  ck_assert_int_eq (atoi (status), 128 + SIGPIPE);
}
END_TEST

/* Its file, to be read once the stream was flushed. */
static void
redirect (int stream, const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  int fd = g_open (path, O_CREAT | O_WRONLY | O_TRUNC, 0666);

  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (dup2 (fd, stream), stream);
  close (fd);
}

START_TEST (test_output_is_not_ours)
{
  g_autoptr (VlHook) hook =
      new_script_hook ("echo output; echo error >&2", LONG);
  g_autofree char *output = NULL, *error = NULL;
  int saved[] = {-1, dup (STDOUT_FILENO), dup (STDERR_FILENO)};

  redirect (STDOUT_FILENO, "stdout");
  redirect (STDERR_FILENO, "stderr");
  vl_hook_run (hook, "event");
  wait_for_all (hook);
  for (int stream = 1; stream <= 2; stream++) {
    dup2 (saved[stream], stream);
    close (saved[stream]);
  }
  output = read_file ("stdout", NULL);
  error = read_file ("stderr", NULL);
  ck_assert_str_eq (output, "");
  ck_assert_str_eq (error, "output\nerror\n");
}
END_TEST

/* What goes wrong */

START_TEST (test_commands_have_to_parse)
{
  static const char *const commands[] = {"", "  ", "sh 'open", "sh \\"};

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_autoptr (GError) error = NULL;

    ck_assert_ptr_null (
        vl_hook_new (commands[i], LONG, note_failure, &failures, &error));
    ck_assert_ptr_nonnull (error);
    ck_assert (error->domain == G_SHELL_ERROR);
  }
}
END_TEST

START_TEST (test_a_missing_program_may_appear)
{
  g_autofree char *program = g_build_filename (directory, "program", NULL);
  g_autoptr (VlHook) hook = new_hook (program, LONG);

  for (guint i = 0; i < 10; i++)
    vl_hook_run (hook, "event");
  wait_for_all (hook);
  ck_assert_uint_eq (failures->len, 10);
  ck_assert_ptr_nonnull (strstr (failures->pdata[0], program));

  ck_assert (g_file_set_contents (
      program, "#!/bin/sh\ntouch $HOOK_TEST/ran\n", -1, NULL));
  vl_hook_run (hook, "event");
  wait_for_all (hook);
  ck_assert_uint_eq (failures->len, 11);
  g_chmod (program, 0755);
  vl_hook_run (hook, "event");
  wait_for_all (hook);
  ck_assert_uint_eq (failures->len, 11);
  ck_assert_uint_eq (count_files ("ran"), 1);
}
END_TEST

START_TEST (test_statuses_are_told)
{
  g_autoptr (VlHook) hook = new_script_hook ("exit 3", LONG);

  vl_hook_run (hook, "event");
  wait_for_all (hook);
  assert_one_failure ("sh: ");
  assert_one_failure ("code 3");
}
END_TEST

START_TEST (test_signals_are_told)
{
  g_autoptr (VlHook) hook = new_script_hook ("kill -KILL $$", LONG);

  vl_hook_run (hook, "event");
  wait_for_all (hook);
  assert_one_failure ("signal 9");
}
END_TEST

#define HANG "touch $HOOK_TEST/pid-$$ $HOOK_TEST/pid-$child; wait"

/* Both end when asked; the child does not; neither does; a stopped one. */
static const char *const hanging[] = {
    "sleep 1000 & child=$!; " HANG,
    "sh -c 'trap \"\" TERM; sleep 1000; sleep 1000' & child=$!; " HANG,
    "trap '' TERM; sleep 1000 & child=$!; " HANG,
    "sleep 1000 & child=$!; kill -STOP $child; " HANG,
};

START_TEST (test_a_hanging_program_is_killed_with_its_children)
{
  g_autoptr (VlHook) hook = new_script_hook (hanging[_i], 1);

  vl_hook_run (hook, "event");
  wait_for_all (hook);
  assert_one_failure ("took longer than 1 s");
  ck_assert_uint_eq (count_files ("pid-"), 2);
  wait_for_death ();
}
END_TEST

START_TEST (test_what_ends_in_time_may_leave_something)
{
  g_autoptr (VlHook) hook =
      new_script_hook ("(sleep 1.5; touch $HOOK_TEST/left) & exit 0", 1);

  vl_hook_run (hook, "event");
  wait_for_all (hook);
  wait_for_files ("left", 1);
  assert_no_failure ();
}
END_TEST

/* How many */

START_TEST (test_quick_runs_all_happen)
{
  g_autoptr (VlHook) hook =
      new_script_hook ("read name; touch $HOOK_TEST/ran-$name", LONG);

  for (guint i = 0; i < 10; i++) {
    g_autofree char *name = g_strdup_printf ("%u", i);
    vl_hook_run (hook, name);
  }
  ck_assert_uint_eq (vl_hook_pending (hook), 10);
  wait_for_all (hook);
  assert_no_failure ();
  ck_assert_uint_eq (count_files ("ran-"), 10);
}
END_TEST

/* Each waits until it may go, so that those that run together are seen. */
START_TEST (test_four_run_and_64_wait)
{
  g_autoptr (VlHook) hook =
      new_script_hook ("touch $HOOK_TEST/ran-$$\n"
                       "while [ ! -e $HOOK_TEST/go ]; do sleep 0.01; done\n",
          LONG);
  g_autofree char *go = g_build_filename (directory, "go", NULL);

  for (guint i = 0; i < 4 + 64; i++)
    vl_hook_run (hook, "event");
  assert_no_failure ();
  vl_hook_run (hook, "one too many");
  assert_one_failure ("dropped");
  ck_assert_uint_eq (vl_hook_pending (hook), 4 + 64);

  wait_for_files ("ran-", 4);
  for (guint i = 0; i < 20; i++) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (5000);
  }
  ck_assert_uint_eq (count_files ("ran-"), 4);
  ck_assert (g_file_set_contents (go, "", 0, NULL));
  wait_for_all (hook);
  ck_assert_uint_eq (count_files ("ran-"), 4 + 64);
  ck_assert_uint_eq (failures->len, 1);
}
END_TEST

/* The end */

START_TEST (test_freeing_kills_and_forgets)
{
  VlHook *hook = new_script_hook (hanging[_i], LONG);

  for (guint i = 0; i < 20; i++)
    vl_hook_run (hook, "event");
  wait_for_files ("pid-", 2 * 4);
  vl_hook_free (hook);
  wait_for_death ();
  while (waitpid (-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (2000);
  }
  assert_no_failure ();
}
END_TEST

START_TEST (test_freeing_needs_no_main_loop)
{
  VlHook *hook = new_script_hook ("sleep 1000", LONG);

  for (guint i = 0; i < 20; i++)
    vl_hook_run (hook, "event");
  vl_hook_free (hook);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("hook");
  TCase *tcase = tcase_create ("hook");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_set_timeout (tcase, 60);
  tcase_add_loop_test (
      tcase, test_text_arrives_byte_for_byte, 0, G_N_ELEMENTS (texts));
  tcase_add_test (tcase, test_long_texts_arrive);
  tcase_add_loop_test (
      tcase, test_nobody_has_to_read, 0, G_N_ELEMENTS (readers));
  tcase_add_test (tcase, test_programs_end_at_broken_pipes);
  tcase_add_test (tcase, test_output_is_not_ours);
  tcase_add_test (tcase, test_commands_have_to_parse);
  tcase_add_test (tcase, test_a_missing_program_may_appear);
  tcase_add_test (tcase, test_statuses_are_told);
  tcase_add_test (tcase, test_signals_are_told);
  tcase_add_loop_test (tcase,
      test_a_hanging_program_is_killed_with_its_children, 0,
      G_N_ELEMENTS (hanging));
  tcase_add_test (tcase, test_what_ends_in_time_may_leave_something);
  tcase_add_test (tcase, test_quick_runs_all_happen);
  tcase_add_test (tcase, test_four_run_and_64_wait);
  tcase_add_loop_test (
      tcase, test_freeing_kills_and_forgets, 0, G_N_ELEMENTS (hanging));
  tcase_add_test (tcase, test_freeing_needs_no_main_loop);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed != 0;
}
