/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "mdn.h"

#include "scalar.h"

#define BLOCK 32 /* latent dimensions worked on side by side */
#define HALF_LOG_2PI ((VlReal)0.918938533204672742)

/* Bounds that finite inputs reach only where float would overflow: of
 * (target - mu) / sigma, and of log pi. They keep every NLL finite. */
#define MAX_SCALED ((VlReal)1e15)
#define MIN_LOG_PI ((VlReal)-1e30)

/* n <= BLOCK adjacent dimensions of one row. Component k of a head lies k * Z
 * further on. */
typedef struct {
  const VlReal *logit_pi, *log_sigma, *mu; /* of component 0 */
  const VlReal *base, *target;             /* base may be NULL */
  size_t n, K, Z;
} Block;

/* Component k of a block. */
typedef struct {
  VlReal inv_sigma[BLOCK];
  VlReal scaled[BLOCK];    /* (target - mu) / sigma */
  VlReal log_joint[BLOCK]; /* log pi + log N (target; mu, sigma) */
} Component;

/* Running log-sum-exp: max + log (sum). */
typedef struct {
  VlReal max[BLOCK], sum[BLOCK];
} LogSum;

static inline VlReal
clamp (VlReal x, VlReal min, VlReal max)
{
  x = x < min ? min : x;
  return x > max ? max : x;
}

static inline VlReal
clamp_log_sigma (VlReal log_sigma)
{
  return clamp (log_sigma, VL_MDN_LOG_SIGMA_MIN, VL_MDN_LOG_SIGMA_MAX);
}

static Block
block_at (const VlReal *head, const VlReal *base, const VlReal *target,
    const VlMdnShape *s, size_t b, size_t d)
{
  const size_t Z = s->Z, K = s->K;
  const VlReal *logit_pi = head + b * 3 * K * Z + d;
  return (Block){
      .logit_pi = logit_pi,
      .log_sigma = logit_pi + K * Z,
      .mu = logit_pi + 2 * K * Z,
      .base = base != NULL ? base + b * Z + d : NULL,
      .target = target != NULL ? target + b * Z + d : NULL,
      .n = Z - d < BLOCK ? Z - d : BLOCK,
      .K = K,
      .Z = Z,
  };
}

static void
log_sum_start (LogSum *acc, size_t n)
{
  for (size_t d = 0; d < n; d++) {
    acc->max[d] = -INFINITY;
    acc->sum[d] = 0;
  }
}

/* Adds exp (value). */
static void
log_sum_add (LogSum *restrict acc, const VlReal *restrict value, size_t n)
{
  for (size_t d = 0; d < n; d++) {
    VlReal old = acc->max[d];
    VlReal max = value[d] > old ? value[d] : old;
    acc->sum[d] = acc->sum[d] * vl_exp (old - max) + vl_exp (value[d] - max);
    acc->max[d] = max;
  }
}

static void
log_sum_finish (VlReal *log_sum, const LogSum *acc, size_t n)
{
  for (size_t d = 0; d < n; d++)
    log_sum[d] = acc->max[d] + vl_log (acc->sum[d]);
}

/* log_norm (n) = log sum_k exp logit_pi, so that log pi = logit_pi - log_norm
 */
static void
block_log_norm (VlReal *log_norm, const Block *block)
{
  LogSum acc;
  log_sum_start (&acc, block->n);
  for (size_t k = 0; k < block->K; k++)
    log_sum_add (&acc, block->logit_pi + k * block->Z, block->n);
  log_sum_finish (log_norm, &acc, block->n);
}

/* log N (t; mu, sigma) = - ((t - mu) / sigma)^2 / 2 - log sigma - log (2 pi) /
 * 2
 */
static void
block_component (
    Component *out, const Block *block, const VlReal *log_norm, size_t k)
{
  const VlReal *logit_pi = block->logit_pi + k * block->Z;
  const VlReal *mu = block->mu + k * block->Z;
  const VlReal *raw_log_sigma = block->log_sigma + k * block->Z;
  VlReal target[BLOCK];
  for (size_t d = 0; d < block->n; d++)
    target[d] = block->target[d] - (block->base != NULL ? block->base[d] : 0);
  for (size_t d = 0; d < block->n; d++) {
    VlReal log_sigma = clamp_log_sigma (raw_log_sigma[d]);
    VlReal log_pi = logit_pi[d] - log_norm[d];
    VlReal inv_sigma = vl_exp (-log_sigma);
    VlReal scaled =
        clamp ((target[d] - mu[d]) * inv_sigma, -MAX_SCALED, MAX_SCALED);
    log_pi = log_pi < MIN_LOG_PI ? MIN_LOG_PI : log_pi;
    out->inv_sigma[d] = inv_sigma;
    out->scaled[d] = scaled;
    out->log_joint[d] = log_pi - scaled * scaled / 2 - log_sigma - HALF_LOG_2PI;
  }
}

