/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A score comes from the picture alone: whatever a frame's format, size and
 * colorimetry, it scores as the same picture does in RGB. */

#include "stream.h"

#include <math.h>
#include <string.h>

#include "tiny-model.h"

/* Larger than the model's input, as cameras' pictures are. */
#define WIDTH 320
#define HEIGHT 240

/* Of the object, whose contrast would be some 170 levels. Faint enough that a
 * picture brighter by one level scores otherwise. */
#define OPACITY (1 / 6.0)

#define SAME 0.02 /* relative difference of scores that say the same */

#define N_FRAMES 5 /* of which the last two are past the warming up */

/* A clip of a still is the same frame over and over. */
typedef struct {
  GstVideoInfo info;
  guint n; /* frames drawn: N_FRAMES, or 1 of a still */
  GstBuffer *frames[N_FRAMES];
} Clip;

static GstVideoInfo
video_info (GstVideoFormat format, gint width, gint height)
{
  GstVideoInfo info;

  fail_unless (gst_video_info_set_format (&info, format, width, height));
  info.fps_n = TINY_RATE;
  return info;
}

static void
clip_clear (Clip *clip)
{
  for (guint i = 0; i < clip->n; i++)
    gst_buffer_unref (clip->frames[i]);
}

/* The frames of a clip in another format, size or colorimetry. */
static Clip
clip_convert (const Clip *from, const GstVideoInfo *info)
{
  GstVideoConverter *converter = gst_video_converter_new (&from->info, info,
      gst_structure_new ("test", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL));
  Clip to = {*info, from->n};

  fail_unless (converter != NULL, "%s", GST_VIDEO_INFO_NAME (info));
  for (guint i = 0; i < to.n; i++) {
    GstVideoFrame in, out;

    to.frames[i] =
        gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
    gst_buffer_memset (to.frames[i], 0, 0, -1);
    gst_video_frame_map (&in, &from->info, from->frames[i], GST_MAP_READ);
    gst_video_frame_map (&out, info, to.frames[i], GST_MAP_WRITE);
    gst_video_converter_frame (converter, &in, &out);
    gst_video_frame_unmap (&in);
    gst_video_frame_unmap (&out);
  }
  gst_video_converter_free (converter);
  return to;
}

/* The scene with the faint object, in RGB, as large as the model's input. */
static GstBuffer *
faint_frame (guint n)
{
  static guint8 without[TINY_SIZE], with[TINY_SIZE];

  tiny_scene_draw (without, n, FALSE);
  tiny_scene_draw (with, n, TRUE);
  for (guint i = 0; i < TINY_SIZE; i++)
    without[i] += lrint (OPACITY * (with[i] - without[i]));
  return gst_buffer_new_memdup (without, TINY_SIZE);
}

static Clip
clip_new (gint width, gint height, guint n)
{
  Clip small = {video_info (GST_VIDEO_FORMAT_RGB, TINY_SIDE, TINY_SIDE), n};
  GstVideoInfo info = video_info (GST_VIDEO_FORMAT_RGB, width, height);
  Clip clip;

  for (guint i = 0; i < n; i++)
    small.frames[i] = faint_frame (i);
  clip = clip_convert (&small, &info);
  clip_clear (&small);
  return clip;
}

/* ---- the RGB version, worked out pixel by pixel ---- */

/* A pixel as GStreamer's unpack functions give it, behind its alpha. */
static double
unpacked (const GstVideoFormatInfo *unpack, gconstpointer line, gint x, guint c)
{
  return GST_VIDEO_FORMAT_INFO_DEPTH (unpack, 0) == 8
             ? ((const guint8 *)line)[4 * x + 1 + c]
             : ((const guint16 *)line)[4 * x + 1 + c];
}

/* From components in 0..1 (chroma: -0.5..0.5), by the definition of YCbCr. */
static void
to_rgb (double v[3], const GstVideoInfo *info)
{
  double kr, kb, luma = v[0], cb = v[1], cr = v[2];

  if (GST_VIDEO_INFO_IS_GRAY (info)) {
    v[1] = v[2] = luma;
  } else if (GST_VIDEO_INFO_IS_YUV (info)) {
    gst_video_color_matrix_get_Kr_Kb (info->colorimetry.matrix, &kr, &kb);
    v[0] = luma + 2 * (1 - kr) * cr;
    v[2] = luma + 2 * (1 - kb) * cb;
    v[1] = (luma - kr * v[0] - kb * v[2]) / (1 - kr - kb);
  }
}

