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
