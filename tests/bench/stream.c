/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a 1080p stream costs: sampling alone, and the whole element. */

#include "bench.h"

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "sampler.h"
#include "untrained.h"
#include "vae.h"

#define WIDTH 1920
#define HEIGHT 1080
#define BETWEEN                                                                \
  (10 * GST_USECOND) /* frame period: next to none is analysed                 \
                      */
#define MANY 1000

/* A frame of noise. */
static GstBuffer *
make_frame (const GstVideoInfo *info)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = g_rand_int (random) >> 24;
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static void
describe_frame (GstVideoInfo *info)
{
  gst_video_info_set_format (info, GST_VIDEO_FORMAT_I420, WIDTH, HEIGHT);
  GST_VIDEO_INFO_FPS_N (info) = UNTRAINED_RATE;
}

/* --- sampling --- */

typedef struct {
  VlSampler *sampler;
  GstVideoFrame frame;
  guint8 picture[VL_WINDOW * VL_WINDOW * 3];
} Sampling;

static void
run_sample (gpointer data)
{
  Sampling *s = data;

  vl_sampler_run (s->sampler, s->picture, &s->frame);
}

double
bench_sample (void)
{
  GstVideoInfo info;
  Sampling s;
  double ms;

  describe_frame (&info);
  GstBuffer *buffer = make_frame (&info);
  s.sampler =
      vl_sampler_new (&info, VL_WINDOW, VL_WINDOW, VL_PICTURE_RGB, NULL);
  gst_video_frame_map (&s.frame, &info, buffer, GST_MAP_READ);
  ms = bench_median_ms (run_sample, &s, 200);
  gst_video_frame_unmap (&s.frame);
  gst_buffer_unref (buffer);
  vl_sampler_free (s.sampler);
  return ms;
}

/* --- whole elements --- */

typedef struct {
  GstElement *element;
  GstHarness *harness;
  GstBuffer *picture;
  GstClockTime time, period; /* of the next frame, and between frames */
} Stream;

/* Takes over the element. */
static void
stream_init (Stream *s, GstElement *element, GstClockTime period)
{
  GstVideoInfo info;

  describe_frame (&info);
  *s = (Stream){
      .element = element, .picture = make_frame (&info), .period = period};
  s->harness = gst_harness_new_with_element (s->element, "sink", "src");
  gst_harness_set_src_caps (s->harness, gst_video_info_to_caps (&info));
}

static void
stream_clear (Stream *s)
{
  gst_buffer_unref (s->picture);
  gst_harness_teardown (s->harness);
  gst_object_unref (s->element);
}

/* A new buffer around the same memory, as a source that reuses none sends. */
static void
run_element (gpointer data)
{
  Stream *s = data;
  GstBuffer *buffer = gst_buffer_copy (s->picture);

  GST_BUFFER_PTS (buffer) = s->time;
  GST_BUFFER_DURATION (buffer) = s->period;
  s->time += s->period;
  if (gst_harness_push (s->harness, buffer) != GST_FLOW_OK)
    g_error ("the element failed");
  gst_buffer_unref (gst_harness_pull (s->harness));
}

/* So many that the clock can tell. */
static void
run_many (gpointer data)
{
  for (guint i = 0; i < MANY; i++)
    run_element (data);
}

static double
identity_us (void)
{
  Stream s;
  double ms;

  stream_init (&s, gst_element_factory_make ("identity", NULL), BETWEEN);
  ms = bench_median_ms (run_many, &s, 100);
  stream_clear (&s);
  return ms * 1000 / MANY;
}

BenchElement
bench_element (const char *plugin)
{
  static const UntrainedSize published = {
      VL_WINDOW, VL_WINDOW, VL_VAE_STEP, 32, 32, 256};
  g_autoptr (GError) error = NULL;
  char *path = untrained_model_make (&published);
  GstElement *element;
  BenchElement result;
  Stream s;

  if (!gst_plugin_load_file (plugin, &error))
    g_error ("%s", error->message);
  element = gst_element_factory_make ("vaelstmdetect", NULL);
  g_object_set (element, "model-file", path, NULL);
  stream_init (&s, element, GST_SECOND / UNTRAINED_RATE);

  result.analysed_ms = bench_median_ms (run_element, &s, 200);
  s.period = BETWEEN;
  result.between_us = bench_median_ms (run_many, &s, 100) * 1000 / MANY;
  result.identity_us = identity_us ();

  stream_clear (&s);
  untrained_model_remove (path);
  return result;
}
