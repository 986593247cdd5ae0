/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tells the splitmuxsinks after a pad to start new files. */

#pragma once

#include <gst/gst.h>

/* Every splitmuxsink that buffers of this source pad can reach starts a new
 * file with the first key frame at or after `running_time`. */
void gst_vae_lstm_gate_split (GstPad *src, GstClockTime running_time);

/* A splitmuxsink that gets EOS and nothing else writes an empty file. Those
 * that buffers of this pad can reach write it to nowhere, as long as somebody
 * has a reference to what this returns. */
GObject *gst_vae_lstm_gate_split_discard (GstPad *src);
