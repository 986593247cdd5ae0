/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A detector that comes into a playing pipeline, and goes, between two elements
 * named `before` and `after`. */

#pragma once

#include <gst/gst.h>

typedef struct {
  GstElement *pipeline, *before, *after;
  GstElement *detect; /* whichever comes or goes */
  gint n_done;        /* atomic */
} Change;

void change_init (Change *change, GstElement *pipeline);
void change_clear (Change *change);

/* What comes is in NULL, and so is what has gone; the pipeline takes a
 * reference of its own for as long as it has it. Both happen when no frame is
 * on its way past `before`, and are waited for. */
void change_add_detector (Change *change);
void change_remove_detector (Change *change);
