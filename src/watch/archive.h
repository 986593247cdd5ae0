/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A directory of recordings, and how much of it there may be. A recording is a
 * set of files with one stem, `CAMERA-20261123T202349Z`: a clip, a picture, a
 * record. Files with any other name are never touched, nor is anything that is
 * not a regular file. Times are microseconds since 1970, UTC. One thread uses
 * an archive.
 *
 * No clock is trusted to go forward only. A recording is as old as its name
 * says, but the order in which room is made is the order in which they came:
 * first those that were there before this archive, by their names, then its
 * own, in the order they were opened. So neither a clock that jumped back nor
 * names in the future make it delete the newest first. */

#pragma once

#include <gio/gio.h>

typedef struct {
  double keep_days;  /* delete what is older; 0: nothing for its age */
  guint64 max_bytes; /* of all recordings, a file's size or what it occupies,
                        whichever is more; 0: no limit */
  guint64 min_free;  /* bytes free on the file system, or nothing new is opened;
                        deletes nothing, for others may fill it as well */
} VlArchiveLimits;

typedef struct VlArchive VlArchive;

VlArchive *vl_archive_new (
    const char *directory, const VlArchiveLimits *limits);
void vl_archive_free (VlArchive *archive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlArchive, vl_archive_free)

/* A place for a recording that starts at `time`: DIRECTORY/STEM, to which
 * extensions are to be added; no file of that stem exists. A stem that is taken
 * is followed by -2, -3, ... Characters of `camera` other than letters, digits,
 * dot, dash and underscore are replaced. Makes the directory if it is missing,
 * and room, but deletes nothing for its age: `time` may be anything. NULL with
 * error (G_FILE_ERROR) set, naming what is wrong and what would help, when
 * there is nowhere to write or no room. The recording is open until
 * vl_archive_close(): it is not deleted, and takes no more than was reserved
 * for it, at first nothing. */
char *vl_archive_open (
    VlArchive *archive, const char *camera, gint64 time, GError **error);
void vl_archive_close (VlArchive *archive, const char *path);

/* Makes room for an open recording to take `bytes` in all, and a little more.
 * Returns how many it may take, which counts as taken until it is closed. Fewer
 * than `bytes`, with error (G_FILE_ERROR) set, when there is no room, or when
 * they are more than half of max_bytes: a recording that could drive all others
 * out would be the next to go. */
guint64 vl_archive_reserve (
    VlArchive *archive, const char *path, guint64 bytes, GError **error);

/* Deletes whole recordings: those past keep_days, and the oldest until
 * max_bytes holds; what is open counts but stays. `now` is the time. What could
 * not be deleted is told in `kept`, which keeps nothing else from being
 * deleted. FALSE with error (G_FILE_ERROR) set when there is no room, or the
 * directory cannot be read. A directory that is missing is tidy. To be called
 * now and then, and after something was closed. */
gboolean vl_archive_tidy (
    VlArchive *archive, gint64 now, GError **kept, GError **error);
