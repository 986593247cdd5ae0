/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "random.h"

#include <math.h>

void
vl_random_seek (GRand *random, guint seed, guint stage, guint step)
{
  const guint32 key[] = {seed, stage, step};

  g_rand_set_seed_array (random, key, G_N_ELEMENTS (key));
}

guint
vl_random_below (GRand *random, guint n)
{
  return (guint)((guint64)g_rand_int (random) * n >> 32);
}

/* Box and Muller 1958: two at a time. */
void
vl_random_normal (GRand *random, float *x, gsize n)
{
  for (gsize i = 0; i < n; i += 2) {
    const double radius = sqrt (-2 * log (1 - g_rand_double (random)));
    const double angle = 2 * G_PI * g_rand_double (random);
    x[i] = (float)(radius * cos (angle));
    if (i + 1 < n)
      x[i + 1] = (float)(radius * sin (angle));
  }
}
