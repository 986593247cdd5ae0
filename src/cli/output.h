/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A file that is written whole or not at all: a temporary file in the same
 * folder takes its name when everything is in it. Opening one early finds a
 * path that cannot be written before the work is done. */

#pragma once

#include <gio/gio.h>

typedef struct VlOutput VlOutput;

/* NULL path: standard output, written as it comes. A path to something that is
 * no regular file (a terminal, a pipe) is written as it comes, too. NULL with
 * error set when the path cannot be written. */
VlOutput *vl_output_open (const char *path, GError **error);

/* Drops what is not committed: the path is left as it was. */
void vl_output_free (VlOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlOutput, vl_output_free)

/* Failures are kept and told by vl_output_commit(). */
void vl_output_write (VlOutput *output, const void *data, gsize size);
void vl_output_print (VlOutput *output, const char *text);

/* Everything is written: gives the file its name. */
gboolean vl_output_commit (VlOutput *output, GError **error);

/* Checks early that a file of this path could be written, for files that
 * others write. Leaves no trace. */
gboolean vl_output_check (const char *path, GError **error);
