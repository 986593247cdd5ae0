/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One channel of the score, from raw values per tile to one statistic per
 * frame: a short causal average at each tile, normalisation by the tile's
 * own normal mean and spread, the mean of the k largest tiles. */

#pragma once

#include "calibration.h"

#define VL_CHANNEL_AVERAGE 3 /* frames in the causal average */
#define VL_CHANNEL_MAX_TOP 6 /* largest k */

/* First frames after a reset that are not judged: until a motion input's
 * history is full and something was predicted. */
#define VL_WARM_UP 3

typedef struct {
  unsigned n_tiles;
  unsigned k;                          /* tiles in the statistic */
  unsigned n_seen;                     /* frames since the last reset */
  float *ring;                         /* (VL_CHANNEL_AVERAGE,n_tiles) */
  float *average;                      /* (n_tiles) */
  unsigned top[VL_CHANNEL_MAX_TOP];    /* the k tiles, largest first */
  float top_value[VL_CHANNEL_MAX_TOP]; /* their normalised values */
} VlChannelState;

void vl_channel_init (VlChannelState *state, unsigned n_tiles);
void vl_channel_clear (VlChannelState *state);

/* Forgets the frames seen. */
void vl_channel_reset (VlChannelState *state);

/* Takes a frame's raw values (n_tiles) and returns each tile's average over
 * the last frames, (n_tiles), valid until the next call. */
const float *vl_channel_average (VlChannelState *state, const float *values);

/* The statistic of averaged values; also fills top and top_value. While
 * the average has n frames only, it varies sqrt (VL_CHANNEL_AVERAGE / n) times
 * as much as the spread allows for, and is divided by that. */
float vl_channel_statistic (VlChannelState *state, const float *average,
    const VlChannelCalibration *calibration);
