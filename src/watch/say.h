/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is told to the person who watches: one line on standard error. */

#pragma once

#include <glib.h>

/* Prints `CAMERA: text`, or `vaelstm: text` where camera is NULL, whatever the
 * text holds on one line. Any thread. */
void vl_say (const char *camera, const char *format, ...) G_GNUC_PRINTF (2, 3);
