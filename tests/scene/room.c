/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "room.h"

#include <math.h>

#define PLANK 9.0 /* width of a floor board */

/* ---- shapes ------------------------------------------------------------- */

static void
fill (cairo_t *cr, guint32 rgb)
{
  vl_set_colour (cr, rgb, 1);
  cairo_fill (cr);
}

static void
path_quad (cairo_t *cr, VlPoint a, VlPoint b, VlPoint c, VlPoint d)
{
  cairo_move_to (cr, vl_view_x (a), vl_view_y (a));
  cairo_line_to (cr, vl_view_x (b), vl_view_y (b));
  cairo_line_to (cr, vl_view_x (c), vl_view_y (c));
  cairo_line_to (cr, vl_view_x (d), vl_view_y (d));
  cairo_close_path (cr);
}

/* Upright rectangle that faces the camera. */
static void
path_front (cairo_t *cr, double x0, double y0, double x1, double y1, double k)
{
  path_quad (cr, (VlPoint){x0, y0, k}, (VlPoint){x1, y0, k},
      (VlPoint){x1, y1, k}, (VlPoint){x0, y1, k});
}

/* Level rectangle, such as a part of the floor. */
static void
path_level (cairo_t *cr, double x0, double x1, double y, double k0, double k1)
{
  path_quad (cr, (VlPoint){x0, y, k0}, (VlPoint){x1, y, k0},
      (VlPoint){x1, y, k1}, (VlPoint){x0, y, k1});
}

/* Upright rectangle along a side wall. */
static void
path_side (cairo_t *cr, double x, double y0, double y1, double k0, double k1)
{
  path_quad (cr, (VlPoint){x, y0, k0}, (VlPoint){x, y0, k1},
      (VlPoint){x, y1, k1}, (VlPoint){x, y1, k0});
}

/* The colour, brighter (above 1) or darker. */
static guint32
shade (guint32 rgb, double by)
{
  guint32 shaded = 0;

  for (int shift = 0; shift < 24; shift += 8)
    shaded |= (guint32)MIN ((rgb >> shift & 255) * by, 255) << shift;
  return shaded;
}

/* A box from k0 (far) to k1 (near): the faces that can be seen. */
static void
paint_box (cairo_t *cr, double x0, double x1, double y0, double y1, double k0,
    double k1, guint32 rgb)
{
  if (y0 > 0) {
    path_level (cr, x0, x1, y0, k0, k1);
    fill (cr, shade (rgb, 1.15));
  }
  if (x0 > 0 || x1 < 0) {
    path_side (cr, x0 > 0 ? x0 : x1, y0, y1, k0, k1);
    fill (cr, shade (rgb, 0.72));
  }
  path_front (cr, x0, y0, x1, y1, k1);
  fill (cr, rgb);
}

/* Soft dark ellipse on the floor under something. */
static void
paint_contact (cairo_t *cr, double x, double k, double radius)
{
  VlPoint at = {x, VL_FLOOR, k};
  cairo_pattern_t *soft =
      cairo_pattern_create_radial (0, 0, 0, 0, 0, radius * k);

  cairo_pattern_add_color_stop_rgba (soft, 0, 0, 0, 0, 0.45);
  cairo_pattern_add_color_stop_rgba (soft, 1, 0, 0, 0, 0);
  cairo_save (cr);
  cairo_translate (cr, vl_view_x (at), vl_view_y (at));
  cairo_scale (cr, 1, 0.22);
  cairo_set_source (cr, soft);
  cairo_arc (cr, 0, 0, radius * k, 0, 2 * G_PI);
  cairo_fill (cr);
  cairo_restore (cr);
  cairo_pattern_destroy (soft);
}

/* Fills the path with a gradient of one colour between two points. */
static void
fill_gradient (cairo_t *cr, double x0, double y0, double x1, double y1,
    guint32 from, guint32 to)
{
  cairo_pattern_t *gradient = cairo_pattern_create_linear (x0, y0, x1, y1);

  cairo_pattern_add_color_stop_rgb (gradient, 0, (from >> 16 & 255) / 255.0,
      (from >> 8 & 255) / 255.0, (from & 255) / 255.0);
  cairo_pattern_add_color_stop_rgb (gradient, 1, (to >> 16 & 255) / 255.0,
      (to >> 8 & 255) / 255.0, (to & 255) / 255.0);
  cairo_set_source (cr, gradient);
  cairo_fill (cr);
  cairo_pattern_destroy (gradient);
}

