/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stages.h"

#include "safetensors.h"

#include <math.h>
#include <string.h>

static void
hash_spans (GChecksum *hash, const GArray *spans)
{
  for (guint i = 0; i < spans->len; i++) {
    const VlSpan *span = &g_array_index (spans, VlSpan, i);
    const guint frames[] = {span->begin, (span->begin + span->end) / 2};

    g_checksum_update (hash, (const guchar *)&span->begin, sizeof (guint));
    g_checksum_update (hash, (const guchar *)&span->end, sizeof (guint));
    for (guint f = 0; f < G_N_ELEMENTS (frames); f++)
      g_checksum_update (hash,
          vl_frame_store_get (span->store, span->clip, frames[f]),
          vl_frame_store_picture_size (span->store));
  }
}

/* Tells footage from other footage, by two pictures of each clip. */
static char *
hash_footage (const VlTraining *training)
{
  g_autoptr (GChecksum) hash = g_checksum_new (G_CHECKSUM_MD5);

  hash_spans (hash, training->pictures);
  hash_spans (hash, training->held_out);
  return g_strndup (g_checksum_get_string (hash), 8);
}

/* What must agree for a checkpoint to be of use: everything that the bits of
 * the result depend on. */
static char *
fingerprint (const VlTraining *training)
{
  const VlTrainOptions *o = &training->options;
  g_autofree char *footage = hash_footage (training);

  return g_strdup_printf (
      "%ux%u stride %u input %d rate %u/%u latent %u width %u loss %d sigma "
      "%g beta %g base %d light %g steps %u+%u minutes %g seed %u threads %u "
      "footage %s",
      o->input.width, o->input.height, o->input.stride, (int)o->input.kind,
      o->input.rate_n, o->input.rate_d, o->Z, o->width, (int)o->loss.kind,
      o->loss.sigma, o->loss.beta, training->from_base, o->light, o->vae_steps,
      o->lstm_steps, o->minutes, o->seed, o->threads, footage);
}

/* The arenas, in one table for both directions. */
typedef struct {
  const char *name;
  float *data;
  gsize n;
} Arena;

#define N_ARENAS 7

static void
list_arenas (VlTraining *t, Arena arenas[N_ARENAS])
{
  const Arena all[N_ARENAS] = {{"vae.params", t->vae.params, t->vae.n},
      {"vae.m", t->vae.m, t->vae.n}, {"vae.v", t->vae.v, t->vae.n},
      {"rnn.params", t->rnn.params, t->rnn.n}, {"rnn.m", t->rnn.m, t->rnn.n},
      {"rnn.v", t->rnn.v, t->rnn.n}, {"rnn.best", t->best_rnn, t->rnn.n}};

  memcpy (arenas, all, sizeof all);
}

/* The running losses, likewise. */
typedef struct {
  const char *name;
  double *value;
} Number;

#define N_NUMBERS 5

static void
list_numbers (VlTraining *t, Number numbers[N_NUMBERS])
{
  const Number all[N_NUMBERS] = {{"recon", &t->summary->recon},
      {"squared_error", &t->summary->squared_error}, {"kld", &t->summary->kld},
      {"nll_fit", &t->summary->nll_fit}, {"best_nll", &t->best_nll}};

  memcpy (numbers, all, sizeof all);
}

static void
set_number (VlTensorWriter *writer, const char *key, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  vl_tensor_writer_metadata (
      writer, key, g_ascii_dtostr (text, sizeof text, value));
}

static double
get_number (const VlTensorFile *file, const char *key)
{
  const char *text = vl_tensor_file_metadata (file, key);

  return text ? g_ascii_strtod (text, NULL) : 0;
}

gboolean
vl_checkpoint_save (VlTraining *training, GError **error)
{
  g_autoptr (VlTensorWriter) writer = vl_tensor_writer_new ();
  g_autofree char *options = fingerprint (training);
  Arena arenas[N_ARENAS];
  Number numbers[N_NUMBERS];

  list_arenas (training, arenas);
  list_numbers (training, numbers);
  for (guint i = 0; i < N_ARENAS; i++)
    vl_tensor_writer_add (
        writer, arenas[i].name, arenas[i].data, 1, (guint64[]){arenas[i].n});
  vl_tensor_writer_metadata (writer, "format", "vaelstm-checkpoint");
  vl_tensor_writer_metadata (writer, "options", options);
  set_number (writer, "vae.step", training->vae.step);
  set_number (writer, "vae.steps", training->vae_steps);
  set_number (writer, "rnn.step", training->rnn.step);
  set_number (writer, "rnn.steps", training->lstm_steps);
  for (guint i = 0; i < N_NUMBERS; i++)
    set_number (writer, numbers[i].name, *numbers[i].value);
  training->checkpoint_time = g_get_monotonic_time ();
  return vl_tensor_writer_save (writer, training->checkpoint, error);
}

static gboolean
check_options (
    const VlTraining *training, const VlTensorFile *file, GError **error)
{
  g_autofree char *ours = fingerprint (training);
  const char *theirs = vl_tensor_file_metadata (file, "options");

  if (theirs && !strcmp (ours, theirs))
    return TRUE;
  g_set_error (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_CHECKPOINT,
      "%s: made with other options or videos (%s), expected %s",
      training->checkpoint, theirs ? theirs : "none recorded", ours);
  return FALSE;
}

gboolean
vl_checkpoint_load (VlTraining *training, GError **error)
{
  g_autoptr (VlTensorFile) file =
      vl_tensor_file_open (training->checkpoint, error);
  Arena arenas[N_ARENAS];
  Number numbers[N_NUMBERS];

  if (!file || !check_options (training, file, error))
    return FALSE;
  list_arenas (training, arenas);
  list_numbers (training, numbers);
  for (guint i = 0; i < N_ARENAS; i++) {
    const float *data = vl_tensor_file_expect (
        file, arenas[i].name, 1, (guint64[]){arenas[i].n}, error);
    if (!data)
      return FALSE;
    memcpy (arenas[i].data, data, arenas[i].n * sizeof *data);
  }
  training->vae.step = (guint)get_number (file, "vae.step");
  training->rnn.step = (guint)get_number (file, "rnn.step");
  for (guint i = 0; i < N_NUMBERS; i++)
    *numbers[i].value = get_number (file, numbers[i].name);
  if (training->options.minutes > 0) {
    training->vae_steps = (guint)get_number (file, "vae.steps");
    training->lstm_steps = (guint)get_number (file, "rnn.steps");
  }
  return TRUE;
}
