/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Model files that take the time trained ones take, with random weights. */

#pragma once

#include <glib.h>

#define UNTRAINED_RATE 10 /* analysed frames/s */

typedef struct {
  guint width, height; /* of the picture */
  guint stride;
  guint vae_width; /* 32 as published */
  guint latent;    /* 32 as published */
  guint hidden;    /* LSTM units; 256 as published */
} UntrainedSize;

/* Saves an RGB model in a folder of its own. Returns its path. */
char *untrained_model_make (const UntrainedSize *size);

/* Removes both, and frees path. */
void untrained_model_remove (char *path);
