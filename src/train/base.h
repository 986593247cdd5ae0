/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The weights a VAE may start from instead of random ones: models/base.vaelstm,
 * which is part of the library. models/README.md says where they come from and
 * what they gain. */

#pragma once

#include <glib.h>

#include "vae.h"

/* Sizes of the VAE that the weights are for. */
#define VL_BASE_WIDTH 16
#define VL_BASE_LATENT 32

/* Sets params (vae->n_params) to the weights. FALSE, with params as they were,
 * for a VAE of other sizes. */
gboolean vl_base_load (const VlVae *vae, float *params);
