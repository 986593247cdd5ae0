/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Properties of the layers, losses and optimiser that hold for any input, and
 * the products and convolutions against the plainest loops. */

#include <check.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "activation.h"
#include "adam.h"
#include "conv.h"
#include "gemm.h"
#include "linear.h"
#include "loss.h"
#include "lstm.h"
#include "mdn.h"
#include "scalar.h"
#include "tensor.h"

#define TOL                                                                    \
  1e-5f /* share of the largest magnitude; sums of at most 200 terms           \
         */

/* n numbers in [-scale, scale), the same in every run. */
static VlReal *
random_numbers (size_t n, double scale)
{
  static GRand *random;
  VlReal *x = g_new (VlReal, n);

  if (random == NULL)
    random = g_rand_new_with_seed (1);
  for (size_t i = 0; i < n; i++)
    x[i] = g_rand_double_range (random, -scale, scale);
  return x;
}

static void
expect_close (const VlReal *ours, const VlReal *expected, size_t n)
{
  VlReal largest = 0;

  for (size_t i = 0; i < n; i++)
    largest = fmaxf (largest, fabsf (expected[i]));
  for (size_t i = 0; i < n; i++)
    ck_assert_msg (fabsf (ours[i] - expected[i]) <= TOL * largest,
        "[%zu] is %.9g, expected %.9g", i, ours[i], expected[i]);
}

/* --- scalar functions --- */

START_TEST (test_scalar_functions)
{
  for (double x = -86; x < 88; x += 0.0137) {
    double e = exp ((float)x), t = tanh ((float)x);
    ck_assert_double_le (fabs (vl_exp (x) / e - 1), 3e-7);
    ck_assert_double_le (fabs (vl_tanh (x) / t - 1), 3e-7);
    ck_assert_double_le (
        fabs (vl_sigmoid (x) * (1 + exp (MIN (-(float)x, 40))) - 1), 4e-7);
  }
  for (double e = 1e-9; e <= 1; e *= 1.01)
    ck_assert_double_le (fabs (vl_log1p (e) / log1p ((float)e) - 1), 3e-7);
}
END_TEST

START_TEST (test_scalar_limits)
{
  ck_assert_float_eq (vl_exp (-INFINITY), 0);
  ck_assert_float_eq (vl_exp (-1000), 0);
  ck_assert_float_eq (vl_exp (0), 1);
  ck_assert (isfinite (vl_exp (INFINITY)) && vl_exp (INFINITY) > 1e38f);
  ck_assert_float_eq (vl_tanh (0), 0);
  ck_assert_float_eq (vl_tanh (INFINITY), 1);
  ck_assert_float_eq (vl_tanh (-INFINITY), -1);
  ck_assert_float_eq (vl_sigmoid (INFINITY), 1);
  ck_assert_float_le (vl_sigmoid (-INFINITY), 5e-18f);
  /* What two shut gates let through is not a denormal number. */
  ck_assert (isnormal (vl_sigmoid (-INFINITY) * vl_sigmoid (-1000)));
  ck_assert (isnan (vl_exp (NAN)) && isnan (vl_tanh (NAN)));
}
END_TEST

START_TEST (test_sums)
{
  for (size_t n = 0; n < 40; n++) {
    g_autofree VlReal *x = random_numbers (n + 1, 5);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
      sum += x[i];
      squares += (double)x[i] * x[i];
    }
    ck_assert_double_eq_tol (vl_sum (x, n), sum, 1e-12);
    ck_assert_double_eq_tol (vl_sum_squares (x, n), squares, 1e-12);
  }
}
END_TEST

/* --- products and convolutions against plain loops --- */

static const struct {
  unsigned M, N, K;
} gemm_cases[] = {{1, 1, 1}, {1, 17, 33}, {5, 1, 7}, {13, 29, 3}, {37, 11, 65}};

