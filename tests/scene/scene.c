/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "scene.h"

#include "figure.h"
#include "room.h"

#include <math.h>
#include <string.h>

#define WALKING_SPEED 32.0 /* pixels of the back wall per second */
#define STEP 11.0          /* the same, per step */
#define SITTING_DOWN 0.9   /* seconds */
#define OPENING_TIME 36480 /* the clock's time in frame 0: 10:08:00 */

struct VlScene {
  guint seed, width, height;
  double rate, noise;
  GArray *visits; /* VlVisit */
  cairo_surface_t *room, *foreground;
  cairo_surface_t *empty, *occupied; /* the frame being drawn */
};

/* ---- randomness --------------------------------------------------------- */

/* What a stream of random numbers is for. */
typedef enum { STREAM_NOISE, STREAM_LAMP, STREAM_CURTAIN } Stream;

/* splitmix64 (Steele, Lea and Flood 2014). */
static guint64
next_random (guint64 *state)
{
  guint64 z = *state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  z = (z ^ z >> 30) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ z >> 31;
}

static guint64
begin_stream (const VlScene *scene, Stream stream, guint frame)
{
  guint64 state = (guint64)scene->seed << 32 | frame;

  state = next_random (&state) + stream;
  return next_random (&state);
}

/* Nearly N(0,1): the sum of four uniform numbers, standardised. */
static double
next_normal (guint64 *state)
{
  guint64 z = next_random (state);
  guint64 sum =
      (z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48);

  return (sum / 65535.0 - 2) * sqrt (3);
}

/* [0,1) */
static double
next_uniform (guint64 *state)
{
  return (next_random (state) >> 11) * 0x1p-53;
}

/* ---- life of a scene ---------------------------------------------------- */

/* A context in the view's coordinates that covers the whole surface. */
static cairo_t *
begin_view (const VlScene *scene, cairo_surface_t *surface)
{
  cairo_t *cr = cairo_create (surface);
  double scale =
      fmax (scene->width / VL_VIEW_WIDTH, scene->height / VL_VIEW_HEIGHT);

  cairo_translate (cr, scene->width / 2.0, scene->height / 2.0);
  cairo_scale (cr, scale, scale);
  cairo_translate (cr, -VL_VIEW_WIDTH / 2, -VL_VIEW_HEIGHT / 2);
  return cr;
}

static cairo_surface_t *
surface_new (const VlScene *scene, cairo_format_t format)
{
  return cairo_image_surface_create (
      format, (int)scene->width, (int)scene->height);
}

/* What is the same in every frame, painted once. */
static cairo_surface_t *
layer_new (
    const VlScene *scene, cairo_format_t format, void (*paint) (cairo_t *))
{
  cairo_surface_t *layer = surface_new (scene, format);
  cairo_t *cr = begin_view (scene, layer);

  paint (cr);
  cairo_destroy (cr);
  return layer;
}

VlScene *
vl_scene_new (guint seed, guint width, guint height)
{
  VlScene *scene = g_new0 (VlScene, 1);

  scene->seed = seed;
  scene->width = CLAMP (width, VL_SCENE_MIN_SIDE, VL_SCENE_MAX_SIDE);
  scene->height = CLAMP (height, VL_SCENE_MIN_SIDE, VL_SCENE_MAX_SIDE);
  scene->rate = VL_SCENE_RATE;
  scene->noise = VL_SCENE_NOISE;
  scene->visits = g_array_new (FALSE, FALSE, sizeof (VlVisit));
  scene->room = layer_new (scene, CAIRO_FORMAT_RGB24, vl_room_paint);
  scene->foreground =
      layer_new (scene, CAIRO_FORMAT_ARGB32, vl_room_paint_foreground);
  scene->empty = surface_new (scene, CAIRO_FORMAT_RGB24);
  scene->occupied = surface_new (scene, CAIRO_FORMAT_RGB24);
  return scene;
}

void
vl_scene_free (VlScene *scene)
{
  if (!scene)
    return;
  g_array_unref (scene->visits);
  cairo_surface_destroy (scene->room);
  cairo_surface_destroy (scene->foreground);
  cairo_surface_destroy (scene->empty);
  cairo_surface_destroy (scene->occupied);
  g_free (scene);
}

void
vl_scene_set_rate (VlScene *scene, double rate)
{
  scene->rate = rate;
}

void
vl_scene_set_noise (VlScene *scene, double noise)
{
  scene->noise = noise;
}

void
vl_scene_add_visit (VlScene *scene, const VlVisit *visit)
{
  g_array_append_vals (scene->visits, visit, 1);
}

/* ---- one frame ---------------------------------------------------------- */

static double
smoothstep (double t)
{
  t = CLAMP (t, 0, 1);
  return t * t * (3 - 2 * t);
}

/* Where the figure of a visit is. A visit too short for the usual pace is
 * walked faster, so that it still sits for a while. */
