/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tiny-model.h"

#include <glib/gstdio.h>

#include "train.h"

#define N_FRAMES 400
#define NOISE 5 /* grey levels either way */
#define SLOW_SIDE 768

/* Frame n is the same wherever it is drawn, and unlike its neighbours. */
static guint32
next_random (guint32 *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static guint32
seed_for (guint n)
{
  guint32 state = (n + 1) * 2654435761u;

  for (guint i = 0; i < 8; i++)
    next_random (&state);
  return state;
}

/* Something to look at: a slope of colour with darker blocks on it. */
static guint8
background (guint x, guint y, guint channel)
{
  guint block = ((x / 24) + (y / 20) * 3) % 4;

  return 50 + x / 2 + (y * (channel + 1)) / 8 - block * 10;
}

static gboolean
in_object (guint x, guint y)
{
  return x - TINY_OBJECT_X < TINY_OBJECT_SIDE &&
         y - TINY_OBJECT_Y < TINY_OBJECT_SIDE;
}

void
tiny_scene_draw (guint8 *rgb, guint n, gboolean object)
{
  guint32 state = seed_for (n);

  for (guint y = 0; y < TINY_SIDE; y++)
    for (guint x = 0; x < TINY_SIDE; x++)
      for (guint c = 0; c < 3; c++) {
        guint8 grey = object && in_object (x, y) ? 240 : background (x, y, c);
        gint noise = (gint)(next_random (&state) % (2 * NOISE + 1)) - NOISE;
        *rgb++ = grey + noise;
      }
}

static VlFrameStore *
film_scene (GError **error)
{
  g_autoptr (VlFrameStore) store = vl_frame_store_new (TINY_SIZE, error);
  g_autofree guint8 *picture = g_malloc (TINY_SIZE);

  if (!store)
    return NULL;
  vl_frame_store_begin_clip (store);
  for (guint n = 0; n < N_FRAMES; n++) {
    tiny_scene_draw (picture, n, FALSE);
    if (!vl_frame_store_append (store, picture, error))
      return NULL;
  }
  return vl_frame_store_finish (store, error) ? g_steal_pointer (&store) : NULL;
}

static VlModel *
train (GError **error)
{
  g_autoptr (VlFrameStore) store = film_scene (error);
  VlTrainOptions options = VL_TRAIN_DEFAULTS;
  VlTrainSummary summary;

  if (!store)
    return NULL;
  options.input.width = options.input.height = TINY_SIDE;
  options.input.stride = vl_train_default_stride (TINY_SIDE, TINY_SIDE);
  options.input.rate_n = TINY_RATE;
  options.Z = 8;
  options.width = 8;
  options.vae_steps = 12;
  options.lstm_steps = 12;
  options.threads = 1;
  return vl_train (
      &options, store, NULL, NULL, FALSE, NULL, NULL, NULL, &summary, error);
}

/* The model's file, in a directory of its own. */
static gchar *
save (VlModel *model)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *dir = g_dir_make_tmp ("vaelstm-test-XXXXXX", &error);
  g_autofree gchar *path = NULL;

  if (!dir)
    g_error ("no directory for the model: %s", error->message);

  path = g_build_filename (dir, "tiny.vaelstm", NULL);
  if (!vl_model_save (model, path, &error))
    g_error ("model not saved: %s", error->message);
  return g_steal_pointer (&path);
}

gchar *
tiny_model_make (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VlModel) model = train (&error);

  if (!model)
    g_error ("no tiny model: %s", error->message);
  return save (model);
}

static void
fill (float *values, gsize n, float value)
{
  while (n--)
    values[n] = value;
}

/* As if normal frames' statistics were spread evenly over 0..1. */
static void
calibrate (VlModel *model)
{
  guint n_tiles = vl_model_n_tiles (model);
  VlCalibration *calibration = vl_calibration_new (n_tiles, model->vae.Z);
  float values[100];

  fill (calibration->latent_spread, (gsize)n_tiles * model->vae.Z, 1);
  for (guint c = 0; c <= VL_N_CHANNELS; c++) {
    for (guint i = 0; i < G_N_ELEMENTS (values); i++)
      values[i] = i * 37 % 100 / 100.0f;
    vl_tail_fit (c < VL_N_CHANNELS ? &calibration->channels[c].tail
                                   : &calibration->combined,
        values, G_N_ELEMENTS (values));
    if (c < VL_N_CHANNELS)
      fill (calibration->channels[c].spread, n_tiles, 1);
  }
  calibration->n_frames = G_N_ELEMENTS (values);
  model->calibration = calibration;
}

gchar *
slow_model_make (void)
{
  const VlInput input = {
      SLOW_SIDE, SLOW_SIDE, VL_VAE_STEP, VL_INPUT_RGB, TINY_RATE, 1};
  g_autoptr (VlModel) model = NULL;
  VlMdnRnn rnn;
  VlVae vae;

  vl_vae_init (&vae, 32, 8);
  vl_mdnrnn_init (&rnn, 8, 2, 64, 64, 1, 5, TRUE);
  model = vl_model_new (&input, &vae, &rnn);
  model->background = g_malloc0 (SLOW_SIDE * SLOW_SIDE * 3);
  calibrate (model);
  return save (model);
}

void
tiny_model_remove (gchar *path)
{
  g_autofree gchar *dir = g_path_get_dirname (path);

  g_unlink (path);
  g_rmdir (dir);
  g_free (path);
}
