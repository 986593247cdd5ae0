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

int
main (int argc, char **argv)
{
  const guint n_threads = argc > 1 ? (guint)atoi (argv[1]) : 1;
  BenchElement element;

  if (argc > 2 || n_threads < 1 || n_threads > 64) {
    g_printerr ("usage: bench [THREADS], 1..64\n");
    return 2;
  }
  gst_init (NULL, NULL);
  vl_gemm_use_one_thread ();
  g_print ("openblas_kernel=%s\n", vl_gemm_kernel ());
  element = bench_element (PLUGIN_FILE);
  g_print ("bench=vaelstm threads=%u encode_ms=%.3f decode_ms=%.3f "
           "lstm_step_ms=%.3f sample_1080p_ms=%.3f "
           "vae_train_ms_per_image=%.3f element_1080p_ms=%.3f "
           "between_frames_us=%.2f identity_us=%.2f\n",
      n_threads, bench_encode (), bench_decode (), bench_lstm_step (),
      bench_sample (), bench_vae_training (n_threads), element.analysed_ms,
      element.between_us, element.identity_us);
  return EXIT_SUCCESS;
}
