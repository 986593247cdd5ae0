/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What becomes of events: their files, a line on standard output, a run of the
 * hook. Main thread. */

#pragma once

#include <gio/gio.h>

#include "archive.h"
#include "event.h"
#include "hook.h"

typedef struct VlRecorder VlRecorder;

/* archive: where to record; NULL: nowhere. hook: what to run; NULL: nothing;
 * with `cooldown` seconds between two runs for one camera at least. Takes
 * neither; both must outlive it. */
VlRecorder *vl_recorder_new (VlArchive *archive, VlHook *hook, double cooldown);
void vl_recorder_free (VlRecorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlRecorder, vl_recorder_free)

/* Tells early where recording would fail. */
void vl_recorder_check (VlRecorder *recorder);

/* An event has begun: finds a place for its clip. Trouble is told once, and
 * again when it is over; the event goes on without a clip. */
void vl_recorder_begin (VlRecorder *recorder, VlEvent *event);

/* It is over, and filled in: finishes its files, then prints and runs. */
void vl_recorder_end (VlRecorder *recorder, VlEvent *event);

/* All that has begun is finished. */
gboolean vl_recorder_is_idle (const VlRecorder *recorder);

/* Standard output took no more: some events were not printed. */
gboolean vl_recorder_is_mute (const VlRecorder *recorder);
