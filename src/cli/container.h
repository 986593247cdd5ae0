/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Is a video file cut short? MP4, Matroska and AVI files state their own size;
 * GStreamer plays what is left of a cut one and says nothing. */

#pragma once

#include <gio/gio.h>

/* The size in bytes that the file at path says it has: at least its size on
 * disk, 0 where it says nothing or cannot be read. */
guint64 vl_container_declared_size (const char *path);
