/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "golden.h"

#include <math.h>
#include <stdlib.h>

VlTensorFile *
golden_open (const char *name)
{
  g_autofree char *path = g_build_filename (GOLDEN_DIR, name, NULL);
  g_autoptr (GError) error = NULL;
  VlTensorFile *file = vl_tensor_file_open (path, &error);

  ck_assert_msg (file != NULL, "%s", error ? error->message : path);
  return file;
}

static const float *
stored (
    VlTensorFile *file, const char *layer, const char *name, VlTensorSpec *spec)
{
  g_autofree char *key = g_strconcat (layer, *layer ? "." : "", name, NULL);
  g_autoptr (GError) error = NULL;
  guint64 shape[VL_MAX_DIMS];
  const float *data =
      vl_tensor_file_get (file, key, &spec->n_dims, shape, &error);

  ck_assert_msg (data != NULL, "%s", error ? error->message : key);
  ck_assert_uint_le (spec->n_dims, 4);
  spec->offset = 0;
  for (unsigned i = 0; i < 4; i++)
    spec->dims[i] = i < spec->n_dims ? shape[i] : 1;
  return data;
}

VlReal *
golden_read (VlTensorFile *file, const char *layer, const char *name)
{
  VlTensorSpec spec;
  const float *data = stored (file, layer, name, &spec);

  return g_memdup2 (data, vl_tensor_size (&spec) * sizeof *data);
}

VlReal *
golden_read_maps (VlTensorFile *file, const char *layer, const char *name)
{
  VlTensorSpec spec;
  const float *data = stored (file, layer, name, &spec);
  VlReal *maps = g_new (VlReal, vl_tensor_size (&spec));

  vl_tensor_import (maps, &spec, data);
  return maps;
}

unsigned
golden_dim (
    VlTensorFile *file, const char *layer, const char *name, unsigned dim)
{
  VlTensorSpec spec;

  stored (file, layer, name, &spec);
  return spec.dims[dim];
}

size_t
golden_size (VlTensorFile *file, const char *layer, const char *name)
{
  VlTensorSpec spec;

  stored (file, layer, name, &spec);
  return vl_tensor_size (&spec);
}

void
golden_expect_close (const char *name, const VlReal *ours,
    const VlReal *expected, size_t n, double tol)
{
  double largest = 0;

  for (size_t i = 0; i < n; i++)
    largest = fmax (largest, fabs (expected[i]));
  for (size_t i = 0; i < n; i++)
    ck_assert_msg (fabs ((double)ours[i] - expected[i]) <= tol * largest,
        "%s[%zu] is %.9g, expected %.9g (largest magnitude %.3g)", name, i,
        ours[i], expected[i], largest);
}

void
golden_expect (VlTensorFile *file, const char *layer, const char *name,
    const VlReal *ours, double tol)
{
  g_autofree char *label = g_strdup_printf ("%s %s", layer, name);
  g_autofree VlReal *expected = golden_read (file, layer, name);

  golden_expect_close (
      label, ours, expected, golden_size (file, layer, name), tol);
}

void
golden_expect_maps (VlTensorFile *file, const char *layer, const char *name,
    const VlReal *ours, double tol)
{
  g_autofree char *label = g_strdup_printf ("%s %s", layer, name);
  g_autofree VlReal *expected = golden_read_maps (file, layer, name);

  golden_expect_close (
      label, ours, expected, golden_size (file, layer, name), tol);
}

VlReal *
golden_read_arena (VlTensorFile *file, const char *prefix,
    const VlTensorSpec *specs, unsigned n, size_t n_params)
{
  VlReal *arena = g_new (VlReal, n_params);

  for (unsigned i = 0; i < n; i++) {
    g_autofree char *name = g_strconcat (prefix, specs[i].name, NULL);
    VlTensorSpec spec;
    const float *data = stored (file, "", name, &spec);
    size_t shape[4] = {1, 1, 1, 1};
    ck_assert_uint_eq (vl_tensor_shape (&specs[i], shape), spec.n_dims);
    for (unsigned d = 0; d < spec.n_dims; d++)
      ck_assert_uint_eq (shape[d], spec.dims[d]);
    vl_tensor_import (arena, &specs[i], data);
  }
  return arena;
}

void
golden_expect_arena (VlTensorFile *file, const char *prefix,
    const VlReal *arena, const VlTensorSpec *specs, unsigned n, double tol)
{
  for (unsigned i = 0; i < n; i++) {
    g_autofree char *name = g_strconcat (prefix, specs[i].name, NULL);
    g_autofree VlReal *ours = g_new (VlReal, vl_tensor_size (&specs[i]));
    vl_tensor_export (ours, arena, &specs[i]);
    golden_expect (file, "", name, ours, tol);
  }
}

VlReal *
golden_image (unsigned index, unsigned height, unsigned width)
{
  VlReal *image = g_new (VlReal, (size_t)height * width * 3);
  VlReal *p = image;

  for (unsigned y = 0; y < height; y++)
    for (unsigned x = 0; x < width; x++)
      for (unsigned c = 0; c < 3; c++) {
        unsigned wave = (x * (3 + index) + y * 5 + c * 40) % 256;
        unsigned noise =
            (x * x * 7 + y * y * 13 + x * y * (c + 3) + index * 31) % 64;
        *p++ = (wave * 3 / 4 + noise) / 255.0;
      }
  return image;
}

int
golden_run (Suite *suite)
{
  SRunner *runner = srunner_create (suite);

  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
