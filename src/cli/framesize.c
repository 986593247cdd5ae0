/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "framesize.h"

#include <glib.h>

#define STEP 32
#define SMALLEST 128
#define LARGEST 512

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
  const unsigned lines = MIN (video_width, video_height);
  const unsigned side = shorter_side (lines);
  const double length = (double)side * MAX (video_width, video_height) / lines;
  const double steps = MIN (length, LARGEST) / STEP + 0.5;
  const unsigned other = CLAMP ((unsigned)steps * STEP, SMALLEST, LARGEST);

  *width = video_width >= video_height ? other : side;
  *height = video_width >= video_height ? side : other;
}
