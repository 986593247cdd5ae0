/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The number type of src/nn. The product links the float build; gradient
 * checks link a double build of the same sources, where a central difference
 * resolves 1e-9 and so tells a wrong sign from rounding. */

#pragma once

#include <stddef.h>

#ifdef VL_NN_DOUBLE
typedef double VlReal;
#else
typedef float VlReal;
#endif