static void
row_to_rgb (guint8 *rgb, gconstpointer line, const GstVideoInfo *info)
{
  const GstVideoFormatInfo *unpack =
      gst_video_format_get_info (info->finfo->unpack_format);
  gint offset[GST_VIDEO_MAX_COMPONENTS], scale[GST_VIDEO_MAX_COMPONENTS];

  gst_video_color_range_offsets (
      info->colorimetry.range, unpack, offset, scale);
  for (gint x = 0; x < info->width; x++) {
    double v[3];

    for (guint c = 0; c < 3; c++)
      v[c] = (unpacked (unpack, line, x, c) - offset[c]) / scale[c];
    to_rgb (v, info);
    for (guint c = 0; c < 3; c++)
      rgb[3 * x + c] = lrint (255 * CLAMP (v[c], 0, 1));
  }
}

static GstBuffer *
frame_to_rgb (
    GstBuffer *buffer, const GstVideoInfo *info, const GstVideoInfo *rgb)
{
  GstBuffer *to = gst_buffer_new_allocate (NULL, rgb->size, NULL);
  gpointer line = g_malloc0 (8 * (info->width + 64));
  GstVideoFrame frame;
  GstMapInfo map;

  gst_video_frame_map (&frame, info, buffer, GST_MAP_READ);
  gst_buffer_map (to, &map, GST_MAP_WRITE);
  for (gint y = 0; y < info->height; y++) {
    info->finfo->unpack_func (info->finfo, GST_VIDEO_PACK_FLAG_NONE, line,
        frame.data, frame.info.stride, 0, y, info->width);
    row_to_rgb (
        map.data + y * GST_VIDEO_INFO_PLANE_STRIDE (rgb, 0), line, info);
  }
  gst_buffer_unmap (to, &map);
  gst_video_frame_unmap (&frame);
  g_free (line);
  return to;
}

static Clip
clip_to_rgb (const Clip *clip)
{
  const GstVideoInfo *info = &clip->info;
  Clip rgb = {
      video_info (GST_VIDEO_FORMAT_RGB, info->width, info->height), clip->n};

  for (guint i = 0; i < rgb.n; i++)
    rgb.frames[i] = frame_to_rgb (clip->frames[i], info, &rgb.info);
  return rgb;
}

/* ---- scores ---- */

/* Frame i of what is played. */
static GstBuffer *
clip_frame (const Clip *clip, guint i)
{
  GstBuffer *buffer = gst_buffer_copy (clip->frames[i % clip->n]);

  GST_BUFFER_PTS (buffer) = i * GST_SECOND / TINY_RATE;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / TINY_RATE;
  return buffer;
}

static Stream stream;
static Clip original; /* in RGB, WIDTH x HEIGHT */

static void
setup (void)
{
  stream_open_default (&stream);
  original = clip_new (WIDTH, HEIGHT, N_FRAMES);
}

static void
teardown (void)
{
  clip_clear (&original);
  stream_close (&stream);
}

/* The mean score of the frames past the warming up. caps describe the clip. */
static double
score_with_caps (const Clip *clip, const gchar *caps)
{
  double sum = 0;
  guint n = 0;

  gst_harness_set_src_caps_str (stream.harness, caps);
  g_signal_emit_by_name (stream.element, "reset");
  for (guint i = 0; i < N_FRAMES; i++) {
    GstVaeLstmAnomaly anomaly =
        stream_take_meta (stream_pass (&stream, clip_frame (clip, i)));

    if (!g_str_equal (anomaly.state, "detecting"))
      continue;
    sum += anomaly.score;
    n++;
  }
  fail_unless (n > 0);
  fail_unless_equals_uint64 (stream_stat (&stream, "skipped"), 0);
  return sum / n;
}

