/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "random-value.h"

#include <gst/check/gstcheck.h>

static guint64
random_uint64 (GRand *random)
{
  return (guint64)g_rand_int (random) << 32 | g_rand_int (random);
}

/* In lo..hi, of which one may be as far from the other as can be. */
static guint64
random_between (GRand *random, guint64 lo, guint64 hi)
{
  guint64 bits = random_uint64 (random);

  switch (g_rand_int_range (random, 0, 4)) {
  case 0:
    return lo;
  case 1:
    return hi;
  case 2: /* as often small as large */
    bits >>= g_rand_int_range (random, 0, 64);
    break;
  default:
    break;
  }
  return hi - lo == G_MAXUINT64 ? bits : lo + bits % (hi - lo + 1);
}

static double
random_double (GRand *random, double lo, double hi)
{
  double share = g_rand_double (random);

  switch (g_rand_int_range (random, 0, 3)) {
  case 0:
    return lo;
  case 1:
    return hi;
  default:
    return lo * (1 - share) + hi * share;
  }
}

static void
take_random_string (GValue *value, GRand *random)
{
  GString *string = g_string_new ("/dev/null/");

  for (gint n = g_rand_int_range (random, 0, 40); n > 0; n--)
    g_string_append_unichar (string, g_rand_int_range (random, 32, 0x3000));
  g_value_take_string (value, g_string_free (string, FALSE));
}

static void
set_random_fraction (GValue *value, GParamSpec *pspec, GRand *random)
{
  GstParamSpecFraction *range = GST_PARAM_SPEC_FRACTION (pspec);
  gint n = random_between (random, MAX (0, range->min_num), G_MAXINT);
  gint d = random_between (random, 1, G_MAXINT);

  gst_value_set_fraction (value, n, d);
  if (g_param_value_validate (pspec, value))
    g_param_value_set_default (pspec, value);
}

static void
set_random_number (GValue *value, GParamSpec *pspec, GRand *random)
{
#define RANGE(TYPE)                                                            \
  G_PARAM_SPEC_##TYPE (pspec)->minimum, G_PARAM_SPEC_##TYPE (pspec)->maximum

  switch (G_TYPE_FUNDAMENTAL (pspec->value_type)) {
  case G_TYPE_INT:
    g_value_set_int (value, random_between (random, RANGE (INT)));
    break;
  case G_TYPE_UINT:
    g_value_set_uint (value, random_between (random, RANGE (UINT)));
    break;
  case G_TYPE_INT64:
    g_value_set_int64 (value, random_between (random, RANGE (INT64)));
    break;
  case G_TYPE_UINT64:
    g_value_set_uint64 (value, random_between (random, RANGE (UINT64)));
    break;
  case G_TYPE_FLOAT:
    g_value_set_float (value, random_double (random, RANGE (FLOAT)));
    break;
  case G_TYPE_DOUBLE:
    g_value_set_double (value, random_double (random, RANGE (DOUBLE)));
    break;
  default:
    fail ("%s has a type that is not known here", pspec->name);
  }
#undef RANGE
}

static void
set_random_enum (GValue *value, GParamSpec *pspec, GRand *random)
{
  GEnumClass *klass = G_PARAM_SPEC_ENUM (pspec)->enum_class;

  g_value_set_enum (value,
      klass->values[g_rand_int_range (random, 0, klass->n_values)].value);
}

void
random_value_init (GValue *value, GParamSpec *pspec, GRand *random)
{
  g_value_init (value, pspec->value_type);
  g_param_value_set_default (pspec, value);
  if (g_rand_int_range (random, 0, 4) == 0)
    return;

  if (G_VALUE_HOLDS_BOOLEAN (value))
    g_value_set_boolean (value, g_rand_boolean (random));
  else if (G_VALUE_HOLDS_ENUM (value))
    set_random_enum (value, pspec, random);
  else if (G_VALUE_HOLDS_FLAGS (value))
    g_value_set_flags (value,
        g_rand_int (random) & G_PARAM_SPEC_FLAGS (pspec)->flags_class->mask);
  else if (G_VALUE_HOLDS_STRING (value))
    take_random_string (value, random);
  else if (GST_VALUE_HOLDS_FRACTION (value))
    set_random_fraction (value, pspec, random);
  else if (!G_VALUE_HOLDS_OBJECT (value)) /* which stays none */
    set_random_number (value, pspec, random);
}