START_TEST (test_gemm)
{
  const size_t M = gemm_cases[_i].M, N = gemm_cases[_i].N, K = gemm_cases[_i].K;
  g_autofree VlReal *A = random_numbers (M * K, 1);
  g_autofree VlReal *B = random_numbers (K * N, 1);
  g_autofree VlReal *C0 = random_numbers (M * N, 1);
  g_autofree VlReal *C = g_new (VlReal, M * N);
  g_autofree VlReal *expected = g_new (VlReal, M * N);

  for (unsigned mode = 0; mode < 8; mode++) {
    const VlTrans ta = mode & 1 ? VL_TRANS : VL_NO_TRANS;
    const VlTrans tb = mode & 2 ? VL_TRANS : VL_NO_TRANS;
    const VlReal beta = mode & 4 ? 1 : 0;
    for (size_t i = 0; i < M; i++)
      for (size_t j = 0; j < N; j++) {
        double sum = beta * C0[i * N + j];
        for (size_t k = 0; k < K; k++)
          sum += (double)A[ta == VL_TRANS ? k * M + i : i * K + k] *
                 B[tb == VL_TRANS ? j * K + k : k * N + j];
        expected[i * N + j] = sum;
      }
    memcpy (C, C0, M * N * sizeof *C);
    vl_gemm (ta, tb, M, N, K, A, B, beta, C);
    expect_close (C, expected, M * N);
  }
}
END_TEST

/* beta 0 overwrites even what is not a number. */
START_TEST (test_gemm_overwrites)
{
  const VlReal A[] = {1, 2}, B[] = {3, 4};

  for (unsigned M = 1; M <= 2; M++) {
    VlReal C[] = {NAN, NAN, NAN, NAN};
    vl_gemm (VL_NO_TRANS, VL_NO_TRANS, M, 2, 1, A, B, 0, C);
    for (unsigned i = 0; i < 2 * M; i++)
      ck_assert_float_eq (C[i], A[i / 2] * B[i % 2]);
  }
}
END_TEST

static const VlConvShape conv_cases[] = {
    {1, 4, 4, 1, 1, 4, 2},  /* one patch */
    {2, 9, 12, 3, 5, 4, 2}, /* rows and columns left over */
    {3, 6, 8, 2, 4, 6, 1},
    {1, 5, 7, 4, 3, 1, 3},
};

static void
naive_conv2d (VlReal *y, const VlReal *x, const VlReal *weight,
    const VlReal *bias, const VlConvShape *s)
{
  const unsigned OH = vl_conv2d_out (s->H, s->K, s->stride);
  const unsigned OW = vl_conv2d_out (s->W, s->K, s->stride);

  for (unsigned i = 0; i < s->B * OH * OW * s->OC; i++) {
    const unsigned oc = i % s->OC, ox = i / s->OC % OW;
    const unsigned oy = i / s->OC / OW % OH, b = i / s->OC / OW / OH;
    double sum = bias[oc];
    for (unsigned ky = 0; ky < s->K; ky++)
      for (unsigned kx = 0; kx < s->K; kx++)
        for (unsigned ic = 0; ic < s->IC; ic++)
          sum += (double)x[((b * s->H + oy * s->stride + ky) * s->W +
                               ox * s->stride + kx) *
                               s->IC +
                           ic] *
                 weight[((oc * s->K + ky) * s->K + kx) * s->IC + ic];
    y[i] = sum;
  }
}

START_TEST (test_conv2d)
{
  const VlConvShape *s = &conv_cases[_i];
  const size_t n = s->B * s->OC * vl_conv2d_out (s->H, s->K, s->stride) *
                   vl_conv2d_out (s->W, s->K, s->stride);
  g_autofree VlReal *x = random_numbers (s->B * s->H * s->W * s->IC, 1);
  g_autofree VlReal *weight = random_numbers (s->OC * s->K * s->K * s->IC, 1);
  g_autofree VlReal *bias = random_numbers (s->OC, 1);
  g_autofree VlReal *y = g_new (VlReal, n);
  g_autofree VlReal *expected = g_new (VlReal, n);
  g_autofree VlReal *scratch = g_new (VlReal, vl_conv2d_scratch (s));

  vl_conv2d_forward (y, x, weight, bias, s, scratch);
  naive_conv2d (expected, x, weight, bias, s);
  expect_close (y, expected, n);
}
END_TEST

