/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A stream's detector: owns the stream's state, refers to a shared model, and
 * strings the stages of a frame's way together.
 *
 *   frame -> sample -> encode -> channel values -> LSTM step -> calibrate ->
 *   trigger -> VlResult
 *
 * Not thread-safe; one detector belongs to one stream. */

#pragma once

#include "model.h"
#include "sampler.h"
#include "trigger.h"

/* Rectangle as shares of the picture, 0..1. */
typedef struct {
  double x, y, w, h;
} VlRect;

typedef enum {
  VL_STATE_WARMING_UP, /* too few frames since the last reset to judge */
  VL_STATE_DETECTING
} VlState;

typedef struct {
  VlRect rect;
  double score; /* normalised value of the tile: spreads above its mean */
} VlRegion;

#define VL_MAX_REGIONS 6

/* What is known after an analysed frame. */
typedef struct {
  VlState state;
  double score;                   /* -log10 tail probability */
  double channels[VL_N_CHANNELS]; /* the same for each channel alone */
  double appearance;              /* the appearance channel */
  double dynamics;                /* the dynamics channel */
  double threshold;
  gboolean anomalous; /* an event is open */
  VlEvent event;
  guint event_id;      /* of the open or just closed event; 0: none */
  guint64 event_start; /* ns, as given to vl_detector_process */
  guint64 event_end;   /* ns, last frame that counted for the event */
  double peak;         /* largest score of the event */
  unsigned n_regions;  /* tiles that drove the score, largest first */
  VlRegion regions[VL_MAX_REGIONS];
} VlResult;

typedef struct {
  double false_alarms_per_day; /* > 0; sets the threshold */
  double threshold;            /* > 0 overrides it; 0: automatic */
  double release_ratio;        /* (0, 1] */
  guint64 min_duration, hold;  /* ns */
} VlDetectorSettings;

#define VL_DETECTOR_DEFAULTS                                                   \
  {                                                                            \
    1.0, 0.0, 0.7, 200 * G_GUINT64_CONSTANT (1000000),                         \
        2000 * G_GUINT64_CONSTANT (1000000)                                    \
  }

typedef struct VlDetector VlDetector;

/* Takes its own reference to the model, which must have a calibration. */
VlDetector *vl_detector_new (
    VlModel *model, const VlDetectorSettings *settings);
void vl_detector_free (VlDetector *detector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlDetector, vl_detector_free)

/* How the model wants its input. Valid as long as the detector. */
const VlInput *vl_detector_input (const VlDetector *detector);

/* May be called between any two frames. */
void vl_detector_set (VlDetector *detector, const VlDetectorSettings *settings);

/* Pixels inside the n rectangles are shown to the network as the normal
 * background. Acts on the next frame. */
void vl_detector_set_exclude (
    VlDetector *detector, const VlRect *rects, unsigned n);

/* Frames from now on look like info; the stream's state starts afresh. FALSE
 * with error set when the format cannot be read. */
gboolean vl_detector_set_format (
    VlDetector *detector, const GstVideoInfo *info, GError **error);

/* Forgets the LSTM's state, averages and schedule, and leaves an open event
 * open (see vl_detector_close). For jumps in time, flushes and new clips. */
void vl_detector_reset (VlDetector *detector);

/* Frames per second to analyse instead of the model's rate; 0/1: the
 * model's. */
void vl_detector_set_rate (VlDetector *detector, unsigned n, unsigned d);

/* TRUE when the frame at `time` (ns) is to be analysed. Each analysed frame is
 * asked for once: a TRUE moves the schedule on. GST_CLOCK_TIME_NONE: always
 * TRUE. */
gboolean vl_detector_is_due (VlDetector *detector, guint64 time);

/* Analyses one frame. time (ns) does not decrease between resets. No
 * allocation. */
void vl_detector_process (VlDetector *detector, const GstVideoFrame *frame,
    guint64 time, VlResult *result);

/* Bytes of a picture at the model's size. */
gsize vl_detector_picture_size (const VlDetector *detector);

/* The first half of vl_detector_process: picture is written, nothing of the
 * stream's state is read or changed, so another thread may be analysing an
 * earlier picture. */
void vl_detector_sample (
    VlDetector *detector, const GstVideoFrame *frame, guint8 *picture);

/* The second half, of a picture at the model's size. */
void vl_detector_process_picture (VlDetector *detector, const guint8 *picture,
    guint64 time, VlResult *result);

/* Closes an open event: result->event says VL_EVENT_END, or VL_EVENT_NONE when
 * there was none. */
void vl_detector_close (VlDetector *detector, VlResult *result);
