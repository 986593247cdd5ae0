/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A stream that follows the gate's leading one, such as the sound of its video:
 * a pair of pads, of which the source pad sends what comes while a segment is
 * on, buffer by buffer. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmgatering.h"
#include "gstvaelstmgatespans.h"

typedef struct _GstVaeLstmGateFollower GstVaeLstmGateFollower;

/* Takes the pads, and sets the sink pad's functions; buffers are placed in
 * `spans`, which must outlive the follower. */
GstVaeLstmGateFollower *gst_vae_lstm_gate_follower_new (
    GstPad *sink, GstPad *src, GstVaeLstmGateSpans *spans);

/* Both pads must be inactive. */
void gst_vae_lstm_gate_follower_free (GstVaeLstmGateFollower *follower);

/* The pad on the other side; NULL when `pad` is none of the two. */
GstPad *gst_vae_lstm_gate_follower_get_other (
    const GstVaeLstmGateFollower *follower, GstPad *pad);

/* Ends a wait, now and until the next start: the pads are about to be
 * deactivated. */
void gst_vae_lstm_gate_follower_interrupt (GstVaeLstmGateFollower *follower);

/* Back to where it was before the first buffer; while no data flows.
 * Returns: (transfer full): what it held, for the caller to free. */
GstVaeLstmGateRing *gst_vae_lstm_gate_follower_reset (
    GstVaeLstmGateFollower *follower);
