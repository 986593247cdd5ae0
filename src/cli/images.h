/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Still images that make a clip: a folder of them, or a printf pattern. */

#pragma once

#include <gio/gio.h>

/* TRUE for a path whose file name has one %d, %5d or %05d. */
gboolean vl_images_is_pattern (const char *path);

/* Paths of the images, in order: of a folder by name, of a pattern by number,
 * which may begin anywhere. All are of one kind, PNG or JPEG. NULL with error
 * set (VL_MEDIA_ERROR) when there is none, a number is missing, or kinds are
 * mixed. */
GPtrArray *vl_images_in_folder (const char *folder, GError **error);
GPtrArray *vl_images_of_pattern (const char *pattern, GError **error);

/* "image/png" or "image/jpeg" by the name's end; NULL for other files. Static
 * storage. */
const char *vl_image_type (const char *path);
