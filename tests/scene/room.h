/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The room, in the painter's order: what stands still, what moves behind the
 * figure, what stands in front of it, and the light that falls on all of it.
 * All functions draw in the view's coordinates (view.h). */

#pragma once

#include "view.h"

/* Walls, floor, window and furniture. Opaque. */
void vl_room_paint (cairo_t *cr);

/* Both curtains; sway is how far their hems are off, in pixels of the wall,
 * and phase (radians) where the ripple through the folds is. */
void vl_room_paint_curtains (cairo_t *cr, double sway, double phase);

/* The clock's hands at a time of day in whole seconds. */
void vl_room_paint_clock (cairo_t *cr, guint seconds);

/* The table that stands in front of the sofa, on nothing. */
void vl_room_paint_foreground (cairo_t *cr);

/* The lamp's light, which brightens what has been drawn. intensity about 1. */
void vl_room_paint_light (cairo_t *cr, double intensity);
