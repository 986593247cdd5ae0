/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watching.h"

#include <check.h>
#include <gio/gio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Lines as they come, and how many the test has taken. */
typedef struct {
  Watching *watching;
  GDataInputStream *stream;
  GPtrArray *lines;
  guint taken;
  gboolean ended;
  GThread *reader;
} Pipe;

struct Watching {
  GSubprocess *process;
  Pipe output, errors;
  GMutex lock; /* of the pipes' lines */
  GCond changed;
};

static GList *all; /* Watching: not freed */

/* ---- reading ------------------------------------------------------------ */

static gpointer
read_lines (gpointer user_data)
{
  Pipe *pipe = user_data;
  Watching *watching = pipe->watching;
  char *line;

  do {
    line = g_data_input_stream_read_line (pipe->stream, NULL, NULL, NULL);
    g_mutex_lock (&watching->lock);
    if (line)
      g_ptr_array_add (pipe->lines, line);
    else
      pipe->ended = TRUE;
    g_cond_broadcast (&watching->changed);
    g_mutex_unlock (&watching->lock);
  } while (line);
  return NULL;
}

static void
pipe_open (Pipe *pipe, Watching *watching, GInputStream *stream)
{
  pipe->watching = watching;
  pipe->stream = g_data_input_stream_new (stream);
  pipe->lines = g_ptr_array_new_with_free_func (g_free);
  pipe->reader = g_thread_new ("read-lines", read_lines, pipe);
}

static void
pipe_close (Pipe *pipe)
{
  g_thread_join (pipe->reader);
  g_object_unref (pipe->stream);
  g_ptr_array_unref (pipe->lines);
}

Watching *
watching_spawn (const char *const *argv)
{
  Watching *watching = g_new0 (Watching, 1);
  g_autoptr (GError) error = NULL;

  watching->process = g_subprocess_newv (argv,
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);
  ck_assert_msg (watching->process != NULL, "%s", error ? error->message : "");
  pipe_open (&watching->output, watching,
      g_subprocess_get_stdout_pipe (watching->process));
  pipe_open (&watching->errors, watching,
      g_subprocess_get_stderr_pipe (watching->process));
  all = g_list_prepend (all, watching);
  return watching;
}

void
watching_free (Watching *watching)
{
  all = g_list_remove (all, watching);
  g_subprocess_force_exit (watching->process);
  pipe_close (&watching->output);
  pipe_close (&watching->errors);
  g_object_unref (watching->process);
  g_free (watching);
}

void
watching_kill_all (void)
{
  while (all)
    watching_free (all->data);
}

/* ---- waiting ------------------------------------------------------------ */

static char *
join (const Pipe *pipe)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < pipe->lines->len; i++)
    g_string_append_printf (
        text, "%s\n", (const char *)g_ptr_array_index (pipe->lines, i));
  return g_string_free (text, FALSE);
}

static void
give_up (Watching *watching, const char *what)
{
  g_autofree char *output = join (&watching->output);
  g_autofree char *errors = join (&watching->errors);

  g_mutex_unlock (&watching->lock);
  ck_abort_msg ("waited in vain for %s\nstandard output:\n%s\n"
                "standard error:\n%s",
      what, output, errors);
}

/* The next line not taken yet; NULL after the last. With the lock held. */
static const char *
take_line (Pipe *pipe, const char *what)
{
  Watching *watching = pipe->watching;
  gint64 end = g_get_monotonic_time () + WATCHING_PATIENCE * G_TIME_SPAN_SECOND;

  while (pipe->taken == pipe->lines->len && !pipe->ended)
    if (!g_cond_wait_until (&watching->changed, &watching->lock, end))
      give_up (watching, what);
  if (pipe->taken == pipe->lines->len)
    return NULL;
  return g_ptr_array_index (pipe->lines, pipe->taken++);
}