static void
naive_conv_transpose2d (VlReal *y, const VlReal *x, const VlReal *weight,
    const VlReal *bias, const VlConvShape *s)
{
  const unsigned OH = vl_conv_transpose2d_out (s->H, s->K, s->stride);
  const unsigned OW = vl_conv_transpose2d_out (s->W, s->K, s->stride);

  for (unsigned i = 0; i < s->B * OH * OW * s->OC; i++)
    y[i] = bias[i % s->OC];
  for (unsigned i = 0; i < s->B * s->H * s->W * s->IC; i++) {
    const unsigned ic = i % s->IC, ix = i / s->IC % s->W;
    const unsigned iy = i / s->IC / s->W % s->H, b = i / s->IC / s->W / s->H;
    for (unsigned ky = 0; ky < s->K; ky++)
      for (unsigned kx = 0; kx < s->K; kx++)
        for (unsigned oc = 0; oc < s->OC; oc++)
          y[((b * OH + iy * s->stride + ky) * OW + ix * s->stride + kx) *
                  s->OC +
              oc] += x[i] * weight[((ic * s->K + ky) * s->K + kx) * s->OC + oc];
  }
}

START_TEST (test_conv_transpose2d)
{
  const VlConvShape *s = &conv_cases[_i];
  const size_t n = s->B * s->OC *
                   vl_conv_transpose2d_out (s->H, s->K, s->stride) *
                   vl_conv_transpose2d_out (s->W, s->K, s->stride);
  g_autofree VlReal *x = random_numbers (s->B * s->H * s->W * s->IC, 1);
  g_autofree VlReal *weight = random_numbers (s->IC * s->K * s->K * s->OC, 1);
  g_autofree VlReal *bias = random_numbers (s->OC, 1);
  g_autofree VlReal *y = g_new (VlReal, n);
  g_autofree VlReal *expected = g_new (VlReal, n);
  g_autofree VlReal *scratch = g_new (VlReal, vl_conv_transpose2d_scratch (s));

  vl_conv_transpose2d_forward (y, x, weight, bias, s, scratch);
  naive_conv_transpose2d (expected, x, weight, bias, s);
  expect_close (y, expected, n);
}
END_TEST

/* --- LSTM --- */

/* Two halves of a sequence, the state handed on, are the whole sequence. */
START_TEST (test_lstm_carries_state)
{
  enum { T = 6, B = 2, D = 3, H = 5, ROW = B * H };
  const VlLstmShape whole = {T, B, D, H}, half = {T / 2, B, D, H};
  g_autofree VlReal *x = random_numbers (T * B * D, 1);
  g_autofree VlReal *w_ih = random_numbers (4 * H * D, 1);
  g_autofree VlReal *w_hh = random_numbers (4 * H * H, 1);
  g_autofree VlReal *bias = random_numbers (8 * H, 1);
  const VlLstmParams params = {w_ih, w_hh, bias, bias + 4 * H};
  VlReal h[(T + 1) * ROW] = {0}, c[(T + 1) * ROW] = {0}, gates[T * 4 * ROW];
  VlReal h2[(T + 1) * ROW] = {0}, c2[(T + 1) * ROW] = {0};

  vl_lstm_forward (h, c, gates, x, &params, &whole);
  vl_lstm_forward (h2, c2, gates, x, &params, &half);
  vl_lstm_forward (h2 + T / 2 * ROW, c2 + T / 2 * ROW, gates, x + T / 2 * B * D,
      &params, &half);
  expect_close (h2, h, (T + 1) * ROW);
  expect_close (c2, c, (T + 1) * ROW);
}
END_TEST

