/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "loss.h"

#include "scalar.h"

#define BLOCK 64 /* terms computed before they are summed in double */

double
vl_gaussian_loss (VlReal *dx_hat, const VlReal *x_hat, const VlReal *x,
    VlReal sigma, VlReal scale, size_t n)
{
  const VlReal factor = scale / (sigma * sigma);
  double sum = 0;
  for (size_t start = 0; start < n; start += BLOCK) {
    size_t len = n - start < BLOCK ? n - start : BLOCK;
    VlReal diff[BLOCK];
    for (size_t i = 0; i < len; i++)
      diff[i] = x_hat[start + i] - x[start + i];
    sum += vl_sum_squares (diff, len);
    if (dx_hat != NULL)
      for (size_t i = 0; i < len; i++)
        dx_hat[start + i] += factor * diff[i];
  }
  return sum / (2 * (double)sigma * sigma);
}

/* - x log s - (1 - x) log (1 - s), with s = sigmoid (l), is
 * max (l, 0) - l x + log (1 + e^-|l|), which never takes the log of 0. The
 * same e^-|l| gives s. */
double
vl_bernoulli_loss (VlReal *dlogit, const VlReal *logit, const VlReal *x,
    VlReal scale, size_t n)
{
  double sum = 0;
  for (size_t start = 0; start < n; start += BLOCK) {
    size_t len = n - start < BLOCK ? n - start : BLOCK;
    VlReal term[BLOCK], dterm[BLOCK];
    for (size_t i = 0; i < len; i++) {
      VlReal l = logit[start + i], t = x[start + i];
      VlReal e = vl_exp (l < 0 ? l : -l);
      term[i] = (l > 0 ? l : 0) - l * t + vl_log1p (e);
      dterm[i] = (l < 0 ? e : 1) / (1 + e) - t;
    }
    sum += vl_sum (term, len);
    if (dlogit != NULL)
      for (size_t i = 0; i < len; i++)
        dlogit[start + i] += scale * dterm[i];
  }
  return sum;
}

/* In double throughout, and with e^l - 1 - l taken as expm1 (l) - l: the sum
 * is never negative. */
double
vl_kld (VlReal *dmu, VlReal *dlogvar, const VlReal *mu, const VlReal *logvar,
    VlReal scale, size_t n)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double m = mu[i], l = logvar[i], e = expm1 (l);
    sum += 0.5 * (m * m + e - l);
    if (dmu != NULL)
      dmu[i] += scale * mu[i];
    if (dlogvar != NULL)
      dlogvar[i] += scale * (VlReal)(0.5 * e);
  }
  return sum;
}

void
vl_reparameterize_forward (VlReal *z, const VlReal *mu, const VlReal *logvar,
    const VlReal *eps, size_t n)
{
  for (size_t i = 0; i < n; i++)
    z[i] = mu[i] + vl_exp (logvar[i] / 2) * eps[i];
}

/* z = mu + sigma eps, sigma = exp (logvar / 2):
 * dz/dmu = 1, dz/dlogvar = sigma eps / 2 */
void
vl_reparameterize_backward (VlReal *dmu, VlReal *dlogvar, const VlReal *dz,
    const VlReal *logvar, const VlReal *eps, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    dmu[i] += dz[i];
    dlogvar[i] += dz[i] * eps[i] * vl_exp (logvar[i] / 2) / 2;
  }
}
