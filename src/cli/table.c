/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "table.h"

#include <json-glib/json-glib.h>
#include <string.h>

const char *
vl_table_csv_header (void)
{
  return "clip,frame,timestamp,score,appearance,dynamics,anomalous,event_id\n";
}

/* A name as a CSV cell. */
static char *
quote_cell (const char *text)
{
  g_auto (GStrv) parts = NULL;
  g_autofree char *doubled = NULL;

  if (strpbrk (text, ",\"\r\n") == NULL)
    return g_strdup (text);
  parts = g_strsplit (text, "\"", -1);
  doubled = g_strjoinv ("\"\"", parts);
  return g_strconcat ("\"", doubled, "\"", NULL);
}

char *
vl_table_csv_row (const char *clip, const VlScoredFrame *scored)
{
  g_autofree char *cell = quote_cell (clip);

  return g_strdup_printf ("%s,%" G_GUINT64_FORMAT
                          ",%.6f,%.8g,%.8g,%.8g,%d,%u\n",
      cell, scored->frame, (double)scored->time / GST_SECOND,
      scored->values[VL_SERIES_SCORE], scored->values[VL_SERIES_APPEARANCE],
      scored->values[VL_SERIES_DYNAMICS], scored->anomalous, scored->event_id);
}

char *
vl_table_json_row (const char *clip, const VlScoredFrame *scored)
{
  g_autoptr (JsonNode) node = json_node_init_string (json_node_alloc (), clip);
  g_autofree char *quoted = json_to_string (node, FALSE);

  return g_strdup_printf ("{\"clip\":%s,\"frame\":%" G_GUINT64_FORMAT
                          ",\"timestamp\":%.6f,\"score\":%.8g,"
                          "\"appearance\":%.8g,\"dynamics\":%.8g,"
                          "\"anomalous\":%s,\"event_id\":%u}\n",
      quoted, scored->frame, (double)scored->time / GST_SECOND,
      scored->values[VL_SERIES_SCORE], scored->values[VL_SERIES_APPEARANCE],
      scored->values[VL_SERIES_DYNAMICS], scored->anomalous ? "true" : "false",
      scored->event_id);
}

char **
vl_csv_split (const char *line)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) cell = g_string_new (NULL);
  gboolean quoted = FALSE;

  for (const char *p = line; *p != '\0'; p++) {
    if (*p == '"' && quoted && p[1] == '"')
      g_string_append_c (cell, *p++);
    else if (*p == '"')
      quoted = !quoted;
    else if (*p == ',' && !quoted) {
      g_ptr_array_add (cells, g_strdup (cell->str));
      g_string_truncate (cell, 0);
    } else
      g_string_append_c (cell, *p);
  }
  if (quoted)
    return NULL;
  g_ptr_array_add (cells, g_strdup (cell->str));
  g_ptr_array_add (cells, NULL);
  g_ptr_array_set_free_func (cells, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&cells), FALSE);
}