/* Large inputs saturate the gates; the state stays in its bounds. */
START_TEST (test_lstm_saturates)
{
  enum { T = 3, H = 9 };
  const VlLstmShape s = {T, 1, 1, H};
  const VlReal x[T] = {1e30f, -1e30f, 1e30f};
  g_autofree VlReal *w_ih = random_numbers (4 * H, 1);
  g_autofree VlReal *w_hh = random_numbers (4 * H * H, 1);
  g_autofree VlReal *bias = random_numbers (8 * H, 1);
  const VlLstmParams params = {w_ih, w_hh, bias, bias + 4 * H};
  VlReal h[(T + 1) * H] = {0}, c[(T + 1) * H] = {0}, gates[T * 4 * H];

  vl_lstm_forward (h, c, gates, x, &params, &s);
  for (unsigned i = 0; i < (T + 1) * H; i++) {
    ck_assert (fabsf (h[i]) <= 1);
    ck_assert (fabsf (c[i]) <= T);
  }
}
END_TEST

/* --- mixture density --- */

START_TEST (test_mixture_is_a_distribution)
{
  const VlMdnShape s = {.B = 3, .K = 4, .Z = 35};
  const size_t n = s.B * s.K * s.Z;
  g_autofree VlReal *head = random_numbers (3 * n, 30);
  g_autofree VlReal *base = random_numbers (s.B * s.Z, 1);
  g_autofree VlReal *pi = g_new (VlReal, n);
  g_autofree VlReal *sigma = g_new (VlReal, n);
  g_autofree VlReal *mu = g_new (VlReal, n);

  vl_mdn_mixture (pi, sigma, mu, head, base, &s);
  for (unsigned b = 0; b < s.B; b++)
    for (unsigned d = 0; d < s.Z; d++) {
      double sum = 0;
      for (unsigned k = 0; k < s.K; k++) {
        const size_t i = (b * s.K + k) * s.Z + d;
        ck_assert_float_ge (pi[i], 0);
        ck_assert_float_ge (sigma[i], expf (VL_MDN_LOG_SIGMA_MIN) * 0.99999f);
        ck_assert_float_le (sigma[i], expf (VL_MDN_LOG_SIGMA_MAX) * 1.00001f);
        sum += pi[i];
      }
      ck_assert_double_eq_tol (sum, 1, 1e-5); /* a logit of 30 rounds by 2e-6 */
    }
}
END_TEST

/* One component is a Gaussian, whose NLL is known. */
START_TEST (test_mdn_of_one_gaussian)
{
  const VlMdnShape s = {.B = 1, .K = 1, .Z = 2};
  const VlReal head[] = {7, -3, logf (2), logf (0.5), 1, 4};
  const VlReal base[] = {0.5, -1}, target[] = {2, 3.5};
  const double expected =
      log (2) + log (0.5) + log (2 * G_PI) + 0.5 * (0.25 * 0.25 + 1 * 1);
  VlReal nll;

  vl_mdn_nll_forward (&nll, head, base, target, &s);
  ck_assert_double_eq_tol (nll, expected, 1e-6);
}
END_TEST

/* What is added to every logit cancels in the softmax. */
START_TEST (test_softmax_shift)
{
  const VlMdnShape s = {.B = 2, .K = 3, .Z = 5};
  const size_t part = s.K * s.Z;
  g_autofree VlReal *head = random_numbers (s.B * 3 * part, 1);
  g_autofree VlReal *target = random_numbers (s.B * s.Z, 1);
  VlReal nll[2], shifted[2];

  vl_mdn_nll_forward (nll, head, NULL, target, &s);
  for (unsigned b = 0; b < s.B; b++)
    for (size_t i = 0; i < part; i++)
      head[b * 3 * part + i] += 64;
  vl_mdn_nll_forward (shifted, head, NULL, target, &s);
  expect_close (shifted, nll, s.B);
}
END_TEST

