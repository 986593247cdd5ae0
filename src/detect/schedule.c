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
  schedule->last = 0;
}

/* How early a frame may be: nearer to its place than the next would be. */
static guint64
tolerance (const VlSchedule *schedule, guint64 time)
{
  const guint64 interval = time > schedule->last ? time - schedule->last : 0;

  return MIN (interval / 2, schedule->period / 4);
}

gboolean
vl_schedule_is_due (VlSchedule *schedule, guint64 time)
{
  const guint64 period = schedule->period;

  if (time == G_MAXUINT64)
    return TRUE;

  const gboolean first = schedule->next == G_MAXUINT64;
  const guint64 early = first ? 0 : tolerance (schedule, time);
  schedule->last = time;
  if (!first && time + early < schedule->next)
    return FALSE;

  /* stay on the grid of the first frame, unless frames are missing */
  if (first || time >= schedule->next + period)
    schedule->next = time + period;
  else
    schedule->next += period;
  return TRUE;
}
