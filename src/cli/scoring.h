/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What score and evaluate share: a detector made from options. */

#pragma once

#include "detector.h"

typedef struct {
  double false_alarms_per_day;
  double threshold; /* 0: automatic */
} VlScoringOptions;

#define VL_SCORING_DEFAULTS                                                    \
  {                                                                            \
    1.0, 0.0                                                                   \
  }

/* A usage error is set for numbers out of range. */
gboolean vl_scoring_check (const VlScoringOptions *options, GError **error);

/* Loads a model that can score. NULL with error set when it cannot. */
VlModel *vl_scoring_load (const char *path, GError **error);

VlDetector *vl_scoring_detector (
    VlModel *model, const VlScoringOptions *options);