START_TEST (test_mdn_finite)
{
  static const VlReal extremes[] = {
      0, 1, -1, 90, -90, 1e-30f, 1e19f, -1e19f, 3.4e38f, -3.4e38f};
  const VlMdnShape s = {.B = 1, .K = 2, .Z = 3};
  VlReal head[18], target[3], base[3], dhead[18];
  const VlReal dnll = 1;
  GRand *random = g_rand_new_with_seed (7);

  for (unsigned round = 0; round < 20000; round++) {
    VlReal nll;
    for (unsigned i = 0; i < 24; i++) {
      VlReal value =
          extremes[g_rand_int_range (random, 0, G_N_ELEMENTS (extremes))];
      *(i < 18 ? &head[i] : i < 21 ? &target[i - 18] : &base[i - 21]) = value;
    }
    const VlReal *maybe_base = round % 2 ? base : NULL;
    vl_mdn_nll_forward (&nll, head, maybe_base, target, &s);
    ck_assert_msg (isfinite (nll), "round %u: nll %g", round, nll);
    memset (dhead, 0, sizeof dhead);
    vl_mdn_nll_backward (
        dhead, NULL, NULL, &dnll, head, maybe_base, target, &s);
    for (unsigned i = 0; i < 18; i++)
      ck_assert_msg (
          isfinite (dhead[i]), "round %u: dhead[%u] %g", round, i, dhead[i]);
  }
  g_rand_free (random);
}
END_TEST

/* --- losses --- */

START_TEST (test_kld_at_the_prior)
{
  const VlReal zero[5] = {0};
  VlReal dmu[5] = {0}, dlogvar[5] = {0};

  ck_assert_double_eq (vl_kld (dmu, dlogvar, zero, zero, 1, 5), 0);
  for (unsigned i = 0; i < 5; i++) {
    ck_assert_float_eq (dmu[i], 0);
    ck_assert_float_eq (dlogvar[i], 0);
  }
}
END_TEST

START_TEST (test_kld_not_negative)
{
  for (double scale = 1e-6; scale < 20; scale *= 3) {
    g_autofree VlReal *mu = random_numbers (100, scale);
    g_autofree VlReal *logvar = random_numbers (100, scale);
    for (unsigned i = 0; i < 100; i++)
      ck_assert_double_ge (vl_kld (NULL, NULL, &mu[i], &logvar[i], 1, 1), 0);
    ck_assert_double_gt (vl_kld (NULL, NULL, mu, logvar, 1, 100), 0);
  }
}
END_TEST

START_TEST (test_gaussian_loss_at_the_target)
{
  g_autofree VlReal *x = random_numbers (67, 1);
  VlReal dx[67] = {0};

  ck_assert_double_eq (vl_gaussian_loss (dx, x, x, 0.05, 1, 67), 0);
  for (unsigned i = 0; i < 67; i++)
    ck_assert_float_eq (dx[i], 0);
}
END_TEST

/* The naive formula takes log (0) where the sigmoid rounds to 0 or 1. */
START_TEST (test_bernoulli_loss)
{
  static const struct {
    VlReal logit, x;
    double expected, gradient;
  } cases[] = {{0, 0.5, G_LN2, 0}, {0, 1, G_LN2, -0.5}, {200, 1, 0, 0},
      {-200, 0, 0, 0}, {200, 0, 200, 1}, {-200, 1, 200, -1},
      {1e30f, 0, 1e30f, 1}, {-1e30f, 0, 0, 0}};

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    VlReal gradient = 0;
    double loss =
        vl_bernoulli_loss (&gradient, &cases[i].logit, &cases[i].x, 1, 1);
    ck_assert_double_eq_tol (
        loss, cases[i].expected, 1e-6 * (1 + cases[i].expected));
    ck_assert_double_eq_tol (gradient, cases[i].gradient, 1e-6);
  }
}
END_TEST

