/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "reservoir.h"

typedef struct {
  guint64 number;                       /* in the stream, counting chunks */
  guint n;                              /* pictures in it */
  gboolean follows[VL_RESERVOIR_CHUNK]; /* whether each follows the one before
                                           it in the stream */
  guint8 *pictures;                     /* (VL_RESERVOIR_CHUNK,picture_size) */
} Chunk;

struct VlReservoir {
  gsize picture_size;
  guint capacity;    /* chunks */
  GPtrArray *chunks; /* Chunk, the sample */
  GRand *random;
  guint64 n_begun;      /* chunks of the stream so far */
  guint n_in_chunk;     /* pictures of the newest one so far */
  Chunk *newest;        /* NULL when it is not one of the sample */
  gboolean interrupted; /* since the last picture */
};

static void
chunk_free (gpointer data)
{
  Chunk *chunk = data;

  g_free (chunk->pictures);
  g_free (chunk);
}

VlReservoir *
vl_reservoir_new (gsize picture_size, gsize max_bytes, guint seed)
{
  VlReservoir *reservoir = g_new0 (VlReservoir, 1);

  reservoir->picture_size = picture_size;
  reservoir->capacity =
      (guint)MAX (max_bytes / (VL_RESERVOIR_CHUNK * picture_size), 1);
  reservoir->chunks = g_ptr_array_new_with_free_func (chunk_free);
  reservoir->random = g_rand_new_with_seed (seed);
  reservoir->interrupted = TRUE;
  return reservoir;
}

void
vl_reservoir_free (VlReservoir *reservoir)
{
  if (reservoir == NULL)
    return;
  g_ptr_array_unref (reservoir->chunks);
  g_rand_free (reservoir->random);
  g_free (reservoir);
}

void
vl_reservoir_interrupt (VlReservoir *reservoir)
{
  reservoir->interrupted = TRUE;
}

static Chunk *
add_chunk (VlReservoir *reservoir)
{
  Chunk *chunk = g_new0 (Chunk, 1);

  chunk->pictures = g_malloc (VL_RESERVOIR_CHUNK * reservoir->picture_size);
  g_ptr_array_add (reservoir->chunks, chunk);
  return chunk;
}

/* Chunk number i, counted from 0, takes the place of a random one of those
 * before it with probability capacity / (i + 1). */
static Chunk *
choose_chunk (VlReservoir *reservoir)
{
  guint64 place;

  if (reservoir->chunks->len < reservoir->capacity)
    return add_chunk (reservoir);
  place =
      (guint64)(g_rand_double (reservoir->random) * (reservoir->n_begun + 1));
  return place < reservoir->capacity
             ? g_ptr_array_index (reservoir->chunks, place)
             : NULL;
}

static void
begin_chunk (VlReservoir *reservoir)
{
  Chunk *chunk = choose_chunk (reservoir);

  if (chunk != NULL) {
    chunk->number = reservoir->n_begun;
    chunk->n = 0;
  }
  reservoir->newest = chunk;
  reservoir->n_begun++;
}

guint8 *
vl_reservoir_append (VlReservoir *reservoir)
{
  const gboolean follows = !reservoir->interrupted;
  Chunk *chunk;

  if (reservoir->n_in_chunk == 0)
    begin_chunk (reservoir);
  reservoir->n_in_chunk = (reservoir->n_in_chunk + 1) % VL_RESERVOIR_CHUNK;
  reservoir->interrupted = FALSE;

  chunk = reservoir->newest;
  if (chunk == NULL)
    return NULL;
  chunk->follows[chunk->n] = follows;
  return chunk->pictures + chunk->n++ * reservoir->picture_size;
}

static gint
compare_numbers (gconstpointer a, gconstpointer b)
{
  const Chunk *const *x = a, *const *y = b;

  return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

/* Whether picture i of chunk c, the chunks being in time order, has none before
 * it. */
static gboolean
begins_clip (const VlReservoir *reservoir, guint c, guint i)
{
  const Chunk *chunk = g_ptr_array_index (reservoir->chunks, c);
  const Chunk *last =
      c > 0 ? g_ptr_array_index (reservoir->chunks, c - 1) : NULL;

  if (!chunk->follows[i])
    return TRUE;
  return i == 0 && (last == NULL || last->number + 1 != chunk->number);
}

GArray *
vl_reservoir_clips (VlReservoir *reservoir)
{
  GArray *lengths = g_array_new (FALSE, TRUE, sizeof (guint));

  g_ptr_array_sort (reservoir->chunks, compare_numbers);
  for (guint c = 0; c < reservoir->chunks->len; c++) {
    const Chunk *chunk = g_ptr_array_index (reservoir->chunks, c);
    for (guint i = 0; i < chunk->n; i++) {
      if (begins_clip (reservoir, c, i))
        g_array_set_size (lengths, lengths->len + 1);
      g_array_index (lengths, guint, lengths->len - 1)++;
    }
  }
  return lengths;
}

static gboolean
move_chunk (VlReservoir *reservoir, guint c, VlFrameStore *store,
    GCancellable *cancellable, GError **error)
{
  Chunk *chunk = g_ptr_array_index (reservoir->chunks, c);

  for (guint i = 0; i < chunk->n; i++) {
    if (begins_clip (reservoir, c, i))
      vl_frame_store_begin_clip (store);
    if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
        !vl_frame_store_append (
            store, chunk->pictures + i * reservoir->picture_size, error))
      return FALSE;
  }
  g_clear_pointer (&chunk->pictures, g_free);
  return TRUE;
}

static void
empty (VlReservoir *reservoir)
{
  g_ptr_array_set_size (reservoir->chunks, 0);
  reservoir->newest = NULL;
  reservoir->n_begun = reservoir->n_in_chunk = 0;
  reservoir->interrupted = TRUE;
}

VlFrameStore *
vl_reservoir_move (
    VlReservoir *reservoir, GCancellable *cancellable, GError **error)
{
  g_autoptr (VlFrameStore) store =
      vl_frame_store_new (reservoir->picture_size, error);
  gboolean moved = store != NULL;

  g_ptr_array_sort (reservoir->chunks, compare_numbers);
  for (guint c = 0; moved && c < reservoir->chunks->len; c++)
    moved = move_chunk (reservoir, c, store, cancellable, error);
  empty (reservoir);
  return moved && vl_frame_store_finish (store, error)
             ? g_steal_pointer (&store)
             : NULL;
}
