/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_SHARE 0.1 /* of the frames, above u */
#define MAX_XI 0.5     /* a heavier tail has no variance */
#define XI_PRIOR 20.0  /* excesses that outweigh xi = 0 */
#define SECONDS_PER_DAY 86400.0

const char *
vl_channel_name (VlChannel channel)
{
  static const char *const names[VL_N_CHANNELS] = {"dynamics", "appearance"};

  return names[channel];
}

static int
compare_floats (const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;

  return (x > y) - (x < y);
}

/* Clusters per exceedance, by the times between exceedances (the intervals
 * estimator of the extremal index; Ferro and Segers 2003): 1 for independent
 * frames, 1/n where they come n at a time. */
static double
extremal_index (const float *values, unsigned n, double u)
{
  double sum = 0, square = 0, sum_1 = 0, product = 0;
  unsigned last = 0, largest = 0, n_gaps = 0, seen = 0;

  for (unsigned i = 0; i < n; i++) {
    if (values[i] <= u)
      continue;
    if (seen++) {
      const double gap = i - last;
      n_gaps++;
      largest = MAX (largest, i - last);
      sum += gap;
      square += gap * gap;
      sum_1 += gap - 1;
      product += (gap - 1) * (gap - 2);
    }
    last = i;
  }
  if (n_gaps == 0)
    return 1;
  const double theta = largest <= 2 ? 2 * sum * sum / (n_gaps * square)
                                    : 2 * sum_1 * sum_1 / (n_gaps * product);
  return CLAMP (theta, 1.0 / seen, 1);
}

/* Generalised Pareto by probability-weighted moments (Hosking and Wallis
 * 1987), xi shrunk towards the exponential's 0 where clusters are few. With the
 * n excesses over u ascending:
 *   b0 = E[y], b1 = E[y (1 - F(y))]
 *   xi = 2 - b0 / (b0 - 2 b1),  sigma = b0 (1 - xi)  */
static void
fit_pareto (VlTail *tail, const float *over, unsigned n)
{
  const double n_clusters = n * tail->theta;
  double b0 = 0, b1 = 0;

  for (unsigned i = 0; i < n; i++) {
    const double excess = over[i] - tail->u;
    b0 += excess / n;
    b1 += excess * (n - 1.0 - i) / (MAX (n - 1.0, 1) * n);
  }
  const double gap = b0 - 2 * b1;
  const double xi = gap > 1e-12 * b0 ? 2 - b0 / gap : 0;
  tail->xi = CLAMP (xi, 0, MAX_XI) * n_clusters / (n_clusters + XI_PRIOR);
  /* statistics of a lifeless scene may all be equal */
  tail->sigma = MAX (b0 * (1 - tail->xi), 1e-6 * (1 + fabs (tail->u)));
}

static void
fit_body (VlTail *tail, const float *sorted, unsigned n)
{
  for (unsigned i = 0; i < VL_TAIL_BODY; i++)
    tail->body[i] = sorted[(gsize)i * (n - 1) / (VL_TAIL_BODY - 1)];
}

void
vl_tail_fit (VlTail *tail, float *values, unsigned n)
{
  const unsigned n_over = CLAMP ((unsigned)(n * TAIL_SHARE), 1, n - 1);
  g_autofree float *in_time = g_memdup2 (values, n * sizeof *values);

  qsort (values, n, sizeof *values, compare_floats);
  tail->u = values[n - n_over - 1];
  tail->zeta = n_over / (double)n;
  tail->theta = extremal_index (in_time, n, tail->u);
  fit_pareto (tail, values + n - n_over, n_over);
  fit_body (tail, values, n - n_over);
}

/* P (X >= x) for x up to u, between the points of the body. */
static double
body_probability (const VlTail *tail, double x)
{
  const float *body = tail->body;
  unsigned i = 0;

  if (x <= body[0])
    return 1;
  while (i < VL_TAIL_BODY - 2 && body[i + 1] < x)
    i++;
  const double width = body[i + 1] - body[i];
  const double place = i + (width > 0 ? MIN (1, (x - body[i]) / width) : 1);
  return 1 - (1 - tail->zeta) * place / (VL_TAIL_BODY - 1);
}

/* -log10 of zeta (1 + xi (x - u) / sigma) ^ (-1 / xi) */
double
vl_tail_score (const VlTail *tail, double x)
{
  if (x <= tail->u)
    return fabs (log10 (body_probability (tail, x)));

  const double y = (x - tail->u) / tail->sigma;
  const double nats = tail->xi > 1e-9 ? log1p (tail->xi * y) / tail->xi : y;
  return nats / G_LN10 - log10 (tail->zeta);
}

VlCalibration *
vl_calibration_new (unsigned n_tiles, unsigned Z)
{
  VlCalibration *calibration = g_new0 (VlCalibration, 1);

  calibration->n_tiles = n_tiles;
  calibration->Z = Z;
  calibration->latent_mean = g_new0 (float, (gsize)n_tiles *Z);
  calibration->latent_spread = g_new0 (float, (gsize)n_tiles *Z);
  for (unsigned c = 0; c < VL_N_CHANNELS; c++) {
    calibration->channels[c].mean = g_new0 (float, n_tiles);
    calibration->channels[c].spread = g_new0 (float, n_tiles);
  }
  return calibration;
}

void
vl_calibration_free (VlCalibration *calibration)
{
  if (!calibration)
    return;
  for (unsigned c = 0; c < VL_N_CHANNELS; c++) {
    g_free (calibration->channels[c].mean);
    g_free (calibration->channels[c].spread);
  }
  g_free (calibration->latent_mean);
  g_free (calibration->latent_spread);
  g_free (calibration);
}

/* Events a day = frames a day * P * clusters per exceedance. */
double
vl_calibration_threshold (
    const VlCalibration *calibration, double per_day, double rate)
{
  const VlTail *tail = &calibration->combined;
  const double p = per_day / (SECONDS_PER_DAY * rate * tail->theta);

  return -log10 (MIN (p, tail->zeta));
}
