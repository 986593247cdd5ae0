/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From a sampled picture to the raw values of every channel: stack the input's
 * planes, encode, compare with the LSTM's prediction and with normal, then let
 * the LSTM see the latent. Needs no calibration of the channels, so that
 * training measures normal footage with the code that later judges. */

#pragma once

#include "model.h"

typedef struct VlAnalysis VlAnalysis;

/* The model must outlive the analysis. Without a calibration latents are taken
 * as they are. */
VlAnalysis *vl_analysis_new (const VlModel *model);
void vl_analysis_free (VlAnalysis *analysis);

/* Forgets earlier pictures and the LSTM's state. */
void vl_analysis_reset (VlAnalysis *analysis);

/* Where a tile's window begins, in pixels of the model's frame. */
void vl_analysis_place (
    const VlAnalysis *analysis, unsigned tile, unsigned *x, unsigned *y);

/* Encodes a picture (height,width,bytes per pixel): latents (GY,GX,Z), owned
 * by the analysis until the next call. For a motion input the picture is
 * stacked on those before it. */
const float *vl_analysis_encode (VlAnalysis *analysis, const guint8 *picture);

/* The latents (GY,GX,Z) of the last picture encoded. */
const float *vl_analysis_latents (const VlAnalysis *analysis);

/* The network's input (height,width,3) of the last picture encoded. */
const float *vl_analysis_input (const VlAnalysis *analysis);

/* Encodes a picture, sets values[channel] to each channel's raw values
 * (n_tiles), and advances the LSTM. values[VL_CHANNEL_DYNAMICS] is NULL for the
 * first picture after a reset, when nothing was predicted. No allocation. */
void vl_analysis_run (VlAnalysis *analysis, const guint8 *picture,
    const float *values[VL_N_CHANNELS]);

/* The mixture predicted for the next latents, in their own units; each
 * (GY,GX,K,Z). After vl_analysis_run. */
void vl_analysis_mixture (
    const VlAnalysis *analysis, float *pi, float *sigma, float *mu);
