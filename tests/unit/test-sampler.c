/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The sampler against what is known of colours and of areas, in every raw
 * format; GstVideoConverter makes the frames of formats that are not filled
 * component by component. */

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sampler.h"

/* ---- frames and pictures ---- */

/* Formats filled component by component: 8 bits each, all read directly. */
static const GstVideoFormat yuv_formats[] = {
    GST_VIDEO_FORMAT_I420,
    GST_VIDEO_FORMAT_YV12,
    GST_VIDEO_FORMAT_NV12,
    GST_VIDEO_FORMAT_NV21,
    GST_VIDEO_FORMAT_YUY2,
    GST_VIDEO_FORMAT_YVYU,
    GST_VIDEO_FORMAT_UYVY,
    GST_VIDEO_FORMAT_Y42B,
    GST_VIDEO_FORMAT_NV16,
    GST_VIDEO_FORMAT_NV61,
    GST_VIDEO_FORMAT_Y444,
    GST_VIDEO_FORMAT_NV24,
    GST_VIDEO_FORMAT_v308,
    GST_VIDEO_FORMAT_IYU2,
    GST_VIDEO_FORMAT_AYUV,
    GST_VIDEO_FORMAT_VUYA,
    GST_VIDEO_FORMAT_Y41B,
};

static const GstVideoFormat rgb_formats[] = {
    GST_VIDEO_FORMAT_RGB,
    GST_VIDEO_FORMAT_BGR,
    GST_VIDEO_FORMAT_RGBx,
    GST_VIDEO_FORMAT_BGRx,
    GST_VIDEO_FORMAT_xRGB,
    GST_VIDEO_FORMAT_xBGR,
    GST_VIDEO_FORMAT_RGBA,
    GST_VIDEO_FORMAT_BGRA,
    GST_VIDEO_FORMAT_ARGB,
    GST_VIDEO_FORMAT_ABGR,
    GST_VIDEO_FORMAT_GBR,
    GST_VIDEO_FORMAT_RGBP,
    GST_VIDEO_FORMAT_BGRP,
};

/* Some of those that GstVideoConverter reads for us. */
static const GstVideoFormat converted_formats[] = {
    GST_VIDEO_FORMAT_I420_10LE,
    GST_VIDEO_FORMAT_I422_10LE,
    GST_VIDEO_FORMAT_Y444_10LE,
    GST_VIDEO_FORMAT_P010_10LE,
    GST_VIDEO_FORMAT_v210,
    GST_VIDEO_FORMAT_Y210,
    GST_VIDEO_FORMAT_AYUV64,
    GST_VIDEO_FORMAT_GRAY16_LE,
    GST_VIDEO_FORMAT_GRAY10_LE32,
    GST_VIDEO_FORMAT_VYUY,
};

static const VlPictureKind kinds[] = {VL_PICTURE_RGB, VL_PICTURE_LUMA};

static unsigned
channels (VlPictureKind kind)
{
  return kind == VL_PICTURE_RGB ? 3 : 1;
}

static GstVideoInfo
video_info (GstVideoFormat format, int width, int height)
{
  GstVideoInfo info;

  ck_assert (gst_video_info_set_format (&info, format, width, height));
  return info;
}

/* The frame owns its memory: gst_video_frame_unmap() frees it. */
static void
map_frame (GstVideoFrame *frame, const GstVideoInfo *info, GstBuffer *buffer)
{
  ck_assert (gst_video_frame_map (frame, info, buffer, GST_MAP_READWRITE));
  gst_buffer_unref (buffer);
}

static void
new_frame (GstVideoFrame *frame, const GstVideoInfo *info)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);

  gst_buffer_memset (buffer, 0, 0x5a, info->size);
  map_frame (frame, info, buffer);
}

/* The value of component c at a pixel of that component's own grid. */
typedef uint8_t (*Painter) (int c, int x, int y);

static void
paint (GstVideoFrame *frame, Painter painter)
{
  for (int c = 0; c < (int)GST_VIDEO_FRAME_N_COMPONENTS (frame); c++)
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (frame, c); y++)
      for (int x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (frame, c); x++)
        ((uint8_t *)GST_VIDEO_FRAME_COMP_DATA (
            frame, c))[y * GST_VIDEO_FRAME_COMP_STRIDE (frame, c) +
                       x * GST_VIDEO_FRAME_COMP_PSTRIDE (frame, c)] =
            painter (c, x, y);
}

static uint8_t constant[4];

static uint8_t
paint_constant (int c, int x, int y)
{
  return constant[c];
}