static double
score (const Clip *clip)
{
  GstCaps *caps = gst_video_info_to_caps (&clip->info);
  gchar *text = gst_caps_to_string (caps);
  double value = score_with_caps (clip, text);

  gst_caps_unref (caps);
  g_free (text);
  return value;
}

static void
check_score (const gchar *what, double value, double expected, double bound)
{
  fail_unless (fabs (value - expected) <= bound * expected,
      "%s scores %f, expected %f +- %g %%", what, value, expected, 100 * bound);
}

/* A clip scores as its own RGB version. */
static void
check_as_rgb (const Clip *clip, const gchar *what, double bound)
{
  Clip rgb = clip_to_rgb (clip);

  check_score (what, score (clip), score (&rgb), bound);
  clip_clear (&rgb);
}

/* ---- tests ---- */

/* What the bounds are worth. */
GST_START_TEST (test_one_level_of_brightness_is_no_longer_the_same)
{
  double before = score (&original), after;

  for (guint i = 0; i < N_FRAMES; i++) {
    GstMapInfo map;

    gst_buffer_map (original.frames[i], &map, GST_MAP_READWRITE);
    for (gsize k = 0; k < map.size; k++)
      map.data[k]++;
    gst_buffer_unmap (original.frames[i], &map);
  }
  after = score (&original);
  fail_unless (fabs (after - before) > SAME * before, "%f before, %f after",
      before, after);
}
GST_END_TEST

/* How far the score may be from the original's where a format holds less than
 * the RGB of 8 bits that the clip was made in. */
static double
loss_bound (const GstVideoInfo *info)
{
  guint depth = GST_VIDEO_INFO_COMP_DEPTH (info, 0);

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (info->finfo))
    return 0.2; /* GStreamer's palette has 6 levels of a colour */
  if (GST_VIDEO_INFO_IS_GRAY (info))
    return 0.08; /* no colour */
  if (GST_VIDEO_INFO_IS_RGB (info))
    return depth < 8 ? 0.1 : depth > 8 ? 0.005 : 0.0001;
  if (depth > 8)
    return 0.04;
  return 0.07; /* levels 16 to 235, and colour of up to 16 pixels in one */
}

/* Of one colour for 4x4 pixels, neighbours are interpolated, not repeated as in
 * the RGB version here. */
static double
same_bound (const GstVideoInfo *info)
{
  return GST_VIDEO_FORMAT_INFO_H_SUB (info->finfo, 1) > 1 ? 0.04 : SAME;
}

static const GstVideoFormat *formats;
static guint n_formats;

GST_START_TEST (test_format)
{
  const gchar *name = gst_video_format_to_string (formats[__i__]);
  GstVideoInfo info = video_info (formats[__i__], WIDTH, HEIGHT);
  Clip clip = clip_convert (&original, &info);

  check_as_rgb (&clip, name, same_bound (&info));
  check_score (name, score (&clip), score (&original), loss_bound (&info));
  clip_clear (&clip);
}
GST_END_TEST

static gboolean
accepts (GstElement *element, GstVideoFormat format)
{
  GstPad *pad = gst_element_get_static_pad (element, "sink");
  GstVideoInfo info = video_info (format, 64, 48);
  GstCaps *caps = gst_video_info_to_caps (&info);
  gboolean accepted = gst_pad_query_accept_caps (pad, caps);

  gst_caps_unref (caps);
  gst_object_unref (pad);
  return accepted;
}

GST_START_TEST (test_every_format_of_gstreamer_is_accepted)
{
  GstElement *element = gst_element_factory_make ("vaelstmdetect", NULL);

  fail_unless (n_formats > 80);
  for (guint i = 0; i < n_formats; i++)
    fail_unless (accepts (element, formats[i]), "%s",
        gst_video_format_to_string (formats[i]));
  gst_object_unref (element);
}
GST_END_TEST

/* In averages over hundreds of pixels libyuv's 16-bit reciprocals show. */
static const struct {
  gint width, height;
  double bound;
} sizes[] = {{1, 1, SAME}, {2, 1, SAME}, {2, 2, SAME}, {3, 5, SAME},
    {7, 500, SAME}, {127, 129, SAME}, {16, 4096, SAME}, {1921, 3, SAME},
    {7680, 4320, 0.05}};

