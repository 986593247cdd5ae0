/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a model computes from fixed input: recorded where it is saved, compared
 * where it is loaded. */

#pragma once

#include "model.h"

#define VL_SELF_TEST_PIXELS 16
#define VL_SELF_TEST_STEPS 8

typedef struct {
  unsigned Z;
  float *mu;                        /* (Z) of the fixed picture */
  float x_hat[VL_SELF_TEST_PIXELS]; /* of mu, along the diagonal */
  double nll; /* of a sequence of fixed latents, summed over its steps */
} VlSelfTest;

/* Runs both networks. Free with vl_self_test_free(). */
VlSelfTest *vl_self_test_run (const VlModel *model);
VlSelfTest *vl_self_test_new (unsigned Z);
void vl_self_test_free (VlSelfTest *test);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlSelfTest, vl_self_test_free)

gboolean vl_self_test_is_finite (const VlSelfTest *test);

/* Whether two results are the same but for rounding. */
gboolean vl_self_test_agrees (const VlSelfTest *a, const VlSelfTest *b);
