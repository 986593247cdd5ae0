/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From the components of a frame to full-range RGB or luma. */

#pragma once

#include "sampler.h"

/* out[c] = bias[c] + sum over k of gain[c][k] in[k], on levels 0..255, in fixed
 * point: 1 is 1 << VL_COLOUR_SHIFT, and no gain reaches 4. */
#define VL_COLOUR_SHIFT 13

typedef struct {
  int16_t gain[3][3];
  int32_t bias[3];
} VlColour;

/* How many of info's components a picture of this kind is made from: 1 (the
 * first is luma or grey) or 3. */
unsigned vl_colour_inputs (const GstVideoInfo *info, VlPictureKind kind);

/* For components of info, of at least 8 bits, in its colorimetry (matrix and
 * range). They have been rounded to their upper 8 bits, and each is short of
 * its true value by loss levels in the mean. */
void vl_colour_init (VlColour *colour, const GstVideoInfo *info,
    VlPictureKind kind, const double loss[3]);

/* One output channel c of n pixels; out overlaps no input. */
void vl_colour_apply (const VlColour *colour, unsigned c, uint8_t *restrict out,
    uint8_t *const in[3], size_t n);
