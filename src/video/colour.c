/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "colour.h"

#include <math.h>
#include <string.h>

#define SHIFT VL_COLOUR_SHIFT
#define ONE (1 << SHIFT)

unsigned
vl_colour_inputs (const GstVideoInfo *info, VlPictureKind kind)
{
  if (GST_VIDEO_INFO_IS_GRAY (info))
    return 1;
  return GST_VIDEO_INFO_IS_YUV (info) && kind == VL_PICTURE_LUMA ? 1 : 3;
}

/* The weights of red and blue in luma. Caps of RGB frames name none: then they
 * are those that GStreamer gives YUV of this size, as videoconvert does. */
static void
luma_weights (const GstVideoInfo *info, double *kr, double *kb)
{
  GstVideoInfo yuv;

  if (gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, kr, kb))
    return;
  gst_video_info_set_format (
      &yuv, GST_VIDEO_FORMAT_I420, info->width, info->height);
  gst_video_color_matrix_get_Kr_Kb (yuv.colorimetry.matrix, kr, kb);
}

/* The matrix from components in [0,1] (chroma: [-0.5,0.5]) to outputs in
 * [0,1]. Luma is the first output, and the others are not wanted. */
static void
component_matrix (double m[3][3], const GstVideoInfo *info, VlPictureKind kind)
{
  static const double same[3][3] = {{1}, {1}, {1}};
  static const double identity[3][3] = {{1}, {0, 1}, {0, 0, 1}};
  double kr, kb, kg;

  luma_weights (info, &kr, &kb);
  kg = 1 - kr - kb;

  /* Y = kr R + kg G + kb B, Cb = (B-Y) / (2-2kb), Cr = (R-Y) / (2-2kr) */
  const double luma_from_rgb[3][3] = {{kr, kg, kb}};
  const double rgb_from_yuv[3][3] = {
      {1, 0, 2 - 2 * kr},
      {1, -(2 - 2 * kb) * kb / kg, -(2 - 2 * kr) * kr / kg},
      {1, 2 - 2 * kb, 0},
  };
  const double (*from)[3] = identity;

  if (vl_colour_inputs (info, kind) == 1)
    from = same;
  else if (GST_VIDEO_INFO_IS_YUV (info))
    from = rgb_from_yuv;
  else if (kind == VL_PICTURE_LUMA)
    from = luma_from_rgb;
  memcpy (m, from, sizeof same);
}

/* Where a component's range begins and how far it reaches, in levels of 8 bits:
 * 1023 levels of 10 bits are 255.75 of these. */
typedef struct {
  double offset, scale;
} Range;

static void
find_ranges (Range ranges[3], const GstVideoInfo *info)
{
  gint offset[GST_VIDEO_MAX_COMPONENTS], scale[GST_VIDEO_MAX_COMPONENTS];

  gst_video_color_range_offsets (
      info->colorimetry.range, info->finfo, offset, scale);
  for (unsigned k = 0; k < MIN (3, GST_VIDEO_INFO_N_COMPONENTS (info)); k++) {
    double unit = 1 << (GST_VIDEO_INFO_COMP_DEPTH (info, k) - 8);

    ranges[k] = (Range){offset[k] / unit, scale[k] / unit};
  }
}

void
vl_colour_init (VlColour *colour, const GstVideoInfo *info, VlPictureKind kind,
    const double loss[3])
{
  unsigned n_inputs = vl_colour_inputs (info, kind);
  Range ranges[3];
  double m[3][3];

  component_matrix (m, info, kind);
  find_ranges (ranges, info);

  for (int c = 0; c < 3; c++) {
    double bias = 0.5; /* rounds to nearest */

    memset (colour->gain[c], 0, sizeof colour->gain[c]);
    for (unsigned k = 0; k < n_inputs; k++) {
      double gain = 255 * m[c][k] / ranges[k].scale;

      colour->gain[c][k] = lrint (gain * ONE);
      bias += gain * (loss[k] - ranges[k].offset);
    }
    colour->bias[c] = lrint (bias * ONE);
  }
}

void
vl_colour_apply (const VlColour *colour, unsigned c, uint8_t *restrict out,
    uint8_t *const in[3], size_t n)
{
  const int16_t g0 = colour->gain[c][0], g1 = colour->gain[c][1],
                g2 = colour->gain[c][2];
  const uint8_t *in0 = in[0], *in1 = in[1], *in2 = in[2];
  int32_t bias = colour->bias[c];

  for (size_t i = 0; i < n; i++) {
    int32_t v = (bias + g0 * in0[i] + g1 * in1[i] + g2 * in2[i]) >> SHIFT;

    out[i] = CLAMP (v, 0, 255);
  }
}
