/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A clip as a model sees it: which frames are analysed, and their small
 * pictures. */

#pragma once

#include "media.h"
#include "model.h"
#include "sampler.h"

/* Samples frames whose format may change on the way. */
typedef struct VlFlexibleSampler VlFlexibleSampler;

VlFlexibleSampler *vl_flexible_sampler_new (
    unsigned width, unsigned height, VlPictureKind kind);
void vl_flexible_sampler_free (VlFlexibleSampler *sampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlFlexibleSampler, vl_flexible_sampler_free)

/* The picture of a frame, owned by the sampler and valid until the next call.
 * NULL with error set for a format that cannot be read. */
const guint8 *vl_flexible_sampler_run (
    VlFlexibleSampler *sampler, const GstVideoFrame *frame, GError **error);

typedef struct VlClip VlClip;

/* Images of a folder or pattern are taken to be the model's rate apart. */
VlClip *vl_clip_open (const char *where, const VlInput *input,
    const VlRange *range, GCancellable *cancellable, GError **error);
void vl_clip_free (VlClip *clip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlClip, vl_clip_free)

/* The next frame; due tells whether it is one to analyse at the model's rate.
 * As vl_media_next(). */
gboolean vl_clip_next (
    VlClip *clip, VlMediaFrame *frame, gboolean *due, GError **error);

/* The next frame that is due, with its picture, (height,width,3) RGB or
 * (height,width) luma as the input wants it, valid until the next call. NULL at
 * the end, or with error set. */
const guint8 *vl_clip_next_picture (
    VlClip *clip, VlMediaFrame *frame, GError **error);

/* The current frame's picture. NULL with error set. */
const guint8 *vl_clip_picture (VlClip *clip, GError **error);
