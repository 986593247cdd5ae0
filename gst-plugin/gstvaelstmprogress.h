/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Learning's progress as PROGRESS messages with code "learn".
 *
 * Their structures carry more than the text: gchararray `stage`
 * (`collecting`, `waiting`, `vae`, `latents`, `lstm`, `calibrate`), gint
 * `percent` (of collecting, or of training) and gint `eta` (seconds; -1 while
 * waiting).
 *
 * Nothing is posted before the element is PLAYING: an application such as
 * gst-launch-1.0 waits in PAUSED for a progress that has begun to end, and
 * there are no frames to learn from in PAUSED. */

#pragma once

#include <gst/gst.h>

/* Under the element's object lock. */
typedef struct {
  gboolean open;      /* a START has been posted, and no end */
  gint64 time;        /* monotonic us of the last message */
  const gchar *stage; /* of the last message */
} GstVaeLstmProgress;

/* Says how far a stage (static storage) is. Posts where the stage is a new one
 * or the last message is seconds ago. Any thread. */
void gst_vae_lstm_progress_report (GstVaeLstmProgress *progress,
    GstElement *element, const gchar *stage, gint percent, gint eta);

/* Ends a progress that was reported, if it was, with COMPLETE, CANCELED or
 * ERROR. */
void gst_vae_lstm_progress_end (GstVaeLstmProgress *progress,
    GstElement *element, GstProgressType type, const gchar *text);
