/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A directory of recordings, and how much of it there may be. A recording is a
 * set of files with one stem, `CAMERA-20261123T202349Z`: a clip, a picture, a
 * record. Files with any other name are never touched. Times are microseconds
 * since 1970, UTC; no clock is trusted to go forward only. One thread uses an
 * archive. */

#pragma once

#include <gio/gio.h>

typedef struct {
  double keep_days;  /* delete what is older; 0: nothing for its age */
  guint64 max_bytes; /* of all recordings; 0: no limit */
  guint64 min_free;  /* bytes to leave free on the file system */
} VlArchiveLimits;

typedef struct VlArchive VlArchive;

VlArchive *vl_archive_new (
    const char *directory, const VlArchiveLimits *limits);
void vl_archive_free (VlArchive *archive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlArchive, vl_archive_free)

/* A place for a recording that starts at `time`: DIRECTORY/STEM, to which
 * extensions are to be added; no file of that stem exists. Makes the directory
 * if it is missing, and tidies up. NULL with error set, naming what is wrong
 * and what would help, when there is nowhere to write or no room. The recording
 * is open: it is not deleted until vl_archive_close(). */
char *vl_archive_open (
    VlArchive *archive, const char *camera, gint64 time, GError **error);
void vl_archive_close (VlArchive *archive, const char *path);

/* Deletes whole recordings, oldest first, until the limits hold; what is open
 * counts but stays. `now` is the time. FALSE with error set when they cannot be
 * made to hold. To be called now and then. */
gboolean vl_archive_tidy (VlArchive *archive, gint64 now, GError **error);