GST_START_TEST (test_size)
{
  gint width = sizes[__i__].width, height = sizes[__i__].height;
  gchar *name = g_strdup_printf ("%dx%d", width, height);
  GstVideoInfo info = video_info (GST_VIDEO_FORMAT_I420, width, height);
  Clip rgb = clip_new (width, height, 1);
  Clip clip = clip_convert (&rgb, &info);

  clip_clear (&rgb);
  check_as_rgb (&clip, name, sizes[__i__].bound);
  clip_clear (&clip);
  g_free (name);
}
GST_END_TEST

static const struct {
  GstVideoFormat format;
  const gchar *colorimetry;
} colours[] = {
    {GST_VIDEO_FORMAT_I420, "bt601"},
    {GST_VIDEO_FORMAT_I420, "bt709"},
    {GST_VIDEO_FORMAT_I420, "smpte240m"},
    {GST_VIDEO_FORMAT_I420, "bt2020"},
    {GST_VIDEO_FORMAT_I420, "1:4:0:0"}, /* full range, as JPEG has it */
    {GST_VIDEO_FORMAT_YUY2, "1:3:5:1"},
    {GST_VIDEO_FORMAT_P010_10LE, "bt709"},
    {GST_VIDEO_FORMAT_P010_10LE, "1:3:5:1"},
    {GST_VIDEO_FORMAT_GRAY8, "2:4:0:0"},
    {GST_VIDEO_FORMAT_RGB, "2:1:5:1"},
};

GST_START_TEST (test_colorimetry)
{
  GstVideoInfo info = video_info (colours[__i__].format, WIDTH, HEIGHT);
  Clip clip;

  fail_unless (gst_video_colorimetry_from_string (
      &info.colorimetry, colours[__i__].colorimetry));
  clip = clip_convert (&original, &info);
  check_as_rgb (&clip, colours[__i__].colorimetry, SAME);
  clip_clear (&clip);
}
GST_END_TEST

/* Caps that say nothing of the pixels. Frames with two fields are analysed as
 * they are stored, lines of both. */
static const gchar *const asides[] = {"interlace-mode=interleaved",
    "interlace-mode=interleaved,field-order=bottom-field-first",
    "interlace-mode=mixed", "interlace-mode=fields", "pixel-aspect-ratio=10/11",
    "chroma-site=jpeg", "framerate=0/1", "framerate=0/1,max-framerate=30/1",
    "multiview-mode=side-by-side", "views=2,multiview-mode=frame-by-frame"};

GST_START_TEST (test_other_fields_of_caps_change_nothing)
{
  static const GstVideoFormat read_in_both_ways[] = {
      GST_VIDEO_FORMAT_I420, GST_VIDEO_FORMAT_P010_10LE};

  for (guint k = 0; k < G_N_ELEMENTS (read_in_both_ways); k++) {
    GstVideoInfo info = video_info (read_in_both_ways[k], WIDTH, HEIGHT);
    Clip clip = clip_convert (&original, &info);
    gchar *caps =
        g_strdup_printf ("video/x-raw,format=%s,width=%d,height=%d,%s",
            GST_VIDEO_INFO_NAME (&info), WIDTH, HEIGHT, asides[__i__]);

    check_score (caps, score_with_caps (&clip, caps), score (&clip), 0.0001);
    g_free (caps);
    clip_clear (&clip);
  }
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  formats = gst_video_formats_raw (&n_formats);

  tcase_add_checked_fixture (tcase, setup, teardown);
  tcase_add_test (tcase, test_one_level_of_brightness_is_no_longer_the_same);
  tcase_add_test (tcase, test_every_format_of_gstreamer_is_accepted);
  tcase_add_loop_test (tcase, test_format, 0, n_formats);
  tcase_add_loop_test (tcase, test_size, 0, G_N_ELEMENTS (sizes));
  tcase_add_loop_test (tcase, test_colorimetry, 0, G_N_ELEMENTS (colours));
  tcase_add_loop_test (tcase, test_other_fields_of_caps_change_nothing, 0,
      G_N_ELEMENTS (asides));
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "formats", add_tests);
}
