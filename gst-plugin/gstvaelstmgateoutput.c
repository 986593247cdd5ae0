/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgateoutput.h"

#include <gst/video/video.h>

static void
set_shift (GstVaeLstmGateOutput *output, GstClockTime shift)
{
  GST_OBJECT_LOCK (output->pad);
  output->shift = shift;
  GST_OBJECT_UNLOCK (output->pad);
}

/* gst_event_set_running_time_offset() is for times that become smaller. */
static GstEvent *
shift_back (GstEvent *event, GstClockTime shift)
{
  GstClockTime time;

  if (!gst_structure_get_uint64 (
          gst_event_get_structure (event), "running-time", &time) ||
      !GST_CLOCK_TIME_IS_VALID (time))
    return event;
  event = gst_event_make_writable (event);
  gst_structure_set (gst_event_writable_structure (event), "running-time",
      G_TYPE_UINT64, time + shift, NULL);
  return event;
}

/* From downstream, where buffers are late for what came before an anomaly:
 * nobody upstream should drop any for that, so QoS ends here. */
static gboolean
handle_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  const GstVaeLstmGateOutput *output = gst_pad_get_element_private (pad);
  GstClockTime shift;

  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS) {
    gst_event_unref (event);
    return TRUE;
  }
  GST_OBJECT_LOCK (pad);
  shift = output->shift;
  GST_OBJECT_UNLOCK (pad);
  if (shift > 0 && gst_video_event_is_force_key_unit (event))
    event = shift_back (event, shift);
  return gst_pad_event_default (pad, parent, event);
}

void
gst_vae_lstm_gate_output_init (GstVaeLstmGateOutput *output, GstPad *pad)
{
  *output = (GstVaeLstmGateOutput){.pad = pad};
  gst_segment_init (&output->segment, GST_FORMAT_UNDEFINED);
  gst_pad_set_element_private (pad, output);
  gst_pad_set_event_function (pad, handle_event);
}

void
gst_vae_lstm_gate_output_reset (GstVaeLstmGateOutput *output)
{
  set_shift (output, 0);
  output->discont = FALSE;
}

/* The segment as it goes downstream. */
static void
push_segment (GstVaeLstmGateOutput *output, guint32 seqnum)
{
  GstSegment segment = output->segment;
  GstEvent *event;

  if (output->shift > 0 && !gst_segment_offset_running_time (&segment,
                               GST_FORMAT_TIME, -(gint64)output->shift))
    GST_WARNING_OBJECT (output->pad, "gaps in the timestamps stay open");
  event = gst_event_new_segment (&segment);
  if (seqnum != GST_SEQNUM_INVALID)
    gst_event_set_seqnum (event, seqnum);
  gst_pad_push_event (output->pad, event);
}

void
gst_vae_lstm_gate_output_begin (
    GstVaeLstmGateOutput *output, GstClockTime shift)
{
  gboolean shifts = shift != output->shift;

  output->discont = TRUE;
  set_shift (output, shift);
  if (shifts && output->segment.format == GST_FORMAT_TIME)
    push_segment (output, GST_SEQNUM_INVALID);
}

static void
push_event (GstVaeLstmGateOutput *output, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT) {
    gst_pad_push_event (output->pad, event);
    return;
  }
  gst_event_copy_segment (event, &output->segment);
  push_segment (output, gst_event_get_seqnum (event));
  gst_event_unref (event);
}

static GstFlowReturn
push_buffer (GstVaeLstmGateOutput *output, GstBuffer *buffer)
{
  if (output->discont) {
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  }
  output->discont = FALSE;
  return gst_pad_push (output->pad, buffer);
}

GstFlowReturn
gst_vae_lstm_gate_output_send (
    GstVaeLstmGateOutput *output, GstVaeLstmGateItem *item)
{
  if (item->is_buffer)
    return push_buffer (output, GST_BUFFER (item->object));
  push_event (output, GST_EVENT (item->object));
  return GST_FLOW_OK;
}

void
gst_vae_lstm_gate_output_skip (
    GstVaeLstmGateOutput *output, GstVaeLstmGateItem *item)
{
  if (item->is_buffer ||
      GST_EVENT_TYPE (GST_EVENT (item->object)) == GST_EVENT_GAP)
    gst_mini_object_unref (item->object);
  else
    push_event (output, GST_EVENT (item->object));
}

static gboolean
survives_flush (const GstVaeLstmGateItem *item)
{
  GstEvent *event = item->is_buffer ? NULL : GST_EVENT (item->object);

  return event && GST_EVENT_IS_STICKY (event) &&
         GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT;
}

void
gst_vae_lstm_gate_output_flush (
    GstVaeLstmGateOutput *output, GstVaeLstmGateRing *ring)
{
  while (gst_vae_lstm_gate_ring_length (ring) > 0) {
    GstVaeLstmGateItem item = gst_vae_lstm_gate_ring_pop (ring);

    if (survives_flush (&item))
      gst_pad_store_sticky_event (output->pad, GST_EVENT (item.object));
    gst_mini_object_unref (item.object);
  }
}
