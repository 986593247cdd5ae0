/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "base.h"

#include <gio/gio.h>

#include "base-resource.h"
#include "model-file.h"

#define PATH "/vaelstm/base.vaelstm"

static VlTensorFile *
open_weights (void)
{
  g_autoptr (GBytes) bytes = g_resource_lookup_data (
      vl_base_get_resource (), PATH, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

  g_return_val_if_fail (bytes != NULL, NULL);

  return vl_tensor_file_new_from_bytes (bytes, PATH, NULL);
}

gboolean
vl_base_load (const VlVae *vae, float *params)
{
  g_autoptr (VlTensorFile) file = NULL;

  if (vae->width != VL_BASE_WIDTH || vae->Z != VL_BASE_LATENT)
    return FALSE;
  file = open_weights ();
  if (file == NULL || !vl_model_check_tensors (file, VL_VAE_PREFIX, vae->specs,
                          VL_VAE_N_TENSORS, NULL))
    return FALSE;
  for (guint t = 0; t < VL_VAE_N_TENSORS; t++)
    if (!vl_model_import_tensor (
            file, VL_VAE_PREFIX, &vae->specs[t], params, NULL))
      return FALSE;
  return TRUE;
}
