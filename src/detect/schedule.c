/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "schedule.h"

#define SECOND G_GUINT64_CONSTANT (1000000000)

void
vl_schedule_init (VlSchedule *schedule, unsigned n, unsigned d)
{
  schedule->period = SECOND * d / n;
  vl_schedule_reset (schedule);
}

void
vl_schedule_reset (VlSchedule *schedule)
{
  schedule->next = G_MAXUINT64;
}

gboolean
vl_schedule_is_due (VlSchedule *schedule, guint64 time)
{
  const guint64 period = schedule->period;

  if (time == G_MAXUINT64)
    return TRUE;
  if (schedule->next != G_MAXUINT64 && time + period / 4 < schedule->next)
    return FALSE;

  /* stay on the grid of the first frame, unless frames are missing */
  if (schedule->next == G_MAXUINT64 || time >= schedule->next + period)
    schedule->next = time + period;
  else
    schedule->next += period;
  return TRUE;
}
