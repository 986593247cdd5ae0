/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "grad.h"

#include <check.h>
#include <math.h>
#include <string.h>

#define TOL 1e-6
#define SMALL 1e-3 /* share of the largest gradient that counts as zero */

static GRand *random_numbers;

static GRand *
shared_random (void)
{
  if (random_numbers == NULL)
    grad_reseed ();
  return random_numbers;
}

void
grad_reseed (void)
{
  g_clear_pointer (&random_numbers, g_rand_free);
  random_numbers = g_rand_new_with_seed (20180901);
}

void
grad_fill (VlReal *x, size_t n, double scale)
{
  GRand *random = shared_random ();

  for (size_t i = 0; i < n; i++) { /* Box and Muller */
    double radius = sqrt (-2 * log (1 - g_rand_double (random)));
    x[i] = scale * radius * cos (2 * G_PI * g_rand_double (random));
  }
}

/* x (n) += step * d */
static void
move (VlReal *x, const VlReal *d, size_t n, double step)
{
  for (size_t i = 0; i < n; i++)
    x[i] += step * d[i];
}

static double
difference (const GradTensor *tensor, const VlReal *d, GradLoss loss,
    gpointer data, double step)
{
  g_autofree VlReal *x0 = g_memdup2 (tensor->x, tensor->n * sizeof *x0);

  move (tensor->x, d, tensor->n, step);
  double above = loss (data);
  memcpy (tensor->x, x0, tensor->n * sizeof *x0);
  move (tensor->x, d, tensor->n, -step);
  double below = loss (data);
  memcpy (tensor->x, x0, tensor->n * sizeof *x0);
  return (above - below) / (2 * step);
}

/* Checks along d; what and index say what that is. */
static void
check_along (const GradTensor *tensor, const VlReal *d, GradLoss loss,
    gpointer data, double delta, const char *what, size_t index)
{
  const double wide = difference (tensor, d, loss, data, delta);
  const double narrow = difference (tensor, d, loss, data, delta / 2);
  const double numeric = (4 * narrow - wide) / 3;
  double analytic = 0, largest = 0;

  for (size_t i = 0; i < tensor->n; i++) {
    analytic += tensor->g[i] * d[i];
    largest = fmax (largest, fabs (tensor->g[i]));
  }
  ck_assert_msg (
      isfinite (largest) && largest > 0, "%s has no gradient", tensor->name);
  const double size =
      fmax (fmax (fabs (analytic), fabs (numeric)), SMALL * largest);
  ck_assert_msg (fabs (analytic - numeric) <= TOL * size,
      "%s, %s %zu: analytic %.12g, numeric %.12g, relative error %.2g",
      tensor->name, what, index, analytic, numeric,
      fabs (analytic - numeric) / size);
}

static void
check_element (const GradTensor *tensor, size_t i, GradLoss loss, gpointer data,
    double delta)
{
  g_autofree VlReal *d = g_new0 (VlReal, tensor->n);

  d[i] = 1;
  check_along (tensor, d, loss, data, delta, "index", i);
}

void
grad_check (
    const GradTensor *tensor, GradLoss loss, gpointer data, double delta)
{
  for (size_t i = 0; i < tensor->n; i++)
    check_element (tensor, i, loss, data, delta);
}

void
grad_check_some (const GradTensor *tensor, GradLoss loss, gpointer data,
    double delta, unsigned count)
{
  g_autofree VlReal *d = g_new (VlReal, tensor->n);

  for (unsigned k = 0; k < count; k++) {
    size_t i = g_rand_int_range (shared_random (), 0, tensor->n);
    check_element (tensor, i, loss, data, delta);
    for (i = 0; i < tensor->n; i++)
      d[i] = g_rand_boolean (shared_random ()) ? 1 : -1;
    check_along (tensor, d, loss, data, delta, "direction", k);
  }
}
