/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gated.h"

#include "gstvaelstmmeta.h"

#define CAPS "video/x-h264,stream-format=byte-stream,alignment=au"
#define EVENT_ID 7

void
gated_open (Gated *gated, const gchar *property, ...)
{
  va_list properties;

  gated->element = gst_element_factory_make ("vaelstmgate", NULL);
  g_assert_nonnull (gated->element);
  va_start (properties, property);
  g_object_set_valist (G_OBJECT (gated->element), property, properties);
  va_end (properties);
  gated->bus = gst_bus_new ();
  gst_element_set_bus (gated->element, gated->bus);
  gated->key_interval = 10;
  gated->event_id = EVENT_ID;

  gated->harness = gst_harness_new_with_element (gated->element, "sink", "src");
  gst_object_unref (gated->element);
  gst_harness_set_src_caps_str (gated->harness, CAPS);
}

void
gated_close (Gated *gated)
{
  gst_bus_set_flushing (gated->bus, TRUE); /* messages hold the element */
  gst_harness_teardown (gated->harness);
  gst_object_unref (gated->bus);
}

/* As any language could, with no header. */
static void
add_meta (GstBuffer *buffer, gboolean anomalous)
{
  GstCustomMeta *meta =
      gst_buffer_add_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME);

  gst_structure_set (gst_custom_meta_get_structure (meta), "score",
      G_TYPE_DOUBLE, anomalous ? 9. : 1., "appearance", G_TYPE_DOUBLE, 0.,
      "dynamics", G_TYPE_DOUBLE, 0., "threshold", G_TYPE_DOUBLE, 5.,
      "anomalous", G_TYPE_BOOLEAN, anomalous, "event-id", G_TYPE_UINT,
      anomalous ? EVENT_ID : 0, "state", G_TYPE_STRING, "detecting", "age",
      G_TYPE_UINT64, G_GUINT64_CONSTANT (0), NULL);
}

GstBuffer *
gated_frame (Gated *gated, guint n, GatedKind kind)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 100, NULL);

  gst_buffer_memset (buffer, 0, n, 100);
  GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = n * GATED_FRAME;
  GST_BUFFER_DURATION (buffer) = GATED_FRAME;
  GST_BUFFER_OFFSET (buffer) = n;
  if (n % gated->key_interval != 0)
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (kind != GATED_NO_META)
    add_meta (buffer, kind == GATED_ANOMALOUS);
  return buffer;
}

void
gated_push (Gated *gated, GstBuffer *buffer)
{
  fail_unless_equals_int (
      gst_harness_push (gated->harness, buffer), GST_FLOW_OK);
}

void
gated_run (Gated *gated, guint from, guint to, GatedKind kind)
{
  for (guint n = from; n <= to; n++)
    gated_push (gated, gated_frame (gated, n, kind));
}

void
gated_push_event (Gated *gated, GstEvent *event)
{
  fail_unless (gst_harness_push_event (gated->harness, event));
}

gint
gated_pull (Gated *gated, gboolean *discont)
{
  GstBuffer *buffer = gst_harness_try_pull (gated->harness);
  gint n;

  if (!buffer)
    return -1;
  n = GST_BUFFER_OFFSET (buffer);
  if (discont)
    *discont = GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  gst_buffer_unref (buffer);
  return n;
}

void
gated_expect (Gated *gated, guint from, guint to)
{
  for (guint n = from; n <= to; n++) {
    gboolean discont, starts = n == from;

    fail_unless_equals_int (gated_pull (gated, &discont), n);
    fail_unless_equals_int (discont, starts);
  }
}

void
gated_expect_none (Gated *gated)
{
  fail_unless_equals_int (gated_pull (gated, NULL), -1);
}

static GstMessage *
pop_message (Gated *gated)
{
  GstMessage *message;

  while ((message = gst_bus_pop_filtered (gated->bus, GST_MESSAGE_ELEMENT))) {
    if (gst_message_has_name (message, "vaelstmgate"))
      return message;
    gst_message_unref (message);
  }
  return NULL;
}

static void
expect_id (const GstStructure *message, guint wanted)
{
  guint id;

  fail_unless (gst_structure_get_uint (message, "event-id", &id));
  fail_unless_equals_int (id, wanted);
}

static void
expect_time (const GstStructure *message, const gchar *field, guint64 wanted)
{
  guint64 time;

  fail_unless (gst_structure_get_uint64 (message, field, &time));
  fail_unless (time == wanted,
      "%s is %" GST_TIME_FORMAT ", not %" GST_TIME_FORMAT, field,
      GST_TIME_ARGS (time), GST_TIME_ARGS (wanted));
}

void
gated_expect_message (Gated *gated, const gchar *event, gdouble start,
    gdouble time, const gchar *reason)
{
  GstMessage *message = pop_message (gated);
  const GstStructure *structure;

  fail_unless (message != NULL, "no message");
  structure = gst_message_get_structure (message);
  fail_unless_equals_string (
      gst_structure_get_string (structure, "event"), event);
  fail_unless_equals_string (
      gst_structure_get_string (structure, "reason"), reason);
  expect_time (structure, "start", start * GATED_FRAME);
  expect_time (structure, "running-time", time * GATED_FRAME);
  expect_time (structure, "stream-time", time * GATED_FRAME);
  expect_time (structure, "timestamp", time * GATED_FRAME);
  expect_time (structure, "duration", (time - start) * GATED_FRAME);
  expect_id (structure, gated->event_id);
  gst_message_unref (message);
}

void
gated_expect_no_message (Gated *gated)
{
  fail_unless (pop_message (gated) == NULL);
}