/* A number in [0,1) that belongs to i: irregular, the same in every run. */
static double
scatter (guint i)
{
  return ((i + 1) * 2654435761u >> 8 & 0xffff) / 65536.0;
}

/* ---- walls and floor ---------------------------------------------------- */

static void
paint_walls (cairo_t *cr)
{
  path_level (cr, -VL_WALL, VL_WALL, VL_CEILING, 1, 4);
  fill_gradient (cr, 0, 0, 0, 30, 0xb9b4a8, 0xcfcabd);
  path_side (cr, -VL_WALL, VL_CEILING, VL_FLOOR, 1, 1.5);
  fill_gradient (cr, 0, 0, 40, 0, 0x9a9380, 0xaaa38f);
  path_side (cr, VL_WALL, VL_CEILING, VL_FLOOR, 1, 1.5);
  fill_gradient (cr, 280, 0, 320, 0, 0xb3ab95, 0xa29a86);
  path_front (cr, -VL_WALL, VL_CEILING, VL_WALL, VL_FLOOR, 1);
  fill_gradient (cr, 40, 30, 280, 135, 0xc6bfa9, 0xb7ae97);
}

static void
paint_boards (cairo_t *cr)
{
  guint i = 0;

  for (double x = -VL_WALL; x < VL_WALL; x += PLANK) {
    double k = 1 - 0.5 * scatter (1000 + i);

    while (k < VL_FRONT) {
      double end = k * 1.55;

      path_level (cr, x, x + PLANK, VL_FLOOR, fmax (k, 1), fmax (end, 1));
      fill (cr, shade (0x8a6238, 0.86 + 0.26 * scatter (i++)));
      k = end;
    }
  }
  cairo_set_line_width (cr, 0.5);
  vl_set_colour (cr, 0x4a331c, 0.5);
  for (double x = -VL_WALL; x < VL_WALL; x += PLANK) {
    VlPoint far = {x, VL_FLOOR, 1}, near = {x, VL_FLOOR, VL_FRONT};

    cairo_move_to (cr, vl_view_x (far), vl_view_y (far));
    cairo_line_to (cr, vl_view_x (near), vl_view_y (near));
  }
  cairo_stroke (cr);
}

static void
paint_skirting (cairo_t *cr)
{
  path_front (cr, -VL_WALL, VL_FLOOR - 4, VL_WALL, VL_FLOOR, 1);
  fill (cr, 0xe0dccf);
  path_side (cr, -VL_WALL, VL_FLOOR - 4, VL_FLOOR, 1, 1.5);
  fill (cr, 0xbdb8a8);
  path_side (cr, VL_WALL, VL_FLOOR - 4, VL_FLOOR, 1, 1.5);
  fill (cr, 0xcbc6b6);
}

static void
paint_rug (cairo_t *cr)
{
  static const struct {
    double inset;
    guint32 rgb;
  } bands[] = {{0, 0x6d3530}, {3, 0xc9b48a}, {5, 0x7e3f38}, {14, 0xa9825a},
      {16, 0x8a4a40}};

  for (guint i = 0; i < G_N_ELEMENTS (bands); i++) {
    double in = bands[i].inset;

    path_level (
        cr, -12 + in, 92 - in, VL_FLOOR, 1.46 + in * 0.011, 2.28 - in * 0.019);
    fill (cr, bands[i].rgb);
  }
}

/* The window's light on the floor. */
static void
paint_sunlight (cairo_t *cr)
{
  for (int pane = 0; pane < 2; pane++) {
    double x = -78 + 24 * pane;

    path_quad (cr, (VlPoint){x, VL_FLOOR, 1.35},
        (VlPoint){x + 19, VL_FLOOR, 1.35}, (VlPoint){x + 34, VL_FLOOR, 2.0},
        (VlPoint){x + 15, VL_FLOOR, 2.0});
    vl_set_colour (cr, 0xfff1c9, 0.2);
    cairo_fill (cr);
  }
}

/* ---- what hangs on the walls -------------------------------------------- */

