/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Loads bytes as a model file. With clang's -fsanitize=fuzzer this is a fuzz
 * target; otherwise replay.c calls it. */

#define _GNU_SOURCE /* memfd_create */

#include <glib.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "model.h"

static void
check_finite (const float *numbers, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_assert_true (isfinite (numbers[i]));
}

/* What loads can be used. */
static void
check_model (const VlModel *model)
{
  g_assert_cmpuint (vl_model_grid_width (model), >, 0);
  g_assert_cmpuint (vl_model_grid_height (model), >, 0);
  check_finite (model->vae_params, model->vae.n_params);
  check_finite (model->rnn_params, model->rnn.n_params);
  g_assert_true ((model->calibration == NULL) == (model->background == NULL));
  for (unsigned c = 0; model->calibration && c < VL_N_CHANNELS; c++) {
    const VlChannelCalibration *channel = &model->calibration->channels[c];

    check_finite (channel->mean, vl_model_n_tiles (model));
    check_finite (channel->spread, vl_model_n_tiles (model));
  }
}

/* Messages are one line and name the file. */
static void
check_error (const GError *error, const char *path)
{
  g_assert_nonnull (error);
  g_assert_true (error->domain == VL_MODEL_ERROR);
  g_assert_true (g_str_has_prefix (error->message, path));
  g_assert_null (strchr (error->message, '\n'));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int fd = memfd_create ("model", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (GError) error = NULL;
  g_autoptr (VlModel) model = NULL;

  g_assert_cmpint (write (fd, data, size), ==, (gssize)size);
  model = vl_model_load (path, &error);
  if (model != NULL)
    check_model (model);
  else
    check_error (error, path);
  close (fd);
  return 0;
}
