/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "unpack.h"

#include <string.h>
#include <libyuv.h>

typedef struct {
  const GstVideoFrame *frame;
  unsigned band;
} Source;

/* Sets the planes' data for one band: copied into unpack->store, where data
 * points before the call, or pointing into the frame with the frame's stride.
 * Components past n_planes may be left out. */
typedef void (*Reader) (
    const VlUnpack *unpack, VlPlane planes[3], const Source *source);

struct VlUnpack {
  Reader read;
  unsigned n_planes;
  VlPlane planes[3]; /* of one band: sizes, and data in store */
  uint8_t *store[4]; /* a component each; the spare byte of 4-byte pixels */
};

static int
byte_of (const Source *source, int component)
{
  return GST_VIDEO_FORMAT_INFO_POFFSET (source->frame->info.finfo, component);
}

/* The first row of the band in a plane of the frame; bands are of n_rows. */
static const uint8_t *
first_row (const Source *source, int plane, int n_rows)
{
  const uint8_t *data = GST_VIDEO_FRAME_PLANE_DATA (source->frame, plane);
  ptrdiff_t stride = GST_VIDEO_FRAME_PLANE_STRIDE (source->frame, plane);

  return data + source->band * n_rows * stride;
}

/* One component in a plane of its own. */
static void
read_component (VlPlane *plane, const Source *source, int component)
{
  const GstVideoFrame *frame = source->frame;
  int p = GST_VIDEO_FORMAT_INFO_PLANE (frame->info.finfo, component);

  plane->data = first_row (source, p, plane->height);
  plane->stride = GST_VIDEO_FRAME_PLANE_STRIDE (frame, p);
}

static void
read_planar (const VlUnpack *unpack, VlPlane planes[3], const Source *source)
{
  for (unsigned c = 0; c < unpack->n_planes; c++)
    read_component (&planes[c], source, c);
}

static void
round_to_bytes (
    const VlPlane *to, uint8_t *restrict out, const VlPlane *from, int depth)
{
  int shift = depth - 8, half = 1 << (shift - 1);

  for (int y = 0; y < to->height; y++, out += to->stride) {
    const uint16_t *restrict in =
        (const uint16_t *)(from->data + (size_t)y * from->stride);

    for (int x = 0; x < to->width; x++)
      out[x] = MIN ((GUINT16_FROM_LE (in[x]) + half) >> shift, 255);
  }
}

/* Components of more than 8 bits, each in a plane of its own. */
static void
read_deep_planar (
    const VlUnpack *unpack, VlPlane planes[3], const Source *source)
{
  for (unsigned c = 0; c < unpack->n_planes; c++) {
    VlPlane deep = planes[c];

    read_component (&deep, source, c);
    round_to_bytes (&planes[c], unpack->store[c], &deep,
        GST_VIDEO_FORMAT_INFO_DEPTH (source->frame->info.finfo, c));
  }
}

/* Luma, then pairs of U and V in either order. */
static void
read_semi_planar (
    const VlUnpack *unpack, VlPlane planes[3], const Source *source)
{
  int first = byte_of (source, 1) == 0 ? 1 : 2, second = 3 - first;
  const VlPlane *chroma = &planes[1];

  read_component (&planes[0], source, 0);
  if (unpack->n_planes > 1)
    SplitUVPlane (first_row (source, 1, chroma->height),
        GST_VIDEO_FRAME_PLANE_STRIDE (source->frame, 1), unpack->store[first],
        chroma->width, unpack->store[second], chroma->width, chroma->width,
        chroma->height);
}

/* Two lumas and a U and V in four bytes: luma first or chroma first, U and V in
 * either order. */
