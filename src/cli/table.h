/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Scores as text, one analysed frame a line. */

#pragma once

#include "track.h"

/* Column names as CSV, with the newline. Static storage. */
const char *vl_table_csv_header (void);

/* One line, with the newline; free with g_free(). */
char *vl_table_csv_row (const char *clip, const VlScoredFrame *scored);
char *vl_table_json_row (const char *clip, const VlScoredFrame *scored);

/* Splits a line of CSV into its cells: commas divide, double quotes protect
 * commas and doubled quotes. NULL when a quote is left open. */
char **vl_csv_split (const char *line);
