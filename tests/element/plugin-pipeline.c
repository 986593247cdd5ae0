/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "plugin-pipeline.h"

#define PATIENCE 30 /* seconds, for a buffer */

gchar **
plugin_element_names (void)
{
  GList *features =
      gst_registry_get_feature_list_by_plugin (gst_registry_get (), "vaelstm");
  GPtrArray *names = g_ptr_array_new ();

  for (GList *l = features; l; l = l->next)
    if (GST_IS_ELEMENT_FACTORY (l->data))
      g_ptr_array_add (names, g_strdup (GST_OBJECT_NAME (l->data)));
  gst_plugin_feature_list_free (features);

  g_assert (names->len > 0);
  g_ptr_array_add (names, NULL);
  return (gchar **)g_ptr_array_free (names, FALSE);
}

void
plugin_element_set_model (GstElement *element, const gchar *model)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "model-file"))
    g_object_set (element, "model-file", model, NULL);
}

GstElement *
plugin_element_new (const gchar *factory, const gchar *name, const gchar *model)
{
  GstElement *element = gst_element_factory_make (factory, name);

  g_assert (element);
  plugin_element_set_model (element, model);
  return element;
}

static GstPadProbeReturn
count_buffer (GstPad *pad, GstPadProbeInfo *info, gpointer flow)
{
  g_atomic_int_inc (&((PluginFlow *)flow)->n);
  return GST_PAD_PROBE_OK;
}

static void
count_buffers (GstElement *element, PluginFlow *flow)
{
  GstPad *pad = gst_element_get_static_pad (element, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_buffer, flow, NULL);
  gst_object_unref (pad);
}

/* The sink waits for no first buffer, of which there may be none. */
GstElement *
plugin_pipeline_new (
    const gchar *factory, const gchar *model, gint n_buffers, PluginFlow *flow)
{
  GstElement *pipeline = gst_pipeline_new (NULL);
  GstElement *source = gst_element_factory_make ("videotestsrc", NULL);
  GstElement *detect = plugin_element_new ("vaelstmdetect", NULL, model);
  GstElement *tested = plugin_element_new (factory, "tested", model);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  GstCaps *caps = gst_caps_from_string (
      "video/x-raw,format=I420,width=64,height=48,framerate=30/1");

  g_object_set (source, "num-buffers", n_buffers, NULL);
  g_object_set (sink, "async", FALSE, NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, detect, tested, sink, NULL);
  g_assert (gst_element_link_filtered (source, detect, caps));
  g_assert (gst_element_link_many (detect, tested, sink, NULL));
  if (flow)
    count_buffers (tested, flow);
  gst_caps_unref (caps);
  return pipeline;
}

void
plugin_flow_wait (PluginFlow *flow, gint n)
{
  gint end = g_atomic_int_get (&flow->n) + n;
  gint64 patience = g_get_monotonic_time () + PATIENCE * G_USEC_PER_SEC;

  while (g_atomic_int_get (&flow->n) < end) {
    if (g_get_monotonic_time () > patience)
      g_error ("no buffers for %d s", PATIENCE);
    g_usleep (1000);
  }
}
