/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Ctrl-C: the first one asks the work to stop cleanly, one that comes later
 * ends the program at once. */

#pragma once

#include <gio/gio.h>

/* Starts watching SIGINT and SIGTERM. Call once. */
void vl_interrupt_watch (void);

/* Cancelled by the first signal. Owned by this file. */
GCancellable *vl_interrupt_cancellable (void);