static VlFigure
figure_at (const VlScene *scene, const VlVisit *visit, guint frame)
{
  double side = visit->edge == VL_EDGE_LEFT ? -1 : 1;
  double outside = side * VL_FIGURE_OUTSIDE;
  double distance = fabs (VL_FIGURE_SEAT_X - outside);
  double length = (visit->last - visit->first + 1) / scene->rate;
  double pace =
      fmin (1, 0.4 * length / (distance / WALKING_SPEED + SITTING_DOWN));
  double walk = pace * distance / WALKING_SPEED;
  double sit = pace * SITTING_DOWN;
  double since = (frame - visit->first + 0.5) / scene->rate;
  double left = length - since;
  double t = fmin (since, left); /* leaving is coming, backwards in place */
  double gone = distance * fmin (t / walk, 1);

  return (VlFigure){.x = outside - side * gone,
      .facing = since < left ? -side : side,
      .stride = G_PI * gone / STEP,
      .seated = smoothstep ((t - walk) / sit)};
}

static const VlVisit *
visit_at (const VlScene *scene, guint frame)
{
  for (guint i = 0; i < scene->visits->len; i++) {
    const VlVisit *visit = &g_array_index (scene->visits, VlVisit, i);

    if (frame >= visit->first && frame <= visit->last)
      return visit;
  }
  return NULL;
}

/* The lamp's intensity: it trembles, and now and then it dips. */
static double
lamp_at (const VlScene *scene, guint frame)
{
  guint64 random = begin_stream (scene, STREAM_LAMP, frame);
  double tremble = 0.05 * next_normal (&random);

  return 1 + tremble - (next_uniform (&random) < 0.04 ? 0.25 : 0);
}

static void
paint_curtains (const VlScene *scene, cairo_t *cr, double time)
{
  guint64 random = begin_stream (scene, STREAM_CURTAIN, 0);
  double a = 2 * G_PI * (time / 3.1 + next_uniform (&random));
  double b = 2 * G_PI * (time / 4.7 + next_uniform (&random));
  double gust = 2 * G_PI * (time / 17 + next_uniform (&random));

  vl_room_paint_curtains (
      cr, (2.6 * sin (a) + 1.6 * sin (b)) * (1 + 0.4 * sin (gust)), a);
}

static void
paint_frame (const VlScene *scene, cairo_surface_t *surface, guint frame,
    const VlFigure *figure)
{
  cairo_t *cr = begin_view (scene, surface);
  double time = frame / scene->rate;

  cairo_save (cr);
  cairo_identity_matrix (cr);
  cairo_set_source_surface (cr, scene->room, 0, 0);
  cairo_paint (cr);
  cairo_restore (cr);
  paint_curtains (scene, cr, time);
  vl_room_paint_clock (cr, OPENING_TIME + (guint)(time + 1e-9));
  if (figure)
    vl_figure_paint (cr, figure);
  cairo_save (cr);
  cairo_identity_matrix (cr);
  cairo_set_source_surface (cr, scene->foreground, 0, 0);
  cairo_paint (cr);
  cairo_restore (cr);
  vl_room_paint_light (cr, lamp_at (scene, frame));
  cairo_destroy (cr);
  cairo_surface_flush (surface);
}

/* Whether two surfaces show different colours anywhere. */
static gboolean
surfaces_differ (const VlScene *scene, cairo_surface_t *a, cairo_surface_t *b)
{
  const guint8 *p = cairo_image_surface_get_data (a);
  const guint8 *q = cairo_image_surface_get_data (b);
  int stride = cairo_image_surface_get_stride (a);

  for (guint y = 0; y < scene->height; y++) {
    const guint32 *row = (const guint32 *)(p + y * stride);
    const guint32 *other = (const guint32 *)(q + y * stride);

    for (guint x = 0; x < scene->width; x++)
      if ((row[x] ^ other[x]) & 0xffffff)
        return TRUE;
  }
  return FALSE;
}

/* What the sensor makes of a surface. */
static void
expose (
    const VlScene *scene, guint8 *rgb, cairo_surface_t *surface, guint frame)
{
  const guint8 *data = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);
  guint64 random = begin_stream (scene, STREAM_NOISE, frame);

  for (guint y = 0; y < scene->height; y++) {
    const guint32 *row = (const guint32 *)(data + y * stride);

    for (guint x = 0; x < scene->width; x++)
      for (int shift = 16; shift >= 0; shift -= 8) {
        double light = row[x] >> shift & 255;

        light += scene->noise * next_normal (&random);
        *rgb++ = (guint8)CLAMP (light + 0.5, 0, 255);
      }
  }
}

gboolean
vl_scene_draw (VlScene *scene, guint frame, gboolean figure, guint8 *rgb)
{
  const VlVisit *visit = figure ? visit_at (scene, frame) : NULL;
  gboolean seen = FALSE;

  paint_frame (scene, scene->empty, frame, NULL);
  if (visit) {
    VlFigure posed = figure_at (scene, visit, frame);

    paint_frame (scene, scene->occupied, frame, &posed);
    seen = surfaces_differ (scene, scene->empty, scene->occupied);
  }
  expose (scene, rgb, seen ? scene->occupied : scene->empty, frame);
  return seen;
}
