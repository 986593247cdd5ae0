/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When does a score become an event: two thresholds, a minimum duration and a
 * hold. Knows nothing of video. */

#pragma once

#include <glib.h>

typedef struct {
  double threshold;     /* score that enters an event, > 0 */
  double release_ratio; /* (0, 1]: leaves under release_ratio * threshold */
  guint64 min_duration; /* ns above threshold before an event starts */
  guint64 hold;         /* ns under the release level that end one */
} VlTriggerSettings;

typedef enum {
  VL_EVENT_NONE,   /* no event is open */
  VL_EVENT_START,  /* opened with this frame */
  VL_EVENT_UPDATE, /* open */
  VL_EVENT_END     /* closed with this frame */
} VlEvent;

typedef struct {
  VlTriggerSettings settings;
  gboolean rising; /* above threshold, not yet for min_duration */
  gboolean open;
  guint id;          /* of the open or last event, from 1; 0 before the first */
  guint64 start;     /* ns, first frame above threshold of that event */
  guint64 last_high; /* ns, last frame at or above the release level */
  double peak;       /* largest score of the event so far */
} VlTrigger;

void vl_trigger_init (VlTrigger *trigger, const VlTriggerSettings *settings);

/* Thresholds may change while an event is open. */
void vl_trigger_set (VlTrigger *trigger, const VlTriggerSettings *settings);

/* Takes the score of the frame at `time` (ns, not decreasing). */
VlEvent vl_trigger_update (VlTrigger *trigger, double score, guint64 time);

/* Closes what is open: VL_EVENT_END, or VL_EVENT_NONE when nothing was. Event
 * ids go on counting. */
VlEvent vl_trigger_close (VlTrigger *trigger);
