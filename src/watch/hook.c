/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#define _GNU_SOURCE /* memfd_create */

#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_RUNNING 4
#define MAX_WAITING 64
#define SECONDS_TO_END 2 /* from SIGTERM to SIGKILL */

struct VlHook {
  char **argv;
  guint timeout;
  VlHookFailed failed;
  gpointer user_data;
  GQueue waiting; /* char *, texts */
  GQueue running; /* Run * */
};

/* A child that leads a process group of its own. Only its watch reaps it: until
 * then no other group can have its number. */
typedef struct {
  VlHook *hook;
  GPid pid;
  GSource *watch;
  guint timer; /* source of the next signal; 0: there is none */
  gboolean late;
} Run;

G_GNUC_PRINTF (2, 3)
static void
report (const VlHook *hook, const char *format, ...)
{
  g_autofree char *problem = NULL, *message = NULL;
  va_list args;

  va_start (args, format);
  problem = g_strdup_vprintf (format, args);
  va_end (args);
  message = g_strdup_printf ("%s: %s", hook->argv[0], problem);
  hook->failed (message, hook->user_data);
}

static void
run_free (gpointer data)
{
  Run *run = data;

  g_source_unref (run->watch);
  if (run->timer != 0)
    g_source_remove (run->timer);
  g_free (run);
}

/* Between fork and exec. */
static void
lead_group (gpointer unused)
{
  setsid ();
}

/* A file with the text and a newline, to be read from its start; -1 with error
 * set. */
static int
open_text (const char *text, GError **error)
{
  int fd = memfd_create ("event", MFD_CLOEXEC);
  g_autoptr (GOutputStream) stream = NULL;

  if (fd < 0) {
    g_set_error_literal (error, G_FILE_ERROR, g_file_error_from_errno (errno),
        g_strerror (errno));
    return -1;
  }
  stream = g_unix_output_stream_new (fd, FALSE);
  if (!g_output_stream_printf (stream, NULL, NULL, error, "%s\n", text)) {
    close (fd);
    return -1;
  }
  lseek (fd, 0, SEEK_SET);
  return fd;
}

static gboolean
spawn (const VlHook *hook, const char *text, GPid *pid, GError **error)
{
  int input = open_text (text, error);
  int output;
  gboolean started;

  if (input < 0)
    return FALSE;
  output = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  started = g_spawn_async_with_fds (NULL, hook->argv, NULL,
      G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, lead_group, NULL, pid,
      input, output, -1, error);
  close (input);
  if (output >= 0)
    close (output);
  return started;
}

static gboolean
kill_late (gpointer data)
{
  Run *run = data;

  kill (-run->pid, SIGKILL);
  run->timer = 0;
  return G_SOURCE_REMOVE;
}

static gboolean
end_late (gpointer data)
{
  Run *run = data;

  run->late = TRUE;
  kill (-run->pid, SIGTERM);
  run->timer = g_timeout_add_seconds (SECONDS_TO_END, kill_late, run);
  report (run->hook, "took longer than %u s and is killed", run->hook->timeout);
  return G_SOURCE_REMOVE;
}

static void start_waiting (VlHook *hook);

static void
ended (GPid pid, int status, gpointer data)
{
  Run *run = data;
  VlHook *hook = run->hook;
  g_autoptr (GError) error = NULL;

  if (run->late)
    kill (-pid, SIGKILL);
  else if (!g_spawn_check_wait_status (status, &error))
    report (hook, "%s", error->message);
  g_queue_remove (&hook->running, run);
  run_free (run);
  start_waiting (hook);
}

static void
start (VlHook *hook, const char *text)
{
  g_autoptr (GError) error = NULL;
  Run *run;
  GPid pid;

  if (!spawn (hook, text, &pid, &error)) {
    report (hook, "%s", error->message);
    return;
  }
  run = g_new0 (Run, 1);
  run->hook = hook;
  run->pid = pid;
  run->watch = g_child_watch_source_new (pid);
  g_source_set_callback (run->watch, G_SOURCE_FUNC (ended), run, NULL);
  g_source_attach (run->watch, NULL);
  run->timer = g_timeout_add_seconds (hook->timeout, end_late, run);
  g_queue_push_tail (&hook->running, run);
}

static void
start_waiting (VlHook *hook)
{
  while (hook->running.length < MAX_RUNNING && hook->waiting.length > 0) {
    g_autofree char *text = g_queue_pop_head (&hook->waiting);

    start (hook, text);
  }
}

VlHook *
vl_hook_new (const char *command, guint timeout, VlHookFailed failed,
    gpointer user_data, GError **error)
{
  char **argv;
  VlHook *hook;

  if (!g_shell_parse_argv (command, NULL, &argv, error))
    return NULL;
  hook = g_new0 (VlHook, 1);
  hook->argv = argv;
  hook->timeout = timeout;
  hook->failed = failed;
  hook->user_data = user_data;
  g_queue_init (&hook->waiting);
  g_queue_init (&hook->running);
  return hook;
}

static void
reap (GPid pid, int status, gpointer unused)
{
}

/* Its end is no longer of interest, but has to be waited for. */
static void
abandon (gpointer data)
{
  Run *run = data;

  kill (-run->pid, SIGKILL);
  g_source_set_callback (run->watch, G_SOURCE_FUNC (reap), NULL, NULL);
  run_free (run);
}

void
vl_hook_free (VlHook *hook)
{
  g_queue_clear_full (&hook->waiting, g_free);
  g_queue_clear_full (&hook->running, abandon);
  g_strfreev (hook->argv);
  g_free (hook);
}

void
vl_hook_run (VlHook *hook, const char *text)
{
  if (hook->waiting.length >= MAX_WAITING) {
    report (hook, "%u runs wait already, an event is dropped", MAX_WAITING);
    return;
  }
  g_queue_push_tail (&hook->waiting, g_strdup (text));
  start_waiting (hook);
}

guint
vl_hook_pending (const VlHook *hook)
{
  return hook->running.length + hook->waiting.length;
}
