/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "sampler.h"

#include <libyuv.h>

#include "colour.h"
#include "plane.h"
#include "unpack.h"

#define MAX_BANDS 16
#define MAX_SIDE 32767 /* libyuv counts pixels in 16.16 fixed point */

struct VlSampler {
  GstVideoInfo info; /* of the frames */
  unsigned width, height;
  VlPictureKind kind;

  /* formats that are not unpacked directly become planar ones first */
  GstVideoConverter *converter;
  GstVideoFrame converted;

  VlUnpack *unpack;
  unsigned n_inputs, n_bands;
  uint32_t *sums;     /* the scaler's scratch */
  uint8_t *inputs[3]; /* scaled components; a single one three times */
  uint8_t *rgb[3];
  VlColour colour;
};

/* ---- set-up ---- */

static gboolean
can_read (const GstVideoInfo *info, GError **error)
{
  GstVideoFormat format = GST_VIDEO_INFO_FORMAT (info);
  gboolean fields = GST_VIDEO_INFO_INTERLACE_MODE (info) ==
                    GST_VIDEO_INTERLACE_MODE_ALTERNATE;

  if (format > GST_VIDEO_FORMAT_ENCODED && !fields && info->width > 0 &&
      info->height > 0 && info->width <= MAX_SIDE && info->height <= MAX_SIDE)
    return TRUE;
  g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
      "cannot read %s video of %dx%d%s: expected raw frames of 1x1 to %dx%d",
      GST_VIDEO_INFO_NAME (info), info->width, info->height,
      fields ? " in separate fields" : "", MAX_SIDE, MAX_SIDE);
  return FALSE;
}

/* The planar format nearest to info's that can be unpacked. */
static GstVideoFormat
planar_format (const GstVideoInfo *info)
{
  enum { GREY, RGB, YUV_444, YUV_422, YUV_420 } layout;
  static const GstVideoFormat formats[][3] = {
      /* of 8, 10 and more bits */
      [GREY] = {GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_FORMAT_GRAY16_LE,
          GST_VIDEO_FORMAT_GRAY16_LE},
      [RGB] = {GST_VIDEO_FORMAT_GBR, GST_VIDEO_FORMAT_GBR_10LE,
          GST_VIDEO_FORMAT_GBR_12LE},
      [YUV_444] = {GST_VIDEO_FORMAT_Y444, GST_VIDEO_FORMAT_Y444_10LE,
          GST_VIDEO_FORMAT_Y444_12LE},
      [YUV_422] = {GST_VIDEO_FORMAT_Y42B, GST_VIDEO_FORMAT_I422_10LE,
          GST_VIDEO_FORMAT_I422_12LE},
      [YUV_420] = {GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_I420_10LE,
          GST_VIDEO_FORMAT_I420_12LE},
  };
  guint depth = GST_VIDEO_INFO_COMP_DEPTH (info, 0);

  if (GST_VIDEO_INFO_IS_GRAY (info))
    layout = GREY;
  else if (GST_VIDEO_INFO_IS_RGB (info))
    layout = RGB;
  else if (GST_VIDEO_FORMAT_INFO_W_SUB (info->finfo, 1) != 1)
    layout = YUV_444;
  else if (GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, 1) != 1)
    layout = YUV_422;
  else
    layout = YUV_420;
  return formats[layout][(depth > 8) + (depth > 10)];
}

/* Sets up the conversion of frames of info, and converted: what they become.
 * Only the layout and the depth change, never the colorimetry. */
static gboolean
init_converter (
    VlSampler *sampler, GstVideoInfo *converted, const GstVideoInfo *info)
{
  GstBuffer *buffer;
  gboolean mapped;

  gst_video_info_set_interlaced_format (converted, planar_format (info),
      GST_VIDEO_INFO_INTERLACE_MODE (info), info->width, info->height);
  converted->colorimetry = info->colorimetry;
  converted->chroma_site = info->chroma_site;
  converted->fps_n = info->fps_n;
  converted->fps_d = info->fps_d;

  sampler->converter = gst_video_converter_new (info, converted,
      gst_structure_new ("vlsampler", GST_VIDEO_CONVERTER_OPT_THREADS,
          G_TYPE_UINT, 1, GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL));
  if (sampler->converter == NULL)
    return FALSE;

  buffer = gst_buffer_new_allocate (NULL, converted->size, NULL);
  mapped = gst_video_frame_map (
      &sampler->converted, converted, buffer, GST_MAP_READWRITE);
  gst_buffer_unref (buffer);
  return mapped;
}

static unsigned
gcd (unsigned a, unsigned b)
{
  return b == 0 ? a : gcd (b, a % b);
}

/* How many bands frames can be scaled in, independently and with no row shared:
 * as many as divide all heights, and one where scaling up interpolates across
 * rows. */
static unsigned
count_bands (const VlSampler *sampler, const GstVideoInfo *info)
{
  unsigned n_bands = gcd (MAX_BANDS, sampler->height);

  for (unsigned c = 0; c < sampler->n_inputs; c++) {
    unsigned rows = GST_VIDEO_INFO_COMP_HEIGHT (info, c);

    n_bands = rows < sampler->height ? 1 : gcd (n_bands, rows);
  }
  return n_bands;
}