/* Asking for the gradient changes nothing in the loss. */
START_TEST (test_losses_without_gradient)
{
  enum { N = 130 };
  g_autofree VlReal *a = random_numbers (N, 1);
  g_autofree VlReal *b = random_numbers (N, 1);
  VlReal grad[N] = {0};

  ck_assert_double_eq (vl_gaussian_loss (NULL, a, b, 0.1, 1, N),
      vl_gaussian_loss (grad, a, b, 0.1, 1, N));
  ck_assert_double_eq (vl_bernoulli_loss (NULL, a, b, 1, N),
      vl_bernoulli_loss (grad, a, b, 1, N));
}
END_TEST

/* --- optimiser --- */

START_TEST (test_adam_descends)
{
  enum { N = 11 };
  g_autofree VlReal *grads = random_numbers (N, 1);
  VlReal params[N] = {0}, m[N] = {0}, v[N] = {0};

  grads[3] = 0;
  vl_adam_step (params, m, v, grads, N, 0.01, 1);
  for (unsigned i = 0; i < N; i++) /* the first step is the rate, whatever g */
    ck_assert_float_eq_tol (params[i],
        grads[i] > 0   ? -0.01f
        : grads[i] < 0 ? 0.01f
                       : 0,
        1e-6f);
}
END_TEST

START_TEST (test_adam_finds_the_minimum)
{
  const VlReal target[] = {3, -1, 0.5};
  VlReal x[3] = {0}, m[3] = {0}, v[3] = {0}, g[3];

  for (unsigned step = 1; step <= 2000; step++) {
    for (unsigned i = 0; i < 3; i++)
      g[i] = (i + 1) * (x[i] - target[i]);
    vl_adam_step (x, m, v, g, 3, 0.01, step);
  }
  expect_close (x, target, 3);
}
END_TEST

START_TEST (test_clip)
{
  VlReal large[] = {3, 0, -4}, small[] = {0.3, 0, -0.4};

  ck_assert_double_eq_tol (vl_clip_grad_norm (large, 3, 1), 5, 1e-9);
  ck_assert_float_eq_tol (large[0], 0.6f, 1e-6f);
  ck_assert_float_eq_tol (large[2], -0.8f, 1e-6f);
  ck_assert_double_eq_tol (vl_clip_grad_norm (small, 3, 1), 0.5, 1e-7);
  ck_assert_float_eq (small[0], 0.3f);
  ck_assert_float_eq (small[2], -0.4f);
}
END_TEST

START_TEST (test_clip_not_finite)
{
  VlReal grads[] = {1, NAN, 2}, infinite[] = {3, INFINITY};

  ck_assert (isnan (vl_clip_grad_norm (grads, 3, 1)));
  ck_assert_float_eq (grads[0], 1);
  ck_assert (isinf (vl_clip_grad_norm (infinite, 2, 1)));
  ck_assert_float_eq (infinite[0], 3);
}
END_TEST

/* --- tensors --- */

START_TEST (test_tensor_round_trip)
{
  VlTensorSpec specs[] = {{"w", 4, {3, 5, 2, 4}}, {"m", 2, {3, 4, 2, 2}},
      {"v", 1, {7, 1, 1, 1}}, {"map", 3, {1, 4, 3, 3}}};
  const size_t size = vl_tensor_layout (specs, G_N_ELEMENTS (specs));
  g_autofree VlReal *arena = g_new0 (VlReal, size);

  ck_assert_uint_eq (size, 3 * 5 * 8 + 3 * 16 + 7 + 36);
  for (unsigned i = 0; i < G_N_ELEMENTS (specs); i++) {
    const size_t n = vl_tensor_size (&specs[i]);
    g_autofree VlReal *in = random_numbers (n, 1);
    g_autofree VlReal *out = g_new (VlReal, n);
    vl_tensor_import (arena, &specs[i], in);
    vl_tensor_export (out, arena, &specs[i]);
    ck_assert_mem_eq (in, out, n * sizeof *in);
  }
}
END_TEST

