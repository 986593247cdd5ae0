/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Long work beside streams: each job has a thread of low priority, and takes
 * its turn, one at a time in a process. Nobody waits for a thread to end: at
 * low priority on a busy machine that can take a while. The process does, at
 * its exit. */

#pragma once

#include <gio/gio.h>

typedef struct {
  void (*wait) (gpointer data); /* another job's turn it is; called once */
  void (*run) (gpointer data);  /* its turn, or cancelled while waiting */
} VlJob;

/* Starts a job in a thread of its own. What it works with is its own until
 * run() returns; threads it starts have its priority. Cancelling `cancellable`,
 * of which it takes a reference, ends its waiting; run() itself has to look at
 * it. At exit it is cancelled. */
void vl_background_start (
    const VlJob *job, gpointer data, GCancellable *cancellable);