static void
read_packed_422 (
    const VlUnpack *unpack, VlPlane planes[3], const Source *source)
{
  gboolean luma_first = byte_of (source, 0) == 0;
  int first = byte_of (source, 1) < byte_of (source, 2) ? 1 : 2;
  const VlPlane *luma = &planes[0], *chroma = &planes[1];
  const uint8_t *data = first_row (source, 0, luma->height);
  int stride = GST_VIDEO_FRAME_PLANE_STRIDE (source->frame, 0);

  if (unpack->n_planes > 1)
    (luma_first ? YUY2ToI422 : UYVYToI422) (data, stride, unpack->store[0],
        luma->width, unpack->store[first], chroma->width,
        unpack->store[3 - first], chroma->width, luma->width, luma->height);
  else
    (luma_first ? YUY2ToY : UYVYToY) (
        data, stride, unpack->store[0], luma->width, luma->width, luma->height);
}

/* Widths that are no multiple of 32 overflow a buffer inside libyuv's AVX2
 * SplitRGBPlane (version 1904, Debian 13): the columns beyond are ours. */
#define SPLIT_RGB_STEP 32

static void
read_three_bytes (
    const VlUnpack *unpack, VlPlane planes[3], const Source *source)
{
  int width = planes[0].width, height = planes[0].height;
  int whole = width - width % SPLIT_RGB_STEP;
  int stride = GST_VIDEO_FRAME_PLANE_STRIDE (source->frame, 0);
  const uint8_t *data = first_row (source, 0, height);
  uint8_t *bytes[3];

  for (int c = 0; c < 3; c++)
    bytes[byte_of (source, c)] = unpack->store[c];
  if (whole > 0)
    SplitRGBPlane (data, stride, bytes[0], width, bytes[1], width, bytes[2],
        width, whole, height);

  for (int y = 0; y < height; y++)
    for (int x = whole; x < width; x++)
      for (int b = 0; b < 3; b++)
        bytes[b][(size_t)y * width + x] =
            data[(ptrdiff_t)y * stride + x * 3 + b];
}

static void
read_four_bytes (
    const VlUnpack *unpack, VlPlane planes[3], const Source *source)
{
  int width = planes[0].width, height = planes[0].height;
  int spare = 0 + 1 + 2 + 3;
  uint8_t *bytes[4];

  for (int c = 0; c < 3; c++) {
    bytes[byte_of (source, c)] = unpack->store[c];
    spare -= byte_of (source, c);
  }
  bytes[spare] = unpack->store[3];

  /* libyuv names bytes from the highest: its ARGB is B, G, R, A in memory */
  SplitARGBPlane (first_row (source, 0, height),
      GST_VIDEO_FRAME_PLANE_STRIDE (source->frame, 0), bytes[2], width,
      bytes[1], width, bytes[0], width, bytes[3], width, width, height);
}

