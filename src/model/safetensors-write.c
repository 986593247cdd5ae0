/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"

#define ALIGNMENT 8 /* of the data, so that they can be used where mapped */
#define CHUNK 16384 /* numbers converted to little-endian at a time */

typedef struct {
  char *name;
  const float *data; /* borrowed */
  unsigned n_dims;
  guint64 shape[VL_MAX_DIMS];
  gsize n; /* numbers */
} Tensor;

struct VlTensorWriter {
  GPtrArray *tensors; /* Tensor, as added */
  GHashTable *metadata;
  GChecksum *checksum; /* of what is being written, or was */
  gboolean saved;
};

static void
tensor_free (gpointer data)
{
  Tensor *tensor = data;

  g_free (tensor->name);
  g_free (tensor);
}

VlTensorWriter *
vl_tensor_writer_new (void)
{
  VlTensorWriter *writer = g_new0 (VlTensorWriter, 1);

  writer->tensors = g_ptr_array_new_with_free_func (tensor_free);
  writer->metadata =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  writer->checksum = g_checksum_new (G_CHECKSUM_SHA256);
  return writer;
}

void
vl_tensor_writer_free (VlTensorWriter *writer)
{
  if (writer == NULL)
    return;
  g_checksum_free (writer->checksum);
  g_hash_table_unref (writer->metadata);
  g_ptr_array_unref (writer->tensors);
  g_free (writer);
}

void
vl_tensor_writer_metadata (
    VlTensorWriter *writer, const char *key, const char *value)
{
  g_hash_table_insert (writer->metadata, g_utf8_make_valid (key, -1),
      g_utf8_make_valid (value, -1));
}

void
vl_tensor_writer_add (VlTensorWriter *writer, const char *name,
    const float *data, unsigned n_dims, const guint64 *shape)
{
  Tensor *tensor;

  g_return_if_fail (n_dims <= VL_MAX_DIMS);
  g_return_if_fail (writer->tensors->len < VL_TENSOR_FILE_MAX_TENSORS);

  tensor = g_new0 (Tensor, 1);
  tensor->name = g_strdup (name);
  tensor->data = data;
  tensor->n_dims = n_dims;
  tensor->n = 1;
  for (unsigned i = 0; i < n_dims; i++) {
    tensor->shape[i] = shape[i];
    tensor->n *= shape[i];
  }
  g_ptr_array_add (writer->tensors, tensor);
}

const char *
vl_tensor_writer_checksum (const VlTensorWriter *writer)
{
  return writer->saved ? g_checksum_get_string (writer->checksum) : NULL;
}

/* Hands on the tensors' numbers in little-endian order, chunk by chunk, until
 * func returns FALSE. Returns whether it never did. */
static gboolean
each_chunk (const VlTensorWriter *writer,
    gboolean (*func) (gpointer context, gconstpointer bytes, gsize n),
    gpointer context)
{
  g_autofree guint32 *chunk = g_new (guint32, CHUNK);

  for (guint t = 0; t < writer->tensors->len; t++) {
    const Tensor *tensor = g_ptr_array_index (writer->tensors, t);

    for (gsize i = 0; i < tensor->n; i += CHUNK) {
      const gsize n = MIN (tensor->n - i, CHUNK);

      memcpy (chunk, tensor->data + i, n * sizeof *chunk);
      for (gsize j = 0; j < n; j++)
        chunk[j] = GUINT32_TO_LE (chunk[j]);
      if (!func (context, chunk, n * sizeof *chunk))
        return FALSE;
    }
  }
  return TRUE;
}

static gboolean
update_digest (gpointer digest, gconstpointer bytes, gsize n)
{
  g_checksum_update (digest, bytes, n);
  return TRUE;
}

/* Sets the key by which vl_tensor_file_verify() knows the data. */
static void
set_digest (VlTensorWriter *writer)
{
  g_autoptr (GChecksum) digest = g_checksum_new (G_CHECKSUM_SHA256);

  each_chunk (writer, update_digest, digest);
  vl_tensor_writer_metadata (
      writer, VL_TENSOR_FILE_DIGEST, g_checksum_get_string (digest));
}

/* Adds "__metadata__", its keys sorted: the same content, the same file. */
static void
build_metadata (JsonBuilder *builder, GHashTable *metadata)
{
  GList *keys =
      g_list_sort (g_hash_table_get_keys (metadata), (GCompareFunc)g_strcmp0);

  json_builder_set_member_name (builder, "__metadata__");
  json_builder_begin_object (builder);
  for (GList *key = keys; key != NULL; key = key->next) {
    json_builder_set_member_name (builder, key->data);
    json_builder_add_string_value (
        builder, g_hash_table_lookup (metadata, key->data));
  }
  json_builder_end_object (builder);
  g_list_free (keys);
}

