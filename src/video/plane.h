/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A plane of bytes and its area-averaged scaling. */

#pragma once

#include <stdint.h>

typedef struct {
  const uint8_t *data;
  int stride; /* bytes from one row to the next */
  int width;
  int height;
} VlPlane;

/* Scales src to dst, (height,width) bytes without padding: the average of the
 * area each pixel covers where an axis shrinks, bilinear where neither does.
 * sums is scratch for src->width values. */
void vl_plane_scale (
    uint8_t *dst, int width, int height, const VlPlane *src, uint32_t *sums);

/* By how much the scaled bytes fall short of the true averages, in the mean:
 * half a level where they are rounded down, else nothing. */
double vl_plane_scale_loss (int width, int height, const VlPlane *src);
