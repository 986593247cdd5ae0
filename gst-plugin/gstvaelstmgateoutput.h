/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a gate's source pad sends: segments of a recording, and the events that
 * go with them or between them. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmgatering.h"

typedef struct {
  GstPad *pad;
  GstSegment segment; /* of the buffers, before the shift */
  GstClockTime shift; /* by which running times are brought forward; changed
                         under the pad's object lock */
  gboolean discont;   /* the next buffer does not follow the last one */
} GstVaeLstmGateOutput;

/* Sends from this pad, and takes its element-private pointer: key frames asked
 * for from downstream get the running times of before the shift, and QoS, which
 * only tells that the past comes late, ends there. */
void gst_vae_lstm_gate_output_init (GstVaeLstmGateOutput *output, GstPad *pad);

/* Running times downstream start over. */
void gst_vae_lstm_gate_output_reset (GstVaeLstmGateOutput *output);

/* The next buffer starts a segment of the recording, whose running times are
 * brought forward by `shift`. */
void gst_vae_lstm_gate_output_begin (
    GstVaeLstmGateOutput *output, GstClockTime shift);

/* Sends an item that belongs to a segment; takes its object. */
GstFlowReturn gst_vae_lstm_gate_output_send (
    GstVaeLstmGateOutput *output, GstVaeLstmGateItem *item);

/* Lets one go that does not: of events, all but gaps go on all the same. Takes
 * its object. */
void gst_vae_lstm_gate_output_skip (
    GstVaeLstmGateOutput *output, GstVaeLstmGateItem *item);

/* Empties a ring of what a flush takes away. Sticky events stay on the pad, for
 * nobody sends them again; but for segments. */
void gst_vae_lstm_gate_output_flush (
    GstVaeLstmGateOutput *output, GstVaeLstmGateRing *ring);
