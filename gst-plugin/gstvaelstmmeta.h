/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What vaelstmdetect says about a frame, read from a raw or encoded buffer.
 *
 * The values travel as a GstCustomMeta named VaeLstmAnomalyMeta, so any
 * language can read them through gst_buffer_get_custom_meta() with no header
 * at all. For C this header is complete: it needs GStreamer's core library and
 * nothing of the plugin's.
 *
 * Converters, scalers, encoders, parsers, decoders and RTP elements carry the
 * meta on, and within one pipeline so do Matroska's and fragmented MP4's muxers
 * and demuxers. compositor, deinterlace, mpegtsmux and flvmux do not, nor do
 * files or the network. mp4mux without fragments, followed by qtdemux, mixes up
 * whose meta is whose. The event vaelstm-anomaly passes all of these elements
 * but the last. */

#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_VAELSTM_ANOMALY_META_NAME "VaeLstmAnomalyMeta"

/**
 * GstVaeLstmAnomaly:
 * @score: -log10 of the probability that a normal frame scores at least this
 * @appearance: the same for what is seen, whether it moves or not
 * @dynamics: the same for how what is seen moves on
 * @threshold: score that starts an event
 * @anomalous: an event is open
 * @event_id: number of the open event, from 1; 0 outside events
 * @state: `learning`, `training`, `warming-up`, `detecting` or `blind`; valid
 *   as long as the buffer is
 * @age: nanoseconds of video since the frame these values come from; 0 on that
 *   frame, GST_CLOCK_TIME_NONE when none was analysed since the last reset
 *
 * What is known about a frame.
 */
typedef struct {
  gdouble score;
  gdouble appearance;
  gdouble dynamics;
  gdouble threshold;
  gboolean anomalous;
  guint event_id;
  const gchar *state;
  GstClockTime age;
} GstVaeLstmAnomaly;

/**
 * gst_buffer_get_vaelstm_anomaly:
 * @buffer: a #GstBuffer that passed vaelstmdetect
 * @anomaly: (out): where to put the values
 *
 * Returns: %TRUE when @buffer carries them all; otherwise @anomaly is
 * undefined.
 */
static inline gboolean
gst_buffer_get_vaelstm_anomaly (GstBuffer *buffer, GstVaeLstmAnomaly *anomaly)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME);
  GstStructure *values;

  if (!meta)
    return FALSE;

  values = gst_custom_meta_get_structure (meta);
  anomaly->state = gst_structure_get_string (values, "state");

  return anomaly->state &&
         gst_structure_get (values, "score", G_TYPE_DOUBLE, &anomaly->score,
             "appearance", G_TYPE_DOUBLE, &anomaly->appearance, "dynamics",
             G_TYPE_DOUBLE, &anomaly->dynamics, "threshold", G_TYPE_DOUBLE,
             &anomaly->threshold, "anomalous", G_TYPE_BOOLEAN,
             &anomaly->anomalous, "event-id", G_TYPE_UINT, &anomaly->event_id,
             "age", G_TYPE_UINT64, &anomaly->age, NULL);
}

G_END_DECLS
