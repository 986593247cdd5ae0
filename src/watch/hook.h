/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A program that is run once per event, with the event on its standard input.
 * No shell sees any of it. What the program prints goes to standard error, so
 * that standard output stays ours. Nothing here waits. */

#pragma once

#include <gio/gio.h>

typedef struct VlHook VlHook;

/* Something that went wrong with a run: the program cannot be started, took too
 * long and was killed, ended with a status other than 0, or too many runs are
 * waiting. */
typedef void (*VlHookFailed) (const char *message, gpointer user_data);

/* command: a program and its arguments, quoted as for a shell. A run that takes
 * longer than `timeout` seconds is killed, with its whole process group.
 * Callbacks come from the default main context. NULL with error set when
 * command cannot be parsed. */
VlHook *vl_hook_new (const char *command, guint timeout, VlHookFailed failed,
    gpointer user_data, GError **error);

/* Kills what still runs. */
void vl_hook_free (VlHook *hook);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlHook, vl_hook_free)

/* Runs it with this text on its standard input. Few run at a time; others wait
 * for their turn, up to a bound beyond which runs are dropped and reported. */
void vl_hook_run (VlHook *hook, const char *text);

/* Number of runs that have not ended. */
guint vl_hook_pending (const VlHook *hook);
