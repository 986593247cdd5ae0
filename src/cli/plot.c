/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plot.h"

#include "canvas.h"

#include <math.h>

#define WIDTH 1400
#define LEFT 62
#define RIGHT 18
#define TOP 40
#define BOTTOM 20
#define TITLE 20  /* above each row: the clip's name */
#define LABELS 22 /* below each row: frame numbers */
#define MAX_HEIGHT 30000
#define MAX_ROWS (MAX_HEIGHT / (60 + TITLE + LABELS))

/* The vertical axis is linear where all scores are within so many thresholds;
 * else linear up to the threshold, which stands at a share of the height, and
 * logarithmic above, so that normal footage stays readable beside any peak. */
#define LINEAR 4.0
#define THRESHOLD_SHARE 0.35

#define INK 0x1c2733
#define FAINT 0x9aa5b1
#define GRID 0xe6eaee
#define SCORE 0x1c2733
#define DYNAMICS 0x1f77b4
#define APPEARANCE 0xe08a1e
#define ALARM 0xc62828

static const struct {
  VlSeries series;
  unsigned colour;
  double width;
} curves[] = {{VL_SERIES_APPEARANCE, APPEARANCE, 1},
    {VL_SERIES_DYNAMICS, DYNAMICS, 1}, {VL_SERIES_SCORE, SCORE, 1.6}};

typedef struct {
  double threshold, top; /* scores */
  gboolean logarithmic;  /* above the threshold */
} Axis;

/* One clip's rectangle on the picture. */
typedef struct {
  cairo_t *cr;
  const VlTrack *track;
  const Axis *axis;
  double y, width, height;
} Row;

static double
largest_value (const GPtrArray *tracks)
{
  double largest = 0;

  for (guint t = 0; t < tracks->len; t++) {
    const VlTrack *track = tracks->pdata[t];

    for (guint i = 0; i < track->frames->len; i++)
      for (gsize c = 0; c < G_N_ELEMENTS (curves); c++)
        largest =
            MAX (largest, vl_track_frame (track, i)->values[curves[c].series]);
  }
  return largest;
}

static Axis
choose_axis (const GPtrArray *tracks)
{
  const VlTrack *first = tracks->pdata[0];
  const double threshold = first->threshold > 0 ? first->threshold : 1;
  const double largest = largest_value (tracks) * 1.05;
  const double top = MAX (largest, 1.5 * threshold);

  return (Axis){threshold, top, top > LINEAR * threshold};
}

/* Share of the height, 0..1. */
static double
axis_share (const Axis *axis, double score)
{
  score = CLAMP (score, 0, axis->top);
  if (!axis->logarithmic)
    return score / axis->top;
  if (score <= axis->threshold)
    return THRESHOLD_SHARE * score / axis->threshold;
  return THRESHOLD_SHARE + (1 - THRESHOLD_SHARE) *
                               log (score / axis->threshold) /
                               log (axis->top / axis->threshold);
}

static double
row_y (const Row *row, double score)
{
  return row->y + row->height * (1 - axis_share (row->axis, score));
}

static double
row_x (const Row *row, guint64 frame)
{
  const guint last = row->track->frames->len - 1;
  const guint64 from = vl_track_frame (row->track, 0)->frame;
  const guint64 to = vl_track_frame (row->track, last)->frame;

  return LEFT +
         row->width * (double)(frame - from) / (double)MAX (to - from, 1);
}

/* The largest of 1, 2, 5, 10, ... that is at most value. */
static double
round_down (double value)
{
  const double decade = pow (10, floor (log10 (value)));

  if (value >= 5 * decade)
    return 5 * decade;
  return value >= 2 * decade ? 2 * decade : decade;
}

static void
draw_text (cairo_t *cr, double x, double y, double align, const char *text)
{
  cairo_text_extents_t extents;

  cairo_text_extents (cr, text, &extents);
  cairo_move_to (cr, x - align * extents.x_advance, y);
  cairo_show_text (cr, text);
}

static void
draw_line (cairo_t *cr, double x0, double y0, double x1, double y1)
{
  cairo_move_to (cr, x0, y0);
  cairo_line_to (cr, x1, y1);
  cairo_stroke (cr);
}

