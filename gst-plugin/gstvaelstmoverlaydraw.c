/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmoverlaydraw.h"

#include <math.h>

/* All lengths in em. */
#define PANEL_WIDTH 15.0
#define PANEL_HEIGHT 3.3
#define PANEL_HEIGHT_WITH_CURVE 7.6
#define PADDING 0.75
#define MARGIN 0.75
#define CORNER 0.5
#define TILE_CORNER 0.8
#define TILE_LINE 0.14

#define MAX_STATE 16    /* characters */
#define MAX_SCORE 999.9 /* larger ones are written as this */

#define MIN_EM 10.0 /* pixels: smaller text cannot be read */
#define TINY_EM 5.0 /* pixels: nor recognised */

typedef struct {
  double red, green, blue;
} Colour;

static const Colour black = {0.04, 0.05, 0.07};
static const Colour white = {0.96, 0.97, 0.98};
static const Colour calm = {0.47, 0.78, 0.86};
static const Colour waiting = {0.95, 0.76, 0.36};
static const Colour alarm_red = {1.0, 0.33, 0.30};

typedef struct {
  double x, y, width, height;
} Box;

void
gst_vae_lstm_layout_init (
    GstVaeLstmLayout *layout, gint width, gint height, gboolean with_curve)
{
  double rows = with_curve ? PANEL_HEIGHT_WITH_CURVE : PANEL_HEIGHT;
  double em = MAX (MIN_EM, 4 + height / 60.0);

  em = MIN (em, width / (PANEL_WIDTH + 2 * MARGIN));
  em = MIN (em, height / (rows + 2 * MARGIN));
  layout->em = em;
  layout->width = em < TINY_EM ? 0 : (gint)ceil (PANEL_WIDTH * em);
  layout->height = em < TINY_EM ? 0 : (gint)ceil (rows * em);
  layout->margin = (gint)(MARGIN * em);
}

/* --------------------------------------------------------------- elements */

static void
set_colour (cairo_t *cr, const Colour *colour, double opacity)
{
  cairo_set_source_rgba (cr, colour->red, colour->green, colour->blue, opacity);
}

static void
add_rounded_box (cairo_t *cr, const Box *box, double radius)
{
  double right = box->x + box->width, bottom = box->y + box->height;
  double r = MIN (radius, MIN (box->width, box->height) / 2);

  cairo_new_sub_path (cr);
  cairo_arc (cr, box->x + r, box->y + r, r, G_PI, 1.5 * G_PI);
  cairo_arc (cr, right - r, box->y + r, r, 1.5 * G_PI, 2 * G_PI);
  cairo_arc (cr, right - r, bottom - r, r, 0, 0.5 * G_PI);
  cairo_arc (cr, box->x + r, bottom - r, r, 0.5 * G_PI, G_PI);
  cairo_close_path (cr);
}

static void
use_font (cairo_t *cr, double size, gboolean bold)
{
  cairo_select_font_face (cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
      bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, size);
}

/* Writes text that ends at x, and returns where it starts. */
static double
write_up_to (cairo_t *cr, double x, double y, const gchar *text)
{
  cairo_text_extents_t extents;

  cairo_text_extents (cr, text, &extents);
  cairo_move_to (cr, x - extents.x_advance, y);
  cairo_show_text (cr, text);
  return x - extents.x_advance;
}

/* The value that fills the bar and touches the top of the plot: twice the
 * threshold, or the largest of the scores when that is more. */
static double
full_scale (const GstVaeLstmPanel *panel)
{
  double full = MAX (2 * panel->threshold, panel->judged ? panel->score : 0);

  for (guint i = 0; i < panel->n_curve; i++) {
    if (panel->curve[i] > full)
      full = panel->curve[i];
  }
  return full > 0 ? full : 1;
}

/* Of the state: an event stays open for a while after its last score. */
static const Colour *
state_colour (const GstVaeLstmPanel *panel)
{
  if (panel->anomalous)
    return &alarm_red;
  return panel->judged ? &calm : &waiting;
}

static gboolean
is_over (const GstVaeLstmPanel *panel)
{
  return panel->score >= panel->threshold;
}

/* ------------------------------------------------------------------- rows */

