/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "channel.h"

#include <string.h>

/* Overlapping tiles see an object several times: 6 of 45 as measured on Ped2.
 * Blocks of the reconstruction do not overlap. */
static unsigned
top_places (VlChannel channel, unsigned n_places)
{
  const unsigned k =
      channel == VL_CHANNEL_RECONSTRUCTION ? 4 : (6 * n_places + 22) / 45;

  return CLAMP (k, 1, MIN (n_places, VL_CHANNEL_MAX_TOP));
}

void
vl_channel_init (VlChannelState *state, VlChannel channel, unsigned n_places)
{
  *state = (VlChannelState){
      .n_places = n_places, .k = top_places (channel, n_places)};
  state->ring = g_new (float, (gsize)VL_CHANNEL_AVERAGE *n_places);
  state->average = g_new (float, n_places);
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
  const unsigned n = state->n_places;
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

/* Inserts a place among the largest, kept in falling order. */
static void
keep_largest (
    VlChannelState *state, unsigned n_kept, unsigned place, float value)
{
  unsigned i = n_kept;

  for (; i > 0 && state->top_value[i - 1] < value; i--) {
    if (i == state->k)
      continue;
    state->top[i] = state->top[i - 1];
    state->top_value[i] = state->top_value[i - 1];
  }
  if (i < state->k) {
    state->top[i] = place;
    state->top_value[i] = value;
  }
}

float
vl_channel_statistic (VlChannelState *state, const float *average,
    const VlChannelCalibration *calibration)
{
  double sum = 0;

  for (unsigned i = 0; i < state->n_places; i++)
    keep_largest (state, MIN (i, state->k), i,
        (average[i] - calibration->mean[i]) / calibration->spread[i]);
  for (unsigned i = 0; i < state->k; i++)
    sum += state->top_value[i];
  return (float)(sum / state->k);
}