/* Noise that depends on nothing but its place. */
static uint8_t
paint_noise (int c, int x, int y)
{
  uint32_t h = (c * 7919u + x) * 2654435761u ^ (y + 1) * 2246822519u;

  h = (h ^ h >> 15) * 3266489917u;
  return h >> 24;
}

static void
convert (GstVideoFrame *to, const GstVideoFrame *from)
{
  GstVideoConverter *converter =
      gst_video_converter_new (&from->info, &to->info,
          gst_structure_new ("test", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
              GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL));

  ck_assert_ptr_nonnull (converter);
  gst_video_converter_frame (converter, from, to);
  gst_video_converter_free (converter);
}

/* The picture of a frame; checks that nothing behind it is written. */
static uint8_t *
sample (const GstVideoFrame *frame, int width, int height, VlPictureKind kind)
{
  static const uint8_t guard[16] = "never written to";
  size_t n = (size_t)width * height * channels (kind);
  uint8_t *picture = g_malloc (n + sizeof guard);
  GError *error = NULL;
  VlSampler *sampler =
      vl_sampler_new (&frame->info, width, height, kind, &error);

  ck_assert_msg (sampler != NULL, "%s", error ? error->message : "no error");
  memcpy (picture + n, guard, sizeof guard);
  vl_sampler_run (sampler, picture, frame);
  ck_assert_mem_eq (picture + n, guard, sizeof guard);
  vl_sampler_free (sampler);
  return picture;
}

static void
assert_pixels (const uint8_t *picture, size_t n, unsigned n_channels,
    const int *expected, int tol, const char *what)
{
  for (size_t i = 0; i < n * n_channels; i++)
    if (abs (picture[i] - expected[i % n_channels]) > tol)
      ck_abort_msg ("%s: channel %zu of pixel %zu is %d, expected %d +- %d",
          what, i % n_channels, i / n_channels, picture[i],
          expected[i % n_channels], tol);
}

static int
max_difference (const uint8_t *a, const uint8_t *b, size_t n)
{
  int max = 0;

  for (size_t i = 0; i < n; i++)
    max = MAX (max, abs (a[i] - b[i]));
  return max;
}

/* ---- colours ---- */

/* The primary colours in 8-bit YUV, from the definitions of BT.601 and BT.709,
 * and what they stand for; full-range chroma ends half a level early. */
static const struct {
  GstVideoColorMatrix matrix;
  GstVideoColorRange range;
  uint8_t yuv[3];
  int rgb[3];
} colours[] = {
#define M601 GST_VIDEO_COLOR_MATRIX_BT601
#define M709 GST_VIDEO_COLOR_MATRIX_BT709
#define LIMITED GST_VIDEO_COLOR_RANGE_16_235
#define FULL GST_VIDEO_COLOR_RANGE_0_255
    {M601, LIMITED, {16, 128, 128}, {0, 0, 0}},
    {M601, LIMITED, {126, 128, 128}, {128, 128, 128}},
    {M601, LIMITED, {235, 128, 128}, {255, 255, 255}},
    {M601, LIMITED, {81, 90, 240}, {255, 0, 0}},
    {M601, LIMITED, {145, 54, 34}, {0, 255, 0}},
    {M601, LIMITED, {41, 240, 110}, {0, 0, 255}},
    {M709, LIMITED, {63, 102, 240}, {255, 0, 0}},
    {M709, LIMITED, {173, 42, 26}, {0, 255, 0}},
    {M709, LIMITED, {32, 240, 118}, {0, 0, 255}},
    {M601, FULL, {0, 128, 128}, {0, 0, 0}},
    {M601, FULL, {255, 128, 128}, {255, 255, 255}},
    {M601, FULL, {76, 85, 255}, {254, 0, 0}},
    {M601, FULL, {150, 44, 21}, {0, 255, 0}},
    {M601, FULL, {29, 255, 107}, {0, 0, 254}},
    {M709, FULL, {54, 99, 255}, {254, 0, 0}},
    {M709, FULL, {182, 30, 12}, {0, 255, 0}},
    {M709, FULL, {18, 255, 116}, {0, 0, 254}},
};

/* The level 0..255 of luma y. */
static int
luma_level (uint8_t y, GstVideoColorRange range)
{
  return range == FULL ? y : CLAMP (lrint ((y - 16) * 255 / 219.0), 0, 255);
}

