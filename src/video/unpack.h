/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From the memory layouts of frames to one plane of 8 bits per component. */

#pragma once

#include <gst/video/video.h>

#include "plane.h"

typedef struct VlUnpack VlUnpack;

/* Whether frames of this format are unpacked here. */
gboolean vl_unpack_can_read (GstVideoFormat format);

/* For the first n_planes (1 or 3) components of frames described by info, whose
 * format can be read. Frames are unpacked in n_bands horizontal bands to keep
 * the memory small; n_bands divides the height of every component. */
VlUnpack *vl_unpack_new (
    const GstVideoInfo *info, unsigned n_planes, unsigned n_bands);
void vl_unpack_free (VlUnpack *unpack);

/* The band's part of each component, valid until the next call and as long as
 * frame is mapped. No allocation. */
void vl_unpack_band (VlUnpack *unpack, VlPlane planes[3],
    const GstVideoFrame *frame, unsigned band);
