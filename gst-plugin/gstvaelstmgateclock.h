/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When the buffers of a stream are, in running time. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmgatering.h"

/* Zero, with segments initialized: nothing came yet. */
typedef struct {
  GstSegment segment;      /* of the buffers that come */
  GstClockTime timestamp;  /* of the last one; NONE: none came */
  GstClockTimeDiff newest; /* largest running time of any */
  gboolean told;           /* some buffer had a timestamp */
} GstVaeLstmGateClock;

void gst_vae_lstm_gate_clock_reset (GstVaeLstmGateClock *clock);

/* Takes over the segment of a SEGMENT event. FALSE when the stream does not
 * simply go on. */
gboolean gst_vae_lstm_gate_clock_set_segment (
    GstVaeLstmGateClock *clock, GstEvent *event);

/* Fills in all but the cut. Takes the buffer. One without timestamps is at the
 * same time as the last one; in a stream with none, when it arrives. */
GstVaeLstmGateItem gst_vae_lstm_gate_clock_make_item (
    GstVaeLstmGateClock *clock, GstBuffer *buffer, GstElement *element);
