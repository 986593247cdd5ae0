/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "json.h"

#include <string.h>

/* What a JSON text is made of outside its strings. */
static gboolean
is_json_char (char c)
{
  return c != '\0' && (g_ascii_isdigit (c) || g_ascii_islower (c) ||
                          strchr (" \t\r\n{}[],:+-.E", c) != NULL);
}

/* One past the closing quote of the string that begins at text[i], or length
 * when it has none. */
static gsize
skip_string (const char *text, gsize length, gsize i)
{
  for (i++; i < length && text[i] != '\0'; i++) {
    if (text[i] == '\\')
      i++;
    else if (text[i] == '"')
      return i + 1;
  }
  return length;
}

/* What is wrong with the text's outline, or NULL. */
static const char *
check_outline (const char *text, gsize length)
{
  guint depth = 0, values = 0;
  gsize i = 0;

  while (i < length) {
    char c = text[i];

    if (c == '"') {
      i = skip_string (text, length, i);
      continue;
    }
    if (!is_json_char (c))
      return "is no JSON";
    if ((c == '{' || c == '[') && ++depth > VL_JSON_MAX_DEPTH)
      return "is nested too deeply";
    if ((c == '}' || c == ']') && depth-- == 0)
      return "is no JSON";
    if (c == ',' && ++values > VL_JSON_MAX_VALUES)
      return "has too many values";
    i++;
  }
  return depth == 0 ? NULL : "is no JSON";
}

JsonObject *
vl_json_parse_object (const char *text, gsize length, GError **error)
{
  const char *problem = check_outline (text, length);
  g_autoptr (JsonParser) parser = NULL;
  JsonNode *root;

  if (problem != NULL) {
    g_set_error_literal (
        error, JSON_PARSER_ERROR, JSON_PARSER_ERROR_PARSE, problem);
    return NULL;
  }

  parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, text, length, NULL) ||
      (root = json_parser_get_root (parser)) == NULL ||
      !JSON_NODE_HOLDS_OBJECT (root)) {
    g_set_error_literal (
        error, JSON_PARSER_ERROR, JSON_PARSER_ERROR_PARSE, "is no JSON object");
    return NULL;
  }
  return json_node_dup_object (root);
}
