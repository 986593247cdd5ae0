/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "baseline.h"

#include <stdlib.h>
#include <string.h>

#define CELL 8 /* half a block, and the blocks' stride */
#define AVERAGED 3
#define LARGEST 6

struct VlBaseline {
  unsigned width, height;
  unsigned nx, ny; /* blocks */
  gboolean empty;
  unsigned n_seen;         /* differences since the reset */
  guint8 *last;            /* (height,width) */
  float *cells;            /* (ny+1,nx+1): mean difference of 8x8 pixels */
  float *blocks[AVERAGED]; /* (ny,nx) of the last frames, in a ring */
};

VlBaseline *
vl_baseline_new (unsigned width, unsigned height)
{
  VlBaseline *b = g_new0 (VlBaseline, 1);

  b->width = width;
  b->height = height;
  b->nx = width / CELL - 1;
  b->ny = height / CELL - 1;
  b->last = g_malloc ((gsize)width * height);
  b->cells = g_new (float, (gsize)(b->nx + 1) * (b->ny + 1));
  for (unsigned i = 0; i < AVERAGED; i++)
    b->blocks[i] = g_new (float, (gsize)b->nx * b->ny);
  vl_baseline_reset (b);
  return b;
}

void
vl_baseline_free (VlBaseline *b)
{
  for (unsigned i = 0; i < AVERAGED; i++)
    g_free (b->blocks[i]);
  g_free (b->cells);
  g_free (b->last);
  g_free (b);
}

void
vl_baseline_reset (VlBaseline *b)
{
  b->empty = TRUE;
  b->n_seen = 0;
}

static float
cell_difference (
    const VlBaseline *b, const guint8 *luma, unsigned x0, unsigned y0)
{
  unsigned sum = 0;

  for (unsigned y = y0; y < y0 + CELL; y++)
    for (unsigned x = x0; x < x0 + CELL; x++)
      sum += (unsigned)abs (
          luma[(gsize)y * b->width + x] - b->last[(gsize)y * b->width + x]);
  return sum / (float)(CELL * CELL);
}

/* A block is the mean of the four cells it covers. */
static void
measure (VlBaseline *b, float *blocks, const guint8 *luma)
{
  const unsigned row = b->nx + 1;

  for (unsigned y = 0; y <= b->ny; y++)
    for (unsigned x = 0; x <= b->nx; x++)
      b->cells[y * row + x] = cell_difference (b, luma, x * CELL, y * CELL);
  for (unsigned y = 0; y < b->ny; y++)
    for (unsigned x = 0; x < b->nx; x++) {
      const float *c = b->cells + y * row + x;

      blocks[y * b->nx + x] = (c[0] + c[1] + c[row] + c[row + 1]) / 4;
    }
}

/* Inserts a value into the largest ones, in falling order. */
static void
keep_largest (float largest[LARGEST], float value)
{
  unsigned i = LARGEST;

  for (; i > 0 && value > largest[i - 1]; i--)
    if (i < LARGEST)
      largest[i] = largest[i - 1];
  if (i < LARGEST)
    largest[i] = value;
}

/* Mean of the largest blocks, each averaged over the frames seen. */
static double
statistic (const VlBaseline *b)
{
  const unsigned n_blocks = b->nx * b->ny, k = MIN (LARGEST, n_blocks);
  const unsigned n_frames = MIN (b->n_seen, AVERAGED);
  float largest[LARGEST] = {0};
  double sum = 0;

  for (unsigned i = 0; i < n_blocks; i++) {
    float value = 0;

    for (unsigned f = 0; f < n_frames; f++)
      value += b->blocks[f][i];
    keep_largest (largest, value / n_frames);
  }
  for (unsigned i = 0; i < k; i++)
    sum += largest[i];
  return sum / k;
}

double
vl_baseline_update (VlBaseline *b, const guint8 *luma)
{
  double value = 0;

  if (!b->empty) {
    measure (b, b->blocks[b->n_seen % AVERAGED], luma);
    b->n_seen++;
    value = statistic (b);
  }
  memcpy (b->last, luma, (gsize)b->width * b->height);
  b->empty = FALSE;
  return value;
}
