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

#include "json.h"

#define PREFIX 8 /* bytes of the header's length */

typedef struct {
  const char *name; /* of the data type */
  gsize size;       /* bytes per number */
} DataType;

/* The format's types; only F32 and F64 are read. */
static const DataType data_types[] = {{"F32", 4}, {"F64", 8}, {"F16", 2},
    {"BF16", 2}, {"BOOL", 1}, {"U8", 1}, {"I8", 1}, {"U16", 2}, {"I16", 2},
    {"U32", 4}, {"I32", 4}, {"U64", 8}, {"I64", 8}, {"F8_E4M3", 1},
    {"F8_E5M2", 1}};

#define F32 (&data_types[0])
#define F64 (&data_types[1])

typedef struct {
  char *name;
  const DataType *type;
  unsigned n_dims;
  guint64 shape[VL_MAX_DIMS];
  gsize n;            /* numbers */
  guint64 begin, end; /* bytes from the start of the data */
  float *converted;   /* where the mapped bytes cannot serve as floats */
} Tensor;

struct VlTensorFile {
  char *path;
  VlFileId id;
  GBytes *contents;
  const guint8 *bytes, *data; /* the file; its data, after the header */
  gsize n_bytes, n_data;
  GPtrArray *tensors;  /* Tensor, in the order of their data */
  GHashTable *by_name; /* name -> Tensor, neither owned */
  GHashTable *metadata;
};

G_DEFINE_QUARK (vl_tensor_file_error, vl_tensor_file_error)

