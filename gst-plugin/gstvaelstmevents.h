/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a stream's results mean to others: element messages on the bus, and
 * custom events downstream, for each anomaly's start, updates and end. */

#pragma once

#include <gst/gst.h>

#include "detector.h"
#include "gstvaelstmenums.h"
#include "gstvaelstmtimes.h"

/* Zero: nothing was analysed yet. */
typedef struct {
  VlResult last;           /* of the last analysed frame */
  GstVaeLstmTimes counted; /* last frame that counted for the open event */
  guint64 last_message;    /* detector's time of the event's last message */
} GstVaeLstmEvents;

/* Tells what events->last, of the frame at these times, means. src: where the
 * element's events go. With no lock held. */
void gst_vae_lstm_events_report (GstVaeLstmEvents *events, GstElement *element,
    GstPad *src, GstVaeLstmPost post, const GstVaeLstmTimes *times);

/* Ends an open event where there is no next frame to end it. */
void gst_vae_lstm_events_close (GstVaeLstmEvents *events, GstElement *element,
    GstPad *src, GstVaeLstmPost post);