/* log_p (n) = log p (target) of each dimension */
static void
block_log_p (VlReal *log_p, const Block *block, const VlReal *log_norm)
{
  LogSum acc;
  Component component;
  log_sum_start (&acc, block->n);
  for (size_t k = 0; k < block->K; k++) {
    block_component (&component, block, log_norm, k);
    log_sum_add (&acc, component.log_joint, block->n);
  }
  log_sum_finish (log_p, &acc, block->n);
}

void
vl_mdn_nll_forward (VlReal *nll, const VlReal *head, const VlReal *base,
    const VlReal *target, const VlMdnShape *s)
{
  VlReal log_norm[BLOCK], log_p[BLOCK];
  for (size_t b = 0; b < s->B; b++) {
    double sum = 0;
    for (size_t d = 0; d < s->Z; d += BLOCK) {
      Block block = block_at (head, base, target, s, b, d);
      block_log_norm (log_norm, &block);
      block_log_p (log_p, &block, log_norm);
      sum += vl_sum (log_p, block.n);
    }
    nll[b] = -sum;
  }
}

/* With responsibility r = exp (log_joint - log_p) and u = (t - mu) / sigma:
 *   d nll / d logit_pi  = pi - r
 *   d nll / d log_sigma = r (1 - u^2), 0 where log_sigma is clamped
 *   d nll / d mu        = - r u / sigma
 * dlogit_pi is component 0's place in dhead; dmean (n) gathers d nll / d mu
 * over the components. */
static void
block_backward (
    VlReal *dlogit_pi, VlReal *dmean, const Block *block, VlReal dnll)
{
  const size_t K = block->K, Z = block->Z, n = block->n;
  VlReal log_norm[BLOCK], log_p[BLOCK];
  Component component;
  block_log_norm (log_norm, block);
  block_log_p (log_p, block, log_norm);
  for (size_t k = 0; k < K; k++) {
    const VlReal *logit_pi = block->logit_pi + k * Z;
    const VlReal *log_sigma = block->log_sigma + k * Z;
    VlReal *d_pi = dlogit_pi + k * Z;
    VlReal *d_sigma = dlogit_pi + (K + k) * Z;
    VlReal *d_mu = dlogit_pi + (2 * K + k) * Z;
    block_component (&component, block, log_norm, k);
    for (size_t d = 0; d < n; d++) {
      VlReal u = component.scaled[d];
      VlReal r = dnll * vl_exp (component.log_joint[d] - log_p[d]);
      VlReal pi = vl_exp (logit_pi[d] - log_norm[d]);
      int inside = log_sigma[d] == clamp_log_sigma (log_sigma[d]);
      VlReal d_mean = -r * u * component.inv_sigma[d];
      d_pi[d] += dnll * pi - r;
      d_sigma[d] += inside ? r * (1 - u * u) : 0;
      d_mu[d] += d_mean;
      dmean[d] += d_mean;
    }
  }
}

void
vl_mdn_nll_backward (VlReal *dhead, VlReal *dbase, VlReal *dtarget,
    const VlReal *dnll, const VlReal *head, const VlReal *base,
    const VlReal *target, const VlMdnShape *s)
{
  for (size_t b = 0; b < s->B; b++)
    for (size_t d = 0; d < s->Z; d += BLOCK) {
      Block block = block_at (head, base, target, s, b, d);
      VlReal dmean[BLOCK] = {0};
      block_backward (dhead + (block.logit_pi - head), dmean, &block, dnll[b]);
      for (size_t i = 0; dbase != NULL && i < block.n; i++)
        dbase[b * s->Z + d + i] += dmean[i];
      for (size_t i = 0; dtarget != NULL && i < block.n; i++)
        dtarget[b * s->Z + d + i] -= dmean[i];
    }
}

static void
block_mixture (VlReal *pi, VlReal *sigma, VlReal *mu, const Block *block)
{
  VlReal log_norm[BLOCK];
  block_log_norm (log_norm, block);
  for (size_t k = 0; k < block->K; k++)
    for (size_t d = 0; d < block->n; d++) {
      size_t i = k * block->Z + d;
      pi[i] = vl_exp (block->logit_pi[i] - log_norm[d]);
      sigma[i] = vl_exp (clamp_log_sigma (block->log_sigma[i]));
      mu[i] = block->mu[i] + (block->base != NULL ? block->base[d] : 0);
    }
}

void
vl_mdn_mixture (VlReal *pi, VlReal *sigma, VlReal *mu, const VlReal *head,
    const VlReal *base, const VlMdnShape *s)
{
  for (size_t b = 0; b < s->B; b++)
    for (size_t d = 0; d < s->Z; d += BLOCK) {
      Block block = block_at (head, base, NULL, s, b, d);
      size_t at = b * s->K * s->Z + d;
      block_mixture (pi + at, sigma + at, mu + at, &block);
    }
}
