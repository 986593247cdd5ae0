/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From raw channel values to a number that means the same on every camera.
 *
 * Each channel gives one value per tile and frame. A tile's value is averaged
 * over the last few frames, normalised by its own normal mean and spread, and
 * the mean of the k largest tiles is the channel's statistic. The upper tail of
 * the statistic on held-out normal frames is fitted with a generalised Pareto
 * distribution (peaks over threshold; Siffer et al., KDD 2017), so that score =
 * -log10 P (a normal frame scores at least this). The channels' scores are
 * added up (Fisher's way to combine tail probabilities), and the sum is
 * calibrated once more in the same way. */

#pragma once

#include <glib.h>

/* The score's channels, in the order of every array over them. */
typedef enum {
  VL_CHANNEL_DYNAMICS,   /* NLL of the latent under the predicted mixture */
  VL_CHANNEL_APPEARANCE, /* distance of the latent from its normal mean */
  VL_N_CHANNELS
} VlChannel;

/* "dynamics", "appearance". Static storage. */
const char *vl_channel_name (VlChannel channel);

/* Points that describe a distribution below its tail. */
#define VL_TAIL_BODY 64

/* Distribution of one statistic on normal frames. */
typedef struct {
  float body[VL_TAIL_BODY]; /* quantiles at i / (VL_TAIL_BODY - 1) of what lies
                               at or under u, ascending */
  double u;                 /* where the tail begins */
  double zeta;              /* share of frames above u, (0, 1) */
  double xi;                /* shape of the excesses over u, >= 0 */
  double sigma;             /* scale of the excesses, > 0 */
  double theta;             /* clusters per exceedance, (0, 1] */
} VlTail;

/* Fits the distribution to the n >= 2 values of consecutive frames, in their
 * order; sorts them. */
void vl_tail_fit (VlTail *tail, float *values, unsigned n);

/* -log10 P (X >= x): 0 and above, strictly increasing in x beyond the body's
 * lowest value, finite for finite x. */
double vl_tail_score (const VlTail *tail, double x);

/* A channel's score where nothing speaks for or against normal: P = 1/2. */
#define VL_NEUTRAL_SCORE 0.30102999566398120

/* Normal values of one channel. */
typedef struct {
  float *mean;   /* (n_tiles) */
  float *spread; /* (n_tiles), > 0, shrunk towards the pooled one */
  VlTail tail;   /* of the channel's statistic */
} VlChannelCalibration;

typedef struct {
  unsigned n_tiles, Z;
  float *latent_mean;   /* (n_tiles,Z): z' = (z - mean) / spread */
  float *latent_spread; /* (n_tiles,Z), > 0 */
  VlChannelCalibration channels[VL_N_CHANNELS];
  VlTail combined;   /* of the sum of the channels' scores */
  unsigned n_frames; /* held-out normal frames it was fitted on */
} VlCalibration;

/* Zeroed tables of the right sizes. */
VlCalibration *vl_calibration_new (unsigned n_tiles, unsigned Z);

void vl_calibration_free (VlCalibration *calibration);

/* The score above which `per_day` events a day are expected on normal footage
 * analysed at `rate` frames per second. */
double vl_calibration_threshold (
    const VlCalibration *calibration, double per_day, double rate);
