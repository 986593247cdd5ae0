/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* exp, tanh, sigmoid, log (1 + e) and sums for inner loops. libm's float
 * functions are calls, which keep a loop from being vectorised; these are
 * straight-line polynomials, within 3e-7 relative of the exact value. The
 * polynomials are Chebyshev-weighted least squares fits of this project's own.
 * The double build uses libm. */

#pragma once

#include "real.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef VL_NN_DOUBLE

static inline double
vl_exp (double x)
{
  return exp (x < 700 ? x : 700);
}

static inline double
vl_tanh (double x)
{
  return tanh (x);
}

static inline double
vl_log1p (double e)
{
  return log1p (e);
}

static inline double
vl_log (double x)
{
  return log (x);
}

static inline double
vl_sqrt (double x)
{
  return sqrt (x);
}

#else

/* e^x, 0 below -87 and e^88 above 88: never infinite. NaN stays NaN.
 * x = n log 2 + r; adding 1.5 * 2^23 rounds to the integer n and leaves it in
 * the low bits, which become the exponent of 2^n. */
static inline float
vl_exp (float x)
{
  const float magic = 12582912.f;
  float clamped = x > 88.f ? 88.f : x;
  clamped = clamped < -87.f ? -87.f : clamped;
  float shifted = clamped * 1.44269504f + magic;
  float n = shifted - magic;
  float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  float q = 1.39464462e-3f;
  q = q * r + 8.36915150e-3f;
  q = q * r + 4.16662619e-2f;
  q = q * r + 1.66665167e-1f;
  q = q * r + 0.5f;
  float e_r = q * r * r + r + 1.f;
  uint32_t bits;
  memcpy (&bits, &shifted, sizeof bits);
  bits = (bits << 23) + 0x3f800000u;
  float two_n;
  memcpy (&two_n, &bits, sizeof two_n);
  return x < -87.f ? 0.f : e_r * two_n;
}

/* An odd polynomial near 0, where 1 - e^-2x would cancel. */
static inline float
vl_tanh (float x)
{
  float a = fabsf (x), z = x * x;
  float q = -5.70404389e-3f;
  q = q * z + 2.06378624e-2f;
  q = q * z - 5.37391566e-2f;
  q = q * z + 1.33314312e-1f;
  q = q * z - 3.33332807e-1f;
  float near = x + x * z * q;
  float e = vl_exp (-2.f * a);
  float far = copysignf ((1.f - e) / (1.f + e), x);
  return a < 0.625f ? near : far;
}

/* log (1 + e) for e in [0, 1] as 2 artanh (e / (2 + e)). */
static inline float
vl_log1p (float e)
{
  float s = e / (2.f + e), z = s * s;
  float q = 1.40138134e-1f;
  q = q * z + 1.39990881e-1f;
  q = q * z + 2.00108960e-1f;
  q = q * z + 3.33332062e-1f;
  return 2.f * (s + s * z * q);
}

static inline float
vl_log (float x)
{
  return logf (x);
}

static inline float
vl_sqrt (float x)
{
  return sqrtf (x);
}

#endif

/* At least e^-40, 4e-18: a gate that is shut further makes products of
 * denormal numbers, with which processors are a hundred times slower. */
static inline VlReal
vl_sigmoid (VlReal x)
{
  return 1 / (1 + vl_exp (x < -40 ? 40 : -x));
}

/* Sums in double, in a fixed order: eight running sums, which the processor
 * can advance side by side. */
static inline double
vl_sum (const VlReal *x, size_t n)
{
  double lane[8] = {0};
  for (size_t i = 0; i + 8 <= n; i += 8)
    for (size_t j = 0; j < 8; j++)
      lane[j] += x[i + j];
  for (size_t i = n - n % 8; i < n; i++)
    lane[0] += x[i];
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
         ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static inline double
vl_sum_squares (const VlReal *x, size_t n)
{
  double lane[8] = {0};
  for (size_t i = 0; i + 8 <= n; i += 8)
    for (size_t j = 0; j < 8; j++)
      lane[j] += (double)x[i + j] * x[i + j];
  for (size_t i = n - n % 8; i < n; i++)
    lane[0] += (double)x[i] * x[i];
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
         ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}
