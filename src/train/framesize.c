/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "framesize.h"

#define STEP 32
#define SMALLEST 128
#define LARGEST 512
#define QUICK_LARGEST 288

/* The shorter side becomes `side`; the longer one keeps the shape, in steps up
 * to `largest`. */
static void
fit_shape (unsigned video_width, unsigned video_height, unsigned side,
    unsigned largest, unsigned *width, unsigned *height)
{
  const unsigned lines = MIN (video_width, video_height);
  const double length = (double)side * MAX (video_width, video_height) / lines;
  const double steps = MIN (length, largest) / STEP + 0.5;
  const unsigned other = CLAMP ((unsigned)steps * STEP, SMALLEST, largest);

  *width = video_width >= video_height ? other : side;
  *height = video_width >= video_height ? side : other;
}

static unsigned
shorter_side (unsigned lines)
{
  if (lines >= 240)
    return 256;
  return lines >= 160 ? 192 : 128;
}

void
vl_default_frame_size (unsigned video_width, unsigned video_height,
    unsigned *width, unsigned *height)
{
  fit_shape (video_width, video_height,
      shorter_side (MIN (video_width, video_height)), LARGEST, width, height);
}

void
vl_quick_frame_size (unsigned video_width, unsigned video_height,
    unsigned *width, unsigned *height)
{
  const unsigned lines = MIN (video_width, video_height);

  fit_shape (video_width, video_height, lines >= 480 ? 160 : 128, QUICK_LARGEST,
      width, height);
}

void
vl_square_frame_size (
    const GstVideoInfo *info, unsigned *width, unsigned *height)
{
  const guint64 square = gst_util_uint64_scale_int (info->width,
      MAX (GST_VIDEO_INFO_PAR_N (info), 1),
      MAX (GST_VIDEO_INFO_PAR_D (info), 1));

  *width = (unsigned)CLAMP (square, 1, G_MAXINT);
  *height = (unsigned)MAX (info->height, 1);
}
