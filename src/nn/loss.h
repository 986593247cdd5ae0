/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The VAE's losses and its sampling step (Kingma and Welling 2014). Losses are
 * returned as sums over all n numbers; gradients accumulate, scaled by the
 * given factor. */

#pragma once

#include "real.h"

/* sum (x_hat - x)^2 / (2 sigma^2); dx_hat += scale * gradient. dx_hat may be
 * NULL. */
double vl_gaussian_loss (VlReal *dx_hat, const VlReal *x_hat, const VlReal *x,
    VlReal sigma, VlReal scale, size_t n);

/* Binary cross-entropy of x in [0,1] under sigmoid (logit), summed;
 * dlogit += scale * (sigmoid (logit) - x). Finite for every finite logit.
 * dlogit may be NULL. */
double vl_bernoulli_loss (VlReal *dlogit, const VlReal *logit, const VlReal *x,
    VlReal scale, size_t n);

/* KL (N (mu, exp (logvar)) || N (0, 1)) = -1/2 sum (1 + logvar - mu^2 -
 * exp (logvar)), in nats. dmu and dlogvar += scale * gradient; both may be
 * NULL. */
double vl_kld (VlReal *dmu, VlReal *dlogvar, const VlReal *mu,
    const VlReal *logvar, VlReal scale, size_t n);

/* z = mu + exp (logvar / 2) * eps, eps drawn by the caller from N(0,1). */
void vl_reparameterize_forward (VlReal *z, const VlReal *mu,
    const VlReal *logvar, const VlReal *eps, size_t n);
void vl_reparameterize_backward (VlReal *dmu, VlReal *dlogvar, const VlReal *dz,
    const VlReal *logvar, const VlReal *eps, size_t n);
