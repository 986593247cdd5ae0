/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Random numbers that depend on (seed, stage, step) alone: training that was
 * interrupted goes on with the numbers it would have drawn. */

#pragma once

#include <glib.h>

/* Sets the generator to the start of a step. */
void vl_random_seek (GRand *random, guint seed, guint stage, guint step);

/* One of 0..n-1. */
guint vl_random_below (GRand *random, guint n);

/* n numbers of N(0,1). */
void vl_random_normal (GRand *random, float *x, gsize n);
