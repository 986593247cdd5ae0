/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What holds for every element of the plugin, whatever it does: the elements
 * are found in the registry. */

#include "stream.h"

#include <string.h>

#include "plugin-leaks.h"
#include "plugin-pipeline.h"
#include "random-value.h"

#define PATIENCE (30 * GST_SECOND) /* for anything to happen at all */
#define N_CYCLES 100

static gchar **names; /* of the plugin's elements */
static gchar *program;

/* ---- what can be read about an element ---- */

static void
check_metadata (GstElementFactory *factory, const gchar *key)
{
  const gchar *value = gst_element_factory_get_metadata (factory, key);

  fail_unless (value && strlen (value) > 5, "%s has no %s",
      GST_OBJECT_NAME (factory), key);
}

static void
check_templates (GstElementFactory *factory)
{
  const GList *templates =
      gst_element_factory_get_static_pad_templates (factory);

  fail_unless (templates != NULL);
  for (; templates; templates = templates->next) {
    GstCaps *caps = gst_static_pad_template_get_caps (templates->data);

    fail_if (gst_caps_is_empty (caps));
    gst_caps_unref (caps);
  }
}

static void
check_blurbs (GstElement *element)
{
  GParamSpec **pspecs;
  guint n;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    const gchar *blurb = g_param_spec_get_blurb (pspecs[i]);

    fail_unless (blurb && strlen (blurb) > 10, "%s", pspecs[i]->name);
  }
  g_free (pspecs);
}

GST_START_TEST (test_says_what_it_is)
{
  GstElementFactory *factory = gst_element_factory_find (names[__i__]);
  GstElement *element = gst_element_factory_create (factory, NULL);

  check_metadata (factory, GST_ELEMENT_METADATA_LONGNAME);
  check_metadata (factory, GST_ELEMENT_METADATA_KLASS);
  check_metadata (factory, GST_ELEMENT_METADATA_DESCRIPTION);
  check_metadata (factory, GST_ELEMENT_METADATA_AUTHOR);
  check_templates (factory);
  check_blurbs (element);
  gst_object_unref (element);
  gst_object_unref (factory);
}
GST_END_TEST

/* ---- states ---- */

GST_START_TEST (test_states_without_data)
{
  GstElement *element = plugin_element_new (names[__i__], NULL, stream_model);

  for (guint i = 0; i < N_CYCLES; i++) {
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PLAYING),
        GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_NULL),
        GST_STATE_CHANGE_SUCCESS);
  }
  gst_object_unref (element);
}
GST_END_TEST

static void
wait_for_eos (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (
      bus, PATIENCE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  fail_unless (message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_object_unref (bus);
}

/* Every other time the stream is stopped before it has ended. */
GST_START_TEST (test_states_with_data)
{
  GstElement *pipeline =
      plugin_pipeline_new (names[__i__], stream_model, 5, NULL);

  for (guint i = 0; i < N_CYCLES; i++) {
    fail_unless (gst_element_set_state (pipeline, GST_STATE_PLAYING) !=
                 GST_STATE_CHANGE_FAILURE);
    if (i % 2)
      wait_for_eos (pipeline);
    fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_NULL),
        GST_STATE_CHANGE_SUCCESS);
  }
  gst_object_unref (pipeline);
}
GST_END_TEST

/* ---- properties ---- */

static gboolean
is_own_and_writable (const GParamSpec *pspec)
{
  return (pspec->flags & G_PARAM_WRITABLE) &&
         !(pspec->flags & G_PARAM_CONSTRUCT_ONLY) &&
         pspec->owner_type != GST_TYPE_OBJECT;
}

/* What can be read is within its range. */
static void
check_readable (GstElement *element, GParamSpec *pspec)
{
  GValue value = G_VALUE_INIT;

  if (!(pspec->flags & G_PARAM_READABLE))
    return;
  g_value_init (&value, pspec->value_type);
  g_object_get_property (G_OBJECT (element), pspec->name, &value);
  fail_if (g_param_value_validate (pspec, &value), "%s was out of range",
      pspec->name);
  g_value_unset (&value);
}

/* What nothing acts on yet is read as it was written. */
static void
check_kept (GstElement *element, GParamSpec *pspec, const GValue *wanted)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, pspec->value_type);
  g_object_get_property (G_OBJECT (element), pspec->name, &value);
  fail_unless_equals_int (gst_value_compare (&value, wanted), GST_VALUE_EQUAL);
  g_value_unset (&value);
}

static void
set_at_random (GstElement *element, GParamSpec *pspec, GRand *random)
{
  GValue value = G_VALUE_INIT;

  random_value_init (&value, pspec, random);
  g_object_set_property (G_OBJECT (element), pspec->name, &value);
  if (GST_STATE (element) == GST_STATE_NULL &&
      (pspec->flags & G_PARAM_READABLE))
    check_kept (element, pspec, &value);
  g_value_unset (&value);
}