START_TEST (test_constant_yuv)
{
  GstVideoInfo info = video_info (yuv_formats[_i], 150, 140);
  GstVideoFrame frame;

  for (size_t i = 0; i < G_N_ELEMENTS (colours); i++) {
    int luma = luma_level (colours[i].yuv[0], colours[i].range);
    uint8_t *picture;

    info.colorimetry.matrix = colours[i].matrix;
    info.colorimetry.range = colours[i].range;
    memcpy (constant, colours[i].yuv, 3);
    new_frame (&frame, &info);
    paint (&frame, paint_constant);

    picture = sample (&frame, 32, 24, VL_PICTURE_RGB);
    assert_pixels (
        picture, 32 * 24, 3, colours[i].rgb, 2, GST_VIDEO_INFO_NAME (&info));
    g_free (picture);
    picture = sample (&frame, 32, 24, VL_PICTURE_LUMA);
    assert_pixels (picture, 32 * 24, 1, &luma, 1, GST_VIDEO_INFO_NAME (&info));
    g_free (picture);
    gst_video_frame_unmap (&frame);
  }
}
END_TEST

START_TEST (test_constant_rgb)
{
  static const int rgb[3] = {255, 10, 130};
  static const struct {
    GstVideoColorMatrix matrix;
    int luma;
  } cases[] = {
      {GST_VIDEO_COLOR_MATRIX_RGB, 97}, /* BT.601 at this size */
      {M601, 97},
      {M709, 71},
  };
  GstVideoInfo info = video_info (rgb_formats[_i], 150, 140);
  GstVideoFrame frame;

  for (int c = 0; c < 3; c++)
    constant[c] = rgb[c];
  constant[3] = 77;
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    uint8_t *picture;

    info.colorimetry.matrix = cases[i].matrix;
    new_frame (&frame, &info);
    paint (&frame, paint_constant);
    picture = sample (&frame, 32, 24, VL_PICTURE_RGB);
    assert_pixels (picture, 32 * 24, 3, rgb, 1, GST_VIDEO_INFO_NAME (&info));
    g_free (picture);
    picture = sample (&frame, 32, 24, VL_PICTURE_LUMA);
    assert_pixels (
        picture, 32 * 24, 1, &cases[i].luma, 1, GST_VIDEO_INFO_NAME (&info));
    g_free (picture);
    gst_video_frame_unmap (&frame);
  }
}
END_TEST

START_TEST (test_grey_follows_range)
{
  static const struct {
    GstVideoColorRange range;
    uint8_t grey;
    int level;
  } cases[] = {
      {FULL, 0, 0},
      {FULL, 100, 100},
      {FULL, 255, 255},
      {LIMITED, 3, 0},
      {LIMITED, 16, 0},
      {LIMITED, 126, 128},
      {LIMITED, 235, 255},
      {LIMITED, 250, 255},
  };
  GstVideoInfo info = video_info (GST_VIDEO_FORMAT_GRAY8, 77, 50);
  GstVideoFrame frame;

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    for (size_t k = 0; k < G_N_ELEMENTS (kinds); k++) {
      const int level[3] = {cases[i].level, cases[i].level, cases[i].level};
      uint8_t *picture;

      info.colorimetry.range = cases[i].range;
      constant[0] = cases[i].grey;
      new_frame (&frame, &info);
      paint (&frame, paint_constant);
      picture = sample (&frame, 16, 16, kinds[k]);
      assert_pixels (picture, 16 * 16, channels (kinds[k]), level, 1, "GRAY8");
      g_free (picture);
      gst_video_frame_unmap (&frame);
    }
}
END_TEST

/* RGB frames have the luma of the I420 that GStreamer makes of them. */
START_TEST (test_luma_of_rgb)
{
  static const int heights[] = {240, 720, 2160};
  GstVideoInfo rgb = video_info (GST_VIDEO_FORMAT_BGRx, 64, heights[_i]);
  GstVideoInfo yuv = video_info (GST_VIDEO_FORMAT_I420, 64, heights[_i]);
  GstVideoFrame from, to;
  uint8_t *a, *b;

  memcpy (constant, "\xf0\x20\x50", 3);
  new_frame (&from, &rgb);
  new_frame (&to, &yuv);
  paint (&from, paint_constant);
  convert (&to, &from);

  a = sample (&from, 8, 8, VL_PICTURE_LUMA);
  b = sample (&to, 8, 8, VL_PICTURE_LUMA);
  ck_assert_int_le (max_difference (a, b, 8 * 8), 1);

  g_free (a);
  g_free (b);
  gst_video_frame_unmap (&from);
  gst_video_frame_unmap (&to);
}
END_TEST

/* ---- formats ---- */

/* A slow gradient: 2/3 of the RGB cube's range over 240 x 200 pixels. */
static uint8_t
paint_gradient (int c, int x, int y)
{
  switch (c) {
  case 0:
    return 40 + x * 170 / 240;
  case 1:
    return 210 - y * 170 / 200;
  case 2:
    return 40 + (x + y) * 170 / 440;
  default:
    return 255;
  }
}