static void
draw_score_tick (const Row *row, double score)
{
  const double y = row_y (row, score);
  char text[32];

  g_snprintf (text, sizeof text, "%.15g", score);
  vl_canvas_colour (row->cr, GRID, 1);
  draw_line (row->cr, LEFT, y, LEFT + row->width, y);
  vl_canvas_colour (row->cr, INK, 1);
  draw_text (row->cr, LEFT - 6, y + 4, 1, text);
}

/* Round scores, from the top down, that stand clear of each other and of the
 * threshold's own label. */
static void
draw_score_ticks (const Row *row)
{
  const double clear = 15, threshold_y = row_y (row, row->axis->threshold);
  const double zero = row_y (row, 0);
  double last_y = -INFINITY;

  cairo_set_line_width (row->cr, 1);
  draw_score_tick (row, 0);
  for (double s = round_down (row->axis->top); s >= 0.5;
       s = round_down (s * 0.99)) {
    const double y = row_y (row, s);

    if (fabs (y - threshold_y) < clear || y - last_y < 1.6 * clear ||
        zero - y < clear)
      continue;
    draw_score_tick (row, s);
    last_y = y;
  }
}

static void
draw_threshold (const Row *row)
{
  const double dashes[] = {6, 4};
  const double y = row_y (row, row->axis->threshold);
  char text[32];

  g_snprintf (text, sizeof text, "%.2f", row->axis->threshold);
  vl_canvas_colour (row->cr, ALARM, 1);
  cairo_set_line_width (row->cr, 1.2);
  cairo_set_dash (row->cr, dashes, 2, 0);
  draw_line (row->cr, LEFT, y, LEFT + row->width, y);
  cairo_set_dash (row->cr, NULL, 0, 0);
  draw_text (row->cr, LEFT - 6, y + 4, 1, text);
}

static void
draw_frame_ticks (const Row *row)
{
  const guint last = row->track->frames->len - 1;
  const guint64 from = vl_track_frame (row->track, 0)->frame;
  const guint64 to = vl_track_frame (row->track, last)->frame;
  const guint64 step =
      (guint64)MAX (round_down (MAX ((double)(to - from), 1) / 6), 1);
  const double bottom = row->y + row->height;

  cairo_set_line_width (row->cr, 1);
  for (guint64 frame = (from + step - 1) / step * step; frame <= to;
       frame += step) {
    const double x = row_x (row, frame);
    char text[32];

    g_snprintf (text, sizeof text, "%" G_GUINT64_FORMAT, frame);
    vl_canvas_colour (row->cr, INK, 1);
    draw_line (row->cr, x, bottom, x, bottom + 4);
    draw_text (row->cr, x, bottom + 16, 0.5, text);
  }
}

/* Events in light red; the peak is written above where there is room. */
static void
draw_events (const Row *row)
{
  double free_x = LEFT;

  for (guint i = 0; i < row->track->events->len; i++) {
    const VlTrackEvent *event = vl_track_event (row->track, i);
    const double x0 =
        row_x (row, vl_track_frame (row->track, event->first)->frame);
    const double x1 =
        row_x (row, vl_track_frame (row->track, event->last)->frame);
    const double width = MAX (x1 - x0, 2);
    cairo_text_extents_t extents;
    char text[48];

    vl_canvas_colour (row->cr, ALARM, 0.13);
    cairo_rectangle (row->cr, x0, row->y, width, row->height);
    cairo_fill (row->cr);
    g_snprintf (text, sizeof text,
        event->peak < 100 ? "event %u, peak %.1f" : "event %u, peak %.0f",
        event->id, event->peak);
    cairo_text_extents (row->cr, text, &extents);
    if (x0 < free_x || x0 + extents.x_advance > LEFT + row->width)
      continue;
    vl_canvas_colour (row->cr, ALARM, 1);
    draw_text (row->cr, x0, row->y - 4, 0, text);
    free_x = x0 + extents.x_advance + 8;
  }
}

/* Frames that share a column of pixels are drawn as the largest of them. */
static void
draw_curve (const Row *row, VlSeries series, unsigned colour, double width)
{
  const guint n = row->track->frames->len;
  guint i = 0;

  cairo_new_path (row->cr);
  while (i < n) {
    const double x = row_x (row, vl_track_frame (row->track, i)->frame);
    double largest = 0;

    for (; i < n && row_x (row, vl_track_frame (row->track, i)->frame) < x + 1;
         i++)
      largest = MAX (largest, vl_track_frame (row->track, i)->values[series]);
    cairo_line_to (row->cr, x, row_y (row, largest));
  }
  vl_canvas_colour (row->cr, colour, 1);
  cairo_set_line_width (row->cr, width);
  cairo_stroke (row->cr);
}

