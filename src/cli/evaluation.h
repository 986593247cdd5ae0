/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A detector's tracks against the truth. */

#pragma once

#include "labels.h"
#include "track.h"

/* The two protocols of judging frames: scores as they are, pooled over clips;
 * and scaled per clip to [0,1] by the clip's own range, as much published work
 * does and no camera can. */
typedef struct {
  double live,
      published; /* area under the ROC curve; NAN: a class is missing */
} VlAuc;

/* A labelled anomaly. */
typedef struct {
  const VlTrack *track;
  guint64 first, last; /* frames */
  gboolean detected;   /* an event overlaps it */
  guint64 alarm_frame; /* when detected: where the alarm was raised, which may
                          be before first */
  double delay;        /* seconds from first to there; at least 0 */
} VlInterval;

typedef struct {
  VlAuc auc[VL_N_SERIES];
  double eer;            /* of the score, live */
  guint n_events;        /* raised */
  guint n_detected;      /* intervals with an event */
  guint n_false_alarms;  /* events that touch no labelled frame */
  double delay_median;   /* seconds; NAN with none detected */
  double normal_seconds; /* analysed video without a label */
  double video_seconds;  /* all of it */
  GArray *intervals;     /* VlInterval, in the order of clips and labels */
} VlEvaluation;

/* What an event turned out to be. */
typedef enum {
  VL_VERDICT_TRUE,    /* overlaps an anomaly */
  VL_VERDICT_IGNORED, /* overlaps none, but frames to ignore */
  VL_VERDICT_FALSE
} VlVerdict;

VlVerdict vl_event_verdict (
    const VlLabels *labels, const VlTrack *track, const VlTrackEvent *event);

/* tracks: VlTrack, each with a frame at least; they must outlive the result. */
VlEvaluation *vl_evaluate (const GPtrArray *tracks, const VlLabels *labels);
void vl_evaluation_free (VlEvaluation *evaluation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlEvaluation, vl_evaluation_free)
