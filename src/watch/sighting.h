/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What vaelstmdetect has said about the frames of an event: when they were, and
 * which of them was the least normal. */

#pragma once

#include <gst/gst.h>

/* Zero: nothing was anomalous yet. Times are running times in ns. */
typedef struct {
  gboolean any;
  GstClockTime first; /* anomalous frame */
  GstClockTime last;  /* whose score reached the threshold */
  GstClockTime peak;
  GstClockTime position; /* stream time of the first; NONE: unknown */

  /* Of the peak. */
  double score, appearance, dynamics, threshold;
  double region[4]; /* x, y, w, h in 0..1; w 0: unknown */
  GstSample *frame; /* owned copy; NULL where frames are not kept */
} VlSighting;

/* Takes note of a frame that left vaelstmdetect through this pad. keep_frame:
 * copy the frame with the highest score, too. */
void vl_sighting_add (
    VlSighting *sighting, GstPad *pad, GstBuffer *buffer, gboolean keep_frame);

/* Frees what it holds and makes it zero. */
void vl_sighting_clear (VlSighting *sighting);
