/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Truth about clips: a CSV file of frame ranges.
 *
 *   clip,first,last,label
 *   moved_object.mp4,639,890,anomaly
 *   moved_object.mp4,891,1389,ignore
 *
 * Frames count from 0, both ends inclusive. A frame in no range is normal; in
 * ranges of both kinds it is ignored. */

#pragma once

#include <gio/gio.h>

typedef enum { VL_LABEL_NORMAL, VL_LABEL_ANOMALY, VL_LABEL_IGNORE } VlLabel;

typedef struct {
  char *clip;
  guint64 first, last;
  VlLabel label;
  guint line; /* in the file, from 1 */
} VlLabelRange;

typedef struct {
  char *path;
  GArray *ranges; /* VlLabelRange, in the file's order */
} VlLabels;

typedef enum {
  VL_LABELS_ERROR_FORMAT, /* not such a file */
  VL_LABELS_ERROR_CLIP    /* does not fit the clips */
} VlLabelsError;

#define VL_LABELS_ERROR (vl_labels_error_quark ())
GQuark vl_labels_error_quark (void);

/* NULL with error set (VL_LABELS_ERROR, G_FILE_ERROR); messages name the file
 * and the line. */
VlLabels *vl_labels_load (const char *path, GError **error);
void vl_labels_free (VlLabels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlLabels, vl_labels_free)

/* Every range names exactly one of the clips (a NULL-terminated list). */
gboolean vl_labels_check_clips (
    const VlLabels *labels, char *const *clips, GError **error);

/* No range of the clip reaches past its frames. */
gboolean vl_labels_check_length (
    const VlLabels *labels, const char *clip, guint64 n_frames, GError **error);

VlLabel vl_labels_at (const VlLabels *labels, const char *clip, guint64 frame);
