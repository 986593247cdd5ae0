/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The figure: a skeleton of joints in the room's space, posed and blended, then
 * drawn as limbs. */

#pragma once

#include "view.h"

#define VL_FIGURE_STAND_K 1.5 /* where it walks */
#define VL_FIGURE_SEAT_X 48.0 /* where it sits */

/* x at which a walking figure is outside the picture whatever it does with its
 * arms; negative on the left. */
#define VL_FIGURE_OUTSIDE 122.0

/* How a figure is at one moment. */
typedef struct {
  double x;      /* between the hips, while walking */
  double facing; /* -1: walks to the left, 1: to the right */
  double stride; /* radians; one step is pi */
  double seated; /* 0: walks, 1: sits on the sofa */
} VlFigure;

void vl_figure_paint (cairo_t *cr, const VlFigure *figure);
