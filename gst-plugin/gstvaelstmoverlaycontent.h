/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a buffer says about itself, as far as the overlay shows it. */

#pragma once

#include <gst/video/video.h>

/* Of more tiles than these the first are shown. */
#define GST_VAE_LSTM_CONTENT_MAX_TILES 64

/* Pixels, inside the picture, neither side 0. */
typedef struct {
  gint x, y, width, height;
  double strength; /* share of the strongest tile's score, in steps of 1/4 up
                      to 1: small changes are not worth drawing */
} GstVaeLstmTile;

typedef struct {
  const gchar *state; /* interned */
  gboolean judged;    /* detecting, with finite numbers */
  double score, threshold;
  gboolean anomalous;
  guint event_id;
  GstClockTime age; /* 0 where it is not known */
  guint n_tiles;
  GstVaeLstmTile tiles[GST_VAE_LSTM_CONTENT_MAX_TILES];
} GstVaeLstmContent;

/* Reads the buffer's VaeLstmAnomalyMeta and its regions of type `anomaly`.
 * info: of its caps. FALSE, and content undefined, without the former. */
gboolean gst_vae_lstm_content_read (
    GstVaeLstmContent *content, GstBuffer *buffer, const GstVideoInfo *info);

/* Whether both have the same tiles. */
gboolean gst_vae_lstm_content_equal_tiles (
    const GstVaeLstmContent *a, const GstVaeLstmContent *b);

/* Whether both look the same; age does not matter. */
gboolean gst_vae_lstm_content_equal (
    const GstVaeLstmContent *a, const GstVaeLstmContent *b);
