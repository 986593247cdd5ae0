/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "json.h"

#include <math.h>
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

static JsonNode *
get_value (JsonObject *object, const char *member, GType type)
{
  JsonNode *node = json_object_get_member (object, member);

  return node && json_node_get_value_type (node) == type ? node : NULL;
}

static gboolean
node_to_double (JsonNode *node, double *value)
{
  GType type = node ? json_node_get_value_type (node) : G_TYPE_INVALID;

  if (type != G_TYPE_DOUBLE && type != G_TYPE_INT64)
    return FALSE;
  *value = json_node_get_double (node);
  return isfinite (*value);
}

gboolean
vl_json_get_uint (JsonObject *object, const char *member, guint *value)
{
  JsonNode *node = get_value (object, member, G_TYPE_INT64);
  gint64 number = node ? json_node_get_int (node) : -1;

  if (number < 0 || number > G_MAXUINT)
    return FALSE;
  *value = number;
  return TRUE;
}

gboolean
vl_json_get_double (JsonObject *object, const char *member, double *value)
{
  return node_to_double (json_object_get_member (object, member), value);
}

gboolean
vl_json_get_boolean (JsonObject *object, const char *member, gboolean *value)
{
  JsonNode *node = get_value (object, member, G_TYPE_BOOLEAN);

  if (node == NULL)
    return FALSE;
  *value = json_node_get_boolean (node);
  return TRUE;
}

const char *
vl_json_get_string (JsonObject *object, const char *member)
{
  JsonNode *node = get_value (object, member, G_TYPE_STRING);

  return node ? json_node_get_string (node) : NULL;
}

JsonObject *
vl_json_get_object (JsonObject *object, const char *member)
{
  JsonNode *node = json_object_get_member (object, member);

  return node && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node)
                                               : NULL;
}

gboolean
vl_json_get_floats (
    JsonObject *object, const char *member, float *numbers, guint n)
{
  JsonNode *node = json_object_get_member (object, member);
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  array = json_node_get_array (node);
  if (json_array_get_length (array) != n)
    return FALSE;
  for (guint i = 0; i < n; i++) {
    double number;

    if (!node_to_double (json_array_get_element (array, i), &number))
      return FALSE;
    numbers[i] = (float)number;
  }
  return TRUE;
}
