/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "bench.h"

#include <stdlib.h>

static int
compare (gconstpointer a, gconstpointer b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

double
bench_median_ms (BenchRun run, gpointer data, guint n)
{
  g_autofree double *ms = g_new (double, n);

  for (guint i = 0; i < n / 10 + 1; i++)
    run (data);
  for (guint i = 0; i < n; i++) {
    const gint64 start = g_get_monotonic_time ();
    run (data);
    ms[i] = (g_get_monotonic_time () - start) / 1e3;
  }
  qsort (ms, n, sizeof *ms, compare);
  return ms[n / 2];
}

float *
bench_numbers (gsize n)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  float *numbers = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    numbers[i] = (float)g_rand_double (random);
  return numbers;
}
