/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The streams that follow a gate's leading one, each with its pair of request
 * pads. */

#pragma once

#include <gst/gst.h>

#include "gstvaelstmgatespans.h"

/* Guarded by the gate's object lock; the functions lock. */
typedef struct {
  GstElement *gate;
  GPtrArray *followers;
  guint n_pads; /* asked for so far, for their names */

  GstVaeLstmGateSpans *spans; /* that they follow; set by _init() */
} GstVaeLstmGateFollowers;

/* Adds the templates of their pads. */
void gst_vae_lstm_gate_followers_install (GstElementClass *klass);

/* None, of a gate that must outlive them; and their end, when no pad of theirs
 * is left. */
void gst_vae_lstm_gate_followers_init (
    GstVaeLstmGateFollowers *self, GstElement *gate);
void gst_vae_lstm_gate_followers_clear (GstVaeLstmGateFollowers *self);

/* Makes a pair of pads for the caller to activate and to add to the gate, with
 * the number in the name that was asked for, or the next one where `name` has
 * none. FALSE when the gate has such pads. */
gboolean gst_vae_lstm_gate_followers_add (GstVaeLstmGateFollowers *self,
    const gchar *name, GstPad **sink, GstPad **src);

/* Removes the pair that this pad is of, from the gate as well. */
void gst_vae_lstm_gate_followers_remove (
    GstVaeLstmGateFollowers *self, GstPad *pad);

/* The other pad of its pair, for the caller to unref; NULL for others. */
GstPad *gst_vae_lstm_gate_followers_get_other (
    GstVaeLstmGateFollowers *self, GstPad *pad);

/* Before their pads are deactivated, and after. */
void gst_vae_lstm_gate_followers_interrupt (GstVaeLstmGateFollowers *self);
void gst_vae_lstm_gate_followers_reset (GstVaeLstmGateFollowers *self);
