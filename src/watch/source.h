/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a user calls a camera: /dev/videoN, a file, a URI, or NAME= before one
 * of these. */

#pragma once

#include <gio/gio.h>

typedef enum {
  VL_SOURCE_DEVICE, /* `location` is a Video4Linux device */
  VL_SOURCE_FILE,   /* a file's URI: it ends */
  VL_SOURCE_STREAM  /* a URI; when it ends, the camera is lost */
} VlSourceKind;

typedef struct {
  char *name; /* of [A-Za-z0-9._-]; tells it from others, holds no password */
  VlSourceKind kind;
  char *location;
} VlSource;

/* NULL with error set (G_IO_ERROR) when text is no source: an empty name, a
 * file that is not there, a URI that no element reads. A device or a host may
 * be missing: it may come. */
VlSource *vl_source_parse (const char *text, GError **error);
void vl_source_free (VlSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlSource, vl_source_free)

/* Gives sources (VlSource) of one name names of their own, `NAME-2` and so on.
 * Number of sources whose name changed. */
guint vl_sources_tell_apart (GPtrArray *sources);
