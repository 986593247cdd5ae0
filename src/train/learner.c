/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "learner.h"

struct VlLearner {
  VlLearnerOptions options;
};

VlLearner *
vl_learner_new (const VlLearnerOptions *options)
{
  VlLearner *learner = g_new0 (VlLearner, 1);

  learner->options = *options;
  return learner;
}

void
vl_learner_free (VlLearner *learner)
{
  g_free (learner);
}

gboolean
vl_learner_set_format (
    VlLearner *learner, const GstVideoInfo *info, GError **error)
{
  return TRUE;
}

void
vl_learner_interrupt (VlLearner *learner)
{
}

gboolean
vl_learner_is_due (VlLearner *learner, guint64 time)
{
  return FALSE;
}

void
vl_learner_add (VlLearner *learner, const GstVideoFrame *frame, guint64 time)
{
}

double
vl_learner_collected (const VlLearner *learner)
{
  return 0;
}

void
vl_learner_train (
    VlLearner *learner, VlLearnerProgressFunc progress, gpointer user_data)
{
}

gboolean
vl_learner_is_done (VlLearner *learner)
{
  return TRUE;
}

gboolean
vl_learner_wait (VlLearner *learner, GCancellable *cancellable)
{
  return TRUE;
}

void
vl_learner_cancel (VlLearner *learner)
{
}

VlModel *
vl_learner_take (VlLearner *learner, GError **save_error, GError **error)
{
  g_set_error_literal (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_TOO_SHORT,
      "nothing was collected");
  return NULL;
}
