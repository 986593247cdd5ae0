/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Stands in for a fuzzing engine: gives a target the files of a corpus, and
 * each of them changed in many ways that are the same at every run.
 *
 *   replay DIRECTORY ROUNDS */

#include <glib.h>
#include <string.h>

#include "fuzz.h"

#define MAX_CHANGES 4
#define HEADER 4096 /* bytes at the start, where most changes are worth it */

static gsize
pick (GRand *rand, gsize n)
{
  return n == 0 ? 0 : g_rand_int (rand) % n;
}

/* One change: a bit, a byte of those that make up JSON, a run copied from
 * elsewhere, or what follows cut off. */
static void
change (GRand *rand, GByteArray *bytes)
{
  static const char alphabet[] = "0123456789-.eE{}[],:\"\\ntf/ ";
  const gsize span = pick (rand, 8) ? MIN (bytes->len, HEADER) : bytes->len;
  const gsize at = pick (rand, span), from = pick (rand, span);
  const gsize run = pick (rand, 32);

  if (bytes->len == 0)
    return;
  switch (pick (rand, 8)) {
  case 0:
    bytes->data[at] ^= 1 << pick (rand, 8);
    break;
  case 1:
    memmove (bytes->data + at, bytes->data + from,
        MIN (run, bytes->len - MAX (at, from)));
    break;
  case 2:
    g_byte_array_set_size (bytes, at);
    break;
  case 3:
    g_byte_array_remove_range (bytes, at, MIN (run, bytes->len - at));
    break;
  default:
    bytes->data[at] = alphabet[pick (rand, sizeof alphabet - 1)];
  }
}

static void
replay (const char *path, guint rounds)
{
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  GRand *rand = g_rand_new_with_seed (1);
  gsize n;

  if (!g_file_get_contents (path, &contents, &n, &error))
    g_error ("%s", error->message);
  LLVMFuzzerTestOneInput ((const uint8_t *)contents, n);
  for (guint i = 0; i < rounds; i++) {
    GByteArray *bytes = g_byte_array_sized_new (n);

    g_byte_array_append (bytes, (const guint8 *)contents, n);
    for (gsize left = 1 + pick (rand, MAX_CHANGES); left > 0; left--)
      change (rand, bytes);
    LLVMFuzzerTestOneInput (bytes->data, bytes->len);
    g_byte_array_unref (bytes);
  }
  g_rand_free (rand);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) directory = NULL;
  const char *name;
  guint n_files = 0;

  g_log_set_always_fatal (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL);
  if (argc != 3)
    g_error ("usage: replay DIRECTORY ROUNDS");
  directory = g_dir_open (argv[1], 0, &error);
  if (directory == NULL)
    g_error ("%s", error->message);
  while ((name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *path = g_build_filename (argv[1], name, NULL);

    replay (path, g_ascii_strtoull (argv[2], NULL, 10));
    n_files++;
  }
  g_print ("%u files replayed\n", n_files);
  return n_files == 0;
}
