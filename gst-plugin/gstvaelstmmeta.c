/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmmeta-private.h"

/* Field names as quarks: a frame that is not analysed costs little more than
 * this meta. */
static struct {
  GQuark score, appearance, dynamics, threshold;
  GQuark anomalous, event_id, state, age;
} field;

void
gst_vae_lstm_meta_register (void)
{
  /* No tags: the values stay true when the picture is converted, scaled,
   * cropped or encoded, so every element copies them. The array may not be
   * NULL before GStreamer 1.24. */
  static const gchar *no_tags[] = {NULL};

  field.score = g_quark_from_static_string ("score");
  field.appearance = g_quark_from_static_string ("appearance");
  field.dynamics = g_quark_from_static_string ("dynamics");
  field.threshold = g_quark_from_static_string ("threshold");
  field.anomalous = g_quark_from_static_string ("anomalous");
  field.event_id = g_quark_from_static_string ("event-id");
  field.state = g_quark_from_static_string ("state");
  field.age = g_quark_from_static_string ("age");

  if (!gst_meta_get_info (GST_VAELSTM_ANOMALY_META_NAME))
    gst_meta_register_custom (
        GST_VAELSTM_ANOMALY_META_NAME, no_tags, NULL, NULL, NULL);
}

void
gst_buffer_set_vaelstm_anomaly (
    GstBuffer *buffer, const GstVaeLstmAnomaly *anomaly)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME);

  if (!meta)
    meta = gst_buffer_add_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME);

  gst_structure_id_set (gst_custom_meta_get_structure (meta), field.score,
      G_TYPE_DOUBLE, anomaly->score, field.appearance, G_TYPE_DOUBLE,
      anomaly->appearance, field.dynamics, G_TYPE_DOUBLE, anomaly->dynamics,
      field.threshold, G_TYPE_DOUBLE, anomaly->threshold, field.anomalous,
      G_TYPE_BOOLEAN, anomaly->anomalous, field.event_id, G_TYPE_UINT,
      anomaly->event_id, field.state, G_TYPE_STRING, anomaly->state, field.age,
      G_TYPE_UINT64, anomaly->age, NULL);
}
