/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "channel.h"

#include <math.h>
#include <string.h>

/* Overlapping tiles see an object several times: 6 of 45 as measured on
 * Ped2. */
static unsigned
top_tiles (unsigned n_tiles)
{
  return CLAMP ((6 * n_tiles + 22) / 45, 1, MIN (n_tiles, VL_CHANNEL_MAX_TOP));
}

void
vl_channel_init (VlChannelState *state, unsigned n_tiles)
{
  *state = (VlChannelState){.n_tiles = n_tiles, .k = top_tiles (n_tiles)};
  state->ring = g_new (float, (gsize)VL_CHANNEL_AVERAGE *n_tiles);
  state->average = g_new (float, n_tiles);
}

void
vl_channel_clear (VlChannelState *state)
{
  g_free (state->ring);
  g_free (state->average);
}

void
vl_channel_reset (VlChannelState *state)
{
  state->n_seen = 0;
}

const float *
vl_channel_average (VlChannelState *state, const float *values)
{
  const unsigned n = state->n_tiles;
  const unsigned slot = state->n_seen++ % VL_CHANNEL_AVERAGE;
  const unsigned filled = MIN (state->n_seen, VL_CHANNEL_AVERAGE);

  memcpy (state->ring + (gsize)slot * n, values, n * sizeof *values);
  memset (state->average, 0, n * sizeof *state->average);
  for (unsigned f = 0; f < filled; f++)
    for (unsigned i = 0; i < n; i++)
      state->average[i] += state->ring[(gsize)f * n + i];
  for (unsigned i = 0; i < n; i++)
    state->average[i] /= filled;
  return state->average;
}

/* Inserts a tile among the largest, kept in falling order. */
static void
keep_largest (
    VlChannelState *state, unsigned n_kept, unsigned tile, float value)
{
  unsigned i = n_kept;

  for (; i > 0 && state->top_value[i - 1] < value; i--) {
    if (i == state->k)
      continue;
    state->top[i] = state->top[i - 1];
    state->top_value[i] = state->top_value[i - 1];
  }
  if (i < state->k) {
    state->top[i] = tile;
    state->top_value[i] = value;
  }
}

float
vl_channel_statistic (VlChannelState *state, const float *average,
    const VlChannelCalibration *calibration)
{
  const float share = sqrtf (
      MIN (state->n_seen, VL_CHANNEL_AVERAGE) / (float)VL_CHANNEL_AVERAGE);
  double sum = 0;

  for (unsigned i = 0; i < state->n_tiles; i++)
    keep_largest (state, MIN (i, state->k), i,
        share * (average[i] - calibration->mean[i]) / calibration->spread[i]);
  for (unsigned i = 0; i < state->k; i++)
    sum += state->top_value[i];
  return (float)(sum / state->k);
}
