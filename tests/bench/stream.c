/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a 1080p stream costs: sampling alone, and the whole element. */

#include "bench.h"

#include <glib/gstdio.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include "model.h"
#include "optimizer.h"
#include "sampler.h"

#define WIDTH 1920
#define HEIGHT 1080
#define RATE 10 /* frames/s, all analysed */

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
  GST_VIDEO_INFO_FPS_N (info) = RATE;
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

/* --- a model of published size that was never trained --- */

static void
draw_params (float *params, gsize n, const VlTensorSpec *specs, guint n_specs)
{
  VlOptimizer optimizer;

  vl_optimizer_init (&optimizer, params, n, 1);
  vl_optimizer_draw_params (&optimizer, specs, n_specs, 1, 0);
  vl_optimizer_clear (&optimizer);
}

static void
fit_any_tail (VlTail *tail)
{
  g_autofree float *values = bench_numbers (200);

  vl_tail_fit (tail, values, 200);
}

static VlCalibration *
make_calibration (const VlModel *model)
{
  const guint n_tiles = vl_model_n_tiles (model);
  VlCalibration *calibration = vl_calibration_new (n_tiles, model->vae.Z);

  for (guint i = 0; i < n_tiles * model->vae.Z; i++)
    calibration->latent_spread[i] = 1;
  for (guint c = 0; c < VL_N_CHANNELS; c++) {
    for (guint i = 0; i < n_tiles; i++)
      calibration->channels[c].spread[i] = 1;
    fit_any_tail (&calibration->channels[c].tail);
  }
  fit_any_tail (&calibration->combined);
  calibration->n_frames = 200;
  return calibration;
}

static VlModel *
make_model (void)
{
  const VlInput input = {
      VL_WINDOW, VL_WINDOW, VL_VAE_STEP, VL_INPUT_RGB, RATE, 1};
  VlVae vae;
  VlMdnRnn rnn;
  VlModel *model;

  vl_vae_init (&vae, 32, 32);
  vl_mdnrnn_init (&rnn, 32, 2, 256, 256, 1, 5, TRUE);
  model = vl_model_new (&input, &vae, &rnn);
  draw_params (model->vae_params, vae.n_params, vae.specs, VL_VAE_N_TENSORS);
  draw_params (model->rnn_params, rnn.n_params, rnn.specs, rnn.n_tensors);
  model->calibration = make_calibration (model);
  model->background = g_malloc0 (VL_WINDOW * VL_WINDOW * 3);
  model->record = g_strdup ("{}");
  return model;
}

/* Saves it in a directory of its own. */
static char *
save_model (void)
{
  g_autoptr (VlModel) model = make_model ();
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("vaelstm-bench-XXXXXX", &error);

  if (folder == NULL)
    g_error ("%s", error->message);
  char *path = g_build_filename (folder, "bench.vaelstm", NULL);
  if (!vl_model_save (model, path, &error))
    g_error ("%s", error->message);
  return path;
}

static void
remove_model (char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);

  g_unlink (path);
  g_rmdir (folder);
  g_free (path);
}

/* --- the element --- */

typedef struct {
  GstHarness *harness;
  GstBuffer *picture;
  guint64 n;
} Stream;

/* A new buffer around the same memory, as a source that reuses none sends. */
static void
run_element (gpointer data)
{
  Stream *s = data;
  GstBuffer *buffer = gst_buffer_copy (s->picture);

  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (s->n++, GST_SECOND, RATE);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / RATE;
  if (gst_harness_push (s->harness, buffer) != GST_FLOW_OK)
    g_error ("the element failed");
  gst_buffer_unref (gst_harness_pull (s->harness));
}

double
bench_element (const char *plugin)
{
  g_autoptr (GError) error = NULL;
  GstVideoInfo info;
  Stream s = {0};
  double ms;

  if (!gst_plugin_load_file (plugin, &error))
    g_error ("%s", error->message);
  describe_frame (&info);
  char *path = save_model ();
  GstElement *element = gst_element_factory_make ("vaelstmdetect", NULL);
  g_object_set (element, "model-file", path, NULL);
  s.harness = gst_harness_new_with_element (element, "sink", "src");
  gst_harness_set_src_caps (s.harness, gst_video_info_to_caps (&info));
  s.picture = make_frame (&info);

  ms = bench_median_ms (run_element, &s, 200);

  gst_buffer_unref (s.picture);
  gst_harness_teardown (s.harness);
  gst_object_unref (element);
  remove_model (path);
  return ms;
}
