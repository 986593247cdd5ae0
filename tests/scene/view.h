/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The room's space and its view. Two coordinates and a magnification say where
 * something is: x to the right and y down from the vanishing point, in pixels
 * of the back wall, and k, how much nearer than the back wall it is: 1 there,
 * growing towards the camera. The picture is VL_VIEW_WIDTH x VL_VIEW_HEIGHT;
 * lines along k meet in the vanishing point. */

#pragma once

#include <cairo.h>
#include <glib.h>

#define VL_VIEW_WIDTH 320.0
#define VL_VIEW_HEIGHT 240.0

/* Planes of the room. */
#define VL_FLOOR 65.0
#define VL_CEILING -40.0
#define VL_WALL 120.0 /* right wall; the left one is at -VL_WALL */
#define VL_FRONT 2.62 /* k of the picture's lower edge on the floor */

typedef struct {
  double x, y, k;
} VlPoint;

static inline double
vl_view_x (VlPoint p)
{
  return 160 + p.x * p.k;
}

static inline double
vl_view_y (VlPoint p)
{
  return 70 + p.y * p.k;
}

static inline void
vl_set_colour (cairo_t *cr, guint32 rgb, double alpha)
{
  cairo_set_source_rgba (cr, (rgb >> 16 & 255) / 255.0,
      (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0, alpha);
}
