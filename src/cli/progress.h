/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How far training has come: one line that is rewritten on a terminal, a plain
 * line now and then elsewhere. Goes to standard error. */

#pragma once

#include "train.h"

typedef struct {
  gboolean terminal;
  gint64 next;        /* monotonic time of the next line */
  gboolean line_open; /* a line on the terminal is unfinished */
  VlStage stage;
  gboolean started; /* stage is valid */
} VlProgressLine;

void vl_progress_init (VlProgressLine *line);

/* A frame of a clip was read. */
void vl_progress_read (
    VlProgressLine *line, const char *clip, guint n_frames, gboolean last);

/* A VlProgressFunc; line is a VlProgressLine. */
void vl_progress_train (const VlProgress *progress, gpointer line);

/* Leaves an unfinished line. Before any other output. */
void vl_progress_finish (VlProgressLine *line);