static gboolean set_error (GError **error, const VlTensorFile *file,
    VlTensorFileError code, const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Prefixes the file's name; returns FALSE. */
static gboolean
set_error (GError **error, const VlTensorFile *file, VlTensorFileError code,
    const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (
      error, VL_TENSOR_FILE_ERROR, code, "%s: %s", file->path, message);
  return FALSE;
}

static void
tensor_free (gpointer data)
{
  Tensor *tensor = data;

  g_free (tensor->name);
  g_free (tensor->converted);
  g_free (tensor);
}

/* Opens without waiting for anything a path may lead to but a file. */
static gboolean
map_file (VlTensorFile *file, GError **error)
{
  g_autoptr (GMappedFile) map = NULL;
  g_autoptr (GError) cause = NULL;
  struct stat st;
  int fd = g_open (file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);

  if (fd < 0)
    return set_error (error, file, VL_TENSOR_FILE_ERROR_READ,
        "cannot be opened: %s", g_strerror (errno));

  if (fstat (fd, &st) == 0 && S_ISREG (st.st_mode)) {
    file->id = (VlFileId){st.st_dev, st.st_ino, st.st_size, st.st_mtim.tv_sec,
        st.st_mtim.tv_nsec};
    map = g_mapped_file_new_from_fd (fd, FALSE, &cause);
  }
  g_close (fd, NULL);
  if (map == NULL)
    return set_error (error, file, VL_TENSOR_FILE_ERROR_READ, "%s",
        cause ? cause->message : "is not a regular file");

  file->contents = g_mapped_file_get_bytes (map);
  return TRUE;
}

/* Finds the header's length and where the data begin. */
static gboolean
measure_header (VlTensorFile *file, gsize *n_header, GError **error)
{
  guint64 n;

  if (file->n_bytes < PREFIX)
    return set_error (error, file, VL_TENSOR_FILE_ERROR_TRUNCATED,
        "is %" G_GSIZE_FORMAT " bytes long, expected a safetensors file",
        file->n_bytes);
  memcpy (&n, file->bytes, sizeof n);
  n = GUINT64_FROM_LE (n);
  if (n > VL_TENSOR_FILE_MAX_HEADER)
    return set_error (error, file, VL_TENSOR_FILE_ERROR_FORMAT,
        "is not a safetensors file, or its header exceeds %d bytes",
        VL_TENSOR_FILE_MAX_HEADER);
  if (n > file->n_bytes - PREFIX)
    return set_error (error, file, VL_TENSOR_FILE_ERROR_TRUNCATED,
        "is %" G_GSIZE_FORMAT
        " bytes long, expected a header of %" G_GUINT64_FORMAT,
        file->n_bytes, n);
  *n_header = n;
  file->data = file->bytes + PREFIX + n;
  file->n_data = file->n_bytes - PREFIX - n;
  return TRUE;
}

/* Reads a member that is an array of at most max whole numbers >= 0. */
static gboolean
read_numbers (guint64 *numbers, unsigned *n, unsigned max, JsonObject *object,
    const char *member)
{
  JsonNode *node = json_object_get_member (object, member);
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  array = json_node_get_array (node);
  *n = json_array_get_length (array);
  if (*n > max)
    return FALSE;
  for (unsigned i = 0; i < *n; i++) {
    JsonNode *element = json_array_get_element (array, i);

    if (json_node_get_value_type (element) != G_TYPE_INT64 ||
        json_node_get_int (element) < 0)
      return FALSE;
    numbers[i] = json_node_get_int (element);
  }
  return TRUE;
}

static const DataType *
find_type (JsonObject *object)
{
  const char *name = vl_json_get_string (object, "dtype");

  for (unsigned i = 0; name != NULL && i < G_N_ELEMENTS (data_types); i++) {
    if (g_str_equal (name, data_types[i].name))
      return &data_types[i];
  }
  return NULL;
}

/* Numbers in a tensor; FALSE when there are too many to count. */
static gboolean
count_numbers (gsize *n, const guint64 *shape, unsigned n_dims)
{
  *n = 1;
  for (unsigned i = 0; i < n_dims; i++) {
    if (shape[i] > G_MAXSIZE || !g_size_checked_mul (n, *n, shape[i]))
      return FALSE;
  }
  return TRUE;
}

/* Fills in a tensor from its entry in the header. */
static gboolean
read_tensor (Tensor *tensor, JsonNode *entry)
{
  guint64 offsets[2];
  unsigned n_offsets;
  gsize n_bytes;
  JsonObject *object;

  if (!JSON_NODE_HOLDS_OBJECT (entry))
    return FALSE;
  object = json_node_get_object (entry);
  tensor->type = find_type (object);
  if (tensor->type == NULL ||
      !read_numbers (
          tensor->shape, &tensor->n_dims, VL_MAX_DIMS, object, "shape") ||
      !read_numbers (offsets, &n_offsets, 2, object, "data_offsets"))
    return FALSE;
  if (n_offsets != 2 || offsets[0] > offsets[1])
    return FALSE;
  tensor->begin = offsets[0];
  tensor->end = offsets[1];
  return count_numbers (&tensor->n, tensor->shape, tensor->n_dims) &&
         g_size_checked_mul (&n_bytes, tensor->n, tensor->type->size) &&
         n_bytes == tensor->end - tensor->begin;
}

static gboolean
read_metadata (VlTensorFile *file, JsonNode *node)
{
  JsonObjectIter iter;
  const char *key;
  JsonNode *value;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &key, &value)) {
    if (json_node_get_value_type (value) != G_TYPE_STRING)
      return FALSE;
    g_hash_table_insert (
        file->metadata, g_strdup (key), json_node_dup_string (value));
  }
  return TRUE;
}

static gboolean
read_header (VlTensorFile *file, JsonObject *header, GError **error)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *entry;

  json_object_iter_init (&iter, header);
  while (json_object_iter_next (&iter, &name, &entry)) {
    Tensor *tensor;

    if (g_str_equal (name, "__metadata__")) {
      if (!read_metadata (file, entry))
        return set_error (error, file, VL_TENSOR_FILE_ERROR_FORMAT,
            "__metadata__ is not a map of strings");
      continue;
    }
    if (file->tensors->len == VL_TENSOR_FILE_MAX_TENSORS)
      return set_error (error, file, VL_TENSOR_FILE_ERROR_FORMAT,
          "has more than %d tensors", VL_TENSOR_FILE_MAX_TENSORS);
    tensor = g_new0 (Tensor, 1);
    tensor->name = g_strdup (name);
    g_ptr_array_add (file->tensors, tensor);
    g_hash_table_insert (file->by_name, tensor->name, tensor);
    if (!read_tensor (tensor, entry))
      return set_error (error, file, VL_TENSOR_FILE_ERROR_FORMAT,
          "tensor %s is not described as safetensors has it", name);
  }
  return TRUE;
}

