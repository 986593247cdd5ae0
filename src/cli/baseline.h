/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The trivial detector every model has to beat: how much the picture changes.
 * Mean absolute difference of consecutive luma pictures in blocks of 16 pixels
 * every 8, averaged over the last 3 frames; the mean of the 6 largest blocks.
 * It learns nothing. */

#pragma once

#include <glib.h>

typedef struct VlBaseline VlBaseline;

/* width and height are multiples of 8 and at least 24. */
VlBaseline *vl_baseline_new (unsigned width, unsigned height);
void vl_baseline_free (VlBaseline *baseline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlBaseline, vl_baseline_free)

/* The next picture begins a clip. */
void vl_baseline_reset (VlBaseline *baseline);

/* Takes a luma picture (height,width); 0 for the first of a clip, else 0 to
 * 255. */
double vl_baseline_update (VlBaseline *baseline, const guint8 *luma);