/* The coarsest step of a format's components, on levels 0..255; 0 from 8 bits
 * upwards. */
static int
coarsest_step (const GstVideoFormatInfo *finfo)
{
  unsigned depth = 8;

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo))
    return 255 / 5; /* GStreamer's palette is a 6x6x6 cube */
  for (unsigned c = 0; c < MIN (3, GST_VIDEO_FORMAT_INFO_N_COMPONENTS (finfo));
       c++)
    depth = MIN (depth, GST_VIDEO_FORMAT_INFO_DEPTH (finfo, c));
  return depth == 8 ? 0 : 255 / ((1 << depth) - 1);
}

/* Every raw format is read: its picture is that of the RGB frame it came from,
 * within GStreamer's 8-bit rounding of YUV (half a level of chroma is one of
 * blue) and ours. */
START_TEST (test_every_format)
{
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);
  GstVideoInfo rgb = video_info (GST_VIDEO_FORMAT_RGBA, 240, 200);
  GstVideoFrame from, to;

  new_frame (&from, &rgb);
  paint (&from, paint_gradient);

  for (guint f = 0; f < n_formats; f++) {
    GstVideoInfo info = video_info (formats[f], 240, 200);

    new_frame (&to, &info);
    convert (&to, &from);
    for (size_t k = 0; k < G_N_ELEMENTS (kinds); k++) {
      size_t n = 24 * 20 * channels (kinds[k]);
      uint8_t *a, *b;
      int difference, step = coarsest_step (info.finfo);

      if (GST_VIDEO_INFO_IS_GRAY (&info) && kinds[k] == VL_PICTURE_RGB)
        continue;
      a = sample (&from, 24, 20, kinds[k]);
      b = sample (&to, 24, 20, kinds[k]);
      difference = max_difference (a, b, n);
      ck_assert_msg (difference <= (kinds[k] == VL_PICTURE_RGB ? 5 : 2) + step,
          "%s: off by %d", GST_VIDEO_INFO_NAME (&info), difference);
      g_free (a);
      g_free (b);
    }
    gst_video_frame_unmap (&to);
  }
  gst_video_frame_unmap (&from);
}
END_TEST

/* Formats that hold the same components in another order. */
static const GstVideoFormat same_components[][14] = {
    {GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_YV12, GST_VIDEO_FORMAT_NV12,
        GST_VIDEO_FORMAT_NV21},
    {GST_VIDEO_FORMAT_Y42B, GST_VIDEO_FORMAT_NV16, GST_VIDEO_FORMAT_NV61,
        GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_YVYU, GST_VIDEO_FORMAT_UYVY},
    {GST_VIDEO_FORMAT_Y444, GST_VIDEO_FORMAT_NV24, GST_VIDEO_FORMAT_v308,
        GST_VIDEO_FORMAT_IYU2, GST_VIDEO_FORMAT_AYUV, GST_VIDEO_FORMAT_VUYA},
    {GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_BGR, GST_VIDEO_FORMAT_RGBx,
        GST_VIDEO_FORMAT_BGRx, GST_VIDEO_FORMAT_xRGB, GST_VIDEO_FORMAT_xBGR,
        GST_VIDEO_FORMAT_RGBA, GST_VIDEO_FORMAT_BGRA, GST_VIDEO_FORMAT_ARGB,
        GST_VIDEO_FORMAT_ABGR, GST_VIDEO_FORMAT_GBR, GST_VIDEO_FORMAT_RGBP,
        GST_VIDEO_FORMAT_BGRP},
};

/* Frame and picture sizes that scale by the box, by areas, by halves, up, and
 * in bands of rows or not. */
static const struct {
  int from_w, from_h, to_w, to_h;
} sizes[] = {
    {320, 240, 128, 128},
    {330, 270, 64, 32},
    {256, 256, 128, 128},
    {127, 131, 16, 24},
    {127, 131, 128, 128},
    {40, 30, 128, 128},
    {3, 5, 16, 8},
    {1, 1, 16, 16},
    {1, 64, 16, 4},
    {200, 1, 4, 16},
};

