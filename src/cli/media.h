/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads frames of a video, one after another, through GStreamer. A video is a
 * file, a URI, a printf pattern (img%05d.png) or a folder of images. Frames
 * keep their native format; only a few are in memory at a time. */

#pragma once

#include <gio/gio.h>
#include <gst/video/video.h>

typedef enum {
  VL_MEDIA_ERROR_MISSING,  /* there is nothing at that place */
  VL_MEDIA_ERROR_TYPE,     /* no video */
  VL_MEDIA_ERROR_NO_FRAME, /* a video without a frame in the range */
  VL_MEDIA_ERROR_DECODE    /* damaged, cut short, or cannot be decoded here */
} VlMediaError;

#define VL_MEDIA_ERROR (vl_media_error_quark ())
GQuark vl_media_error_quark (void);

/* Frames first..last-1, counted from 0 over the whole clip. */
typedef struct {
  guint64 first, last;
} VlRange;

#define VL_RANGE_ALL ((VlRange){0, G_MAXUINT64})

/* Reads "A:B", "A:" or ":B"; NULL text is everything. FALSE with a usage error
 * set for anything else and for empty ranges. */
gboolean vl_range_parse (const char *text, VlRange *range, GError **error);

typedef struct VlMedia VlMedia;

/* rate: frames per second of images, as a fraction. NULL with error set
 * (VL_MEDIA_ERROR) when where is no video; some errors show only with the
 * first frame. */
VlMedia *vl_media_open (const char *where, const VlRange *range,
    unsigned rate_n, unsigned rate_d, GCancellable *cancellable,
    GError **error);
void vl_media_free (VlMedia *media);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlMedia, vl_media_free)

typedef struct {
  const GstVideoFrame *video; /* mapped for reading; valid until the next call;
                                 its format may change between frames */
  guint64 index;              /* in the whole clip, from 0 */
  guint64 time;               /* ns in the clip; never decreases */
} VlMediaFrame;

/* The next frame of the range. FALSE at the end, and with error set when
 * reading failed, nothing came out at all, or cancelled
 * (G_IO_ERROR_CANCELLED). */
gboolean vl_media_next (VlMedia *media, VlMediaFrame *frame, GError **error);

/* What a clip is called in tables: its file name, in valid UTF-8. */
char *vl_media_clip_name (const char *where);
