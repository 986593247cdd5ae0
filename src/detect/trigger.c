/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "trigger.h"

void
vl_trigger_init (VlTrigger *trigger, const VlTriggerSettings *settings)
{
  *trigger = (VlTrigger){.settings = *settings};
}

void
vl_trigger_set (VlTrigger *trigger, const VlTriggerSettings *settings)
{
  trigger->settings = *settings;
}

/* ns from a to b; none when a timestamp went backwards. */
static guint64
elapsed (guint64 a, guint64 b)
{
  return b > a ? b - a : 0;
}

/* No event is open: has the score been high for long enough? */
static VlEvent
wait_for_start (VlTrigger *trigger, double score, guint64 time)
{
  if (score < trigger->settings.threshold) {
    trigger->rising = FALSE;
    return VL_EVENT_NONE;
  }
  if (!trigger->rising) {
    trigger->rising = TRUE;
    trigger->start = time;
    trigger->peak = score;
  }
  trigger->peak = MAX (trigger->peak, score);
  trigger->last_high = time;
  if (elapsed (trigger->start, time) < trigger->settings.min_duration)
    return VL_EVENT_NONE;

  trigger->rising = FALSE;
  trigger->open = TRUE;
  trigger->id++;
  return VL_EVENT_START;
}

/* An event is open: has the score been low for long enough? */
static VlEvent
wait_for_end (VlTrigger *trigger, double score, guint64 time)
{
  const VlTriggerSettings *s = &trigger->settings;

  if (score >= s->threshold * s->release_ratio) {
    trigger->peak = MAX (trigger->peak, score);
    trigger->last_high = time;
    return VL_EVENT_UPDATE;
  }
  return elapsed (trigger->last_high, time) < s->hold
             ? VL_EVENT_UPDATE
             : vl_trigger_close (trigger);
}

VlEvent
vl_trigger_update (VlTrigger *trigger, double score, guint64 time)
{
  return trigger->open ? wait_for_end (trigger, score, time)
                       : wait_for_start (trigger, score, time);
}

VlEvent
vl_trigger_close (VlTrigger *trigger)
{
  const gboolean was_open = trigger->open;

  trigger->open = trigger->rising = FALSE;
  return was_open ? VL_EVENT_END : VL_EVENT_NONE;
}
