/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An evaluation, for people and for programs. */

#pragma once

#include "evaluation.h"

typedef struct {
  guint n_frames; /* analysed */
  double wall;    /* seconds */
  double cpu;     /* seconds, of all threads, decoding included */
} VlSpeed;

/* Lines of "key: value", then tables. Free with g_free(). */
char *vl_report_text (const VlEvaluation *evaluation, const GPtrArray *tracks,
    const VlLabels *labels, const VlSpeed *speed);

/* One JSON object of the same keys; null where there is no number. Free with
 * g_free(). */
char *vl_report_json (const VlEvaluation *evaluation, const GPtrArray *tracks,
    const VlLabels *labels, const VlSpeed *speed);
