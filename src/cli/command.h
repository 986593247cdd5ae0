/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the subcommands share: how they are called, how options are read, and
 * how bad usage is told from what goes wrong later. */

#pragma once

#include <gio/gio.h>

/* Bad usage: exit status 2, as for G_OPTION_ERROR. Every other error is 1. */
#define VL_USAGE_ERROR (vl_usage_error_quark ())
GQuark vl_usage_error_quark (void);

/* A subcommand. argv[0] is its name. FALSE with error set on failure; messages
 * are one line and begin with the file they are about, if there is one. */
typedef gboolean (*VlCommandFunc) (int argc, char **argv, GError **error);

gboolean vl_command_train (int argc, char **argv, GError **error);
gboolean vl_command_score (int argc, char **argv, GError **error);
gboolean vl_command_evaluate (int argc, char **argv, GError **error);
gboolean vl_command_reconstruct (int argc, char **argv, GError **error);
gboolean vl_command_info (int argc, char **argv, GError **error);
gboolean vl_command_import (int argc, char **argv, GError **error);
gboolean vl_command_encode (int argc, char **argv, GError **error);
gboolean vl_command_watch (int argc, char **argv, GError **error);

/* Reads the options out of argv; --help prints and exits. parameters and
 * summary are for --help, as in g_option_context_new(). */
gboolean vl_command_parse (int argc, char **argv, const GOptionEntry *entries,
    const char *parameters, const char *summary, GError **error);

/* Sets a usage error. Returns FALSE, so that callers can return it. */
gboolean vl_usage_error (GError **error, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Checks that one option was given (is not NULL). */
gboolean vl_command_require (
    const void *value, const char *what, GError **error);

/* Checks that a number lies in [low, high]. */
gboolean vl_command_check_range (
    const char *option, double value, double low, double high, GError **error);
