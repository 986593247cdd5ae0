/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "model.h"

#include "model-file.h"

#define BYTES_RGB 3
#define BYTES_MOTION 1

/* Models in use, by the file they came from: VlFileId -> VlModel, which is not
 * owned and removes itself with its last reference. The lock is recursive: a
 * load that fails releases its model. */
static GRecMutex loaded_lock;
static GHashTable *loaded;

G_DEFINE_QUARK (vl_model_error, vl_model_error)

VlModel *
vl_model_new (const VlInput *input, const VlVae *vae, const VlMdnRnn *rnn)
{
  VlModel *model;

  g_return_val_if_fail (vae->Z == rnn->Z, NULL);

  model = g_new0 (VlModel, 1);
  g_atomic_ref_count_init (&model->ref_count);
  model->input = *input;
  model->vae = *vae;
  model->vae_params = g_new0 (float, vae->n_params);
  model->rnn = *rnn;
  model->rnn_params = g_new0 (float, rnn->n_params);
  return model;
}

static void
model_free (VlModel *model)
{
  g_clear_pointer (&model->calibration, vl_calibration_free);
  g_free (model->vae_params);
  g_free (model->rnn_params);
  g_free (model->background);
  g_free (model->record);
  g_free (model->checksum);
  g_free (model);
}

VlModel *
vl_model_ref (VlModel *model)
{
  g_atomic_ref_count_inc (&model->ref_count);
  return model;
}

static gboolean
is_value (gpointer key, gpointer value, gpointer wanted)
{
  return value == wanted;
}

/* The lock keeps a load from finding a model on its way out. */
void
vl_model_unref (VlModel *model)
{
  gboolean last;

  g_return_if_fail (model != NULL);

  g_rec_mutex_lock (&loaded_lock);
  last = g_atomic_ref_count_dec (&model->ref_count);
  if (last && loaded != NULL)
    g_hash_table_foreach_remove (loaded, is_value, model);
  g_rec_mutex_unlock (&loaded_lock);
  if (last)
    model_free (model);
}

unsigned
vl_model_grid_width (const VlModel *model)
{
  return vl_vae_grid (model->input.width, model->input.stride);
}

unsigned
vl_model_grid_height (const VlModel *model)
{
  return vl_vae_grid (model->input.height, model->input.stride);
}

static float
axis_position (unsigned i, unsigned n)
{
  return n > 1 ? 2.0f * i / (n - 1) - 1 : 0;
}

void
vl_model_tile_position (const VlModel *model, unsigned tile, float position[2])
{
  const unsigned GX = vl_model_grid_width (model);

  position[0] = axis_position (tile % GX, GX);
  position[1] = axis_position (tile / GX, vl_model_grid_height (model));
}

unsigned
vl_model_n_tiles (const VlModel *model)
{
  return vl_model_grid_width (model) * vl_model_grid_height (model);
}

static gboolean
is_side (unsigned n)
{
  return n >= VL_WINDOW && n <= VL_MODEL_MAX_SIDE;
}

static gboolean
is_rate_part (unsigned n)
{
  return n > 0 && n <= VL_MODEL_MAX_RATE;
}

gboolean
vl_input_is_valid (const VlInput *input, unsigned vae_width)
{
  return is_side (input->width) && is_side (input->height) &&
         input->stride > 0 && input->stride <= VL_MODEL_MAX_SIDE &&
         input->stride % VL_VAE_STEP == 0 && is_rate_part (input->rate_n) &&
         is_rate_part (input->rate_d) &&
         (guint64)input->width * input->height * vae_width <= VL_MODEL_MAX_WORK;
}

unsigned
vl_input_bytes_per_pixel (const VlInput *input)
{
  return input->kind == VL_INPUT_RGB ? BYTES_RGB : BYTES_MOTION;
}

double
vl_input_rate (const VlInput *input)
{
  return (double)input->rate_n / input->rate_d;
}

static guint
hash_id (gconstpointer key)
{
  const VlFileId *id = key;

  return g_int64_hash (&id->inode) ^ g_int64_hash (&id->mtime_ns);
}

static gboolean
equal_id (gconstpointer a, gconstpointer b)
{
  const VlFileId *x = a, *y = b;

  return x->device == y->device && x->inode == y->inode && x->size == y->size &&
         x->mtime == y->mtime && x->mtime_ns == y->mtime_ns;
}

/* The model of an open file, new or in use. Under loaded_lock. */
static VlModel *
find_or_read (VlTensorFile *file, GError **error)
{
  const VlFileId id = vl_tensor_file_id (file);
  VlModel *model;

  if (loaded == NULL)
    loaded = g_hash_table_new_full (hash_id, equal_id, g_free, NULL);
  model = g_hash_table_lookup (loaded, &id);
  if (model != NULL)
    return vl_model_ref (model);

  model = vl_model_read (file, error);
  if (model != NULL)
    g_hash_table_insert (loaded, g_memdup2 (&id, sizeof id), model);
  return model;
}

VlModel *
vl_model_load (const char *path, GError **error)
{
  GError *cause = NULL;
  g_autoptr (VlTensorFile) file = vl_tensor_file_open (path, &cause);
  VlModel *model;

  if (file == NULL) {
    vl_model_take_error (error, cause);
    return NULL;
  }
  g_rec_mutex_lock (&loaded_lock);
  model = find_or_read (file, error);
  g_rec_mutex_unlock (&loaded_lock);
  return model;
}