static void
paint_outdoors (cairo_t *cr)
{
  path_front (cr, -95, -28, -39, 26, 1);
  fill_gradient (cr, 0, 42, 0, 96, 0x9cc4e6, 0xe6eef0);
  cairo_save (cr);
  path_front (cr, -95, -28, -39, 26, 1);
  cairo_clip (cr);
  for (guint i = 0; i < 9; i++) {
    cairo_arc (cr, 60 + 8 * i, 92 - 7 * scatter (i), 7 + 4 * scatter (50 + i),
        0, 2 * G_PI);
    fill (cr, shade (0x5d7a4a, 0.85 + 0.3 * scatter (80 + i)));
  }
  cairo_rectangle (cr, 100, 62, 30, 40);
  fill (cr, 0xb98d74);
  for (guint i = 0; i < 6; i++) {
    cairo_rectangle (cr, 104 + 9 * (i % 2), 67 + 9 * (i / 2), 5, 5);
    fill (cr, 0x6b7680);
  }
  cairo_restore (cr);
}

static void
paint_window (cairo_t *cr)
{
  path_front (cr, -99, -32, -35, 30, 1);
  fill (cr, 0xe9e6dc);
  paint_outdoors (cr);
  path_front (cr, -69, -28, -65, 26, 1);
  path_front (cr, -95, -10, -39, -8, 1);
  fill (cr, 0xefece3);
  path_front (cr, -103, 30, -31, 34, 1.02);
  fill (cr, 0xf2efe7);
  path_front (cr, -103, 34, -31, 35, 1.02);
  fill (cr, 0x9d988a);
}

static void
paint_radiator (cairo_t *cr)
{
  path_front (cr, -92, 41, -42, 60, 1.02);
  fill (cr, 0xd8d5cb);
  cairo_set_line_width (cr, 0.8);
  vl_set_colour (cr, 0x9b978b, 1);
  for (double x = -89; x < -42; x += 4) {
    cairo_move_to (cr, 160 + x, 113);
    cairo_line_to (cr, 160 + x, 130);
  }
  cairo_stroke (cr);
}

static void
paint_rod (cairo_t *cr)
{
  path_front (cr, -112, -35.5, -22, -34, 1.03);
  fill (cr, 0x6a5137);
}

/* Frame and mount of a picture on the back wall; leaves the canvas clipped. */
static void
begin_picture (cairo_t *cr, double x0, double y0, double x1, double y1)
{
  path_front (cr, x0 + 1, y0 + 1.5, x1 + 1, y1 + 2, 1);
  vl_set_colour (cr, 0x000000, 0.25);
  cairo_fill (cr);
  path_front (cr, x0, y0, x1, y1, 1);
  fill (cr, 0x4b3623);
  path_front (cr, x0 + 1.8, y0 + 1.8, x1 - 1.8, y1 - 1.8, 1);
  fill (cr, 0xefe9da);
  cairo_save (cr);
  path_front (cr, x0 + 4, y0 + 4, x1 - 4, y1 - 4, 1);
  cairo_clip (cr);
}

/* A lake before mountains. */
static void
paint_landscape (cairo_t *cr)
{
  begin_picture (cr, 24, -27, 62, 2);
  cairo_rectangle (cr, 180, 40, 45, 20);
  fill_gradient (cr, 0, 46, 0, 60, 0x7fa7c9, 0xf0d9b0);
  cairo_move_to (cr, 184, 60);
  cairo_line_to (cr, 195, 49);
  cairo_line_to (cr, 203, 57);
  cairo_line_to (cr, 211, 51);
  cairo_line_to (cr, 222, 60);
  fill (cr, 0x54627a);
  cairo_rectangle (cr, 180, 59, 45, 20);
  fill (cr, 0x3f6f86);
  cairo_rectangle (cr, 180, 64, 45, 10);
  fill (cr, 0x557a4c);
  cairo_restore (cr);
}

/* Circles and a bar. */
static void
paint_abstract (cairo_t *cr)
{
  begin_picture (cr, 70, -24, 92, 4);
  cairo_rectangle (cr, 230, 44, 25, 35);
  fill (cr, 0xe4d5b5);
  cairo_arc (cr, 239, 56, 5.5, 0, 2 * G_PI);
  fill (cr, 0xc04a35);
  cairo_arc (cr, 244, 63, 4.5, 0, 2 * G_PI);
  fill (cr, 0x2f5d7a);
  cairo_rectangle (cr, 234, 65, 12, 2);
  fill (cr, 0x2a2a2a);
  cairo_restore (cr);
}

