/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the overlay looks like: pure functions from what is known to cairo. */

#pragma once

#include <cairo.h>
#include <gst/video/video.h>

/* Pixels; all that is drawn follows from `em`, the height of the text. */
typedef struct {
  double em;
  gint width, height; /* of the panel; 0 when the picture is too small for it */
  gint margin;        /* between the panel and the picture's edge */
} GstVaeLstmLayout;

/* What the panel shows. */
typedef struct {
  const gchar *state; /* as in the meta */
  gboolean judged;    /* score and threshold mean something */
  double score, threshold;
  gboolean anomalous; /* an event is open */
  guint event_id;     /* its number */
  const float *curve; /* (n_curve), oldest first, NAN for none; or NULL */
  guint n_curve;
  GstClockTime duration; /* that the curve covers */
} GstVaeLstmPanel;

/* The layout for a picture of that size. It grows with the picture's height,
 * though less than in proportion. */
void gst_vae_lstm_layout_init (
    GstVaeLstmLayout *layout, gint width, gint height, gboolean with_curve);

/* Draws the panel into (0,0,layout->width,layout->height). */
void gst_vae_lstm_draw_panel (
    cairo_t *cr, const GstVaeLstmLayout *layout, const GstVaeLstmPanel *panel);

#define GST_VAE_LSTM_TILE_PARTS 4

/* The parts of a tile of that size (each > 0) in which its outline lies, and
 * how many they are: at most GST_VAE_LSTM_TILE_PARTS, none of them empty. */
guint gst_vae_lstm_tile_parts (const GstVaeLstmLayout *layout, gint width,
    gint height, GstVideoRectangle *parts);

/* Draws a tile's outline into (0,0,width,height). strength: 0..1. */
void gst_vae_lstm_draw_tile (cairo_t *cr, const GstVaeLstmLayout *layout,
    gint width, gint height, double strength);
