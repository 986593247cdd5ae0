/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "scoring.h"

#include "command.h"

gboolean
vl_scoring_check (const VlScoringOptions *options, GError **error)
{
  return vl_command_check_range (
             "--threshold", options->threshold, 0, 1e6, error) &&
         vl_command_check_range ("--false-alarms-per-day",
             options->false_alarms_per_day, 1e-6, 1e6, error);
}

VlModel *
vl_scoring_load (const char *path, GError **error)
{
  g_autoptr (VlModel) model = vl_model_load (path, error);

  if (model == NULL)
    return NULL;
  if (model->calibration == NULL) {
    g_set_error (error, VL_MODEL_ERROR, VL_MODEL_ERROR_FORMAT,
        "%s: an imported model without calibration cannot score, expected one "
        "made by vaelstm train",
        path);
    return NULL;
  }
  return g_steal_pointer (&model);
}

VlDetector *
vl_scoring_detector (VlModel *model, const VlScoringOptions *options)
{
  VlDetectorSettings settings = VL_DETECTOR_DEFAULTS;

  settings.false_alarms_per_day = options->false_alarms_per_day;
  settings.threshold = options->threshold;
  return vl_detector_new (model, &settings);
}
