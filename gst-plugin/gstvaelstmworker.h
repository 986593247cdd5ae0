/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A thread that analyses pictures beside the stream, one at a time. The
 * stream's thread alone calls these functions, and none of them waits for an
 * analysis but _wait and _free.
 *
 * While an analysis is on, the detector is the thread's: only
 * vl_detector_sample and vl_detector_is_due may be called on it. */

#pragma once

#include "detector.h"
#include "gstvaelstmtimes.h"

typedef struct {
  GstVaeLstmTimes times; /* of the picture */
  VlResult result;
  GstClockTime spent; /* wall time of the analysis */
} GstVaeLstmAnalysis;

typedef struct GstVaeLstmWorker GstVaeLstmWorker;

/* Refers to detector, which lives longer. */
GstVaeLstmWorker *gst_vae_lstm_worker_new (VlDetector *detector);
void gst_vae_lstm_worker_free (GstVaeLstmWorker *worker);

/* Whether no analysis is on, nor waits to be taken. */
gboolean gst_vae_lstm_worker_is_idle (GstVaeLstmWorker *worker);

/* Until no analysis is on. */
void gst_vae_lstm_worker_wait (GstVaeLstmWorker *worker);

/* Analyses a copy of a picture; to be called when idle. */
void gst_vae_lstm_worker_start (GstVaeLstmWorker *worker, const guint8 *picture,
    const GstVaeLstmTimes *times);

/* The analysis that has ended and was not taken yet; NULL when there is none.
 * Valid until the next start. */
const GstVaeLstmAnalysis *gst_vae_lstm_worker_take (GstVaeLstmWorker *worker);
