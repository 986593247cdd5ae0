/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads and writes safetensors files: named tensors and a map of strings.
 *
 *   header length   8 bytes, little-endian
 *   header          JSON: name -> { dtype, shape, data_offsets }, and
 *                   __metadata__: string -> string
 *   data            little-endian, row-major, one tensor after another
 *
 * Every size is checked when a file is opened, and no more is allocated than
 * the file has bytes. Messages are one line and begin with the file's name. */

#pragma once

#include <glib.h>

#define VL_MAX_DIMS 8

/* Limits of what is read: far above any model, low enough that a hostile file
 * costs neither much time nor much memory. */
#define VL_TENSOR_FILE_MAX_HEADER (1024 * 1024) /* bytes */
#define VL_TENSOR_FILE_MAX_TENSORS 1024

/* Key of __metadata__: SHA-256 of the data in hex. Set by the writer. */
#define VL_TENSOR_FILE_DIGEST "data_sha256"

typedef enum {
  VL_TENSOR_FILE_ERROR_READ,      /* cannot be opened, or is no regular file */
  VL_TENSOR_FILE_ERROR_TRUNCATED, /* shorter than its own header says */
  VL_TENSOR_FILE_ERROR_FORMAT,    /* not a safetensors file */
  VL_TENSOR_FILE_ERROR_MISSING,   /* has no tensor of that name */
  VL_TENSOR_FILE_ERROR_TYPE,      /* the tensor does not hold F32 or F64 */
  VL_TENSOR_FILE_ERROR_SHAPE,     /* the tensor has another shape */
  VL_TENSOR_FILE_ERROR_DAMAGED,   /* the data are not what was written */
  VL_TENSOR_FILE_ERROR_WRITE      /* cannot be written */
} VlTensorFileError;

#define VL_TENSOR_FILE_ERROR (vl_tensor_file_error_quark ())
GQuark vl_tensor_file_error_quark (void);

/* An open file, mapped into memory: cutting it short in place, while it is
 * open, is a bus error. Files saved here are replaced, which is safe. One
 * thread at a time. */
typedef struct VlTensorFile VlTensorFile;

VlTensorFile *vl_tensor_file_open (const char *path, GError **error);

/* The same for a file that is in memory, which messages call `path`. Its id is
 * all 0. */
VlTensorFile *vl_tensor_file_new_from_bytes (
    GBytes *bytes, const char *path, GError **error);
void vl_tensor_file_free (VlTensorFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlTensorFile, vl_tensor_file_free)

/* The path it was opened under. */
const char *vl_tensor_file_path (const VlTensorFile *file);

/* Tensors in the order of their data; index < n_tensors. */
guint vl_tensor_file_n_tensors (const VlTensorFile *file);
const char *vl_tensor_file_name (const VlTensorFile *file, guint index);

gboolean vl_tensor_file_has (const VlTensorFile *file, const char *name);

/* The string under `key` in __metadata__, or NULL. */
const char *vl_tensor_file_metadata (const VlTensorFile *file, const char *key);

/* A tensor's numbers, valid as long as the file is open. F64 is rounded to
 * float. n_dims and shape tell its shape; NULL with error set when there is no
 * such tensor, or it holds other numbers. An empty tensor is not NULL. */
const float *vl_tensor_file_get (VlTensorFile *file, const char *name,
    unsigned *n_dims, guint64 shape[VL_MAX_DIMS], GError **error);

/* The same for a tensor that must have the given shape. */
const float *vl_tensor_file_expect (VlTensorFile *file, const char *name,
    unsigned n_dims, const guint64 *shape, GError **error);

/* Compares the data with the SHA-256 that was written with them. A file of
 * another writer, which has none, passes. */
gboolean vl_tensor_file_verify (const VlTensorFile *file, GError **error);

/* SHA-256 of the whole file in hex; free with g_free(). */
char *vl_tensor_file_checksum (const VlTensorFile *file);

/* What tells one version of a file on disk from another. */
typedef struct {
  guint64 device, inode, size;
  gint64 mtime, mtime_ns; /* seconds, and nanoseconds within them */
} VlFileId;

VlFileId vl_tensor_file_id (const VlTensorFile *file);

/* Collects tensors and writes them as one file. */
typedef struct VlTensorWriter VlTensorWriter;

VlTensorWriter *vl_tensor_writer_new (void);
void vl_tensor_writer_free (VlTensorWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlTensorWriter, vl_tensor_writer_free)

/* Both strings are copied; what is not UTF-8 in them is replaced. */
void vl_tensor_writer_metadata (
    VlTensorWriter *writer, const char *key, const char *value);

/* data is borrowed until the last save; name and shape are copied. A name is
 * given once. n_dims 0..VL_MAX_DIMS; 0 is a single number. */
void vl_tensor_writer_add (VlTensorWriter *writer, const char *name,
    const float *data, unsigned n_dims, const guint64 *shape);

/* Writes the file whole or not at all: a temporary file beside it, fsync,
 * rename, fsync of the directory. On failure an older file is as it was and no
 * temporary file remains. May be called again. */
gboolean vl_tensor_writer_save (
    VlTensorWriter *writer, const char *path, GError **error);

/* SHA-256 in hex of the file last saved; NULL before. Owned by the writer. */
const char *vl_tensor_writer_checksum (const VlTensorWriter *writer);