static void
paint_door (cairo_t *cr)
{
  VlPoint knob = {-VL_WALL, 22, 1.09};

  path_side (cr, -VL_WALL, -21, VL_FLOOR, 1.055, 1.275);
  fill (cr, 0xd5d0c2);
  path_side (cr, -VL_WALL, -18, VL_FLOOR, 1.07, 1.26);
  fill (cr, 0x7b5a3c);
  path_side (cr, -VL_WALL, -12, 14, 1.1, 1.23);
  path_side (cr, -VL_WALL, 24, 56, 1.1, 1.23);
  fill (cr, 0x6c4d32);
  cairo_arc (cr, vl_view_x (knob), vl_view_y (knob), 1.3, 0, 2 * G_PI);
  fill (cr, 0xd9c27a);
}

static void
paint_mirror (cairo_t *cr)
{
  path_side (cr, VL_WALL, -22, 24, 1.08, 1.22);
  fill (cr, 0x59432c);
  path_side (cr, VL_WALL, -19, 21, 1.095, 1.205);
  fill_gradient (cr, 290, 40, 305, 100, 0xaab4b4, 0x8c9290);
}

static void
paint_clock_face (cairo_t *cr)
{
  cairo_arc (cr, 158, 54, 12.5, 0, 2 * G_PI);
  fill (cr, 0x33302b);
  cairo_arc (cr, 158, 54, 11, 0, 2 * G_PI);
  fill (cr, 0xf3f0e6);
  vl_set_colour (cr, 0x222222, 1);
  for (int hour = 0; hour < 12; hour++) {
    double angle = hour * G_PI / 6, in = hour % 3 ? 9.2 : 8;

    cairo_move_to (cr, 158 + in * sin (angle), 54 - in * cos (angle));
    cairo_line_to (cr, 158 + 10.2 * sin (angle), 54 - 10.2 * cos (angle));
  }
  cairo_set_line_width (cr, 1);
  cairo_stroke (cr);
}

/* ---- furniture ---------------------------------------------------------- */

static void
paint_books (cairo_t *cr, double y, guint first, guint n)
{
  static const guint32 covers[] = {0x7d2e2a, 0x2d4a63, 0xb08a3e, 0x47603f,
      0xd1c7b0, 0x58404f, 0x9a5b34, 0x2b2d33};
  double x = -21;

  for (guint i = first; i < first + n; i++) {
    double width = 2 + 2 * scatter (i), height = 10 + 4 * scatter (i + 7);

    path_front (cr, x, y - height, x + width - 0.4, y, 1.06);
    fill (cr, covers[i * 5 % G_N_ELEMENTS (covers)]);
    x += width;
  }
}

static void
paint_shelf (cairo_t *cr)
{
  paint_contact (cr, -3, 1.08, 26);
  paint_box (cr, -24, 18, 12, VL_FLOOR, 1, 1.07, 0x8c6a45);
  for (int row = 0; row < 3; row++) {
    double top = 15 + row * 16.6;

    path_front (cr, -21.5, top, 15.5, top + 14.5, 1.06);
    fill (cr, 0x4a3622);
    paint_books (cr, top + 14.5, 11 * row, row == 1 ? 7 : 12);
  }
  path_front (cr, 6, 37, 12, 46.2, 1.06);
  fill (cr, 0x9fb3a8);
  paint_box (cr, 5, 11, 4, 12, 1.01, 1.05, 0x3d6a78);
}

static void
paint_cushion (cairo_t *cr, double x, double y, double turn, guint32 rgb)
{
  VlPoint at = {x, y, 1.17};

  cairo_save (cr);
  cairo_translate (cr, vl_view_x (at), vl_view_y (at));
  cairo_rotate (cr, turn);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_width (cr, 4);
  cairo_rectangle (cr, -6, -6, 12, 12);
  vl_set_colour (cr, rgb, 1);
  cairo_stroke_preserve (cr);
  cairo_fill (cr);
  cairo_restore (cr);
}

