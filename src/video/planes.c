/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Bytes to the network's input. */

#include "sampler.h"

void
vl_planes_from_rgb (float *x, const uint8_t *rgb, size_t n)
{
  for (size_t i = 0; i < 3 * n; i++)
    x[i] = rgb[i] / 255.0f;
}

void
vl_planes_from_luma (float *x, const uint8_t *now, const uint8_t *before,
    const uint8_t *before_that, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    x[3 * i + 0] = now[i] / 255.0f;
    x[3 * i + 1] = before[i] / 255.0f;
    x[3 * i + 2] = before_that[i] / 255.0f;
  }
}
