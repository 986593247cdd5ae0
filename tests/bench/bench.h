/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Medians of repeated runs. */

#pragma once

#include <glib.h>

typedef void (*BenchRun) (gpointer data);

/* Median wall time of one run in milliseconds, of n runs after n / 10 + 1 to
 * warm up. */
double bench_median_ms (BenchRun run, gpointer data, guint n);

/* n numbers in [0, 1), the same in every run. Free with g_free(). */
float *bench_numbers (gsize n);

/* The networks at their published sizes, one image or step at a time. */
double bench_encode (void);
double bench_decode (void);
double bench_lstm_step (void);

/* One VAE training step on a batch of 32, per image: both losses, every
 * gradient, Adam; Bernoulli, as shared with the peers. */
double bench_vae_training (guint n_threads);

/* A 1080p I420 frame to 128x128 RGB. */
double bench_sample (void);

typedef struct {
  double analysed_ms; /* vaelstmdetect, per analysed frame */
  double between_us;  /* the same, with its meta, per frame in between */
  double identity_us; /* identity, per frame */
} BenchElement;

/* 1080p I420 frames pushed into an element and pulled from it, with a 128x128
 * RGB model of published size. plugin is the file to load it from. */
BenchElement bench_element (const char *plugin);