/* Not VYUY: GstVideoFormatInfo has its U and V swapped. */
static const struct {
  GstVideoFormat format;
  Reader read;
} formats[] = {
    {GST_VIDEO_FORMAT_I420, read_planar},
    {GST_VIDEO_FORMAT_YV12, read_planar},
    {GST_VIDEO_FORMAT_Y41B, read_planar},
    {GST_VIDEO_FORMAT_Y42B, read_planar},
    {GST_VIDEO_FORMAT_Y444, read_planar},
    {GST_VIDEO_FORMAT_GRAY8, read_planar},
    {GST_VIDEO_FORMAT_GBR, read_planar},
    {GST_VIDEO_FORMAT_RGBP, read_planar},
    {GST_VIDEO_FORMAT_BGRP, read_planar},
    {GST_VIDEO_FORMAT_I420_10LE, read_deep_planar},
    {GST_VIDEO_FORMAT_I420_12LE, read_deep_planar},
    {GST_VIDEO_FORMAT_I422_10LE, read_deep_planar},
    {GST_VIDEO_FORMAT_I422_12LE, read_deep_planar},
    {GST_VIDEO_FORMAT_Y444_10LE, read_deep_planar},
    {GST_VIDEO_FORMAT_Y444_12LE, read_deep_planar},
    {GST_VIDEO_FORMAT_Y444_16LE, read_deep_planar},
    {GST_VIDEO_FORMAT_GRAY16_LE, read_deep_planar},
    {GST_VIDEO_FORMAT_GBR_10LE, read_deep_planar},
    {GST_VIDEO_FORMAT_GBR_12LE, read_deep_planar},
    {GST_VIDEO_FORMAT_NV12, read_semi_planar},
    {GST_VIDEO_FORMAT_NV21, read_semi_planar},
    {GST_VIDEO_FORMAT_NV16, read_semi_planar},
    {GST_VIDEO_FORMAT_NV61, read_semi_planar},
    {GST_VIDEO_FORMAT_NV24, read_semi_planar},
    {GST_VIDEO_FORMAT_YUY2, read_packed_422},
    {GST_VIDEO_FORMAT_YVYU, read_packed_422},
    {GST_VIDEO_FORMAT_UYVY, read_packed_422},
    {GST_VIDEO_FORMAT_RGB, read_three_bytes},
    {GST_VIDEO_FORMAT_BGR, read_three_bytes},
    {GST_VIDEO_FORMAT_v308, read_three_bytes},
    {GST_VIDEO_FORMAT_IYU2, read_three_bytes},
    {GST_VIDEO_FORMAT_RGBx, read_four_bytes},
    {GST_VIDEO_FORMAT_BGRx, read_four_bytes},
    {GST_VIDEO_FORMAT_xRGB, read_four_bytes},
    {GST_VIDEO_FORMAT_xBGR, read_four_bytes},
    {GST_VIDEO_FORMAT_RGBA, read_four_bytes},
    {GST_VIDEO_FORMAT_BGRA, read_four_bytes},
    {GST_VIDEO_FORMAT_ARGB, read_four_bytes},
    {GST_VIDEO_FORMAT_ABGR, read_four_bytes},
    {GST_VIDEO_FORMAT_AYUV, read_four_bytes},
    {GST_VIDEO_FORMAT_VUYA, read_four_bytes},
};

static Reader
find_reader (GstVideoFormat format)
{
  for (size_t i = 0; i < G_N_ELEMENTS (formats); i++)
    if (formats[i].format == format)
      return formats[i].read;
  return NULL;
}

gboolean
vl_unpack_can_read (GstVideoFormat format)
{
  return find_reader (format) != NULL;
}

/* Allocates every store; pages that a layout does not copy to are never
 * touched. */
static void
init_planes (VlUnpack *unpack, const GstVideoInfo *info, unsigned n_bands)
{
  for (unsigned c = 0; c < MIN (3, GST_VIDEO_INFO_N_COMPONENTS (info)); c++) {
    VlPlane *plane = &unpack->planes[c];

    plane->width = plane->stride = GST_VIDEO_INFO_COMP_WIDTH (info, c);
    plane->height = GST_VIDEO_INFO_COMP_HEIGHT (info, c) / n_bands;
    if (unpack->read != read_planar)
      unpack->store[c] = g_malloc ((size_t)plane->width * plane->height);
    plane->data = unpack->store[c];
  }
  if (unpack->read == read_four_bytes)
    unpack->store[3] =
        g_malloc ((size_t)unpack->planes[0].width * unpack->planes[0].height);
}

VlUnpack *
vl_unpack_new (const GstVideoInfo *info, unsigned n_planes, unsigned n_bands)
{
  VlUnpack *unpack = g_new0 (VlUnpack, 1);

  unpack->read = find_reader (GST_VIDEO_INFO_FORMAT (info));
  unpack->n_planes = n_planes;
  init_planes (unpack, info, n_bands);
  return unpack;
}

void
vl_unpack_free (VlUnpack *unpack)
{
  if (unpack == NULL)
    return;
  for (size_t i = 0; i < G_N_ELEMENTS (unpack->store); i++)
    g_free (unpack->store[i]);
  g_free (unpack);
}

void
vl_unpack_band (VlUnpack *unpack, VlPlane planes[3], const GstVideoFrame *frame,
    unsigned band)
{
  Source source = {frame, band};

  memcpy (planes, unpack->planes, sizeof unpack->planes);
  unpack->read (unpack, planes, &source);
}