START_TEST (test_same_components)
{
  const GstVideoFormat *formats = same_components[_i];

  for (size_t s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (size_t k = 0; k < G_N_ELEMENTS (kinds); k++) {
      size_t n = sizes[s].to_w * sizes[s].to_h * channels (kinds[k]);
      uint8_t *first = NULL;

      for (int f = 0; formats[f] != 0; f++) {
        GstVideoInfo info =
            video_info (formats[f], sizes[s].from_w, sizes[s].from_h);
        GstVideoFrame frame;
        uint8_t *picture;

        new_frame (&frame, &info);
        paint (&frame, paint_noise);
        picture = sample (&frame, sizes[s].to_w, sizes[s].to_h, kinds[k]);
        gst_video_frame_unmap (&frame);
        if (first == NULL) {
          first = picture;
          continue;
        }
        ck_assert_msg (memcmp (first, picture, n) == 0,
            "%s differs from %s at %dx%d", GST_VIDEO_INFO_NAME (&info),
            gst_video_format_to_string (formats[0]), info.width, info.height);
        g_free (picture);
      }
      g_free (first);
    }
}
END_TEST

/* As new_frame(), with rows that are 1 to 48 bytes longer than info's. */
static void
new_padded_frame (GstVideoFrame *frame, const GstVideoInfo *info)
{
  gsize offset[GST_VIDEO_MAX_PLANES], size = 64;
  gint stride[GST_VIDEO_MAX_PLANES];
  GstBuffer *buffer;

  for (int p = 0; p < (int)GST_VIDEO_INFO_N_PLANES (info); p++) {
    gsize end = p + 1 < (int)GST_VIDEO_INFO_N_PLANES (info)
                    ? GST_VIDEO_INFO_PLANE_OFFSET (info, p + 1)
                    : info->size;
    gsize plane_size = end - GST_VIDEO_INFO_PLANE_OFFSET (info, p);
    gint tight = GST_VIDEO_INFO_PLANE_STRIDE (info, p);

    stride[p] = tight + (p + 1) * 16;
    offset[p] = size;
    size += plane_size / tight * stride[p] + 64;
  }
  buffer = gst_buffer_new_allocate (NULL, size, NULL);
  gst_buffer_memset (buffer, 0, 0xa5, size);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_INFO_FORMAT (info), info->width, info->height,
      GST_VIDEO_INFO_N_PLANES (info), offset, stride);
  map_frame (frame, info, buffer);
}

static gboolean
has_plain_strides (GstVideoFormat format)
{
  const GstVideoFormatInfo *finfo = gst_video_format_get_info (format);

  return !GST_VIDEO_FORMAT_INFO_IS_TILED (finfo) &&
         !GST_VIDEO_FORMAT_INFO_HAS_PALETTE (finfo);
}

/* Longer rows, with anything in them, make no difference. */
START_TEST (test_padded_strides)
{
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);
  GstVideoInfo yuv = video_info (GST_VIDEO_FORMAT_AYUV, 172, 99);
  GstVideoFrame from, tight, padded;

  new_frame (&from, &yuv);
  paint (&from, paint_noise);
  for (guint f = 0; f < n_formats; f++) {
    GstVideoInfo info = video_info (formats[f], 172, 99);

    if (!has_plain_strides (formats[f]))
      continue;
    new_frame (&tight, &info);
    convert (&tight, &from);
    new_padded_frame (&padded, &info);
    ck_assert_int_ne (GST_VIDEO_FRAME_PLANE_STRIDE (&padded, 0),
        GST_VIDEO_FRAME_PLANE_STRIDE (&tight, 0));
    ck_assert (gst_video_frame_copy (&padded, &tight));

    for (size_t k = 0; k < G_N_ELEMENTS (kinds); k++) {
      uint8_t *a = sample (&tight, 32, 33, kinds[k]);
      uint8_t *b = sample (&padded, 32, 33, kinds[k]);

      ck_assert_msg (memcmp (a, b, 32 * 33 * channels (kinds[k])) == 0,
          "%s differs with padded rows", GST_VIDEO_INFO_NAME (&info));
      g_free (a);
      g_free (b);
    }
    gst_video_frame_unmap (&padded);
    gst_video_frame_unmap (&tight);
  }
  gst_video_frame_unmap (&from);
}
END_TEST

