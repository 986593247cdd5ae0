/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "container.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define EBML_HEADER 0x1A45DFA3
#define EBML_SEGMENT 0x18538067

static guint64
big_endian (const guint8 *bytes, unsigned n)
{
  guint64 value = 0;

  for (unsigned i = 0; i < n; i++)
    value = value << 8 | bytes[i];
  return value;
}

/* n bytes at an offset; FALSE where the file has fewer. */
static gboolean
read_at (FILE *file, guint64 offset, guint8 *bytes, gsize n)
{
  return offset <= G_MAXLONG && fseek (file, (long)offset, SEEK_SET) == 0 &&
         fread (bytes, 1, n, file) == n;
}

static guint64
file_size (FILE *file)
{
  long size;

  if (fseek (file, 0, SEEK_END) != 0 || (size = ftell (file)) < 0)
    return 0;
  return (guint64)size;
}

/* ISO base media: boxes of 32-bit size and type, one after another; size 1 is
 * followed by a 64-bit size, size 0 reaches to the end. */
static guint64
mp4_size (FILE *file)
{
  const guint64 size = file_size (file);
  guint64 offset = 0;
  guint8 box[16];

  while (offset < size && read_at (file, offset, box, 8)) {
    guint64 length = big_endian (box, 4);

    if (length == 0)
      return size;
    if (length == 1)
      length = read_at (file, offset, box, 16) ? big_endian (box + 8, 8) : 0;
    if (length < 8 || length > G_MAXINT64 - offset)
      return 0;
    offset += length;
  }
  return offset;
}

/* A number whose first byte's leading zeros tell its length; all ones mean
 * "not known", which gives 0 here. Moves offset past it. */
static guint64
ebml_size (FILE *file, guint64 *offset)
{
  guint8 bytes[8];
  unsigned n = 1;
  guint64 value, ones;

  if (!read_at (file, *offset, bytes, 1) || bytes[0] == 0)
    return 0;
  while (!(bytes[0] & 0x80 >> (n - 1)))
    n++;
  if (!read_at (file, *offset, bytes, n))
    return 0;
  *offset += n;
  ones = (G_GUINT64_CONSTANT (1) << 7 * n) - 1;
  value = big_endian (bytes, n) & ones;
  return value == ones ? 0 : value;
}

/* Matroska: an EBML header, then one segment that holds everything. */
static guint64
matroska_size (FILE *file)
{
  guint64 offset = 4;
  guint64 length = ebml_size (file, &offset);
  guint8 id[4];

  offset += length;
  if (length == 0 || !read_at (file, offset, id, 4) ||
      big_endian (id, 4) != EBML_SEGMENT)
    return 0;
  offset += 4;
  length = ebml_size (file, &offset);
  return length == 0 ? 0 : offset + length;
}

guint64
vl_container_declared_size (const char *path)
{
  FILE *file = g_fopen (path, "rb");
  guint8 start[12];
  guint64 declared = 0;

  if (file == NULL)
    return 0;
  if (read_at (file, 0, start, sizeof start)) {
    if (memcmp (start + 4, "ftyp", 4) == 0)
      declared = mp4_size (file);
    else if (big_endian (start, 4) == EBML_HEADER)
      declared = matroska_size (file);
    else if (memcmp (start, "RIFF", 4) == 0)
      declared = 8 + (start[4] | start[5] << 8 | start[6] << 16 |
                         (guint64)start[7] << 24);
  }
  fclose (file);
  return declared;
}
