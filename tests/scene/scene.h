/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A generated scene for tests and the demo: a living room with sensor noise, a
 * flickering lamp, a ticking clock and a swaying curtain as the normal, and a
 * figure that walks in from an edge, sits still and leaves as the anomaly.
 *
 * Every frame is a function of the seed and the frame's number alone, so frames
 * may be drawn in any order. The room itself does not depend on the seed. */

#pragma once

#include <glib.h>

typedef enum { VL_EDGE_LEFT, VL_EDGE_RIGHT } VlEdge;

/* A planned visit: the figure sets out from just outside the edge in frame
 * `first`, sits down on the sofa, and is back outside after frame `last`. */
typedef struct {
  guint first, last; /* 0-based, inclusive, first <= last */
  VlEdge edge;       /* where it enters and leaves */
} VlVisit;

typedef struct VlScene VlScene;

#define VL_SCENE_MIN_SIDE 16
#define VL_SCENE_MAX_SIDE 4096
#define VL_SCENE_RATE 10.0 /* frames per second */
#define VL_SCENE_NOISE 2.5 /* standard deviation, in 8-bit levels */

/* A scene of width x height pixels (VL_SCENE_MIN_SIDE..VL_SCENE_MAX_SIDE) with
 * the default rate and noise, and no visit. Pictures of another shape than 4:3
 * show a part of the room. Never NULL. */
VlScene *vl_scene_new (guint seed, guint width, guint height);
void vl_scene_free (VlScene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlScene, vl_scene_free)

/* Frames per second, > 0: how fast curtain, clock and figure move. */
void vl_scene_set_rate (VlScene *scene, double rate);

/* Standard deviation of the sensor noise in 8-bit levels, 0..64. */
void vl_scene_set_noise (VlScene *scene, double noise);

/* Visits do not overlap; where they do, the first one added is seen. */
void vl_scene_add_visit (VlScene *scene, const VlVisit *visit);

/* Draws a frame as packed red, green, blue, (height,width,3) bytes. With figure
 * FALSE the same frame with nobody in it. Returns whether somebody is seen:
 * whether any byte differs from that empty frame before noise, which is the
 * same in both. */
gboolean vl_scene_draw (
    VlScene *scene, guint frame, gboolean figure, guint8 *rgb);