/* Formats that go through GstVideoConverter keep their colorimetry. */
START_TEST (test_constant_converted)
{
  GstVideoFormat format = converted_formats[_i];
  const char *name = gst_video_format_to_string (format);
  GstVideoInterlaceMode mode = GST_VIDEO_INTERLACE_MODE_INTERLEAVED;
  GstVideoInfo yuv, info;
  GstVideoFrame from, to;

  gst_video_info_set_interlaced_format (
      &yuv, GST_VIDEO_FORMAT_AYUV, mode, 150, 140);
  gst_video_info_set_interlaced_format (&info, format, mode, 150, 140);
  for (size_t i = 0; i < G_N_ELEMENTS (colours); i++) {
    int luma = luma_level (colours[i].yuv[0], colours[i].range);
    int grey[3] = {luma, luma, luma};
    /* level 1023 of 10 bits is 255.75 of 8 */
    int tol = colours[i].range == FULL ? 3 : 2;
    uint8_t *picture;

    info.colorimetry.matrix = colours[i].matrix;
    info.colorimetry.range = colours[i].range;
    yuv.colorimetry = info.colorimetry;
    memcpy (constant, colours[i].yuv, 3);
    new_frame (&from, &yuv);
    new_frame (&to, &info);
    paint (&from, paint_constant);
    convert (&to, &from);

    picture = sample (&to, 30, 24, VL_PICTURE_RGB);
    assert_pixels (picture, 30 * 24, 3,
        GST_VIDEO_INFO_IS_GRAY (&info) ? grey : colours[i].rgb, tol, name);
    g_free (picture);
    picture = sample (&to, 30, 24, VL_PICTURE_LUMA);
    assert_pixels (picture, 30 * 24, 1, grey, 1, name);
    g_free (picture);
    gst_video_frame_unmap (&from);
    gst_video_frame_unmap (&to);
  }
}
END_TEST

/* Noise between black and white on neutral chroma; its mean level. */
static double
paint_deep_noise (GstVideoFrame *frame)
{
  int unit = 1 << (GST_VIDEO_FRAME_COMP_DEPTH (frame, 0) - 8);
  int width = GST_VIDEO_FRAME_WIDTH (frame);
  int height = GST_VIDEO_FRAME_HEIGHT (frame);
  double sum = 0;

  for (int c = 0; c < 3; c++)
    for (int y = 0; y < height; y++) {
      uint16_t *row =
          (uint16_t *)((uint8_t *)GST_VIDEO_FRAME_COMP_DATA (frame, c) +
                       y * GST_VIDEO_FRAME_COMP_STRIDE (frame, c));

      for (int x = 0; x < width; x++) {
        row[x] = 128 * unit;
        if (c > 0)
          continue;
        row[x] += paint_noise (0, x, y) * 257 % (100 * unit) - 50 * unit;
        sum += (row[x] / (double)unit - 16) * 255 / 219;
      }
    }
  return sum / width / height;
}

/* In the mean neither brighter nor darker than they are. */
START_TEST (test_deep_components)
{
  static const GstVideoFormat deep[] = {GST_VIDEO_FORMAT_Y444_10LE,
      GST_VIDEO_FORMAT_Y444_12LE, GST_VIDEO_FORMAT_Y444_16LE};
  GstVideoInfo info = video_info (deep[_i], 128, 96);
  GstVideoFrame frame;
  double expected;

  new_frame (&frame, &info);
  expected = paint_deep_noise (&frame);
  for (size_t k = 0; k < G_N_ELEMENTS (kinds); k++) {
    size_t n = 32 * 24 * channels (kinds[k]);
    uint8_t *picture = sample (&frame, 32, 24, kinds[k]);
    double sum = 0;

    for (size_t i = 0; i < n; i++)
      sum += picture[i];
    ck_assert_double_eq_tol (sum / n, expected, 0.2);
    g_free (picture);
  }
  gst_video_frame_unmap (&frame);
}
END_TEST

/* A grey frame of any size is a grey picture of any size. */
START_TEST (test_odd_sizes)
{
  int from_w = sizes[_i].from_w, from_h = sizes[_i].from_h;
  int to_w = sizes[_i].to_w, to_h = sizes[_i].to_h;
  GstVideoInfo rgb = video_info (GST_VIDEO_FORMAT_RGBx, from_w, from_h);
  GstVideoFrame from, to;

  memset (constant, 132, sizeof constant);
  new_frame (&from, &rgb);
  paint (&from, paint_constant);
  for (size_t f = 0; f < G_N_ELEMENTS (converted_formats); f++) {
    GstVideoInfo info = video_info (converted_formats[f], from_w, from_h);
    const int level[3] = {132, 132, 132};

    new_frame (&to, &info);
    convert (&to, &from);
    for (size_t k = 0; k < G_N_ELEMENTS (kinds); k++) {
      uint8_t *picture = sample (&to, to_w, to_h, kinds[k]);

      assert_pixels (picture, (size_t)to_w * to_h, channels (kinds[k]), level,
          2, GST_VIDEO_INFO_NAME (&info));
      g_free (picture);
    }
    gst_video_frame_unmap (&to);
  }
  gst_video_frame_unmap (&from);
}
END_TEST

