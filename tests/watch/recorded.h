/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is in a video file. Any error or warning on the way fails the test. */

#pragma once

#include <gst/gst.h>

/* One coded picture. Two that are equal have equal digests, whatever the
 * container and the parameter sets in front of them. */
typedef struct {
  char *digest;
  gboolean key;
  GstClockTime time; /* in the file */
} RecordedUnit;

/* The pictures of an H.264 file in decode order; RecordedUnit, freed with the
 * array. */
GPtrArray *recorded_units (const char *path);

/* Number of frames that a video file decodes to. Their times have to rise. */
guint recorded_decode (const char *path);

/* Checks that the clip holds a stretch of the source: from a key frame at or
 * before `from` to `to`, which are times in the source, every picture once and
 * unchanged, each as long after the one before as in the source. `to` may be
 * past the end. Returns the time of the clip's first picture in the source. */
GstClockTime recorded_check_copy (
    const char *clip, const char *source, GstClockTime from, GstClockTime to);
