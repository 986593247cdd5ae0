/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "source.h"

#include <gst/gst.h>
#include <string.h>

#define NAME_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-"

/* The name before the first `=`; NULL when there is none. */
static char *
read_name (const char *text)
{
  gsize length = strspn (text, NAME_CHARACTERS);

  return text[length] == '=' ? g_strndup (text, length) : NULL;
}

/* Letters, digits and what joins them. */
static char *
make_name (const char *text)
{
  g_autofree char *name = g_strdup (text);
  char *start;

  g_strcanon (name, NAME_CHARACTERS, '-');
  for (start = name; *start == '-' || *start == '.'; start++)
    ;
  for (char *end = start + strlen (start);
       end > start && (end[-1] == '-' || end[-1] == '.'); end--)
    end[-1] = '\0';
  return g_strdup (*start != '\0' ? start : "camera");
}

static char *
name_of_path (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  char *extension = strrchr (base, '.');

  if (extension != NULL && extension != base)
    *extension = '\0';
  return make_name (base);
}

/* Host, port and path. Users and passwords stay out of file names and messages,
 * also those that some cameras want in the path: all from the first sign of a
 * parameter on. */
static char *
name_of_uri (GUri *uri)
{
  const char *host = g_uri_get_host (uri), *path = g_uri_get_path (uri);
  g_autofree char *port = g_uri_get_port (uri) > 0
                              ? g_strdup_printf ("-%d", g_uri_get_port (uri))
                              : g_strdup ("");
  gsize length = strcspn (path, "=&?;,");
  g_autofree char *place = NULL;

  /* the parameter's name */
  while (path[length] != '\0' && length > 0 && path[length - 1] != '/')
    length--;
  place = g_strdup_printf (
      "%s%s%.*s", host != NULL ? host : "", port, (int)length, path);
  return make_name (place);
}

static gboolean
has_host (GUri *uri)
{
  return g_uri_get_host (uri) != NULL && g_uri_get_host (uri)[0] != '\0';
}

static gboolean
read_uri (VlSource *source, const char *text, GError **error)
{
  g_autofree char *scheme = gst_uri_get_protocol (text);
  g_autoptr (GUri) uri = g_uri_parse (
      text, G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_HAS_PASSWORD, error);

  if (uri == NULL) {
    g_prefix_error (error, "expected a URI such as rtsp://camera/stream: ");
    return FALSE;
  }
  if (!gst_uri_protocol_is_supported (GST_URI_SRC, scheme)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "no GStreamer element reads %s:// here; expected /dev/videoN, a file, "
        "or a URI such as rtsp://camera/stream",
        scheme);
    return FALSE;
  }
  if (g_str_has_prefix (scheme, "rtsp") && !has_host (uri)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "%s:// without a host; expected %s://camera/stream", scheme, scheme);
    return FALSE;
  }
  source->kind =
      g_str_equal (scheme, "file") ? VL_SOURCE_FILE : VL_SOURCE_STREAM;
  source->location = g_strdup (text);
  if (source->name == NULL)
    source->name = name_of_uri (uri);
  return TRUE;
}

static gboolean
read_path (VlSource *source, const char *path, GError **error)
{
  if (source->name == NULL)
    source->name = name_of_path (path);
  if (g_str_has_prefix (path, "/dev/")) {
    source->kind = VL_SOURCE_DEVICE;
    source->location = g_strdup (path);
    return TRUE;
  }
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
        "%s: no such file; expected /dev/videoN, a file or a URI", path);
    return FALSE;
  }
  source->kind = VL_SOURCE_FILE;
  source->location = gst_filename_to_uri (path, error);
  return source->location != NULL;
}

VlSource *
vl_source_parse (const char *text, GError **error)
{
  g_autoptr (VlSource) source = g_new0 (VlSource, 1);
  const char *where = text;

  if (!g_file_test (text, G_FILE_TEST_EXISTS) &&
      (source->name = read_name (text)) != NULL) {
    where += strlen (source->name) + 1;
    if (source->name[0] == '\0' || where[0] == '\0') {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
          "%s: expected NAME=SOURCE", text);
      return NULL;
    }
  }
  if (!(gst_uri_is_valid (where) ? read_uri (source, where, error)
                                 : read_path (source, where, error)))
    return NULL;
  return g_steal_pointer (&source);
}

void
vl_source_free (VlSource *source)
{
  g_free (source->name);
  g_free (source->location);
  g_free (source);
}

static gboolean
is_taken (GPtrArray *sources, guint n, const char *name)
{
  for (guint i = 0; i < n; i++)
    if (g_str_equal (((VlSource *)sources->pdata[i])->name, name))
      return TRUE;
  return FALSE;
}

guint
vl_sources_tell_apart (GPtrArray *sources)
{
  guint n_changed = 0;

  for (guint i = 0; i < sources->len; i++) {
    VlSource *source = sources->pdata[i];
    g_autofree char *wanted = g_strdup (source->name);

    for (guint number = 2; is_taken (sources, i, source->name); number++) {
      g_free (source->name);
      source->name = g_strdup_printf ("%s-%u", wanted, number);
    }
    if (!g_str_equal (source->name, wanted))
      n_changed++;
  }
  return n_changed;
}