static void
paint_sofa (cairo_t *cr)
{
  const guint32 cloth = 0x5d6f66;

  for (double x = 26; x < 90; x += 12)
    paint_contact (cr, x, 1.33, 18);
  paint_box (cr, 22, 90, 33, VL_FLOOR, 1.06, 1.13, cloth);
  path_front (cr, 55.6, 34, 56.4, 50, 1.13);
  fill (cr, shade (cloth, 0.75));
  paint_box (cr, 29, 83, 50, 63, 1.13, 1.3, shade (cloth, 1.06));
  path_level (cr, 55.6, 56.4, 50, 1.13, 1.3);
  path_front (cr, 55.6, 50, 56.4, 58, 1.3);
  fill (cr, shade (cloth, 0.75));
  paint_box (cr, 82, 90, 42, 63, 1.06, 1.32, shade (cloth, 0.95));
  paint_box (cr, 22, 30, 42, 63, 1.06, 1.32, shade (cloth, 0.95));
  paint_cushion (cr, 73, 43, 0.25, 0xc08a3c);
  paint_cushion (cr, 36, 43, -0.2, 0xb9b19c);
}

static void
paint_lamp (cairo_t *cr)
{
  VlPoint foot = {103, VL_FLOOR, 1.12}, top = {103, -2, 1.12};

  paint_contact (cr, foot.x, foot.k, 12);
  cairo_set_line_width (cr, 1.6);
  vl_set_colour (cr, 0x3b3833, 1);
  cairo_move_to (cr, vl_view_x (foot), vl_view_y (foot));
  cairo_line_to (cr, vl_view_x (top), vl_view_y (top));
  cairo_stroke (cr);
  path_front (cr, 97, VL_FLOOR - 1.5, 109, VL_FLOOR, 1.12);
  fill (cr, 0x2f2c28);
  path_quad (cr, (VlPoint){98, -16, 1.12}, (VlPoint){108, -16, 1.12},
      (VlPoint){113, 1, 1.12}, (VlPoint){93, 1, 1.12});
  fill_gradient (cr, 0, 52, 0, 72, 0xd9b878, 0xf2dba6);
}

static void
paint_plant (cairo_t *cr)
{
  VlPoint pot = {-101, VL_FLOOR, 1.22};
  double x = vl_view_x (pot), y = vl_view_y (pot);

  paint_contact (cr, pot.x, pot.k, 14);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  for (int i = 0; i < 13; i++) {
    double angle = -1.15 + 2.3 * i / 12, reach = 26 + 18 * scatter (i + 3);

    cairo_move_to (cr, x, y - 14);
    cairo_curve_to (cr, x + 4 * angle, y - 14 - reach * 0.7,
        x + reach * 0.6 * sin (angle), y - 16 - reach, x + reach * sin (angle),
        y - 10 - reach * cos (angle));
    cairo_set_line_width (cr, 3.4);
    vl_set_colour (cr, shade (0x3f6b3a, 0.75 + 0.5 * scatter (i + 20)), 1);
    cairo_stroke (cr);
  }
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_BUTT);
  cairo_move_to (cr, x - 9, y - 16);
  cairo_line_to (cr, x + 9, y - 16);
  cairo_line_to (cr, x + 6, y);
  cairo_line_to (cr, x - 6, y);
  fill_gradient (cr, x - 9, 0, x + 9, 0, 0xb8684a, 0x7f4430);
}

void
vl_room_paint (cairo_t *cr)
{
  paint_walls (cr);
  paint_boards (cr);
  paint_skirting (cr);
  paint_sunlight (cr);
  paint_rug (cr);
  paint_window (cr);
  paint_radiator (cr);
  paint_rod (cr);
  paint_landscape (cr);
  paint_abstract (cr);
  paint_clock_face (cr);
  paint_door (cr);
  paint_mirror (cr);
  paint_shelf (cr);
  paint_sofa (cr);
  paint_lamp (cr);
}

/* ---- what moves --------------------------------------------------------- */

