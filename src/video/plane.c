/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plane.h"

#include <stdbool.h>
#include <string.h>
#include <libyuv.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* libyuv's boxes begin and end on whole pixels, and it divides by their area
 * with a 16-bit reciprocal: good, and the fastest, for boxes of at least this
 * many pixels a side and at most this area (two levels of 255 too low). */
#define BOX_MIN_SIDE 4
#define BOX_MAX_AREA 512

/* Whether libyuv's box filter is what we want. Below twofold it would
 * interpolate two pixels and skip the others. */
static bool
box_fits (int width, int height, const VlPlane *src)
{
  int w = src->width, h = src->height;
  int64_t area =
      (int64_t)((w + width - 1) / width) * ((h + height - 1) / height);

  return w >= BOX_MIN_SIDE * width && h >= BOX_MIN_SIDE * height &&
         area <= BOX_MAX_AREA;
}

double
vl_plane_scale_loss (int width, int height, const VlPlane *src)
{
  /* 4:1 has a kernel of its own, which rounds */
  bool rounds = src->width == 4 * width && src->height == 4 * height;

  return box_fits (width, height, src) && !rounds ? 0.5 : 0;
}

/* Along an axis of n source pixels, cut into n * size units: source pixel i is
 * [i, i+1) * size and destination pixel j is [j, j+1) * n, so that all overlaps
 * are integers and those of one j add up to n. */

/* sums[x] = column x averaged over destination row j of height, times
 * src->height. */
static void
sum_rows (
    uint32_t *restrict sums, uint32_t j, uint32_t height, const VlPlane *src)
{
  uint32_t n = src->height, begin = j * n, end = begin + n;

  memset (sums, 0, src->width * sizeof *sums);
  for (uint32_t i = begin / height; i * height < end; i++) {
    const uint8_t *restrict row = src->data + (size_t)i * src->stride;
    uint32_t from = MAX (i * height, begin), to = MIN ((i + 1) * height, end);
    uint16_t overlap = to - from;

    for (int x = 0; x < src->width; x++)
      sums[x] += (uint32_t)row[x] * overlap;
  }
}

/* Destination pixel j is the integral of sums up to its end less that up to its
 * beginning. */
static void
average_columns (
    uint8_t *dst, const uint32_t *sums, uint32_t width, const VlPlane *src)
{
  uint32_t n = src->width, i = 0;
  double scale = 1.0 / ((double)n * src->height);
  uint64_t whole = 0, before = 0; /* the first i sums; the last integral */

  for (uint32_t j = 0; j < width; j++) {
    uint32_t end = (j + 1) * n;
    uint64_t integral;

    while ((i + 1) * width <= end)
      whole += sums[i++];
    integral = whole * width;
    if (i < n)
      integral += (uint64_t)sums[i] * (end - i * width);
    dst[j] = (integral - before) * scale + 0.5;
    before = integral;
  }
}

void
vl_plane_scale (
    uint8_t *dst, int width, int height, const VlPlane *src, uint32_t *sums)
{
  bool grows = src->width <= width && src->height <= height;

  if (grows || box_fits (width, height, src)) {
    ScalePlane (src->data, src->stride, src->width, src->height, dst, width,
        width, height, kFilterBox);
    return;
  }
  for (int j = 0; j < height; j++) {
    sum_rows (sums, j, height, src);
    average_columns (dst + (size_t)j * width, sums, width, src);
  }
}
