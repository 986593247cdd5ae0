/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A learner's training, from collected pictures to a saved model. It goes on in
 * a thread of its own, which may outlive the learner for a moment once nobody
 * wants its result. */

#pragma once

#include "learner.h"
#include "reservoir.h"

typedef struct VlLesson VlLesson;

/* Starts a training on the pictures of a reservoir, which is taken; NULL: there
 * are none. budget: ns of wall time from its turn on. path: where to save the
 * model; NULL: nowhere. */
VlLesson *vl_lesson_start (VlReservoir *reservoir,
    const VlTrainOptions *options, guint64 budget, const char *path,
    VlLearnerProgressFunc progress, gpointer user_data, GDestroyNotify destroy);

/* Cancels the training, and drops the lesson. Waits neither for the training's
 * thread nor for a call of the progress function that is on; no other follows.
 */
void vl_lesson_drop (VlLesson *lesson);

/* As the learner's functions of these names. */
gboolean vl_lesson_is_done (VlLesson *lesson);
gboolean vl_lesson_wait (VlLesson *lesson, GCancellable *cancellable);
void vl_lesson_cancel (VlLesson *lesson);
guint vl_lesson_vae_steps (const VlLesson *lesson);
VlModel *vl_lesson_take (VlLesson *lesson, GError **save_error, GError **error);