/* One curtain between x0 and x1 at the rod, drawn as folds of cloth. */
static void
paint_curtain (cairo_t *cr, double x0, double x1, double sway, double phase)
{
  const int folds = 9;
  const double top = -34, hem = 52, k = 1.03;

  for (int i = 0; i < folds; i++) {
    double left = x0 + (x1 - x0) * i / folds;
    double right = x0 + (x1 - x0) * (i + 1) / folds;
    double ripple = 1.2 * sway * (0.8 + 0.2 * sin (phase - 0.9 * i));
    VlPoint a = {left, top, k}, b = {right + 0.9, top, k};
    VlPoint c = {right + 0.9 + ripple, hem, k}, d = {left + ripple, hem, k};
    double bend = 0.55 * (hem - top) * k;

    cairo_move_to (cr, vl_view_x (a), vl_view_y (a));
    cairo_line_to (cr, vl_view_x (b), vl_view_y (b));
    cairo_curve_to (cr, vl_view_x (b), vl_view_y (b) + bend, vl_view_x (c),
        vl_view_y (c) - 0.3 * bend, vl_view_x (c), vl_view_y (c));
    cairo_line_to (cr, vl_view_x (d), vl_view_y (d));
    cairo_curve_to (cr, vl_view_x (d), vl_view_y (d) - 0.3 * bend,
        vl_view_x (a), vl_view_y (a) + bend, vl_view_x (a), vl_view_y (a));
    fill (cr, shade (0xb5624f, i % 2 ? 0.84 : 1.04));
  }
}

void
vl_room_paint_curtains (cairo_t *cr, double sway, double phase)
{
  paint_curtain (cr, -112, -86, 0.6 * sway, phase + 1);
  paint_curtain (cr, -48, -22, sway, phase);
  paint_plant (cr);
}

static void
paint_hand (
    cairo_t *cr, double turns, double length, double width, guint32 colour)
{
  double angle = 2 * G_PI * turns;

  cairo_move_to (cr, 158 - 2 * sin (angle), 54 + 2 * cos (angle));
  cairo_line_to (cr, 158 + length * sin (angle), 54 - length * cos (angle));
  cairo_set_line_width (cr, width);
  vl_set_colour (cr, colour, 1);
  cairo_stroke (cr);
}

void
vl_room_paint_clock (cairo_t *cr, guint seconds)
{
  paint_hand (cr, seconds / 43200.0, 5.5, 1.6, 0x222222);
  paint_hand (cr, seconds / 60 / 60.0, 8.5, 1.2, 0x222222);
  paint_hand (cr, seconds % 60 / 60.0, 9.5, 0.8, 0xb02a20);
}

/* ---- in front of the figure --------------------------------------------- */

void
vl_room_paint_foreground (cairo_t *cr)
{
  const guint32 wood = 0x70502f;

  for (double x = 26; x < 72; x += 6)
    paint_contact (cr, x, 1.93, 9);
  for (int far = 1; far >= 0; far--) {
    double k = far ? 1.74 : 1.96;

    paint_box (cr, 25, 27, 49, VL_FLOOR, k - 0.03, k, shade (wood, 0.8));
    paint_box (cr, 69, 71, 49, VL_FLOOR, k - 0.03, k, shade (wood, 0.8));
  }
  paint_box (cr, 23, 73, 48, 50, 1.68, 1.98, wood);
  path_level (cr, 31, 44, 48, 1.76, 1.88);
  fill (cr, 0xe7e3d6);
  path_level (cr, 32, 43, 48, 1.775, 1.82);
  fill (cr, 0x47708c);
  paint_box (cr, 58, 62, 43, 48, 1.76, 1.8, 0xe9e4da);
  paint_box (cr, 58.6, 61.4, 43.2, 43.4, 1.765, 1.795, 0x5a3a22);
}

void
vl_room_paint_light (cairo_t *cr, double intensity)
{
  static const struct {
    double x, y, radius, alpha;
  } glows[] = {{275, 55, 26, 0.55}, {275, 62, 150, 0.3}};

  cairo_save (cr);
  cairo_set_operator (cr, CAIRO_OPERATOR_ADD);
  for (guint i = 0; i < G_N_ELEMENTS (glows); i++) {
    cairo_pattern_t *glow = cairo_pattern_create_radial (
        glows[i].x, glows[i].y, 0, glows[i].x, glows[i].y, glows[i].radius);

    cairo_pattern_add_color_stop_rgba (
        glow, 0, 0.85, 0.66, 0.36, glows[i].alpha * intensity);
    cairo_pattern_add_color_stop_rgba (
        glow, 0.5, 0.85, 0.62, 0.32, 0.32 * glows[i].alpha * intensity);
    cairo_pattern_add_color_stop_rgba (glow, 1, 0.85, 0.62, 0.32, 0);
    cairo_set_source (cr, glow);
    cairo_paint (cr);
    cairo_pattern_destroy (glow);
  }
  cairo_restore (cr);
}