/* (A,B,KH,KW) lies in memory as (A,KH,KW,B). */
START_TEST (test_tensor_order)
{
  const VlTensorSpec spec = {"w", 4, {2, 3, 2, 2}, 1};
  VlReal torch_order[24], arena[25];

  for (unsigned i = 0; i < 24; i++)
    torch_order[i] = i;
  vl_tensor_import (arena, &spec, torch_order);
  for (unsigned a = 0; a < 2; a++)
    for (unsigned b = 0; b < 3; b++)
      for (unsigned p = 0; p < 4; p++)
        ck_assert_float_eq (
            arena[1 + (a * 4 + p) * 3 + b], (a * 3 + b) * 4 + p);
}
END_TEST

START_TEST (test_tensor_shape)
{
  const VlTensorSpec specs[] = {{"matrix", 2, {3, 4, 2, 2}},
      {"map", 3, {1, 4, 3, 5}}, {"vector", 1, {7, 1, 1, 1}}};
  size_t shape[4];

  ck_assert_uint_eq (vl_tensor_shape (&specs[0], shape), 2);
  ck_assert_uint_eq (shape[0], 3);
  ck_assert_uint_eq (shape[1], 16);
  ck_assert_uint_eq (vl_tensor_shape (&specs[1], shape), 3);
  ck_assert_uint_eq (shape[0], 4);
  ck_assert_uint_eq (shape[2], 5);
  ck_assert_uint_eq (vl_tensor_shape (&specs[2], shape), 1);
  ck_assert_uint_eq (shape[0], 7);
  ck_assert_ptr_eq (vl_tensor_find (specs, 3, "map"), &specs[1]);
  ck_assert_ptr_null (vl_tensor_find (specs, 3, "ma"));
}
END_TEST

static TCase *
add_case (Suite *suite, const char *name)
{
  TCase *tcase = tcase_create (name);

  suite_add_tcase (suite, tcase);
  return tcase;
}

static Suite *
nn_suite (void)
{
  Suite *suite = suite_create ("nn");
  TCase *tcase = add_case (suite, "scalar");

  tcase_add_test (tcase, test_scalar_functions);
  tcase_add_test (tcase, test_scalar_limits);
  tcase_add_test (tcase, test_sums);

  tcase = add_case (suite, "layers");
  tcase_add_loop_test (tcase, test_gemm, 0, G_N_ELEMENTS (gemm_cases));
  tcase_add_test (tcase, test_gemm_overwrites);
  tcase_add_loop_test (tcase, test_conv2d, 0, G_N_ELEMENTS (conv_cases));
  tcase_add_loop_test (
      tcase, test_conv_transpose2d, 0, G_N_ELEMENTS (conv_cases));
  tcase_add_test (tcase, test_lstm_carries_state);
  tcase_add_test (tcase, test_lstm_saturates);

  tcase = add_case (suite, "mdn");
  tcase_add_test (tcase, test_mixture_is_a_distribution);
  tcase_add_test (tcase, test_mdn_of_one_gaussian);
  tcase_add_test (tcase, test_softmax_shift);
  tcase_add_test (tcase, test_mdn_finite);

  tcase = add_case (suite, "losses");
  tcase_add_test (tcase, test_kld_at_the_prior);
  tcase_add_test (tcase, test_kld_not_negative);
  tcase_add_test (tcase, test_gaussian_loss_at_the_target);
  tcase_add_test (tcase, test_bernoulli_loss);
  tcase_add_test (tcase, test_losses_without_gradient);

  tcase = add_case (suite, "adam");
  tcase_add_test (tcase, test_adam_descends);
  tcase_add_test (tcase, test_adam_finds_the_minimum);
  tcase_add_test (tcase, test_clip);
  tcase_add_test (tcase, test_clip_not_finite);

  tcase = add_case (suite, "tensors");
  tcase_add_test (tcase, test_tensor_round_trip);
  tcase_add_test (tcase, test_tensor_order);
  tcase_add_test (tcase, test_tensor_shape);
  return suite;
}

int
main (void)
{
  SRunner *runner = srunner_create (nn_suite ());

  srunner_run_all (runner, CK_NORMAL);
  int failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
