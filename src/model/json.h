/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Parses JSON that nobody vouches for. json-glib recurses once per level and
 * keeps every value, and its lookup of a repeated member is linear; so the text
 * is scanned first, and what is deep or large never reaches it. */

#pragma once

#include <json-glib/json-glib.h>

#define VL_JSON_MAX_DEPTH 16
#define VL_JSON_MAX_VALUES 16384

/* The object that the text is; free with json_object_unref(). NULL with error
 * set (JSON_PARSER_ERROR) when it is none, or exceeds the limits. Comments and
 * other extensions of json-glib are refused. */
JsonObject *vl_json_parse_object (
    const char *text, gsize length, GError **error);

/* A member's value; FALSE or NULL when it is missing or of another kind.
 * Doubles may be written as whole numbers, and are finite. */
gboolean vl_json_get_uint (
    JsonObject *object, const char *member, guint *value);
gboolean vl_json_get_double (
    JsonObject *object, const char *member, double *value);
gboolean vl_json_get_boolean (
    JsonObject *object, const char *member, gboolean *value);
const char *vl_json_get_string (JsonObject *object, const char *member);
JsonObject *vl_json_get_object (JsonObject *object, const char *member);

/* A member that is an array of exactly n finite numbers. */
gboolean vl_json_get_floats (
    JsonObject *object, const char *member, float *numbers, guint n);
