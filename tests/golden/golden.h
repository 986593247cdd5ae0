/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Reads the files that generate.py wrote and compares against them. */

#pragma once

#include <check.h>

#include "real.h"
#include "safetensors.h"
#include "tensor.h"

/* Largest allowed difference, as a share of the largest magnitude in the
 * expected tensor. The expected values are computed in double, so this is our
 * float rounding: a product over n terms is off by about sqrt (n) 2^-24, 2e-6
 * for the longest sum here (n = 1152); gradients chain up to ten such sums. */
#define GOLDEN_FORWARD_TOL 1e-5
#define GOLDEN_GRAD_TOL 1e-4

/* Opens a file of this folder; a missing one fails the test. */
VlTensorFile *golden_open (const char *name);

/* A copy of tensor `layer`.`name` in the order it is stored in, and the same
 * from PyTorch's (A,B,H,W) to this project's (A,H,W,B): right for activations
 * as for weights. layer "" stands for no prefix. Free with g_free(). */
VlReal *golden_read (VlTensorFile *file, const char *layer, const char *name);
VlReal *golden_read_maps (
    VlTensorFile *file, const char *layer, const char *name);

/* One dimension of a tensor's shape as stored, and its count of numbers. */
unsigned golden_dim (
    VlTensorFile *file, const char *layer, const char *name, unsigned dim);
size_t golden_size (VlTensorFile *file, const char *layer, const char *name);

/* Fails when ours is farther than tol from the stored tensor. The second takes
 * ours channels-last. */
void golden_expect (VlTensorFile *file, const char *layer, const char *name,
    const VlReal *ours, double tol);
void golden_expect_maps (VlTensorFile *file, const char *layer,
    const char *name, const VlReal *ours, double tol);

/* The same comparison between two arrays at hand. */
void golden_expect_close (const char *name, const VlReal *ours,
    const VlReal *expected, size_t n, double tol);

/* Reads a table of tensors into a new arena, and compares one with it; prefix
 * stands before every name. */
VlReal *golden_read_arena (VlTensorFile *file, const char *prefix,
    const VlTensorSpec *specs, unsigned n, size_t n_params);
void golden_expect_arena (VlTensorFile *file, const char *prefix,
    const VlReal *arena, const VlTensorSpec *specs, unsigned n, double tol);

/* Picture `index` as generate.py's test_image() makes it, (height,width,3). */
VlReal *golden_image (unsigned index, unsigned height, unsigned width);

/* Runs a suite; the exit status of main(). */
int golden_run (Suite *suite);
