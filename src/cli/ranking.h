/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How well numbers rank anomalous above normal. Exact, ties counted half. */

#pragma once

#include <glib.h>

/* Area under the ROC curve: the chance that an anomalous value lies above a
 * normal one. NAN when a class is missing. */
double vl_auc (const double *values, const guint8 *anomalous, gsize n);

/* Equal error rate: where as large a share of the normal is above a threshold
 * as of the anomalous is not. Straight lines between the ROC's points. NAN when
 * a class is missing. */
double vl_eer (const double *values, const guint8 *anomalous, gsize n);

/* Scales values to [0,1] by their own minimum and maximum; all equal: all 0. */
void vl_scale_to_unit (double *values, gsize n);
