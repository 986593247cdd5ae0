/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From a GStreamer video frame to a small picture: area-averaged scaling
 * (libyuv's box filter, per plane) and colour. Training and the element use
 * this very function, so a model sees live what it saw in training. */

#pragma once

#include <gst/video/video.h>
#include <stdint.h>

typedef enum {
  VL_PICTURE_RGB,  /* (height,width,3): red, green, blue, full range */
  VL_PICTURE_LUMA, /* (height,width,1): luma, full range */
} VlPictureKind;

typedef struct VlSampler VlSampler;

/* For frames described by info and pictures of width x height. NULL with error
 * set (GST_CORE_ERROR_NEGOTIATION) for a format that cannot be read. */
VlSampler *vl_sampler_new (const GstVideoInfo *info, unsigned width,
    unsigned height, VlPictureKind kind, GError **error);
void vl_sampler_free (VlSampler *sampler);

/* Fills picture, (height,width,3 or 1) bytes. frame has the sampler's info and
 * is mapped for reading. No allocation. */
void vl_sampler_run (
    VlSampler *sampler, uint8_t *picture, const GstVideoFrame *frame);

/* The network's input (n,3) in [0,1] from bytes. From an RGB picture of n
 * pixels: */
void vl_planes_from_rgb (float *x, const uint8_t *rgb, size_t n);

/* From three luma pictures of n pixels each, newest first: */
void vl_planes_from_luma (float *x, const uint8_t *now, const uint8_t *before,
    const uint8_t *before_that, size_t n);
