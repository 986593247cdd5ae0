/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "interrupt.h"

#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

static GCancellable *cancellable;
static int pipe_ends[2]; /* read, write */

/* Cancelling takes locks, which a signal handler must not: a thread does it. */
static void
on_signal (int signal_number)
{
  const char byte = (char)signal_number;

  (void)!write (pipe_ends[1], &byte, 1);
}

/* The second one ends the process, unless it comes with the first: some senders
 * signal a process and then its group. */
static gpointer
wait_for_signal (gpointer data)
{
  gint64 first = 0;
  char byte;

  while (read (pipe_ends[0], &byte, 1) == 1) {
    gint64 now = g_get_monotonic_time ();

    if (first == 0) {
      first = now;
      g_cancellable_cancel (cancellable);
    } else if (now - first > G_TIME_SPAN_SECOND / 2) {
      signal (byte, SIG_DFL);
      raise (byte);
    }
  }
  return NULL;
}

void
vl_interrupt_watch (void)
{
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

  cancellable = g_cancellable_new ();
  if (!g_unix_open_pipe (pipe_ends, FD_CLOEXEC, NULL))
    return;
  g_thread_unref (g_thread_new ("interrupt", wait_for_signal, NULL));
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
}

GCancellable *
vl_interrupt_cancellable (void)
{
  return cancellable;
}