static void
draw_state (cairo_t *cr, const GstVaeLstmPanel *panel, const Box *row)
{
  double em = row->height, radius = 0.3 * em;
  gchar text[4 * MAX_STATE + 1];

  if (panel->anomalous)
    g_snprintf (text, sizeof text, "event %u", panel->event_id);
  else
    g_utf8_strncpy (text, panel->state, MAX_STATE);
  g_strdelimit (text, "-", ' ');

  set_colour (cr, state_colour (panel), 1);
  cairo_arc (cr, row->x + radius, row->y + 0.55 * em, radius, 0, 2 * G_PI);
  cairo_fill (cr);

  use_font (cr, em, panel->anomalous);
  set_colour (cr, &white, 1);
  cairo_move_to (cr, row->x + em, row->y + 0.9 * em);
  cairo_show_text (cr, text);
}

/* "1.8 / 3.2": the score, and what it is measured by. */
static void
draw_score (cairo_t *cr, const GstVaeLstmPanel *panel, const Box *row)
{
  double em = row->height;
  double x = row->x + row->width, y = row->y + 0.9 * em;
  gchar text[32];

  use_font (cr, em, FALSE);
  set_colour (cr, &white, 0.6);
  g_snprintf (text, sizeof text, " / %.1f", panel->threshold);
  x = write_up_to (cr, x, y, text);

  use_font (cr, em, TRUE);
  set_colour (cr, is_over (panel) ? &alarm_red : &white, 1);
  g_snprintf (text, sizeof text, "%.1f", MIN (panel->score, MAX_SCORE));
  write_up_to (cr, x, y, text);
}

static void
draw_bar (
    cairo_t *cr, const GstVaeLstmPanel *panel, const Box *row, double full)
{
  double limit = row->x + row->width * panel->threshold / full;
  double score = panel->judged ? panel->score : 0;
  double tick = MAX (1, 0.25 * row->height);

  cairo_save (cr);
  add_rounded_box (cr, row, row->height / 2);
  cairo_clip (cr);
  set_colour (cr, &white, 0.18);
  cairo_paint (cr);
  cairo_rectangle (
      cr, row->x, row->y, row->width * CLAMP (score / full, 0, 1), row->height);
  set_colour (cr, is_over (panel) ? &alarm_red : &calm, 1);
  cairo_fill (cr);
  cairo_restore (cr);
  if (panel->threshold <= 0)
    return;

  cairo_rectangle (cr, limit - tick / 2, row->y - 0.3 * row->height, tick,
      1.6 * row->height);
  set_colour (cr, &white, 1);
  cairo_fill (cr);
}

/* ------------------------------------------------------------------- plot */

static double
height_of (const Box *box, double share)
{
  return box->y + box->height * (1 - CLAMP (share, 0, 1));
}

/* Red above the threshold, calm below. */
static void
set_curve_colour (cairo_t *cr, const Box *box, double limit, double opacity)
{
  cairo_pattern_t *colours =
      cairo_pattern_create_linear (0, box->y, 0, box->y + box->height);
  double stop = (limit - box->y) / box->height;
  const Colour *part[] = {&alarm_red, &calm};

  for (guint i = 0; i < 2; i++)
    cairo_pattern_add_color_stop_rgba (colours, CLAMP (stop, 0, 1),
        part[i]->red, part[i]->green, part[i]->blue, opacity);
  cairo_set_source (cr, colours);
  cairo_pattern_destroy (colours);
}

/* Strokes one unbroken run [first, end) of the curve over its shade. */
static void
draw_run (cairo_t *cr, const GstVaeLstmPanel *panel, const Box *box,
    double full, guint first, guint end)
{
  double limit = height_of (box, panel->threshold / full);
  double bottom = box->y + box->height;
  double step = box->width / MAX (panel->n_curve - 1, 1);
  cairo_path_t *line;

  for (guint i = first; i < end; i++)
    cairo_line_to (
        cr, box->x + i * step, height_of (box, panel->curve[i] / full));
  line = cairo_copy_path (cr);

  cairo_line_to (cr, box->x + (end - 1) * step, bottom);
  cairo_line_to (cr, box->x + first * step, bottom);
  set_curve_colour (cr, box, limit, 0.25);
  cairo_fill (cr);

  cairo_append_path (cr, line);
  cairo_path_destroy (line);
  set_curve_colour (cr, box, limit, 1);
  cairo_stroke (cr);
}

static void
draw_curve (
    cairo_t *cr, const GstVaeLstmPanel *panel, const Box *box, double full)
{
  guint first = 0;

  for (guint i = 0; i <= panel->n_curve; i++) {
    if (i < panel->n_curve && !isnan (panel->curve[i]))
      continue;
    if (i > first)
      draw_run (cr, panel, box, full, first, i);
    first = i + 1;
  }
}

