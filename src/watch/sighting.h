/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What vaelstmdetect has said about anomalous frames: when they were, and which
 * of them was the least normal. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmmeta.h"

/* Zero: nothing was anomalous yet. Times are running times in ns. */
typedef struct {
  gboolean any;
  GstClockTime first; /* frame that was anomalous */
  GstClockTime last;  /* whose score reached the threshold */
  GstClockTime peak;
  GstClockTime position; /* stream time of the first; NONE: unknown */

  /* Of the peak. */
  double score, appearance, dynamics, threshold;
  double region[4]; /* x, y, w, h in 0..1; w 0: unknown */
  GstSample *frame; /* owned copy; NULL where frames are not kept */
} VlSighting;

/* Running time of a buffer that leaves through this pad; NONE: unknown. */
GstClockTime vl_sighting_time (GstPad *pad, GstBuffer *buffer);

/* vaelstmdetect's downstream event `vaelstm-anomaly` of an anomaly's start. */
void vl_sighting_begin (VlSighting *sighting, const GstStructure *start);

/* Takes note of an anomalous frame that left vaelstmdetect through this pad.
 * keep_frame: copy the frame with the highest score, too. */
void vl_sighting_add (VlSighting *sighting, GstPad *pad, GstBuffer *buffer,
    const GstVaeLstmAnomaly *anomaly, gboolean keep_frame);

/* Adds a later one, which becomes zero. */
void vl_sighting_join (VlSighting *sighting, VlSighting *later);

/* Frees what it holds and makes it zero. */
void vl_sighting_clear (VlSighting *sighting);