static void
set_all_at_random (GstElement *element, GRand *random)
{
  GParamSpec **pspecs;
  guint n;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    if (is_own_and_writable (pspecs[i]))
      set_at_random (element, pspecs[i], random);
    check_readable (element, pspecs[i]);
  }
  g_free (pspecs);
}

static void
set_defaults (GstElement *element)
{
  GParamSpec **pspecs;
  guint n;

  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++)
    if (is_own_and_writable (pspecs[i]))
      g_object_set_property (G_OBJECT (element), pspecs[i]->name,
          g_param_spec_get_default_value (pspecs[i]));
  g_free (pspecs);
  plugin_element_set_model (element, stream_model);
}

/* Errors are kept for last_error(), everything else is dropped: nobody reads
 * the bus while properties change. */
static GstBusSyncReply
keep_errors (GstBus *bus, GstMessage *message, gpointer user_data)
{
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    return GST_BUS_PASS;
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static GstElement *
make_quiet_pipeline (const gchar *name, PluginFlow *flow)
{
  GstElement *pipeline = plugin_pipeline_new (name, stream_model, -1, flow);
  GstBus *bus = gst_element_get_bus (pipeline);

  gst_bus_set_sync_handler (bus, keep_errors, NULL, NULL);
  gst_object_unref (bus);
  return pipeline;
}

/* Its text; NULL when there was none. */
static gchar *
last_error (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  gchar *text = NULL;

  if (message) {
    GError *error;

    gst_message_parse_error (message, &error, NULL);
    text = g_strdup (error->message);
    g_error_free (error);
    gst_message_unref (message);
  }
  gst_object_unref (bus);
  return text;
}

GST_START_TEST (test_random_properties_in_every_state)
{
  static const GstState states[] = {
      GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING};
  GRand *random = g_rand_new_with_seed (7);
  PluginFlow flow = {0};
  GstElement *pipeline = make_quiet_pipeline (names[__i__], &flow);
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), "tested");

  for (guint s = 0; s < G_N_ELEMENTS (states); s++) {
    fail_if (gst_element_set_state (pipeline, states[s]) ==
             GST_STATE_CHANGE_FAILURE);
    for (guint i = 0; i < 50; i++) {
      if (states[s] == GST_STATE_PLAYING)
        plugin_flow_wait (&flow, 1);
      set_all_at_random (element, random);
    }
    if (states[s] < GST_STATE_PAUSED)
      set_defaults (element);
  }

  plugin_flow_wait (&flow, 10);
  fail_unless (last_error (pipeline) == NULL);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (element);
  gst_object_unref (pipeline);
  g_rand_free (random);
}
GST_END_TEST

/* A start either works or fails with a word about why. */
GST_START_TEST (test_starts_with_random_properties)
{
  GRand *random = g_rand_new_with_seed (11);
  PluginFlow flow = {0};
  GstElement *pipeline = make_quiet_pipeline (names[__i__], &flow);
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), "tested");

  for (guint i = 0; i < 40; i++) {
    gchar *error;

    set_all_at_random (element, random);
    if (i % 2)
      plugin_element_set_model (element, stream_model);
    if (gst_element_set_state (pipeline, GST_STATE_PLAYING) ==
        GST_STATE_CHANGE_FAILURE) {
      error = last_error (pipeline);
      fail_unless (error && *error);
    } else {
      plugin_flow_wait (&flow, 5);
      error = last_error (pipeline);
      fail_unless (error == NULL, "%s", error);
    }
    g_free (error);
    fail_unless_equals_int (gst_element_set_state (pipeline, GST_STATE_NULL),
        GST_STATE_CHANGE_SUCCESS);
  }
  gst_object_unref (element);
  gst_object_unref (pipeline);
  g_rand_free (random);
}
GST_END_TEST

/* ---- leaks ---- */

GST_START_TEST (test_leaks_nothing)
{
  gchar *report = plugin_leaks_report (program, names[__i__], stream_model);

  fail_unless (report == NULL, "%s", report);
}
GST_END_TEST

/* What the test above is worth. */
GST_START_TEST (test_a_leak_would_be_seen)
{
  gchar *report =
      plugin_leaks_report (program, PLUGIN_LEAKS_ON_PURPOSE, stream_model);

  fail_unless (report != NULL);
  g_free (report);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  guint n;

  names = plugin_element_names ();
  n = g_strv_length (names);

  tcase_add_loop_test (tcase, test_says_what_it_is, 0, n);
  tcase_add_loop_test (tcase, test_states_without_data, 0, n);
  tcase_add_loop_test (tcase, test_states_with_data, 0, n);
  tcase_add_loop_test (tcase, test_random_properties_in_every_state, 0, n);
  tcase_add_loop_test (tcase, test_starts_with_random_properties, 0, n);
  tcase_add_loop_test (tcase, test_leaks_nothing, 0, n);
  tcase_add_test (tcase, test_a_leak_would_be_seen);
}

int
main (int argc, char **argv)
{
  if (plugin_leaks_is_child (argc, argv))
    return plugin_leaks_child_main (argc, argv);
  program = argv[0];
  return stream_test_main (argc, argv, "generic", add_tests);
}
