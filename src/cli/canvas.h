/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* cairo pictures as PNG files. */

#pragma once

#include <cairo.h>

#include "output.h"

/* Colour as 0xRRGGBB, with opacity 0..1. */
void vl_canvas_colour (cairo_t *cr, unsigned rgb, double opacity);

/* Writes a surface as PNG; the output is not committed. */
gboolean vl_canvas_write (
    cairo_surface_t *surface, VlOutput *output, GError **error);
