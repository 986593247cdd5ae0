/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A few threads that share one job. */

#pragma once

#include <glib.h>

typedef struct VlWorkers VlWorkers;

/* n >= 1 workers; worker 0 is the calling thread. */
VlWorkers *vl_workers_new (guint n);
void vl_workers_free (VlWorkers *workers);

guint vl_workers_count (const VlWorkers *workers);

typedef void (*VlWork) (guint worker, gpointer data);

/* Calls work (0, data) .. work (n - 1, data), each in its own thread, and
 * returns when all are done. */
void vl_workers_run (VlWorkers *workers, VlWork work, gpointer data);

/* Worker i's share of n items: [vl_share (n, i, w), vl_share (n, i + 1, w)) of
 * w workers. */
static inline guint
vl_share (guint n, guint i, guint w)
{
  return (guint)((guint64)n * i / w);
}