START_TEST (test_unreadable)
{
  GstVideoInfo infos[] = {
      video_info (GST_VIDEO_FORMAT_I420, 64, 64),
      video_info (GST_VIDEO_FORMAT_I420, 64, 64),
      video_info (GST_VIDEO_FORMAT_I420, 64, 64),
      video_info (GST_VIDEO_FORMAT_GRAY8, 40000, 1),
  };

  infos[0].finfo = gst_video_format_get_info (GST_VIDEO_FORMAT_ENCODED);
  infos[1].finfo = gst_video_format_get_info (GST_VIDEO_FORMAT_UNKNOWN);
  infos[2].interlace_mode = GST_VIDEO_INTERLACE_MODE_ALTERNATE;
  for (size_t i = 0; i < G_N_ELEMENTS (infos); i++) {
    GError *error = NULL;

    ck_assert_ptr_null (
        vl_sampler_new (&infos[i], 128, 128, VL_PICTURE_RGB, &error));
    ck_assert (
        g_error_matches (error, GST_CORE_ERROR, GST_CORE_ERROR_NEGOTIATION));
    g_error_free (error);
  }
}
END_TEST

/* ---- areas ---- */

/* The luma picture of a full-range grey frame. */
static uint8_t *
sample_grey (int from_w, int from_h, Painter painter, int to_w, int to_h)
{
  GstVideoInfo info = video_info (GST_VIDEO_FORMAT_GRAY8, from_w, from_h);
  GstVideoFrame frame;
  uint8_t *picture;

  new_frame (&frame, &info);
  paint (&frame, painter);
  picture = sample (&frame, to_w, to_h, VL_PICTURE_LUMA);
  gst_video_frame_unmap (&frame);
  return picture;
}

/* The share of source pixel i in destination pixel j. */
static double
share (int i, int n_from, int j, int n_to)
{
  double scale = (double)n_from / n_to;
  double begin = MAX (i, j * scale), end = MIN (i + 1, (j + 1) * scale);

  return end > begin ? (end - begin) / scale : 0;
}

/* The average of what a picture's pixel covers. */
static double
area_average (
    int from_w, int from_h, Painter painter, int to_w, int to_h, int x, int y)
{
  int y0 = (int64_t)y * from_h / to_h, y1 = (int64_t)(y + 1) * from_h / to_h;
  int x0 = (int64_t)x * from_w / to_w, x1 = (int64_t)(x + 1) * from_w / to_w;
  double sum = 0;

  for (int v = y0; v <= y1 && v < from_h; v++)
    for (int u = x0; u <= x1 && u < from_w; u++)
      sum += share (v, from_h, y, to_h) * share (u, from_w, x, to_w) *
             painter (0, u, v);
  return sum;
}

/* Two waves of 150 pixels and more. */
static uint8_t
paint_waves (int c, int x, int y)
{
  return lrint (128 + 60 * sin (0.04 * x) + 60 * cos (0.03 * y + 1));
}

/* Ratios that are not left to libyuv are exact. Its boxes begin and end up to a
 * pixel early: the waves' slope of 4 levels per pixel. */
START_TEST (test_area_average)
{
  static const struct {
    int from_w, from_h, to_w, to_h;
    Painter painter;
    double tol;
  } cases[] = {
      {640, 360, 384, 256, paint_noise, 1},
      {320, 240, 128, 128, paint_noise, 1},
      {1920, 100, 128, 128, paint_noise, 1},
      {100, 1000, 128, 20, paint_noise, 1},
      {129, 129, 128, 128, paint_noise, 1},
      {131, 127, 128, 1, paint_noise, 1},
      {256, 256, 128, 128, paint_noise, 1},
      {512, 512, 128, 128, paint_noise, 1},
      {128, 128, 128, 128, paint_noise, 1},
      {800, 900, 16, 16, paint_noise, 1},
      {1280, 720, 384, 256, paint_noise, 1},
      {960, 540, 32, 32, paint_waves, 5},
      {1920, 1080, 128, 128, paint_waves, 5},
      {1300, 1111, 256, 256, paint_waves, 5},
  };
  int from_w = cases[_i].from_w, from_h = cases[_i].from_h;
  int to_w = cases[_i].to_w, to_h = cases[_i].to_h;
  uint8_t *picture =
      sample_grey (from_w, from_h, cases[_i].painter, to_w, to_h);
  double max = 0;

  for (int y = 0; y < to_h; y++)
    for (int x = 0; x < to_w; x++) {
      double expected =
          area_average (from_w, from_h, cases[_i].painter, to_w, to_h, x, y);

      max = fmax (max, fabs (picture[y * to_w + x] - expected));
    }
  ck_assert_msg (max <= cases[_i].tol, "%dx%d to %dx%d: off by %.2f levels",
      from_w, from_h, to_w, to_h, max);
  g_free (picture);
}
END_TEST

static uint8_t
paint_checkerboard (int c, int x, int y)
{
  return (x + y) % 2 ? 255 : 0;
}

