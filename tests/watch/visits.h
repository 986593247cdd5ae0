/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Videos of the tiny model's scene, into which the bright square comes at
 * known times. */

#pragma once

#include <glib.h>

/* Frames that show the square, 0-based, inclusive. */
typedef struct {
  guint first, last;
} Visit;

#define VISITS_END                                                             \
  {                                                                            \
    0, 0                                                                       \
  }

/* Encoders, for visits_write(): H.264 with B-frames and a key frame every
 * second, as files have it; without B-frames, as cameras send it; and Motion
 * JPEG. */
#define VISITS_H264                                                            \
  "x264enc key-int-max=10 bframes=2 pass=qual quantizer=20 threads=1 ! "       \
  "h264parse"
#define VISITS_H264_LIVE                                                       \
  "x264enc key-int-max=10 bframes=0 pass=qual quantizer=20 threads=1 ! "       \
  "h264parse"
#define VISITS_JPEG "jpegenc quality=90"

/* Writes n frames, TINY_RATE a second, to a file. encoder and muxer are pieces
 * of a launch line; visits end with VISITS_END. */
void visits_write (const char *path, const char *encoder, const char *muxer,
    guint n, const Visit *visits);
