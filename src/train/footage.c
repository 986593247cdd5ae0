/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "footage.h"

#include "train.h"

#define HELD_OUT_SHARE 0.2
#define HELD_OUT_MIN (VL_TRAIN_SEQUENCE + 4) /* frames */

guint
vl_footage_cut (guint n, guint before, guint length)
{
  const guint held = MAX ((guint)(n * HELD_OUT_SHARE), HELD_OUT_MIN);
  const guint fit = n > held ? n - held : 0;

  return CLAMP (fit, before, before + length) - before;
}

gboolean
vl_footage_check (const guint *lengths, guint n_clips, GError **error)
{
  gboolean fit = FALSE, held_out = FALSE;
  guint n = 0, before = 0;

  for (guint c = 0; c < n_clips; c++)
    n += lengths[c];
  for (guint c = 0; c < n_clips; c++) {
    const guint cut = vl_footage_cut (n, before, lengths[c]);
    fit |= cut > VL_TRAIN_SEQUENCE;
    held_out |= lengths[c] - cut > VL_TRAIN_SEQUENCE;
    before += lengths[c];
  }
  if (n >= VL_TRAIN_MIN_FRAMES && fit && held_out)
    return TRUE;
  g_set_error (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_TOO_SHORT,
      "%u analysed frames of normal video in %u clip%s: expected at least %u, "
      "in clips of more than %u frames",
      n, n_clips, n_clips == 1 ? "" : "s", VL_TRAIN_MIN_FRAMES,
      VL_TRAIN_SEQUENCE);
  return FALSE;
}