static void
draw_level (cairo_t *cr, const Box *box, double y, double opacity)
{
  cairo_move_to (cr, box->x, y);
  cairo_line_to (cr, box->x + box->width, y);
  set_colour (cr, &white, opacity);
  cairo_stroke (cr);
}

/* How long the curve is, where it begins. */
static void
draw_duration (
    cairo_t *cr, const GstVaeLstmPanel *panel, const Box *box, double em)
{
  guint64 seconds = panel->duration / GST_SECOND;
  gchar text[32];

  if (seconds < 120)
    g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT " s", seconds);
  else
    g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT " min", seconds / 60);
  use_font (cr, MAX (0.75 * em, 0.9 * MIN_EM), FALSE);
  set_colour (cr, &white, 0.5);
  cairo_move_to (cr, box->x, box->y + 0.7 * em);
  cairo_show_text (cr, text);
}

static void
draw_plot (cairo_t *cr, const GstVaeLstmPanel *panel, const Box *box,
    double full, double em)
{
  const double dashes[] = {0.35 * em, 0.25 * em};

  draw_duration (cr, panel, box, em);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_width (cr, MAX (1, 0.1 * em));
  draw_level (cr, box, box->y + box->height, 0.3);
  draw_curve (cr, panel, box, full);
  if (panel->threshold <= 0)
    return;

  cairo_set_dash (cr, dashes, G_N_ELEMENTS (dashes), 0);
  draw_level (cr, box, height_of (box, panel->threshold / full), 0.7);
  cairo_set_dash (cr, NULL, 0, 0);
}

void
gst_vae_lstm_draw_panel (
    cairo_t *cr, const GstVaeLstmLayout *layout, const GstVaeLstmPanel *panel)
{
  double em = layout->em, full = full_scale (panel);
  double width = layout->width - 2 * PADDING * em;
  Box all = {0, 0, layout->width, layout->height};
  Box top = {PADDING * em, 0.65 * em, width, em};
  Box bar = {PADDING * em, 2.1 * em, width, 0.45 * em};
  Box plot = {
      PADDING * em, 3.1 * em, width, layout->height - (3.1 + PADDING) * em};

  add_rounded_box (cr, &all, CORNER * em);
  set_colour (cr, &black, 0.68);
  cairo_fill (cr);

  draw_state (cr, panel, &top);
  draw_bar (cr, panel, &bar, full);
  if (panel->judged)
    draw_score (cr, panel, &top);
  if (panel->curve)
    draw_plot (cr, panel, &plot, full, em);
}

/* ------------------------------------------------------------------ tiles */

static double
tile_line (const GstVaeLstmLayout *layout)
{
  return MAX (1.5, TILE_LINE * layout->em);
}

guint
gst_vae_lstm_tile_parts (const GstVaeLstmLayout *layout, gint width,
    gint height, GstVideoRectangle *parts)
{
  gint side = (gint)ceil (3 * tile_line (layout));
  gint end = side + (gint)ceil (TILE_CORNER * layout->em);

  if (width <= 2 * side || height <= 2 * end) {
    parts[0] = (GstVideoRectangle){0, 0, width, height};
    return 1;
  }
  parts[0] = (GstVideoRectangle){0, 0, width, end};
  parts[1] = (GstVideoRectangle){0, height - end, width, end};
  parts[2] = (GstVideoRectangle){0, end, side, height - 2 * end};
  parts[3] = (GstVideoRectangle){width - side, end, side, height - 2 * end};
  return 4;
}

/* The line's middle lies 1.5 lines inside the edge, its shade reaches from a
 * quarter of a line to 2.75 lines. */
void
gst_vae_lstm_draw_tile (cairo_t *cr, const GstVaeLstmLayout *layout, gint width,
    gint height, double strength)
{
  double line = tile_line (layout);
  Box box = {1.5 * line, 1.5 * line, width - 3 * line, height - 3 * line};

  if (box.width <= 0 || box.height <= 0)
    box = (Box){0, 0, width, height};
  add_rounded_box (cr, &box, TILE_CORNER * layout->em);
  cairo_set_line_width (cr, 2.5 * line);
  set_colour (cr, &black, 0.35 * strength);
  cairo_stroke_preserve (cr);
  cairo_set_line_width (cr, line);
  set_colour (cr, &alarm_red, 0.3 + 0.7 * strength);
  cairo_stroke (cr);
}
