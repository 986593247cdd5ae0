/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a feed puts behind its source:
 *
 *   coded and recorded:  entry ! decode ! vaelstmdetect ! show
 *                        entry ! parse ! vaelstmgate ! clips
 *   else recorded:       entry ! decode ! vaelstmdetect ! seen ! show
 *                        seen ! encode ! vaelstmgate ! clips
 *   not recorded:        entry ! decode ! vaelstmdetect ! seen ! show
 *                        seen ! vaelstmgate ! clips
 *
 * where `entry` and `seen` are tees, and `clips` is an appsink. */

#pragma once

#include "feed.h"

/* Elements belong to the bin. */
typedef struct {
  GstElement *bin; /* floating, with a pad `sink` */
  GstElement *detector, *gate, *clips;
} VlLayout;

/* For a source's pad and the caps it has. FALSE with error set (GST_PARSE_ERROR
 * or GST_CORE_ERROR) when an element is missing. */
gboolean vl_layout_build (VlLayout *layout, const VlFeedOptions *options,
    GstPad *pad, GstCaps *caps, GError **error);

/* Sets vaelstmdetect's properties by the options. FALSE with error set when
 * one has no such name or value. */
gboolean vl_layout_configure_detector (
    GstElement *detector, const VlFeedOptions *options, GError **error);
