/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Sampled pictures of training clips, kept in an unlinked temporary file that
 * is mapped where it is read: an hour of video costs disk, not memory. */

#pragma once

#include <glib.h>

typedef struct VlFrameStore VlFrameStore;

/* Pictures of picture_size bytes. The file is made in the directory that
 * TMPDIR names. NULL with error set (G_FILE_ERROR) when it cannot be. */
VlFrameStore *vl_frame_store_new (gsize picture_size, GError **error);

void vl_frame_store_free (VlFrameStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlFrameStore, vl_frame_store_free)

/* Whether a store can be made now; FALSE with error set as above. */
gboolean vl_frame_store_check (GError **error);

/* What follows is a new clip: sequences do not cross into it. */
void vl_frame_store_begin_clip (VlFrameStore *store);

/* Appends a copy of a picture. FALSE with error set when the disk is full. */
gboolean vl_frame_store_append (
    VlFrameStore *store, const guint8 *picture, GError **error);

/* Ends writing and maps the file. */
gboolean vl_frame_store_finish (VlFrameStore *store, GError **error);

/* Bytes of a picture, as given to vl_frame_store_new. */
gsize vl_frame_store_picture_size (const VlFrameStore *store);

guint vl_frame_store_n_clips (const VlFrameStore *store);
guint vl_frame_store_clip_length (const VlFrameStore *store, guint clip);

/* All clips' pictures. */
guint vl_frame_store_n_frames (const VlFrameStore *store);

/* Picture `frame` of `clip`; after finish. Valid as long as the store. The
 * pictures of all clips lie one after another. */
const guint8 *vl_frame_store_get (
    const VlFrameStore *store, guint clip, guint frame);
