/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A pipeline in which any element of the plugin has something to do. */

#pragma once

#include <gst/gst.h>

/* Every element of the plugin, for g_strfreev(). */
gchar **plugin_element_names (void);

/* An element that can start. name: NULL for any. Floating. */
GstElement *plugin_element_new (
    const gchar *factory, const gchar *name, const gchar *model);

/* Sets model-file, where the element has it. */
void plugin_element_set_model (GstElement *element, const gchar *model);

/* Counts the buffers that arrive at the element. */
typedef struct {
  gint n; /* atomic */
} PluginFlow;

/* Pictures for the element, named `tested`, that went through a detector before
 * it; they end after n_buffers, or never (-1). flow (or NULL) must outlive the
 * pipeline. */
GstElement *plugin_pipeline_new (
    const gchar *factory, const gchar *model, gint n_buffers, PluginFlow *flow);

/* Waits until n more buffers have arrived; ends the program when none comes. */
void plugin_flow_wait (PluginFlow *flow, gint n);
