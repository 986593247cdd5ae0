/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A network's parameters are one flat arena, described by one table of
 * VlTensorSpec. Allocation, initialisation, Adam, files, goldens and gradient
 * checks all loop over that table.
 *
 * Every tensor is seen as (A,B,KH,KW), PyTorch's order. In memory the order is
 * (A,KH,KW,B): what conv.h's channels-last layers want. For matrices and
 * vectors KH = KW = 1 and both orders are the same. A fully connected layer
 * that reads a flattened feature map is (out,C,KH,KW) too, though PyTorch
 * stores it as a matrix. */

#pragma once

#include "real.h"

#include <stdint.h>

typedef struct {
  const char *name; /* published name, "conv1.weight" */
  unsigned n_dims;  /* of the shape in files: 1 (A), 2 (A,B*KH*KW),
                       3 (B,KH,KW) with A = 1, or 4 */
  size_t dims[4];   /* A, B, KH, KW */
  size_t offset;    /* place in the arena, in numbers */
  size_t fan_in;    /* inputs per output: bound of the initial weights */
} VlTensorSpec;

/* Numbers in a tensor. */
static inline size_t
vl_tensor_size (const VlTensorSpec *spec)
{
  return spec->dims[0] * spec->dims[1] * spec->dims[2] * spec->dims[3];
}

/* PyTorch's shape into shape[4]; returns its number of dimensions. */
unsigned vl_tensor_shape (const VlTensorSpec *spec, size_t shape[4]);

/* Sets the offsets of n specs one after another; returns the arena's size. */
size_t vl_tensor_layout (VlTensorSpec *specs, unsigned n);

/* Copies a tensor between its place in an arena and PyTorch's order. */
void vl_tensor_import (
    VlReal *arena, const VlTensorSpec *spec, const float *torch_order);
void vl_tensor_export (
    float *torch_order, const VlReal *arena, const VlTensorSpec *spec);

/* The spec of that name, or NULL. */
const VlTensorSpec *vl_tensor_find (
    const VlTensorSpec *specs, unsigned n, const char *name);
