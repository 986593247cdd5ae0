/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The file of one recording. It is written by a pipeline of its own, so that a
 * full disk or a muxer's refusal is no trouble of the camera's. */

#pragma once

#include <gst/gst.h>

typedef struct VlClip VlClip;

/* The file is complete, or error says why it ends where it does. Called once,
 * from the default main context. */
typedef void (*VlClipDone) (
    VlClip *clip, const GError *error, gpointer user_data);

/* The file is as long as it may be, and is to have `needed` bytes so far.
 * Returns how many it may have; with error set, the clip ends there, which is
 * a G_IO_ERROR_NO_SPACE of that message. In the default main context. */
typedef guint64 (*VlClipFull) (
    VlClip *clip, guint64 needed, GError **error, gpointer user_data);

/* A clip without a file yet. Any thread. `max_backlog` bytes may wait to be
 * written; more are a failure: the disk is too slow. */
VlClip *vl_clip_new (guint64 max_backlog);
VlClip *vl_clip_ref (VlClip *clip);
void vl_clip_unref (VlClip *clip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlClip, vl_clip_unref)

/* Adds encoded video: H.264 (avc) or H.265 (hvc1), one access unit a buffer,
 * first a key frame, all with the same caps, its segment in running-time order.
 * Times in the file start at 0. Any one thread; never waits for the disk, nor
 * copies. After vl_clip_finish() or a failure, does nothing. */
void vl_clip_push (VlClip *clip, GstSample *sample);

/* There is no more. Any thread. */
void vl_clip_finish (VlClip *clip);

/* Where to write it: what was pushed waits for this. From the main thread,
 * once. A file that is there already is a failure. The file plays up to its
 * last second even when the process is killed. With `full`, it may be 0 bytes
 * long at first; NULL: as long as it gets. */
void vl_clip_start (VlClip *clip, const char *path, VlClipFull full,
    VlClipDone done, gpointer user_data);

/* Extension of its file, without a dot. */
const char *vl_clip_extension (void);
