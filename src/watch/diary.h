/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What vaelstmdetect has said about a camera's frames, and of which event it
 * is. The gate that decides what is one event may be ahead of vaelstmdetect or
 * behind it. Every function locks. */

#pragma once

#include <gst/gst.h>

#include "event.h"

typedef struct VlDiary VlDiary;

/* post_roll: the gate's, in ns. keep_frames: also of the frame with the highest
 * score. */
VlDiary *vl_diary_new (GstClockTime post_roll, gboolean keep_frames);
void vl_diary_free (VlDiary *diary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlDiary, vl_diary_free)

/* Takes note of what leaves vaelstmdetect through this pad: the info of a probe
 * for buffers and downstream events. */
void vl_diary_see (VlDiary *diary, GstPad *pad, GstPadProbeInfo *info);

/* The gate has opened, and closed after a last frame that ends at `end`
 * (running time), with which this event is over. */
void vl_diary_open (VlDiary *diary);
void vl_diary_close (VlDiary *diary, VlEvent *event, GstClockTime end);

/* There will be no other frames. */
void vl_diary_finish (VlDiary *diary);

/* The next event that is over and of which everything has been seen, with its
 * sighting filled in; the caller owns it. NULL when there is none. */
VlEvent *vl_diary_settle (VlDiary *diary);

/* An anomaly that has been over for long and for which the gate did not open.
 * FALSE when there is none; else the caller clears it. */
gboolean vl_diary_take_missed (VlDiary *diary, VlSighting *sighting);
