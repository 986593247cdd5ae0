/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Learns a model from one live stream, beside it: collects pictures in bounded
 * memory, then trains in threads of its own at low priority. One training at a
 * time in a process; others wait for their turn.
 *
 * The stream's thread owns the learner. */

#pragma once

#include <gst/video/video.h>

#include "train.h"

typedef struct {
  guint64 duration;        /* ns of video to learn from */
  guint64 budget;          /* ns of wall time for training */
  unsigned rate_n, rate_d; /* frames per second to learn at; 0/1: 10, or the
                              video's frame rate where that is lower */
  const char *path;        /* where to save the model; NULL: nowhere. Copied */
} VlLearnerOptions;

typedef struct VlLearner VlLearner;

VlLearner *vl_learner_new (const VlLearnerOptions *options);

/* Cancels the training. Its threads end by themselves within milliseconds of
 * work, which at low priority may take longer than a stream can wait. No
 * call of the progress function begins from now on; one may be on. */
void vl_learner_free (VlLearner *learner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VlLearner, vl_learner_free)

/* Frames from now on look like info, and do not follow those before. The first
 * format decides on the model's size and rate. FALSE with error set when the
 * format cannot be read. */
gboolean vl_learner_set_format (
    VlLearner *learner, const GstVideoInfo *info, GError **error);

/* The next frame does not follow the last one. What was collected stays. */
void vl_learner_interrupt (VlLearner *learner);

/* TRUE when the frame at `time` (ns) is to be added; as vl_schedule_is_due. */
gboolean vl_learner_is_due (VlLearner *learner, guint64 time);

/* Collects one frame. time (ns) does not decrease between interruptions. */
void vl_learner_add (
    VlLearner *learner, const GstVideoFrame *frame, guint64 time);

/* How much of what is to be collected has been, 0..1; 1: enough to train. */
double vl_learner_collected (const VlLearner *learner);

/* ns of video that are still to be collected, at least; 0: enough to train. */
guint64 vl_learner_left (const VlLearner *learner);

/* TRUE, with error set, when twice the time to learn from was collected and
 * there still is not enough to train: frames that come singly or in short runs
 * do not teach what follows what. */
gboolean vl_learner_is_overdue (const VlLearner *learner, GError **error);

/* Called from the training's thread, some ten times a second at most. waiting:
 * another training of this process is on, and progress is NULL. */
typedef void (*VlLearnerProgressFunc) (
    gboolean waiting, const VlProgress *progress, gpointer user_data);

/* Trains on what was collected, in the background; with less than a model needs
 * (vl_learner_collected below 1 may be enough) it fails at once, with
 * VL_TRAIN_ERROR_TOO_SHORT. No frames are added from now on. destroy
 * (may be NULL) is called on user_data, in any thread, once it is not needed,
 * which can be after the learner was freed. */
void vl_learner_train (VlLearner *learner, VlLearnerProgressFunc progress,
    gpointer user_data, GDestroyNotify destroy);

/* Whether the training has ended. Does not block. */
gboolean vl_learner_is_done (VlLearner *learner);

/* Blocks until the training has ended (TRUE) or cancellable, which is of this
 * wait alone, is cancelled (FALSE). */
gboolean vl_learner_wait (VlLearner *learner, GCancellable *cancellable);

/* Ends the training soon, with G_IO_ERROR_CANCELLED. Does not block. For any
 * thread, once vl_learner_train was called. */
void vl_learner_cancel (VlLearner *learner);

/* Batches that the autoencoder was trained on; once it is done. */
guint vl_learner_vae_steps (const VlLearner *learner);

/* What the training came to, once it is done: a model, which is that of the
 * saved file where there is one, or NULL with error set. save_error is set when
 * the model is good but could not be saved. Ends the learner's use. */
VlModel *vl_learner_take (
    VlLearner *learner, GError **save_error, GError **error);
