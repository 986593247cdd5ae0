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
  (void)!write (pipe_ends[1], "", 1);
}

static gpointer
wait_for_signal (gpointer data)
{
  char byte;

  if (read (pipe_ends[0], &byte, 1) == 1)
    g_cancellable_cancel (cancellable);
  return NULL;
}

void
vl_interrupt_watch (void)
{
  /* the second signal finds the default action again */
  struct sigaction action = {
      .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_RESETHAND};

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
