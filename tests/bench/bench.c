/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Prints what the parts take on this machine, in one line; never fails on a
 * time. usage: bench [THREADS], which only training uses. */

#include "bench.h"

#include <gst/gst.h>
#include <stdlib.h>

#include "gemm.h"

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

int
main (int argc, char **argv)
{
  const guint n_threads = argc > 1 ? (guint)atoi (argv[1]) : 1;

  if (argc > 2 || n_threads < 1 || n_threads > 64) {
    g_printerr ("usage: bench [THREADS], 1..64\n");
    return 2;
  }
  gst_init (NULL, NULL);
  vl_gemm_use_one_thread ();
  g_print ("openblas_kernel=%s\n", vl_gemm_kernel ());
  g_print ("bench=vaelstm threads=%u encode_ms=%.3f decode_ms=%.3f "
           "lstm_step_ms=%.3f sample_1080p_ms=%.3f "
           "vae_train_ms_per_image=%.3f element_1080p_ms=%.3f\n",
      n_threads, bench_encode (), bench_decode (), bench_lstm_step (),
      bench_sample (), bench_vae_training (n_threads),
      bench_element (PLUGIN_FILE));
  return EXIT_SUCCESS;
}
