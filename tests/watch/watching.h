/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A process whose lines a test reads while it runs: `vaelstm watch`, or a
 * camera for it. Waiting in vain fails the test, which shows what the process
 * said. */

#pragma once

#include <json-glib/json-glib.h>

typedef struct Watching Watching;

#define WATCHING_PATIENCE 30 /* seconds, for anything to happen at all */

/* A program and its arguments. */
Watching *watching_spawn (const char *const *argv);

/* Kills what still runs. */
void watching_free (Watching *watching);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Watching, watching_free)

/* Kills what a test that failed has left behind. */
void watching_kill_all (void);

/* The next line of standard output, owned by watching; NULL after the last one
 * of a process that has ended. */
const char *watching_next_line (Watching *watching);

/* That line, which has to be one JSON object. */
JsonObject *watching_next_event (Watching *watching);

/* The next line of standard error that contains text, owned by watching; lines
 * before it are passed over. */
const char *watching_await (Watching *watching, const char *text);

/* Number of lines of standard error so far that contain text. */
guint watching_n_said (Watching *watching, const char *text);

/* Checks that it is one. */
void watching_check_said_once (Watching *watching, const char *text);

/* Number of lines of standard output so far. */
guint watching_n_lines (Watching *watching);

/* All of standard error so far. */
char *watching_errors (Watching *watching);

void watching_signal (Watching *watching, int signal);

/* Awaits the end: the exit status, or minus the signal that ended it. */
int watching_end (Watching *watching);

gboolean watching_is_running (Watching *watching);

/* Its process ID as text, while it runs; owned by watching. */
const char *watching_pid (Watching *watching);

/* Memory it has in use, in bytes. */
gint64 watching_resident_bytes (Watching *watching);
