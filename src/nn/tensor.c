/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "tensor.h"

#include <string.h>

unsigned
vl_tensor_shape (const VlTensorSpec *spec, size_t shape[4])
{
  const size_t *d = spec->dims;

  switch (spec->n_dims) {
  case 1:
    shape[0] = d[0];
    break;
  case 2:
    shape[0] = d[0];
    shape[1] = d[1] * d[2] * d[3];
    break;
  case 3:
    memcpy (shape, d + 1, 3 * sizeof *shape);
    break;
  default:
    memcpy (shape, d, 4 * sizeof *shape);
  }
  return spec->n_dims;
}

size_t
vl_tensor_layout (VlTensorSpec *specs, unsigned n)
{
  size_t offset = 0;

  for (unsigned i = 0; i < n; i++) {
    specs[i].offset = offset;
    offset += vl_tensor_size (&specs[i]);
  }
  return offset;
}

void
vl_tensor_import (
    VlReal *arena, const VlTensorSpec *spec, const float *torch_order)
{
  const size_t A = spec->dims[0], B = spec->dims[1];
  const size_t P = spec->dims[2] * spec->dims[3];
  VlReal *ours = arena + spec->offset;

  for (size_t a = 0; a < A; a++)
    for (size_t p = 0; p < P; p++)
      for (size_t b = 0; b < B; b++)
        ours[(a * P + p) * B + b] = torch_order[(a * B + b) * P + p];
}

void
vl_tensor_export (
    float *torch_order, const VlReal *arena, const VlTensorSpec *spec)
{
  const size_t A = spec->dims[0], B = spec->dims[1];
  const size_t P = spec->dims[2] * spec->dims[3];
  const VlReal *ours = arena + spec->offset;

  for (size_t a = 0; a < A; a++)
    for (size_t p = 0; p < P; p++)
      for (size_t b = 0; b < B; b++)
        torch_order[(a * B + b) * P + p] = (float)ours[(a * P + p) * B + b];
}

const VlTensorSpec *
vl_tensor_find (const VlTensorSpec *specs, unsigned n, const char *name)
{
  for (unsigned i = 0; i < n; i++)
    if (!strcmp (specs[i].name, name))
      return &specs[i];
  return NULL;
}
