/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An event: what one recording holds. Anomalies that are less than the
 * post-roll apart are one event. */

#pragma once

#include <gio/gio.h>

#include "clip.h"
#include "sighting.h"

typedef struct {
  gatomicrefcount ref_count;
  char *camera;
  guint number;        /* of the camera's events, from 1 */
  gint64 epoch;        /* us since 1970 at running time 0 */
  GstClockTime start;  /* running time of the recording's first frame */
  VlSighting sighting; /* once it is over */
  VlClip *clip;        /* NULL: not recorded */

  /* Of the model that saw it; owned. */
  char *model, *checksum;

  /* Files, by those who write them; NULL where there is none. Owned. */
  char *clip_path, *picture_path;
} VlEvent;

VlEvent *vl_event_new (const char *camera, guint number, gint64 epoch,
    GstClockTime start, VlClip *clip);
VlEvent *vl_event_ref (VlEvent *event);
void vl_event_unref (VlEvent *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlEvent, vl_event_unref)

/* Microseconds since 1970, UTC, of a running time. */
gint64 vl_event_utc (const VlEvent *event, GstClockTime running_time);

/* One line of JSON, without a newline; docs/watch.md tells its members. */
char *vl_event_to_json (const VlEvent *event);
