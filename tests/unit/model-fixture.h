/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A small model of every part, for tests, and ways to damage its file. */

#pragma once

#include "model.h"
#include "safetensors.h"

/* Numbers in [-scale, scale), the same for the same seed. */
void fill_random (float *numbers, gsize n, float scale, guint32 seed);

/* Two LSTM layers, residual, a grid of 3x1, calibrated. */
VlModel *make_model (void);

/* A change to a model's file: a key's value, or a tensor's. */
typedef struct {
  const char *key;    /* of the metadata; NULL: none changes */
  const char *value;  /* NULL: the key is dropped */
  const char *tensor; /* NULL: none changes */
  enum { DROP, RESHAPE, SET_NUMBER, ADD } how;
  float number; /* of the tensor's second element, under SET_NUMBER */
} Edit;

/* Writes the file anew with the change. */
void edit_file (const char *path, const Edit *edit);
