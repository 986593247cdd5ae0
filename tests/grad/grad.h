/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Compares gradients with central differences, in double:
 *
 *   D (s) = (L (x + s d) - L (x - s d)) / (2 s)
 *   numeric = (4 D (delta / 2) - D (delta)) / 3,  analytic = g . d
 *
 * for a direction d. They must agree to 1e-6 of their size, or of a thousandth
 * of the tensor's largest gradient where that is more: a smaller gradient has
 * fewer digits left in the difference of two losses.
 *
 * The loss must be smooth within delta: callers keep ReLUs off their kinks. */

#pragma once

#include <glib.h>

#include "real.h"

/* The loss at the current values of whatever data points to. */
typedef double (*GradLoss) (gpointer data);

typedef struct {
  const char *name;
  VlReal *x;       /* (n) values that the loss depends on */
  const VlReal *g; /* (n) dL/dx to be checked */
  size_t n;
} GradTensor;

/* Checks every element by itself. Failure names tensor and index, analytic and
 * numeric value. */
void grad_check (
    const GradTensor *tensor, GradLoss loss, gpointer data, double delta);

/* For a loss too dear to be taken twice per element: checks `count` elements
 * drawn at random, and `count` random directions that move every element by
 * +-1. */
void grad_check_some (const GradTensor *tensor, GradLoss loss, gpointer data,
    double delta, unsigned count);

/* Starts the random numbers anew: a fixture, so that a test's do not depend on
 * the tests before it, with or without a process of its own. */
void grad_reseed (void);

/* Fills x with normal deviates times scale, the same in every run. */
void grad_fill (VlReal *x, size_t n, double scale);
