/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How normal footage is divided: the last fifth of its frames is held out, no
 * weight is fitted on it, and it decides. */

#pragma once

#include <glib.h>

/* How many frames of a clip are fitted on, the clip's first; the others are
 * held out. n frames in all, of which `before` come before the clip. */
guint vl_footage_cut (guint n, guint before, guint length);

/* Whether clips of these lengths, in frames, suffice to train on. FALSE with
 * error set (VL_TRAIN_ERROR_TOO_SHORT) when they do not. */
gboolean vl_footage_check (const guint *lengths, guint n_clips, GError **error);
