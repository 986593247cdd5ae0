/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What this process takes, where Linux tells; 0 elsewhere. */

#pragma once

#include <glib.h>
#include <stdio.h>
#include <unistd.h>

static inline guint
process_threads (void)
{
  GDir *tasks = g_dir_open ("/proc/self/task", 0, NULL);
  guint n = 0;

  while (tasks && g_dir_read_name (tasks))
    n++;
  g_clear_pointer (&tasks, g_dir_close);
  return n;
}

static inline gint64
process_resident_bytes (void)
{
  gchar *text = NULL;
  gint64 pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL) &&
      sscanf (text, "%*d %" G_GINT64_FORMAT, &pages) != 1)
    pages = 0;
  g_free (text);
  return pages * sysconf (_SC_PAGESIZE);
}
