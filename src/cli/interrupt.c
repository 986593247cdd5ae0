/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "interrupt.h"

#include <signal.h>

static GCancellable *cancellable;

/* Signals are blocked everywhere but taken here, so that cancelling runs in an
 * ordinary thread. */
static gpointer
wait_for_signal (gpointer data)
{
  sigset_t *set = data;
  int signal_number;

  if (sigwait (set, &signal_number) == 0)
    g_cancellable_cancel (cancellable);
  pthread_sigmask (SIG_UNBLOCK, set, NULL);
  return NULL;
}

void
vl_interrupt_watch (void)
{
  static sigset_t set;

  cancellable = g_cancellable_new ();
  sigemptyset (&set);
  sigaddset (&set, SIGINT);
  sigaddset (&set, SIGTERM);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  g_thread_unref (g_thread_new ("interrupt", wait_for_signal, &set));
}

GCancellable *
vl_interrupt_cancellable (void)
{
  return cancellable;
}
