/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a detector says about the frames of one clip. */

#pragma once

#include "detector.h"
#include "media.h"

/* Numbers of a frame that can be judged on their own. */
typedef enum {
  VL_SERIES_SCORE,
  VL_SERIES_DYNAMICS,
  VL_SERIES_APPEARANCE,
  VL_SERIES_BASELINE, /* frame difference; see baseline.h */
  VL_N_SERIES
} VlSeries;

/* "score", "dynamics", ... Static storage. */
const char *vl_series_name (VlSeries series);

/* An analysed frame. */
typedef struct {
  guint64 frame; /* of the clip, from 0 */
  guint64 time;  /* ns in the clip */
  double values[VL_N_SERIES];
  gboolean anomalous;
  guint event_id; /* 0 outside events */
} VlScoredFrame;

/* An event of the detector. */
typedef struct {
  guint id;
  guint first;  /* frame where the score rose (place in frames) */
  guint raised; /* frame where the alarm was given (place in frames) */
  guint last;   /* last frame that counted for it (place in frames) */
  double peak;
} VlTrackEvent;

typedef struct {
  char *clip; /* name in tables, UTF-8 */
  double threshold;
  guint64 n_read; /* frames up to where reading ended, analysed or not */
  GArray *frames; /* VlScoredFrame */
  GArray *events; /* VlTrackEvent */
} VlTrack;

/* Called for each analysed frame, which may still be changed. FALSE with error
 * set ends the clip. */
typedef gboolean (*VlScoredFunc) (VlScoredFrame *scored,
    const GstVideoFrame *video, gpointer user_data, GError **error);

/* Runs the detector, from a fresh state, over the range of a clip. Images are
 * rate_n / rate_d frames per second. NULL with error set on failure. */
VlTrack *vl_track_run (VlDetector *detector, const char *where,
    const VlRange *range, unsigned rate_n, unsigned rate_d, VlScoredFunc func,
    gpointer user_data, GError **error);
void vl_track_free (VlTrack *track);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlTrack, vl_track_free)

const VlScoredFrame *vl_track_frame (const VlTrack *track, guint place);
const VlTrackEvent *vl_track_event (const VlTrack *track, guint place);
