/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

#include "analysis.h"
#include "clip.h"
#include "interrupt.h"
#include "output.h"
#include "safetensors.h"
#include "store.h"

#include <string.h>

typedef struct {
  char *model, *output, *frames;
  gboolean mixture;
  char **videos;
  VlRange range;
} Options;

enum { MU, PI, SIGMA, MIXTURE_MU, N_TENSORS };

/* What each frame gives, and where all frames' numbers gather. */
typedef struct {
  unsigned n_tensors; /* without mixture only the first */
  unsigned n_dims[N_TENSORS];
  guint64 shape[N_TENSORS][VL_MAX_DIMS]; /* of one frame, from place 1 on */
  gsize size[N_TENSORS];                 /* numbers per frame */
  float *mixture[N_TENSORS];             /* one frame's; unused for MU */
  VlFrameStore *stores[N_TENSORS];       /* on disk: a frame a picture */
} Gather;

static gboolean
read_options (int argc, char **argv, Options *o, GError **error)
{
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model, "The model", "MODEL"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output, "The file to write",
          "FILE.safetensors"},
      {"mixture", 0, 0, G_OPTION_ARG_NONE, &o->mixture,
          "Also the mixture that each frame predicts for the next: pi, sigma "
          "and mixture_mu (T,gy,gx,K,Z), in the latents' own units",
          NULL},
      {"frames", 0, 0, G_OPTION_ARG_STRING, &o->frames,
          "Frames to read, from 0, without the last", "A:B"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->videos, NULL,
          NULL},
      {NULL}};

  if (!vl_command_parse (argc, argv, entries, "VIDEO",
          "Writes the latents mu (T,gy,gx,Z) of the frames a model analyses.",
          error) ||
      !vl_command_require (o->model, "a model: -m MODEL", error) ||
      !vl_command_require (
          o->output, "a file to write: -o FILE.safetensors", error) ||
      !vl_command_require (o->videos, "a VIDEO", error))
    return FALSE;
  if (o->videos[1] != NULL)
    return vl_usage_error (error, "expected one VIDEO");
  return vl_range_parse (o->frames, &o->range, error);
}

static void
clear_options (Options *o)
{
  g_free (o->model);
  g_free (o->output);
  g_free (o->frames);
  g_strfreev (o->videos);
}

static gboolean
open_gather (Gather *g, const VlModel *model, gboolean mixture, GError **error)
{
  const guint64 gy = vl_model_grid_height (model);
  const guint64 gx = vl_model_grid_width (model);
  const guint64 Z = model->vae.Z, K = model->rnn.K;

  *g = (Gather){.n_tensors = mixture ? N_TENSORS : 1};
  for (unsigned i = 0; i < g->n_tensors; i++) {
    const guint64 frame[VL_MAX_DIMS] = {0, gy, gx, i == MU ? Z : K, Z};

    g->n_dims[i] = i == MU ? 4 : 5;
    memcpy (g->shape[i], frame, sizeof frame);
    g->size[i] = gy * gx * Z * (i == MU ? 1 : K);
    g->mixture[i] = g_new (float, g->size[i]);
    g->stores[i] = vl_frame_store_new (g->size[i] * sizeof (float), error);
    if (g->stores[i] == NULL)
      return FALSE;
    vl_frame_store_begin_clip (g->stores[i]);
  }
  return TRUE;
}

static void
clear_gather (Gather *g)
{
  for (unsigned i = 0; i < N_TENSORS; i++) {
    g_clear_pointer (&g->stores[i], vl_frame_store_free);
    g_free (g->mixture[i]);
  }
}

static gboolean
gather_frame (
    Gather *g, VlAnalysis *analysis, const guint8 *picture, GError **error)
{
  const float *values[VL_N_CHANNELS];
  const float *numbers[N_TENSORS] = {
      NULL, g->mixture[PI], g->mixture[SIGMA], g->mixture[MIXTURE_MU]};

  if (g->n_tensors == 1) {
    numbers[MU] = vl_analysis_encode (analysis, picture);
  } else {
    vl_analysis_run (analysis, picture, values);
    vl_analysis_mixture (
        analysis, g->mixture[PI], g->mixture[SIGMA], g->mixture[MIXTURE_MU]);
    numbers[MU] = vl_analysis_latents (analysis);
  }
  for (unsigned i = 0; i < g->n_tensors; i++)
    if (!vl_frame_store_append (
            g->stores[i], (const guint8 *)numbers[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
gather_clip (Gather *g, const Options *o, const VlModel *model, GError **error)
{
  g_autoptr (VlClip) clip = vl_clip_open (o->videos[0], &model->input,
      &o->range, vl_interrupt_cancellable (), error);
  VlAnalysis *analysis;
  const guint8 *picture;
  VlMediaFrame frame;
  GError *failure = NULL;

  if (clip == NULL)
    return FALSE;
  analysis = vl_analysis_new (model);
  while (failure == NULL &&
         (picture = vl_clip_next_picture (clip, &frame, &failure)) != NULL)
    gather_frame (g, analysis, picture, &failure);
  vl_analysis_free (analysis);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static gboolean
save_gather (Gather *g, const char *path, GError **error)
{
  static const char *const names[N_TENSORS] = {
      "mu", "pi", "sigma", "mixture_mu"};
  g_autoptr (VlTensorWriter) writer = vl_tensor_writer_new ();

  for (unsigned i = 0; i < g->n_tensors; i++) {
    VlFrameStore *store = g->stores[i];

    if (!vl_frame_store_finish (store, error))
      return FALSE;
    g->shape[i][0] = vl_frame_store_n_frames (store);
    vl_tensor_writer_add (writer, names[i],
        (const float *)(const void *)vl_frame_store_get (store, 0, 0),
        g->n_dims[i], g->shape[i]);
  }
  return vl_tensor_writer_save (writer, path, error);
}

gboolean
vl_command_encode (int argc, char **argv, GError **error)
{
  Options o = {NULL};
  Gather gather = {0};
  g_autoptr (VlModel) model = NULL;
  const gboolean done = read_options (argc, argv, &o, error) &&
                        vl_output_check (o.output, error) &&
                        (model = vl_model_load (o.model, error)) != NULL &&
                        open_gather (&gather, model, o.mixture, error) &&
                        gather_clip (&gather, &o, model, error) &&
                        save_gather (&gather, o.output, error);

  clear_gather (&gather);
  clear_options (&o);
  return done;
}
