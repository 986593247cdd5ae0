/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "images.h"

#include "media.h"

#include <stdlib.h>
#include <string.h>

const char *
vl_image_type (const char *path)
{
  static const struct {
    const char *end, *type;
  } types[] = {
      {".png", "image/png"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}};
  g_autofree char *lower = g_ascii_strdown (path, -1);

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_has_suffix (lower, types[i].end))
      return types[i].type;
  return NULL;
}

/* Splits a pattern's file name around its conversion. FALSE without one. */
static gboolean
split_pattern (const char *name, char **before, char **after, unsigned *width)
{
  g_autoptr (GRegex) regex =
      g_regex_new ("^([^%]*)%(0?[0-9]{0,2})d([^%]*)$", G_REGEX_RAW, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *digits = NULL;

  if (!g_regex_match (regex, name, 0, &match))
    return FALSE;
  digits = g_match_info_fetch (match, 2);
  *width = (unsigned)strtoul (digits, NULL, 10);
  *before = g_match_info_fetch (match, 1);
  *after = g_match_info_fetch (match, 3);
  return TRUE;
}

gboolean
vl_images_is_pattern (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *before = NULL, *after = NULL;
  unsigned width;

  return split_pattern (name, &before, &after, &width);
}

/* The names in a folder that are images, unsorted. */
static GPtrArray *
list_images (const char *folder, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &failure);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (dir == NULL) {
    g_set_error (error, VL_MEDIA_ERROR, VL_MEDIA_ERROR_MISSING,
        "%s: %s, expected a folder of images", folder, failure->message);
    return NULL;
  }
  while ((name = g_dir_read_name (dir)) != NULL)
    if (vl_image_type (name) != NULL && name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  return g_steal_pointer (&names);
}

/* Names become paths, after the checks that hold for folders and patterns. */
static GPtrArray *
finish (const char *where, const char *folder, GPtrArray *names, GError **error)
{
  if (names->len == 0) {
    g_set_error (error, VL_MEDIA_ERROR, VL_MEDIA_ERROR_MISSING,
        "%s: no image found, expected .png, .jpg or .jpeg files", where);
    return NULL;
  }
  for (guint i = 0; i < names->len; i++) {
    char *name = names->pdata[i];

    if (vl_image_type (name) != vl_image_type (names->pdata[0])) {
      g_set_error (error, VL_MEDIA_ERROR, VL_MEDIA_ERROR_TYPE,
          "%s: holds PNG and JPEG images, expected one kind", where);
      return NULL;
    }
  }
  for (guint i = 0; i < names->len; i++) {
    char *name = names->pdata[i];

    names->pdata[i] = g_build_filename (folder, name, NULL);
    g_free (name);
  }
  return g_ptr_array_ref (names);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
vl_images_in_folder (const char *folder, GError **error)
{
  g_autoptr (GPtrArray) names = list_images (folder, error);

  if (names == NULL)
    return NULL;
  g_ptr_array_sort (names, compare_names);
  return finish (folder, folder, names, error);
}

/* The number in a name of the pattern, or -1. Numbers of fewer digits than the
 * width are padded with zeros, as printf would. */
static gint64
pattern_number (
    const char *name, const char *before, const char *after, unsigned width)
{
  const char *digits = name + strlen (before);
  gsize n;

  if (!g_str_has_prefix (name, before))
    return -1;
  n = strspn (digits, "0123456789");
  if (n == 0 || n > 18 || n < width || strcmp (digits + n, after) != 0 ||
      (n > MAX (width, 1) && digits[0] == '0'))
    return -1;
  return g_ascii_strtoll (digits, NULL, 10);
}

typedef struct {
  gint64 number;
  char *name;
} Numbered;

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  const gint64 x = ((const Numbered *)a)->number;
  const gint64 y = ((const Numbered *)b)->number;

  return (x > y) - (x < y);
}

/* The matching names by number; NULL with error set when one is missing. */
static GPtrArray *
sort_by_number (const char *pattern, GArray *numbered, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  g_array_sort (numbered, compare_numbers);
  for (guint i = 0; i < numbered->len; i++) {
    const Numbered *n = &g_array_index (numbered, Numbered, i);
    const gint64 expected = g_array_index (numbered, Numbered, 0).number + i;

    if (n->number != expected) {
      g_set_error (error, VL_MEDIA_ERROR, VL_MEDIA_ERROR_MISSING,
          "%s: image %" G_GINT64_FORMAT " is missing, expected no gap", pattern,
          expected);
      return NULL;
    }
    g_ptr_array_add (names, g_strdup (n->name));
  }
  return g_steal_pointer (&names);
}

GPtrArray *
vl_images_of_pattern (const char *pattern, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (pattern);
  g_autofree char *pattern_name = g_path_get_basename (pattern);
  g_autofree char *before = NULL, *after = NULL;
  g_autoptr (GPtrArray) all = NULL, names = NULL;
  g_autoptr (GArray) numbered = g_array_new (FALSE, FALSE, sizeof (Numbered));
  unsigned width = 0;

  if (!split_pattern (pattern_name, &before, &after, &width) ||
      (all = list_images (folder, error)) == NULL)
    return NULL;
  for (guint i = 0; i < all->len; i++) {
    const Numbered n = {
        pattern_number (all->pdata[i], before, after, width), all->pdata[i]};

    if (n.number >= 0)
      g_array_append_val (numbered, n);
  }
  names = sort_by_number (pattern, numbered, error);
  return names != NULL ? finish (pattern, folder, names, error) : NULL;
}
