/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "figure.h"

#include <math.h>

/* Lengths, in pixels of the back wall. */
#define THIGH 14.0
#define SHIN 13.0
#define TORSO 19.0
#define UPPER_ARM 9.5
#define FOREARM 8.5
#define HEAD 4.6 /* radius */

#define SKIN 0xd9a583
#define HAIR 0x3a2a20
#define SWEATER 0x9c3d3a
#define TROUSERS 0x39465f
#define SHOES 0x22201f

/* Joints in pairs: first the limb on the far side, then the near one. */
typedef enum {
  JOINT_NECK,
  JOINT_HIP,
  JOINT_KNEE,
  JOINT_FOOT = JOINT_KNEE + 2,
  JOINT_TOE = JOINT_FOOT + 2,
  JOINT_SHOULDER = JOINT_TOE + 2,
  JOINT_ELBOW = JOINT_SHOULDER + 2,
  JOINT_HAND = JOINT_ELBOW + 2,
  N_JOINTS = JOINT_HAND + 2
} Joint;

typedef struct {
  VlPoint joints[N_JOINTS];
} Pose;

/* The point `length` away from `from`, at an angle (radians) from straight
 * down, positive to the right. */
static VlPoint
swing (VlPoint from, double length, double angle)
{
  return (VlPoint){
      from.x + length * sin (angle), from.y + length * cos (angle), from.k};
}

static Pose
pose_walking (double x, double facing, double stride)
{
  Pose pose;
  VlPoint hip = {x, VL_FLOOR - THIGH - SHIN - 0.4 + 0.9 * fabs (sin (stride)),
      VL_FIGURE_STAND_K};
  VlPoint neck = swing (hip, -TORSO, -0.06 * facing);

  pose.joints[JOINT_HIP] = hip;
  pose.joints[JOINT_NECK] = neck;
  for (int side = 0; side < 2; side++) {
    double phase = stride + side * G_PI;
    double leg = 0.42 * sin (phase);
    double bend = 0.12 + 0.65 * fmax (0, cos (phase + 0.3));
    VlPoint knee = swing (hip, THIGH, facing * leg);
    VlPoint foot = swing (knee, SHIN, facing * (leg - bend));
    VlPoint elbow = swing (neck, UPPER_ARM, -facing * 0.9 * leg);

    foot.y = fmin (foot.y, VL_FLOOR - 1.2);
    pose.joints[JOINT_KNEE + side] = knee;
    pose.joints[JOINT_FOOT + side] = foot;
    pose.joints[JOINT_TOE + side] =
        (VlPoint){foot.x + 3.2 * facing, foot.y + 0.4, foot.k};
    pose.joints[JOINT_SHOULDER + side] = swing (neck, 1.5, 0);
    pose.joints[JOINT_ELBOW + side] = elbow;
    pose.joints[JOINT_HAND + side] =
        swing (elbow, FOREARM, facing * (0.3 - 0.9 * leg));
  }
  return pose;
}

/* On the sofa, face to the camera. */
static Pose
pose_seated (void)
{
  Pose pose;
  VlPoint hip = {VL_FIGURE_SEAT_X, 48, 1.22};
  VlPoint neck = {VL_FIGURE_SEAT_X + 2.5, 48 - TORSO - 1, 1.16};
  double knees = VL_FIGURE_SEAT_X - 3; /* below the hips in the picture */

  pose.joints[JOINT_HIP] = hip;
  pose.joints[JOINT_NECK] = neck;
  for (int side = 0; side < 2; side++) {
    double out = side ? 1 : -1;

    pose.joints[JOINT_KNEE + side] = (VlPoint){knees + 4.6 * out, 47.5, 1.42};
    pose.joints[JOINT_FOOT + side] =
        (VlPoint){knees + 4.2 * out, VL_FLOOR - 2, 1.42};
    pose.joints[JOINT_TOE + side] =
        (VlPoint){knees + 5 * out, VL_FLOOR - 1, 1.47};
    pose.joints[JOINT_SHOULDER + side] =
        (VlPoint){neck.x + 5.2 * out, neck.y + 2.5, neck.k};
    pose.joints[JOINT_ELBOW + side] =
        (VlPoint){neck.x + 7.6 * out, neck.y + 11.5, 1.2};
    pose.joints[JOINT_HAND + side] = (VlPoint){knees + 4.6 * out, 45.5, 1.34};
  }
  return pose;
}

static Pose
pose_blend (const Pose *a, const Pose *b, double t)
{
  Pose pose;

  for (int i = 0; i < N_JOINTS; i++) {
    const VlPoint *p = &a->joints[i], *q = &b->joints[i];

    pose.joints[i] = (VlPoint){p->x + t * (q->x - p->x),
        p->y + t * (q->y - p->y), p->k + t * (q->k - p->k)};
  }
  return pose;
}