static gint
compare_place (gconstpointer a, gconstpointer b)
{
  const Tensor *x = *(Tensor *const *)a, *y = *(Tensor *const *)b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

/* The tensors fill the data, with no hole, overlap or rest. */
static gboolean
check_places (VlTensorFile *file, GError **error)
{
  guint64 end = 0;

  g_ptr_array_sort (file->tensors, compare_place);
  for (guint i = 0; i < file->tensors->len; i++) {
    const Tensor *tensor = g_ptr_array_index (file->tensors, i);

    if (tensor->begin != end)
      return set_error (error, file, VL_TENSOR_FILE_ERROR_FORMAT,
          "tensor %s begins at byte %" G_GUINT64_FORMAT
          " of the data, expected %" G_GUINT64_FORMAT,
          tensor->name, tensor->begin, end);
    end = tensor->end;
  }
  if (end != file->n_data)
    return set_error (error, file,
        end > file->n_data ? VL_TENSOR_FILE_ERROR_TRUNCATED
                           : VL_TENSOR_FILE_ERROR_FORMAT,
        "has %" G_GSIZE_FORMAT " bytes of data, expected %" G_GUINT64_FORMAT,
        file->n_data, end);
  return TRUE;
}

static gboolean
read_contents (VlTensorFile *file, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (JsonObject) header = NULL;
  gsize n_header = 0;

  file->bytes = g_bytes_get_data (file->contents, &file->n_bytes);
  if (!measure_header (file, &n_header, error))
    return FALSE;
  header = vl_json_parse_object (
      (const char *)file->bytes + PREFIX, n_header, &cause);
  if (header == NULL)
    return set_error (error, file, VL_TENSOR_FILE_ERROR_FORMAT,
        "is not a safetensors file: its header %s", cause->message);
  return read_header (file, header, error) && check_places (file, error);
}

/* A file of which nothing has been read yet. */
static VlTensorFile *
new_file (const char *path)
{
  VlTensorFile *file = g_new0 (VlTensorFile, 1);

  file->path = g_strdup (path);
  file->tensors = g_ptr_array_new_with_free_func (tensor_free);
  file->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  file->metadata =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return file;
}

VlTensorFile *
vl_tensor_file_open (const char *path, GError **error)
{
  g_autoptr (VlTensorFile) file = NULL;

  g_return_val_if_fail (path != NULL, NULL);

  file = new_file (path);
  return map_file (file, error) && read_contents (file, error)
             ? g_steal_pointer (&file)
             : NULL;
}

VlTensorFile *
vl_tensor_file_new_from_bytes (GBytes *bytes, const char *path, GError **error)
{
  g_autoptr (VlTensorFile) file = NULL;

  g_return_val_if_fail (bytes != NULL && path != NULL, NULL);

  file = new_file (path);
  file->contents = g_bytes_ref (bytes);
  return read_contents (file, error) ? g_steal_pointer (&file) : NULL;
}

void
vl_tensor_file_free (VlTensorFile *file)
{
  if (file == NULL)
    return;
  g_hash_table_unref (file->metadata);
  g_hash_table_unref (file->by_name);
  g_ptr_array_unref (file->tensors);
  g_clear_pointer (&file->contents, g_bytes_unref);
  g_free (file->path);
  g_free (file);
}

const char *
vl_tensor_file_path (const VlTensorFile *file)
{
  return file->path;
}

VlFileId
vl_tensor_file_id (const VlTensorFile *file)
{
  return file->id;
}

guint
vl_tensor_file_n_tensors (const VlTensorFile *file)
{
  return file->tensors->len;
}

const char *
vl_tensor_file_name (const VlTensorFile *file, guint index)
{
  const Tensor *tensor;

  g_return_val_if_fail (index < file->tensors->len, NULL);

  tensor = g_ptr_array_index (file->tensors, index);
  return tensor->name;
}

gboolean
vl_tensor_file_has (const VlTensorFile *file, const char *name)
{
  return g_hash_table_contains (file->by_name, name);
}

const char *
vl_tensor_file_metadata (const VlTensorFile *file, const char *key)
{
  return g_hash_table_lookup (file->metadata, key);
}

static float *
convert_f32 (const guint8 *bytes, gsize n)
{
  float *numbers = g_new (float, n + 1);

  for (gsize i = 0; i < n; i++) {
    guint32 bits;

    memcpy (&bits, bytes + i * sizeof bits, sizeof bits);
    bits = GUINT32_FROM_LE (bits);
    memcpy (&numbers[i], &bits, sizeof bits);
  }
  return numbers;
}

static float *
convert_f64 (const guint8 *bytes, gsize n)
{
  float *numbers = g_new (float, n + 1);

  for (gsize i = 0; i < n; i++) {
    guint64 bits;
    double number;

    memcpy (&bits, bytes + i * sizeof bits, sizeof bits);
    bits = GUINT64_FROM_LE (bits);
    memcpy (&number, &bits, sizeof bits);
    numbers[i] = (float)number;
  }
  return numbers;
}

const float *
vl_tensor_file_get (VlTensorFile *file, const char *name, unsigned *n_dims,
    guint64 shape[VL_MAX_DIMS], GError **error)
{
  Tensor *tensor = g_hash_table_lookup (file->by_name, name);
  const guint8 *bytes;

  if (tensor == NULL) {
    set_error (error, file, VL_TENSOR_FILE_ERROR_MISSING,
        "tensor %s is missing", name);
    return NULL;
  }
  if (tensor->type != F32 && tensor->type != F64) {
    set_error (error, file, VL_TENSOR_FILE_ERROR_TYPE,
        "tensor %s has type %s, expected F32 or F64", name, tensor->type->name);
    return NULL;
  }

  *n_dims = tensor->n_dims;
  memcpy (shape, tensor->shape, sizeof tensor->shape);
  bytes = file->data + tensor->begin;
  if (tensor->type == F32 && G_BYTE_ORDER == G_LITTLE_ENDIAN &&
      GPOINTER_TO_SIZE (bytes) % sizeof (float) == 0)
    return (const float *)bytes;
  if (tensor->converted == NULL)
    tensor->converted = tensor->type == F32 ? convert_f32 (bytes, tensor->n)
                                            : convert_f64 (bytes, tensor->n);
  return tensor->converted;
}

static gboolean
same_shape (unsigned n_a, const guint64 *a, unsigned n_b, const guint64 *b)
{
  if (n_a != n_b)
    return FALSE;
  for (unsigned i = 0; i < n_a; i++) {
    if (a[i] != b[i])
      return FALSE;
  }
  return TRUE;
}

/* "32x3x4x4"; free with g_free(). */
static char *
shape_text (unsigned n_dims, const guint64 *shape)
{
  GString *text = g_string_new (n_dims == 0 ? "()" : NULL);

  for (unsigned i = 0; i < n_dims; i++)
    g_string_append_printf (
        text, "%s%" G_GUINT64_FORMAT, i == 0 ? "" : "x", shape[i]);
  return g_string_free (text, FALSE);
}

const float *
vl_tensor_file_expect (VlTensorFile *file, const char *name, unsigned n_dims,
    const guint64 *shape, GError **error)
{
  g_autofree char *has = NULL, *expected = NULL;
  guint64 found[VL_MAX_DIMS];
  unsigned n_found;
  const float *data = vl_tensor_file_get (file, name, &n_found, found, error);

  if (data == NULL || same_shape (n_found, found, n_dims, shape))
    return data;

  has = shape_text (n_found, found);
  expected = shape_text (n_dims, shape);
  set_error (error, file, VL_TENSOR_FILE_ERROR_SHAPE,
      "tensor %s has shape %s, expected %s", name, has, expected);
  return NULL;
}

gboolean
vl_tensor_file_verify (const VlTensorFile *file, GError **error)
{
  const char *expected = vl_tensor_file_metadata (file, VL_TENSOR_FILE_DIGEST);
  g_autofree char *digest = NULL;

  if (expected == NULL)
    return TRUE;
  digest =
      g_compute_checksum_for_data (G_CHECKSUM_SHA256, file->data, file->n_data);
  if (g_str_equal (digest, expected))
    return TRUE;
  return set_error (error, file, VL_TENSOR_FILE_ERROR_DAMAGED,
      "is damaged: its data do not have the SHA-256 they were written with");
}

char *
vl_tensor_file_checksum (const VlTensorFile *file)
{
  return g_compute_checksum_for_data (
      G_CHECKSUM_SHA256, file->bytes, file->n_bytes);
}