static void
init_colour (VlSampler *sampler, const GstVideoInfo *info)
{
  double loss[3] = {0};

  for (unsigned c = 0; c < sampler->n_inputs; c++) {
    VlPlane plane = {.width = GST_VIDEO_INFO_COMP_WIDTH (info, c),
        .height = GST_VIDEO_INFO_COMP_HEIGHT (info, c)};

    loss[c] = vl_plane_scale_loss (sampler->width, sampler->height, &plane);
  }
  vl_colour_init (&sampler->colour, info, sampler->kind, loss);
}

/* For frames of info, which can be unpacked directly. */
static void
init_planes (VlSampler *sampler, const GstVideoInfo *info)
{
  size_t n = (size_t)sampler->width * sampler->height;

  sampler->n_inputs = vl_colour_inputs (info, sampler->kind);
  sampler->n_bands = count_bands (sampler, info);
  sampler->unpack = vl_unpack_new (info, sampler->n_inputs, sampler->n_bands);
  sampler->sums = g_new (uint32_t, info->width);
  init_colour (sampler, info);

  for (unsigned c = 0; c < 3; c++) {
    sampler->inputs[c] =
        c < sampler->n_inputs ? g_malloc (n) : sampler->inputs[0];
    if (sampler->kind == VL_PICTURE_RGB)
      sampler->rgb[c] = g_malloc (n);
  }
}

VlSampler *
vl_sampler_new (const GstVideoInfo *info, unsigned width, unsigned height,
    VlPictureKind kind, GError **error)
{
  GstVideoInfo converted = *info;
  VlSampler *sampler;

  g_return_val_if_fail (width > 0 && height > 0, NULL);
  if (!can_read (info, error))
    return NULL;

  sampler = g_new0 (VlSampler, 1);
  sampler->info = *info;
  sampler->width = width;
  sampler->height = height;
  sampler->kind = kind;

  if (!vl_unpack_can_read (GST_VIDEO_INFO_FORMAT (info)) &&
      !init_converter (sampler, &converted, info)) {
    g_set_error (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION,
        "cannot convert %s video", GST_VIDEO_INFO_NAME (info));
    vl_sampler_free (sampler);
    return NULL;
  }
  init_planes (sampler, &converted);
  return sampler;
}

void
vl_sampler_free (VlSampler *sampler)
{
  if (sampler == NULL)
    return;
  if (sampler->converted.buffer != NULL)
    gst_video_frame_unmap (&sampler->converted);
  if (sampler->converter != NULL)
    gst_video_converter_free (sampler->converter);
  vl_unpack_free (sampler->unpack);
  for (unsigned c = 0; c < 3; c++) {
    if (c < sampler->n_inputs)
      g_free (sampler->inputs[c]);
    g_free (sampler->rgb[c]);
  }
  g_free (sampler->sums);
  g_free (sampler);
}

/* ---- per frame ---- */

static void
scale_band (VlSampler *sampler, const GstVideoFrame *frame, unsigned band)
{
  unsigned rows = sampler->height / sampler->n_bands;
  size_t start = (size_t)band * rows * sampler->width;
  VlPlane planes[3];

  vl_unpack_band (sampler->unpack, planes, frame, band);
  for (unsigned c = 0; c < sampler->n_inputs; c++)
    vl_plane_scale (sampler->inputs[c] + start, sampler->width, rows,
        &planes[c], sampler->sums);
}

static void
colour (VlSampler *sampler, uint8_t *picture)
{
  int w = sampler->width, h = sampler->height;
  size_t n = (size_t)w * h;
  uint8_t **rgb = sampler->rgb;

  if (sampler->kind == VL_PICTURE_LUMA) {
    vl_colour_apply (&sampler->colour, 0, picture, sampler->inputs, n);
    return;
  }
  for (unsigned c = 0; c < 3; c++)
    vl_colour_apply (&sampler->colour, c, rgb[c], sampler->inputs, n);
  MergeRGBPlane (rgb[0], w, rgb[1], w, rgb[2], w, picture, 3 * w, w, h);
}

static gboolean
is_described (const GstVideoFrame *frame, const GstVideoInfo *info)
{
  return GST_VIDEO_FRAME_FORMAT (frame) == GST_VIDEO_INFO_FORMAT (info) &&
         GST_VIDEO_FRAME_WIDTH (frame) == GST_VIDEO_INFO_WIDTH (info) &&
         GST_VIDEO_FRAME_HEIGHT (frame) == GST_VIDEO_INFO_HEIGHT (info);
}

void
vl_sampler_run (
    VlSampler *sampler, uint8_t *picture, const GstVideoFrame *frame)
{
  g_return_if_fail (is_described (frame, &sampler->info));

  if (sampler->converter != NULL) {
    gst_video_converter_frame (sampler->converter, frame, &sampler->converted);
    frame = &sampler->converted;
  }
  for (unsigned band = 0; band < sampler->n_bands; band++)
    scale_band (sampler, frame, band);
  colour (sampler, picture);
}