static void
draw_row (const Row *row)
{
  cairo_t *cr = row->cr;

  draw_score_ticks (row);
  draw_events (row);
  draw_threshold (row);
  draw_frame_ticks (row);
  cairo_save (cr);
  cairo_rectangle (cr, LEFT, row->y - 1, row->width, row->height + 2);
  cairo_clip (cr);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  for (gsize i = 0; i < G_N_ELEMENTS (curves); i++)
    draw_curve (row, curves[i].series, curves[i].colour, curves[i].width);
  cairo_restore (cr);
  vl_canvas_colour (cr, FAINT, 1);
  cairo_set_line_width (cr, 1);
  cairo_rectangle (cr, LEFT + 0.5, row->y + 0.5, row->width, row->height);
  cairo_stroke (cr);
  vl_canvas_colour (cr, INK, 1);
  draw_text (cr, LEFT + row->width, row->y - 4, 1, row->track->clip);
}

static double
draw_legend_entry (
    cairo_t *cr, double x, const char *text, unsigned colour, double width)
{
  cairo_text_extents_t extents;

  vl_canvas_colour (cr, colour, 1);
  cairo_set_line_width (cr, width);
  draw_line (cr, x, 20, x + 24, 20);
  vl_canvas_colour (cr, INK, 1);
  draw_text (cr, x + 30, 24, 0, text);
  cairo_text_extents (cr, text, &extents);
  return x + 30 + extents.x_advance + 24;
}

static void
draw_legend (cairo_t *cr, const Axis *axis, guint n_left_out)
{
  double x = LEFT;
  g_autofree char *note = g_strdup_printf (
      "score = -log10 of the chance that a normal frame scores as high; by "
      "frame number%s%s",
      axis->logarithmic ? "; logarithmic above the threshold" : "",
      n_left_out > 0 ? "; more clips are left out" : "");

  for (gsize i = G_N_ELEMENTS (curves); i-- > 0;)
    x = draw_legend_entry (cr, x, vl_series_name (curves[i].series),
        curves[i].colour, curves[i].width + 0.6);
  x = draw_legend_entry (cr, x, "threshold", ALARM, 1.2);
  vl_canvas_colour (cr, ALARM, 0.13);
  cairo_rectangle (cr, x, 13, 24, 14);
  cairo_fill (cr);
  vl_canvas_colour (cr, INK, 1);
  draw_text (cr, x + 30, 24, 0, "event");
  vl_canvas_colour (cr, FAINT, 1);
  draw_text (cr, WIDTH - RIGHT, 24, 1, note);
}

static double
row_height (guint n_rows)
{
  const double fitting =
      (MAX_HEIGHT - TOP - BOTTOM) / (double)n_rows - TITLE - LABELS;
  const double wanted = n_rows == 1 ? 360 : n_rows <= 4 ? 200 : 110;

  return MIN (wanted, fitting);
}

gboolean
vl_plot_tracks (const GPtrArray *tracks, VlOutput *output, GError **error)
{
  const guint n_rows = MIN (tracks->len, MAX_ROWS);
  const double height = row_height (n_rows), pitch = TITLE + height + LABELS;
  const Axis axis = choose_axis (tracks);
  cairo_surface_t *surface = cairo_image_surface_create (
      CAIRO_FORMAT_RGB24, WIDTH, (int)(TOP + n_rows * pitch + BOTTOM));
  cairo_t *cr = cairo_create (surface);
  gboolean written;

  vl_canvas_colour (cr, 0xffffff, 1);
  cairo_paint (cr);
  cairo_select_font_face (
      cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, 12);
  draw_legend (cr, &axis, tracks->len - n_rows);
  for (guint i = 0; i < n_rows; i++)
    draw_row (&(Row){cr, tracks->pdata[i], &axis,
        floor (TOP + i * pitch + TITLE), WIDTH - LEFT - RIGHT, floor (height)});
  written = vl_canvas_write (surface, output, error);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  return written;
}
