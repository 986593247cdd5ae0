/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Values for properties that nobody would think of. */

#pragma once

#include <gst/gst.h>

/* Makes value one that pspec allows: often an extreme, often the default.
 * Strings are file names in a place where no file can be made. Fails the test
 * for a type it does not know. */
void random_value_init (GValue *value, GParamSpec *pspec, GRand *random);
