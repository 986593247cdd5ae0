/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "light.h"

#include "random.h"

#include <math.h>

#define MEMORY                                                                 \
  0.9 /* of the gain, from frame to frame: a second at 10 a second */

void
vl_light_init (VlLight *light, const VlTrainOptions *options, VlStage stage)
{
  const VlInput *input = &options->input;

  *light = (VlLight){.spread = options->light};
  light->size =
      (gsize)input->width * input->height * vl_input_bytes_per_pixel (input);
  light->picture = g_malloc (light->size);
  light->random = g_rand_new ();
  vl_random_seek (light->random, options->seed, stage, 0);
}

void
vl_light_clear (VlLight *light)
{
  g_free (light->picture);
  g_rand_free (light->random);
}

/* An autoregressive process of first order. */
static void
wander (VlLight *light)
{
  float drawn;

  vl_random_normal (light->random, &drawn, 1);
  light->away =
      MEMORY * light->away + sqrt (1 - MEMORY * MEMORY) * light->spread * drawn;
}

const guint8 *
vl_light_apply (VlLight *light, const guint8 *picture)
{
  guint8 lit[256];

  if (light->spread <= 0)
    return picture;
  wander (light);
  for (guint v = 0; v < G_N_ELEMENTS (lit); v++)
    lit[v] = (guint8)CLAMP (v * (1 + light->away) + 0.5, 0, 255);
  for (gsize i = 0; i < light->size; i++)
    light->picture[i] = lit[picture[i]];
  return light->picture;
}
