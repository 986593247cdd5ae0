/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GStreamer's leaks tracer on an element's whole life. It reports when
 * GStreamer is deinitialised, so a program runs itself for it. */

#pragma once

#include <gst/gst.h>

#define PLUGIN_LEAKS_ON_PURPOSE "leak-on-purpose"

/* For main(): whether the program was started by plugin_leaks_report(), and
 * what it then does instead of anything else. */
gboolean plugin_leaks_is_child (int argc, char **argv);
int plugin_leaks_child_main (int argc, char **argv);

/* What the tracer says that was leaked by an element that was made for nothing,
 * failed to start, was stopped, and played to the end with a model and without,
 * and by one that learned twice and was stopped while it trained, where it can
 * learn; NULL for nothing.
 * program: argv[0]. factory: PLUGIN_LEAKS_ON_PURPOSE for a leak that must be
 * there. Ends the program when the child fails. */
gchar *plugin_leaks_report (
    const gchar *program, const gchar *factory, const gchar *model);
