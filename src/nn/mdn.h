/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Mixture density output (Bishop 1994): per latent dimension a mixture of K
 * Gaussians, as in World Models (Ha and Schmidhuber 2018).
 *
 *   NLL = - sum_d logsumexp_k (log pi_kd + log N (target_d; mu_kd, sigma_kd))
 *
 * head is (B,3,K,Z): logit_pi, log_sigma and mu. log_sigma is clamped to
 * [VL_MDN_LOG_SIGMA_MIN, VL_MDN_LOG_SIGMA_MAX], with no gradient outside. */

#pragma once

#include "real.h"

#define VL_MDN_LOG_SIGMA_MIN ((VlReal)-4)
#define VL_MDN_LOG_SIGMA_MAX ((VlReal)5)

typedef struct {
  unsigned B, K, Z;
} VlMdnShape;

/* nll (B), in nats, of target (B,Z). base (B,Z) is added to every component's
 * mu (a head that predicts the change); NULL: mu is the head's alone. */
void vl_mdn_nll_forward (VlReal *nll, const VlReal *head, const VlReal *base,
    const VlReal *target, const VlMdnShape *s);

/* dhead (B,3,K,Z) += dnll (B) * d nll / d head. dbase and dtarget (B,Z)
 * accumulate too, and may be NULL. */
void vl_mdn_nll_backward (VlReal *dhead, VlReal *dbase, VlReal *dtarget,
    const VlReal *dnll, const VlReal *head, const VlReal *base,
    const VlReal *target, const VlMdnShape *s);

/* The distribution in plain numbers, each (B,K,Z): pi sums to one over K,
 * sigma > 0, mu with base (B,Z, may be NULL) added. */
void vl_mdn_mixture (VlReal *pi, VlReal *sigma, VlReal *mu, const VlReal *head,
    const VlReal *base, const VlMdnShape *s);
