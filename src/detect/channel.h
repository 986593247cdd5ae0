/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One channel of the score, from raw values per place to one statistic per
 * frame: a short causal average at each place, normalisation by the place's
 * own normal mean and spread, the mean of the k largest places. */

#pragma once

#include "calibration.h"

#define VL_CHANNEL_AVERAGE 6 /* frames in the causal average */
#define VL_CHANNEL_MAX_TOP 6 /* largest k */

/* First frames after a reset that are neither judged nor calibrated on: until
 * a motion input's history is full and something was predicted. */
#define VL_WARM_UP 3

typedef struct {
  unsigned n_places;
  unsigned k;                          /* places in the statistic */
  unsigned n_seen;                     /* frames since the last reset */
  float *ring;                         /* (VL_CHANNEL_AVERAGE,n_places) */
  float *average;                      /* (n_places) */
  unsigned top[VL_CHANNEL_MAX_TOP];    /* the k places, largest first */
  float top_value[VL_CHANNEL_MAX_TOP]; /* their normalised values */
} VlChannelState;

void vl_channel_init (
    VlChannelState *state, VlChannel channel, unsigned n_places);
void vl_channel_clear (VlChannelState *state);

/* Forgets the frames seen. */
void vl_channel_reset (VlChannelState *state);

/* Takes a frame's raw values (n_places) and returns each place's average over
 * the last frames, (n_places), valid until the next call. */
const float *vl_channel_average (VlChannelState *state, const float *values);

/* The statistic of averaged values; also fills top and top_value. */
float vl_channel_statistic (VlChannelState *state, const float *average,
    const VlChannelCalibration *calibration);