/* A limb through n joints, as thick as it is near. */
static void
paint_limb (
    cairo_t *cr, const VlPoint *joints, int n, double thickness, guint32 colour)
{
  cairo_move_to (cr, vl_view_x (joints[0]), vl_view_y (joints[0]));
  for (int i = 1; i < n; i++)
    cairo_line_to (cr, vl_view_x (joints[i]), vl_view_y (joints[i]));
  cairo_set_line_width (cr, thickness * joints[n - 1].k);
  vl_set_colour (cr, colour, 1);
  cairo_stroke (cr);
}

static void
paint_leg (cairo_t *cr, const Pose *pose, int side, guint32 colour)
{
  const VlPoint *j = pose->joints;
  VlPoint leg[] = {j[JOINT_HIP], j[JOINT_KNEE + side], j[JOINT_FOOT + side]};
  VlPoint shoe[] = {j[JOINT_FOOT + side], j[JOINT_TOE + side]};

  paint_limb (cr, leg, 3, 5.4, colour);
  paint_limb (cr, shoe, 2, 3.4, SHOES);
}

static void
paint_arm (cairo_t *cr, const Pose *pose, int side, guint32 colour)
{
  const VlPoint *j = pose->joints;
  VlPoint arm[] = {
      j[JOINT_SHOULDER + side], j[JOINT_ELBOW + side], j[JOINT_HAND + side]};
  VlPoint hand[] = {j[JOINT_HAND + side], j[JOINT_HAND + side]};

  paint_limb (cr, arm, 3, 4.0, colour);
  paint_limb (cr, hand, 2, 3.6, SKIN);
}

/* broad: 0 seen from the side, 1 from the front. */
static void
paint_torso (cairo_t *cr, const Pose *pose, double broad)
{
  VlPoint neck = pose->joints[JOINT_NECK], hip = pose->joints[JOINT_HIP];
  double shoulder = (3.2 + 2.6 * broad) * neck.k;
  double waist = (3.0 + 1.6 * broad) * hip.k;

  cairo_move_to (
      cr, vl_view_x (neck) - shoulder, vl_view_y (neck) + 3 * neck.k);
  cairo_line_to (
      cr, vl_view_x (neck) + shoulder, vl_view_y (neck) + 3 * neck.k);
  cairo_line_to (cr, vl_view_x (hip) + waist, vl_view_y (hip));
  cairo_line_to (cr, vl_view_x (hip) - waist, vl_view_y (hip));
  cairo_close_path (cr);
  vl_set_colour (cr, SWEATER, 1);
  cairo_set_line_width (cr, 2.5 * neck.k);
  cairo_stroke_preserve (cr);
  cairo_fill (cr);
}

/* turn: -1 looks to the left, 0 to the camera, 1 to the right. */
static void
paint_head (cairo_t *cr, const Pose *pose, double turn)
{
  VlPoint neck = pose->joints[JOINT_NECK];
  double x = vl_view_x (neck), y = vl_view_y (neck), r = HEAD * neck.k;
  double cx = x + 0.25 * turn * r, cy = y - 1.05 * r;
  VlPoint throat[] = {neck, {neck.x, neck.y - 2, neck.k}};

  paint_limb (cr, throat, 2, 3.4, SKIN);
  cairo_arc (cr, cx - 0.16 * turn * r, cy - 0.12 * r, 1.04 * r, 0, 2 * G_PI);
  vl_set_colour (cr, HAIR, 1);
  cairo_fill (cr);
  cairo_arc (cr, cx + 0.24 * turn * r, cy + 0.22 * r, 0.84 * r, 0, 2 * G_PI);
  vl_set_colour (cr, SKIN, 1);
  cairo_fill (cr);
}

static void
paint_shadow (cairo_t *cr, const Pose *pose)
{
  const VlPoint *foot = &pose->joints[JOINT_FOOT];
  VlPoint ground = {(foot[0].x + foot[1].x) / 2, VL_FLOOR, foot[0].k};

  cairo_save (cr);
  cairo_translate (cr, vl_view_x (ground), vl_view_y (ground));
  cairo_scale (cr, 1, 0.28);
  cairo_arc (cr, 0, 0, 9 * ground.k, 0, 2 * G_PI);
  cairo_restore (cr);
  vl_set_colour (cr, 0x000000, 0.28);
  cairo_fill (cr);
}

void
vl_figure_paint (cairo_t *cr, const VlFigure *figure)
{
  double turn = figure->facing * (1 - figure->seated);
  gboolean frontal = figure->seated > 0.5;
  Pose walking = pose_walking (figure->x, figure->facing, figure->stride);
  Pose seated = pose_seated ();
  Pose pose = pose_blend (&walking, &seated, figure->seated);

  cairo_save (cr);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  paint_shadow (cr, &pose);
  if (!frontal)
    paint_arm (cr, &pose, 0, 0x7f3230);
  paint_leg (cr, &pose, 0, 0x2f3a50);
  paint_leg (cr, &pose, 1, TROUSERS);
  paint_torso (cr, &pose, figure->seated);
  paint_head (cr, &pose, turn);
  if (frontal)
    paint_arm (cr, &pose, 0, 0x8d3735);
  paint_arm (cr, &pose, 1, 0x8d3735);
  cairo_restore (cr);
}
