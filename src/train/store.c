/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct VlFrameStore {
  gsize picture_size;
  int fd;
  GArray *clips; /* guint: first frame of each clip */
  guint n_frames;
  guint8 *map; /* NULL before finish, and when there is no frame */
};

static gboolean
fail (GError **error, const char *what)
{
  const int code = errno;

  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (code),
      "%s: cannot %s the temporary file of training frames: %s (TMPDIR chooses "
      "another directory)",
      g_get_tmp_dir (), what, g_strerror (code));
  return FALSE;
}

VlFrameStore *
vl_frame_store_new (gsize picture_size, GError **error)
{
  g_autofree char *path =
      g_build_filename (g_get_tmp_dir (), "vaelstm-frames-XXXXXX", NULL);
  VlFrameStore *store;
  const int fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);

  if (fd < 0) {
    fail (error, "create");
    return NULL;
  }
  g_unlink (path);
  store = g_new0 (VlFrameStore, 1);
  store->picture_size = picture_size;
  store->fd = fd;
  store->clips = g_array_new (FALSE, FALSE, sizeof (guint));
  return store;
}

gboolean
vl_frame_store_check (GError **error)
{
  g_autoptr (VlFrameStore) store = vl_frame_store_new (1, error);

  return store != NULL;
}

void
vl_frame_store_free (VlFrameStore *store)
{
  if (!store)
    return;
  if (store->map)
    munmap (store->map, store->n_frames * store->picture_size);
  close (store->fd);
  g_array_unref (store->clips);
  g_free (store);
}

void
vl_frame_store_begin_clip (VlFrameStore *store)
{
  g_array_append_val (store->clips, store->n_frames);
}

gboolean
vl_frame_store_append (
    VlFrameStore *store, const guint8 *picture, GError **error)
{
  gsize written = 0;

  while (written < store->picture_size) {
    const ssize_t n =
        write (store->fd, picture + written, store->picture_size - written);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return fail (error, "write");
    written += n;
  }
  store->n_frames++;
  return TRUE;
}

gboolean
vl_frame_store_finish (VlFrameStore *store, GError **error)
{
  void *map;

  if (store->n_frames == 0)
    return TRUE;
  map = mmap (NULL, store->n_frames * store->picture_size, PROT_READ,
      MAP_SHARED, store->fd, 0);
  if (map == MAP_FAILED)
    return fail (error, "map");
  store->map = map;
  return TRUE;
}

gsize
vl_frame_store_picture_size (const VlFrameStore *store)
{
  return store->picture_size;
}

guint
vl_frame_store_n_clips (const VlFrameStore *store)
{
  return store->clips->len;
}

static guint
clip_begin (const VlFrameStore *store, guint clip)
{
  return clip < store->clips->len ? g_array_index (store->clips, guint, clip)
                                  : store->n_frames;
}

guint
vl_frame_store_clip_length (const VlFrameStore *store, guint clip)
{
  return clip_begin (store, clip + 1) - clip_begin (store, clip);
}

guint
vl_frame_store_n_frames (const VlFrameStore *store)
{
  return store->n_frames;
}

const guint8 *
vl_frame_store_get (const VlFrameStore *store, guint clip, guint frame)
{
  return store->map +
         (gsize)(clip_begin (store, clip) + frame) * store->picture_size;
}