const char *
watching_next_line (Watching *watching)
{
  const char *line;

  g_mutex_lock (&watching->lock);
  line = take_line (&watching->output, "a line of output");
  g_mutex_unlock (&watching->lock);
  return line;
}

JsonObject *
watching_next_event (Watching *watching)
{
  const char *line = watching_next_line (watching);
  g_autofree char *errors = watching_errors (watching);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;

  ck_assert_msg (line != NULL, "no event:\n%s", errors);
  node = json_from_string (line, &error);
  ck_assert_msg (error == NULL && node && JSON_NODE_HOLDS_OBJECT (node),
      "not an object: %s", line);
  return json_node_dup_object (node);
}

const char *
watching_await (Watching *watching, const char *text)
{
  const char *line;

  g_mutex_lock (&watching->lock);
  do {
    line = take_line (&watching->errors, text);
    if (!line)
      give_up (watching, text);
  } while (!strstr (line, text));
  g_mutex_unlock (&watching->lock);
  return line;
}

/* ---- looking ------------------------------------------------------------ */

guint
watching_n_said (Watching *watching, const char *text)
{
  guint n = 0;

  g_mutex_lock (&watching->lock);
  for (guint i = 0; i < watching->errors.lines->len; i++)
    n += strstr (g_ptr_array_index (watching->errors.lines, i), text) != NULL;
  g_mutex_unlock (&watching->lock);
  return n;
}

void
watching_check_said_once (Watching *watching, const char *text)
{
  g_autofree char *errors = watching_errors (watching);
  guint n = watching_n_said (watching, text);

  ck_assert_msg (n == 1, "`%s` is said %u times:\n%s", text, n, errors);
}

guint
watching_n_lines (Watching *watching)
{
  guint n;

  g_mutex_lock (&watching->lock);
  n = watching->output.lines->len;
  g_mutex_unlock (&watching->lock);
  return n;
}

char *
watching_errors (Watching *watching)
{
  char *errors;

  g_mutex_lock (&watching->lock);
  errors = join (&watching->errors);
  g_mutex_unlock (&watching->lock);
  return errors;
}

/* Until nobody can write to its standard output any more. */
gboolean
watching_is_running (Watching *watching)
{
  gboolean ended;

  g_mutex_lock (&watching->lock);
  ended = watching->output.ended;
  g_mutex_unlock (&watching->lock);
  return !ended;
}

const char *
watching_pid (Watching *watching)
{
  const char *pid = g_subprocess_get_identifier (watching->process);

  ck_assert_msg (pid != NULL, "it does not run any more");
  return pid;
}

gint64
watching_resident_bytes (Watching *watching)
{
  g_autofree char *path =
      g_strdup_printf ("/proc/%s/status", watching_pid (watching));
  g_autofree char *status = NULL;
  const char *field;
  gint64 kib = 0;

  ck_assert (g_file_get_contents (path, &status, NULL, NULL));
  field = strstr (status, "VmRSS:");
  ck_assert_ptr_nonnull (field);
  ck_assert_int_eq (sscanf (field, "VmRSS: %" G_GINT64_FORMAT, &kib), 1);
  return kib * 1024;
}

/* ---- ending ------------------------------------------------------------- */

void
watching_signal (Watching *watching, int signal)
{
  g_subprocess_send_signal (watching->process, signal);
}

/* All that it wrote has been read by then. */
int
watching_end (Watching *watching)
{
  gint64 end = g_get_monotonic_time () + WATCHING_PATIENCE * G_TIME_SPAN_SECOND;

  g_mutex_lock (&watching->lock);
  while (!watching->output.ended || !watching->errors.ended)
    if (!g_cond_wait_until (&watching->changed, &watching->lock, end))
      give_up (watching, "the end");
  g_mutex_unlock (&watching->lock);
  g_subprocess_wait (watching->process, NULL, NULL);
  if (g_subprocess_get_if_signaled (watching->process))
    return -g_subprocess_get_term_sig (watching->process);
  return g_subprocess_get_exit_status (watching->process);
}
