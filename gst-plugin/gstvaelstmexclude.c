/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmexclude.h"

#include <gst/gst.h>

/* Shares written with a few decimals may add up to a little over 1. */
#define TOLERANCE 1e-6

/* Not negated comparisons: NaN is refused too. */
static gboolean
rect_is_inside (const VlRect *rect)
{
  return rect->x >= 0 && rect->y >= 0 && rect->w > 0 && rect->h > 0 &&
         rect->x + rect->w <= 1 + TOLERANCE &&
         rect->y + rect->h <= 1 + TOLERANCE;
}

/* Exactly four numbers between commas. */
static gboolean
parse_rect (const gchar *text, VlRect *rect)
{
  double *values[] = {&rect->x, &rect->y, &rect->w, &rect->h};
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  if (g_strv_length (parts) != G_N_ELEMENTS (values))
    return FALSE;

  for (guint i = 0; i < G_N_ELEMENTS (values); i++) {
    const gchar *part = g_strstrip (parts[i]);
    gchar *end;

    *values[i] = g_ascii_strtod (part, &end);
    if (end == part || *end != '\0')
      return FALSE;
  }
  return rect_is_inside (rect);
}

GArray *
gst_vae_lstm_exclude_parse (const gchar *text, GError **error)
{
  g_autoptr (GArray) rects = g_array_new (FALSE, FALSE, sizeof (VlRect));
  g_auto (GStrv) parts = g_strsplit (text ? text : "", ";", -1);

  for (guint i = 0; parts[i]; i++) {
    const gchar *part = g_strstrip (parts[i]);
    VlRect rect;

    if (*part == '\0')
      continue;
    if (!parse_rect (part, &rect)) {
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          "exclude: \"%s\" is not a rectangle x,y,w,h within the picture, in "
          "shares 0..1",
          part);
      return NULL;
    }
    g_array_append_val (rects, rect);
  }
  return g_steal_pointer (&rects);
}
