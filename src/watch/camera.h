/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A camera that is watched as long as there is one: connects, and when the
 * connection is lost, connects again, after 1 s, 2 s, 4 s and so on up to a
 * minute. A file is read once. Main thread. */

#pragma once

#include <gio/gio.h>

#include "feed.h"
#include "recorder.h"

typedef struct VlCamera VlCamera;

/* The camera is done: its file was read to the end, or vl_camera_stop() was
 * called. ok: FALSE where a file could not be read. Once. */
typedef void (*VlCameraDone) (
    VlCamera *camera, gboolean ok, gpointer user_data);

/* Starts. Takes none of its arguments; all must outlive it, and its events
 * those that the recorder has not finished. */
VlCamera *vl_camera_new (const VlFeedOptions *options, VlRecorder *recorder,
    VlCameraDone done, gpointer user_data);
void vl_camera_free (VlCamera *camera);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlCamera, vl_camera_free)

/* Ends the stream, and with it an open event, properly; `done` follows within
 * seconds. */
void vl_camera_stop (VlCamera *camera);

/* Has the model read again, if its file holds a usable one; an open event ends.
 * Not for a file, of which that would read the frames again. */
void vl_camera_reload (VlCamera *camera);
