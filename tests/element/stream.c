/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "stream.h"

#include "tiny-model.h"

gchar *stream_model;

const gchar *const stream_caps =
    "video/x-raw,format=RGB,width=128,height=128,framerate=10/1";

GstElement *
stream_make_element (GstBus **bus, const gchar *property, ...)
{
  GstElement *element = gst_element_factory_make ("vaelstmdetect", NULL);
  va_list properties;

  g_assert_nonnull (element);
  va_start (properties, property);
  g_object_set_valist (G_OBJECT (element), property, properties);
  va_end (properties);

  *bus = gst_bus_new ();
  gst_element_set_bus (element, *bus);
  return element;
}

void
stream_open (
    Stream *stream, const gchar *caps, GstElement *element, GstBus *bus)
{
  stream->element = element;
  stream->bus = bus;
  stream->n = 0;
  stream->harness = gst_harness_new_with_element (element, "sink", "src");
  gst_object_unref (element);
  gst_harness_set_src_caps_str (stream->harness, caps ? caps : stream_caps);
}

void
stream_open_default (Stream *stream)
{
  GstBus *bus;
  GstElement *element =
      stream_make_element (&bus, "model-file", stream_model, NULL);

  stream_open (stream, NULL, element, bus);
}

void
stream_close (Stream *stream)
{
  gst_harness_teardown (stream->harness);
  gst_object_unref (stream->bus);
}

GstBuffer *
stream_make_buffer (guint n, gboolean object)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, TINY_SIZE, NULL);
  GstMapInfo map;

  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  tiny_scene_draw (map.data, n, object);
  gst_buffer_unmap (buffer, &map);

  GST_BUFFER_PTS (buffer) = n * GST_SECOND / TINY_RATE;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / TINY_RATE;
  return buffer;
}

GstBuffer *
stream_next_buffer (Stream *stream, gboolean object)
{
  return stream_make_buffer (stream->n++, object);
}

GstBuffer *
stream_pass (Stream *stream, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (stream->harness, buffer), ==, GST_FLOW_OK);
  return gst_harness_pull (stream->harness);
}

GstVaeLstmAnomaly
stream_take_meta (GstBuffer *buffer)
{
  GstVaeLstmAnomaly anomaly;

  g_assert_true (gst_buffer_get_vaelstm_anomaly (buffer, &anomaly));
  anomaly.state = g_intern_string (anomaly.state);
  gst_buffer_unref (buffer);
  return anomaly;
}

GstVaeLstmAnomaly
stream_run (Stream *stream, guint n, gboolean object)
{
  GstVaeLstmAnomaly anomaly = {0};

  while (n--)
    anomaly = stream_take_meta (
        stream_pass (stream, stream_next_buffer (stream, object)));
  return anomaly;
}

static gboolean
is_wanted (const GstStructure *structure, const gchar *name, const gchar *event)
{
  return structure && gst_structure_has_name (structure, name) &&
         (!event || g_strcmp0 (gst_structure_get_string (structure, "event"),
                        event) == 0);
}

GstStructure *
stream_next_message (Stream *stream, const gchar *name, const gchar *event)
{
  GstStructure *found = NULL;
  GstMessage *message;

  while (!found && (message = gst_bus_pop (stream->bus))) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ELEMENT &&
        is_wanted (gst_message_get_structure (message), name, event))
      found = gst_structure_copy (gst_message_get_structure (message));
    gst_message_unref (message);
  }
  return found;
}

GstStructure *
stream_next_event (Stream *stream, const gchar *name, const gchar *event)
{
  GstStructure *found = NULL;
  GstEvent *received;

  while (!found && (received = gst_harness_try_pull_event (stream->harness))) {
    if (is_wanted (gst_event_get_structure (received), name, event))
      found = gst_structure_copy (gst_event_get_structure (received));
    gst_event_unref (received);
  }
  return found;
}

guint
stream_count_messages (Stream *stream, const gchar *name, const gchar *event)
{
  GstStructure *structure;
  guint n = 0;

  while ((structure = stream_next_message (stream, name, event))) {
    gst_structure_free (structure);
    n++;
  }
  return n;
}

guint64
stream_stat (Stream *stream, const gchar *name)
{
  GstStructure *stats;
  guint64 value = 0;

  g_object_get (stream->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  gst_structure_free (stats);
  return value;
}

guint64
stream_get_time (const GstStructure *structure, const gchar *field)
{
  guint64 value = 0;

  g_assert_true (gst_structure_get_uint64 (structure, field, &value));
  return value;
}

double
stream_get_double (const GstStructure *structure, const gchar *field)
{
  double value = 0;

  g_assert_true (gst_structure_get_double (structure, field, &value));
  return value;
}

guint
stream_get_uint (const GstStructure *structure, const gchar *field)
{
  guint value = 0;

  g_assert_true (gst_structure_get_uint (structure, field, &value));
  return value;
}

int
stream_test_main (
    int argc, char **argv, const char *name, void (*add_tests) (TCase *))
{
  Suite *suite = suite_create (name);
  TCase *tcase = tcase_create (name);
  int failed;

  gst_check_init (&argc, &argv);
  stream_model = tiny_model_make ();

  add_tests (tcase);
  suite_add_tcase (suite, tcase);
  failed = gst_check_run_suite (suite, name, __FILE__);

  tiny_model_remove (stream_model);
  return failed != 0;
}