static void
build_tensor (JsonBuilder *builder, const Tensor *tensor, gsize begin)
{
  json_builder_set_member_name (builder, tensor->name);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "dtype");
  json_builder_add_string_value (builder, "F32");
  json_builder_set_member_name (builder, "shape");
  json_builder_begin_array (builder);
  for (unsigned i = 0; i < tensor->n_dims; i++)
    json_builder_add_int_value (builder, tensor->shape[i]);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "data_offsets");
  json_builder_begin_array (builder);
  json_builder_add_int_value (builder, begin);
  json_builder_add_int_value (builder, begin + tensor->n * sizeof (float));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

/* The header's text, padded with spaces to the alignment. */
static GString *
build_header (const VlTensorWriter *writer)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  GString *header;
  gsize begin = 0;

  json_builder_begin_object (builder);
  build_metadata (builder, writer->metadata);
  for (guint i = 0; i < writer->tensors->len; i++) {
    const Tensor *tensor = g_ptr_array_index (writer->tensors, i);

    build_tensor (builder, tensor, begin);
    begin += tensor->n * sizeof (float);
  }
  json_builder_end_object (builder);

  root = json_builder_get_root (builder);
  text = json_to_string (root, FALSE);
  header = g_string_new (text);
  while (header->len % ALIGNMENT != 0)
    g_string_append_c (header, ' ');
  return header;
}

typedef struct {
  int fd;
  GChecksum *checksum; /* of the bytes written */
} Output;

/* Writes all bytes; FALSE with errno set on failure. */
static gboolean
write_all (gpointer context, gconstpointer data, gsize n)
{
  Output *output = context;
  const guint8 *bytes = data;

  g_checksum_update (output->checksum, bytes, n);
  while (n > 0) {
    gssize written = write (output->fd, bytes, n);

    if (written < 0 && errno != EINTR)
      return FALSE;
    if (written > 0) {
      bytes += written;
      n -= written;
    }
  }
  return TRUE;
}

static gboolean
write_header (const VlTensorWriter *writer, Output *output)
{
  GString *header = build_header (writer);
  guint64 n = GUINT64_TO_LE ((guint64)header->len);
  gboolean ok = FALSE;

  if (header->len > VL_TENSOR_FILE_MAX_HEADER)
    errno = EFBIG;
  else
    ok = write_all (output, &n, sizeof n) &&
         write_all (output, header->str, header->len);
  g_string_free (header, TRUE);
  return ok;
}

static gboolean
write_file (VlTensorWriter *writer, int fd)
{
  Output output = {fd, writer->checksum};

  g_checksum_reset (writer->checksum);
  set_digest (writer);
  return write_header (writer, &output) &&
         each_chunk (writer, write_all, &output) && fsync (fd) == 0;
}

/* Makes the renaming last through a power cut. The file is whole and in place
 * either way, so that a file system that cannot do it is no failure. */
static void
sync_directory (const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  int fd = g_open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

  if (fd < 0)
    return;
  (void)fsync (fd);
  g_close (fd, NULL);
}

/* A device or a pipe would be replaced by the file, not written to. */
static gboolean
is_replaceable (const char *path)
{
  struct stat st;

  return g_stat (path, &st) != 0 || S_ISREG (st.st_mode);
}

static gboolean
set_error (GError **error, const char *path, const char *cause)
{
  g_set_error (error, VL_TENSOR_FILE_ERROR, VL_TENSOR_FILE_ERROR_WRITE,
      "%s: cannot be written: %s", path, cause);
  return FALSE;
}

gboolean
vl_tensor_writer_save (VlTensorWriter *writer, const char *path, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  gboolean ok;
  int fd, cause;

  writer->saved = FALSE;
  if (!is_replaceable (path))
    return set_error (error, path, "not a regular file");
  fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0666);
  if (fd < 0)
    return set_error (error, path, g_strerror (errno));

  ok = write_file (writer, fd);
  cause = errno;
  if (close (fd) != 0 && ok) {
    ok = FALSE;
    cause = errno;
  }
  if (ok && g_rename (temporary, path) != 0) {
    ok = FALSE;
    cause = errno;
  }
  if (!ok) {
    g_unlink (temporary);
    return set_error (error, path, g_strerror (cause));
  }
  sync_directory (path);
  writer->saved = TRUE;
  return TRUE;
}
