/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "canvas.h"

void
vl_canvas_colour (cairo_t *cr, unsigned rgb, double opacity)
{
  cairo_set_source_rgba (cr, (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0,
      (rgb & 255) / 255.0, opacity);
}

static cairo_status_t
write_bytes (void *closure, const unsigned char *data, unsigned length)
{
  vl_output_write (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

gboolean
vl_canvas_write (cairo_surface_t *surface, VlOutput *output, GError **error)
{
  const cairo_status_t status =
      cairo_surface_write_to_png_stream (surface, write_bytes, output);

  if (status == CAIRO_STATUS_SUCCESS)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "drawing: %s",
      cairo_status_to_string (status));
  return FALSE;
}
