/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What little footage does not show: light that is never quite the same.
 * Scales pictures by a gain that wanders about 1, so that latents and scores
 * of normal frames spread as they will on another minute. */

#pragma once

#include "train.h"

typedef struct {
  double spread;   /* standard deviation of the gain */
  double away;     /* of the gain from 1, now */
  gsize size;      /* bytes of a picture */
  guint8 *picture; /* (size) */
  GRand *random;
} VlLight;

/* For pictures of the options' input. Same seed and stage, same light. */
void vl_light_init (
    VlLight *light, const VlTrainOptions *options, VlStage stage);
void vl_light_clear (VlLight *light);

/* The picture in the light of the next frame; the picture itself with no
 * spread. Valid until the next call. */
const guint8 *vl_light_apply (VlLight *light, const guint8 *picture);