/* Detail finer than the picture turns into its mean, not into a pattern. */
START_TEST (test_no_aliasing)
{
  static const int from[][2] = {{512, 512}, {1920, 1080}, {1000, 900}};
  const int grey = 128;
  uint8_t *picture =
      sample_grey (from[_i][0], from[_i][1], paint_checkerboard, 128, 128);

  assert_pixels (picture, 128 * 128, 1, &grey, _i == 0 ? 1 : 3, "checkerboard");
  g_free (picture);
}
END_TEST

static int dot_x, dot_y;

static uint8_t
paint_dot (int c, int x, int y)
{
  return x >= dot_x && x < dot_x + 8 && y >= dot_y && y < dot_y + 8 ? 240 : 0;
}

/* An 8 x 8 dot in a 1080p frame weighs the same wherever it is. */
START_TEST (test_small_dot)
{
  uint8_t *picture;
  double energy = 0, expected = 8 * 8 * 240.0 * (128 * 128) / (1920 * 1080);

  dot_x = 700 + 5 * _i;
  dot_y = 500 + 3 * _i;
  picture = sample_grey (1920, 1080, paint_dot, 128, 128);
  for (int i = 0; i < 128 * 128; i++)
    energy += picture[i] > 1 ? picture[i] : 0; /* black may be one level up */
  ck_assert_double_eq_tol (energy / expected, 1, 0.15);
  g_free (picture);
}
END_TEST

/* Scaling up keeps the ends (to libyuv's 7-bit fractions) and puts nothing but
 * an even ramp between, along rows and columns. */
START_TEST (test_upscaling)
{
  uint8_t *picture = sample_grey (2, 2, paint_checkerboard, 32, 32);

  ck_assert_int_eq (picture[0], 0);
  ck_assert_int_ge (picture[31], 250);
  ck_assert_int_ge (picture[31 * 32], 250);
  for (int i = 1; i < 32; i++) {
    int right = picture[i] - picture[i - 1];
    int down = picture[i * 32] - picture[(i - 1) * 32];

    ck_assert (right >= 0 && right <= 12);
    ck_assert (down >= 0 && down <= 12);
  }
  g_free (picture);
}
END_TEST

/* ---- the network's input ---- */

START_TEST (test_planes)
{
  static const uint8_t rgb[] = {0, 51, 255, 102, 153, 204};
  static const float from_rgb[] = {0, 0.2f, 1, 0.4f, 0.6f, 0.8f};
  static const uint8_t now[] = {0, 51}, before[] = {102, 153},
                       before_that[] = {204, 255};
  static const float from_luma[] = {0, 0.4f, 0.8f, 0.2f, 0.6f, 1};
  float x[6];

  vl_planes_from_rgb (x, rgb, 2);
  ck_assert_mem_eq (x, from_rgb, sizeof x);
  vl_planes_from_luma (x, now, before, before_that, 2);
  ck_assert_mem_eq (x, from_luma, sizeof x);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("sampler");
  TCase *colour = tcase_create ("colour"), *format = tcase_create ("format"),
        *area = tcase_create ("area"), *input = tcase_create ("input");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  gst_init (&argc, &argv);
  suite_add_tcase (suite, colour);
  tcase_add_loop_test (
      colour, test_constant_yuv, 0, G_N_ELEMENTS (yuv_formats));
  tcase_add_loop_test (
      colour, test_constant_rgb, 0, G_N_ELEMENTS (rgb_formats));
  tcase_add_loop_test (
      colour, test_constant_converted, 0, G_N_ELEMENTS (converted_formats));
  tcase_add_test (colour, test_grey_follows_range);
  tcase_add_loop_test (colour, test_deep_components, 0, 3);
  tcase_add_loop_test (colour, test_luma_of_rgb, 0, 3);

  suite_add_tcase (suite, format);
  tcase_add_test (format, test_every_format);
  tcase_add_loop_test (
      format, test_same_components, 0, G_N_ELEMENTS (same_components));
  tcase_add_test (format, test_padded_strides);
  tcase_add_loop_test (format, test_odd_sizes, 0, G_N_ELEMENTS (sizes));
  tcase_add_test (format, test_unreadable);

  suite_add_tcase (suite, area);
  tcase_add_loop_test (area, test_area_average, 0, 14);
  tcase_add_loop_test (area, test_no_aliasing, 0, 3);
  tcase_add_loop_test (area, test_small_dot, 0, 8);
  tcase_add_test (area, test_upscaling);

  suite_add_tcase (suite, input);
  tcase_add_test (input, test_planes);

  srunner_run_all (runner, CK_NORMAL);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
