/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When the buffers of a stream are, in running time. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmgatering.h"

typedef struct {
  GstSegment segment;      /* of the buffers that come */
  GstClockTime timestamp;  /* of the last one; NONE: none came */
  GstClockTimeDiff newest; /* largest running time of any */
  GstClockTimeDiff order;  /* the same of when they are decoded */
  GstClockTime step;       /* from a buffer to the next, as last seen */
  gboolean told;           /* some buffer had a timestamp */
} GstVaeLstmGateClock;

/* Of a timestamp; NONE where the segment cannot tell. */
GstClockTimeDiff gst_vae_lstm_gate_clock_convert (
    const GstSegment *segment, GstClockTime timestamp);

void gst_vae_lstm_gate_clock_init (GstVaeLstmGateClock *clock);

/* Forgets the buffers, not the segment. */
void gst_vae_lstm_gate_clock_reset (GstVaeLstmGateClock *clock);

/* Takes the event, and takes over its segment if it has one: the item has a cut
 * when the stream does not simply go on with that. A gap has a time. */
GstVaeLstmGateItem gst_vae_lstm_gate_clock_make_event_item (
    GstVaeLstmGateClock *clock, GstEvent *event);

/* Whether this buffer is long before those that came: times start over, and
 * theirs are not to be compared with its own. */
gboolean gst_vae_lstm_gate_clock_goes_back (
    const GstVaeLstmGateClock *clock, GstBuffer *buffer);

/* Takes the buffer. One without timestamps is at the same time as the last one;
 * in a stream with none, when it arrives. One without duration lasts for as
 * long as it took to come from one buffer to the next. */
GstVaeLstmGateItem gst_vae_lstm_gate_clock_make_item (
    GstVaeLstmGateClock *clock, GstBuffer *buffer, GstElement *element);
