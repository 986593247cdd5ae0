/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Pictures of a stream of any length in bounded memory. They are kept in chunks
 * of consecutive pictures: all of them while they fit, then a random sample in
 * which every chunk of the stream is as likely as any other (Vitter 1985,
 * algorithm R). */

#pragma once

#include <gio/gio.h>

#include "store.h"

#define VL_RESERVOIR_CHUNK 50 /* pictures */

typedef struct VlReservoir VlReservoir;

/* Room for as many chunks of pictures of picture_size bytes as fit into
 * max_bytes, and for one at least. Same seed, same choice. */
VlReservoir *vl_reservoir_new (gsize picture_size, gsize max_bytes, guint seed);
void vl_reservoir_free (VlReservoir *reservoir);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlReservoir, vl_reservoir_free)

/* The next picture does not follow the last one. */
void vl_reservoir_interrupt (VlReservoir *reservoir);

/* Where to write the next picture, (picture_size); NULL when it is not one of
 * the sample. Valid until the next call. */
guint8 *vl_reservoir_append (VlReservoir *reservoir);

/* Lengths (guint) of the clips that the pictures kept make, in time order:
 * pictures of a clip follow one another with no interruption or loss. */
GArray *vl_reservoir_clips (VlReservoir *reservoir);

/* Moves the clips to a finished store. Whether it succeeds or not, the
 * reservoir is then empty. NULL with error set when the disk is full or when
 * cancelled. */
VlFrameStore *vl_reservoir_move (
    VlReservoir *reservoir, GCancellable *cancellable, GError **error);
