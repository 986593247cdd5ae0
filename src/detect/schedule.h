/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Which frames are analysed: by their timestamps, at a fixed rate. The LSTM's
 * dynamics mean nothing at another rate than the one it was trained at. */

#pragma once

#include <glib.h>

typedef struct {
  guint64 period; /* ns between analysed frames */
  guint64 next;   /* ns, when the next one is due; G_MAXUINT64: at once */
  guint64 last;   /* ns, of the last frame asked about */
} VlSchedule;

/* n/d frames per second, both > 0. */
void vl_schedule_init (VlSchedule *schedule, unsigned n, unsigned d);

/* The next frame is due, whatever its time. */
void vl_schedule_reset (VlSchedule *schedule);

/* TRUE when the frame at `time` (ns) is to be analysed; each TRUE moves the
 * schedule on. A frame that comes early by up to half the time since the one
 * before, and a quarter of the period, counts as due, so that jitter drops
 * none. Without a time (G_MAXUINT64, which is
 * GST_CLOCK_TIME_NONE) every frame is due. */
gboolean vl_schedule_is_due (VlSchedule *schedule, guint64 time);
