/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "output.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct VlOutput {
  char *path;      /* NULL: standard output */
  char *temporary; /* NULL: written in place */
  FILE *stream;
  int failure; /* errno of the first write that failed; 0 */
};

static void
set_error (GError **error, const char *path, int number)
{
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (number),
      "%s: %s, expected a path that can be written",
      path != NULL ? path : "standard output", g_strerror (number));
}

/* New files get the permissions that open() would have given them. */
static void
give_usual_permissions (int fd)
{
  const mode_t mask = umask (0);

  umask (mask);
  (void)!fchmod (fd, 0666 & ~mask);
}

static FILE *
open_temporary (char *template)
{
  int fd = g_mkstemp (template);
  FILE *stream;
  int number;

  if (fd < 0)
    return NULL;
  give_usual_permissions (fd);
  if ((stream = fdopen (fd, "wb")) != NULL)
    return stream;
  number = errno;
  g_unlink (template);
  close (fd);
  errno = number;
  return NULL;
}

VlOutput *
vl_output_open (const char *path, GError **error)
{
  g_autoptr (VlOutput) output = g_new0 (VlOutput, 1);
  GStatBuf info;

  output->path = g_strdup (path);
  if (path == NULL) {
    output->stream = stdout;
    return g_steal_pointer (&output);
  }
  if (path[0] == '\0') {
    errno = ENOENT;
  } else if (g_stat (path, &info) == 0 && !S_ISREG (info.st_mode)) {
    output->stream = g_fopen (path, "wb");
  } else {
    output->temporary = g_strconcat (path, ".XXXXXX", NULL);
    output->stream = open_temporary (output->temporary);
  }
  if (output->stream != NULL)
    return g_steal_pointer (&output);
  set_error (error, path, errno);
  g_clear_pointer (&output->temporary, g_free);
  return NULL;
}

void
vl_output_free (VlOutput *output)
{
  if (output->stream != NULL && output->stream != stdout)
    fclose (output->stream);
  if (output->temporary != NULL)
    g_unlink (output->temporary);
  g_free (output->temporary);
  g_free (output->path);
  g_free (output);
}

void
vl_output_write (VlOutput *output, const void *data, gsize size)
{
  if (output->failure == 0 && fwrite (data, 1, size, output->stream) < size)
    output->failure = errno;
}

void
vl_output_print (VlOutput *output, const char *text)
{
  vl_output_write (output, text, strlen (text));
}

/* Flushes, and for a file waits until the disk has it. */
static int
flush_stream (VlOutput *output)
{
  if (fflush (output->stream) != 0)
    return errno;
  if (output->temporary != NULL && fsync (fileno (output->stream)) != 0)
    return errno;
  return 0;
}

gboolean
vl_output_commit (VlOutput *output, GError **error)
{
  int failure = output->failure;

  if (failure == 0)
    failure = flush_stream (output);
  if (failure == 0 && output->temporary != NULL) {
    if (g_rename (output->temporary, output->path) == 0)
      g_clear_pointer (&output->temporary, g_free);
    else
      failure = errno;
  }
  if (failure != 0)
    set_error (error, output->path, failure);
  return failure == 0;
}

gboolean
vl_output_check (const char *path, GError **error)
{
  g_autoptr (VlOutput) output = NULL;

  if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
    set_error (error, path, EISDIR);
    return FALSE;
  }
  output = vl_output_open (path, error);
  return output != NULL;
}
