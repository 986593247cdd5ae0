/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A program that is run once per event, with the event on its standard input.
 * No shell sees any of it. What the program prints goes to standard error, so
 * that standard output stays ours. Nothing here waits. For the main thread. */

#pragma once

#include <glib.h>

typedef struct VlHook VlHook;

/* Something that went wrong with a run: the program cannot be started, took too
 * long and was killed, ended with a status other than 0, or too many runs are
 * waiting. May come from within vl_hook_run(); must not free the hook. */
typedef void (*VlHookFailed) (const char *message, gpointer user_data);

/* command: a program and its arguments, quoted as for a shell; it is looked for
 * at each run, so it may come and go. A run that takes longer than `timeout`
 * seconds, at least 1, is killed with its whole process group: asked to end
 * with SIGTERM, made to 2 s later. What a run that ended in time left in the
 * background is left alone. Callbacks come from the default main context. NULL
 * with error set when command cannot be parsed. */
VlHook *vl_hook_new (const char *command, guint timeout, VlHookFailed failed,
    gpointer user_data, GError **error);

/* Kills what still runs, forgets what waits. No callback comes from then on. */
void vl_hook_free (VlHook *hook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlHook, vl_hook_free)

/* Runs it with this text, and a newline, on its standard input: a file in
 * memory, so that a program need not read it, nor all of it. Up to 4 run at a
 * time; 64 more wait for their turn; beyond that runs are dropped and reported.
 */
void vl_hook_run (VlHook *hook, const char *text);

/* Number of runs that have not ended. */
guint vl_hook_pending (const VlHook *hook);
