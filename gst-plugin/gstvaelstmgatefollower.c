/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgatefollower.h"

#include "gstvaelstmgateclock.h"
#include "gstvaelstmgateoutput.h"

/* What may wait for the leading stream to decide; sound of minutes. */
#define MAX_BYTES (64 * 1024 * 1024)

struct _GstVaeLstmGateFollower {
  GstPad *sink, *src;
  GstVaeLstmGateSpans *spans;
  gint interrupted; /* atomic: wait for nothing */

  /* By the streaming thread. */
  GstVaeLstmGateRing *ring;
  GstVaeLstmGateClock clock;
  GstVaeLstmGateOutput output;
  guint span;      /* number of the one the last buffer was in; 0: none */
  gboolean warned; /* about MAX_BYTES */
  GstFlowReturn flow;
};

static gboolean
has_time (const GstVaeLstmGateItem *item)
{
  return item->is_buffer ||
         GST_EVENT_TYPE (GST_EVENT (item->object)) == GST_EVENT_GAP;
}

static void
warn_of_space (GstVaeLstmGateFollower *follower)
{
  if (!follower->warned)
    GST_WARNING_OBJECT (follower->sink,
        "more than %d bytes wait for what is decided about the leading stream; "
        "the oldest are dropped",
        MAX_BYTES);
  follower->warned = TRUE;
}

/* Lets the oldest item through or not. FALSE when that is to be decided. */
static gboolean
handle_oldest (GstVaeLstmGateFollower *follower)
{
  const GstVaeLstmGateItem *oldest =
      gst_vae_lstm_gate_ring_peek (follower->ring, 0);
  GstVaeLstmGatePlace place = GST_VAE_LSTM_GATE_OUTSIDE;
  GstVaeLstmGateItem item;
  GstVaeLstmGateSpan span;

  if (has_time (oldest))
    place = gst_vae_lstm_gate_spans_find (follower->spans, oldest->time, &span);
  if (place == GST_VAE_LSTM_GATE_UNDECIDED) {
    if (gst_vae_lstm_gate_ring_bytes (follower->ring) <= MAX_BYTES)
      return FALSE;
    warn_of_space (follower);
  }

  item = gst_vae_lstm_gate_ring_pop (follower->ring);
  if (place != GST_VAE_LSTM_GATE_INSIDE) {
    gst_vae_lstm_gate_output_skip (&follower->output, &item);
    return TRUE;
  }
  if (span.number != follower->span)
    gst_vae_lstm_gate_output_begin (&follower->output, span.shift);
  follower->span = span.number;
  follower->flow = gst_vae_lstm_gate_output_send (&follower->output, &item);
  return TRUE;
}

static void
run (GstVaeLstmGateFollower *follower)
{
  while (follower->flow == GST_FLOW_OK &&
         gst_vae_lstm_gate_ring_length (follower->ring) > 0 &&
         handle_oldest (follower))
    ;
}

/* Sound that the leading stream has not come to yet may still be wanted. */
static void
run_to_end (GstVaeLstmGateFollower *follower)
{
  const GstVaeLstmGateItem *oldest;

  run (follower);
  while (follower->flow == GST_FLOW_OK &&
         !g_atomic_int_get (&follower->interrupted) &&
         (oldest = gst_vae_lstm_gate_ring_peek (follower->ring, 0))) {
    gst_vae_lstm_gate_spans_wait (
        follower->spans, oldest->time, &follower->interrupted);
    run (follower);
  }
  gst_vae_lstm_gate_output_flush (&follower->output, follower->ring);
}

/* What is undecided will never be. */
static void
start_over (GstVaeLstmGateFollower *follower)
{
  GstVaeLstmGateItem item;

  while (gst_vae_lstm_gate_ring_length (follower->ring) > 0) {
    item = gst_vae_lstm_gate_ring_pop (follower->ring);
    gst_vae_lstm_gate_output_skip (&follower->output, &item);
  }
  gst_vae_lstm_gate_clock_reset (&follower->clock);
}

/* Linked anew. */
static void
begin_again (GstVaeLstmGateFollower *follower)
{
  start_over (follower);
  follower->span = 0;
  follower->flow = GST_FLOW_OK;
}

static GstFlowReturn
chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstVaeLstmGateFollower *follower = gst_pad_get_element_private (pad);
  GstVaeLstmGateItem item;

  if (gst_pad_check_reconfigure (follower->src) &&
      follower->flow != GST_FLOW_OK)
    begin_again (follower);
  if (follower->flow != GST_FLOW_OK) {
    gst_buffer_unref (buffer);
    return follower->flow;
  }
  if (gst_vae_lstm_gate_clock_goes_back (&follower->clock, buffer))
    start_over (follower);
  item = gst_vae_lstm_gate_clock_make_item (
      &follower->clock, buffer, GST_ELEMENT (parent));
  gst_vae_lstm_gate_ring_push (follower->ring, &item);
  run (follower);
  return follower->flow;
}

static void
forget (GstVaeLstmGateFollower *follower)
{
  gst_vae_lstm_gate_output_flush (&follower->output, follower->ring);
  gst_vae_lstm_gate_clock_reset (&follower->clock);
  gst_vae_lstm_gate_output_reset (&follower->output);
  follower->span = 0;
  follower->flow = GST_FLOW_OK;
  g_atomic_int_set (&follower->interrupted, FALSE);
}

/* Goes on when the buffers before it have; at once when none goes on. */
static void
queue_event (GstVaeLstmGateFollower *follower, GstEvent *event)
{
  GstVaeLstmGateItem item =
      gst_vae_lstm_gate_clock_make_event_item (&follower->clock, event);

  if (follower->flow == GST_FLOW_OK) {
    gst_vae_lstm_gate_ring_push (follower->ring, &item);
    run (follower);
  } else {
    gst_vae_lstm_gate_output_skip (&follower->output, &item);
  }
}

static gboolean
handle_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstVaeLstmGateFollower *follower = gst_pad_get_element_private (pad);

  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_EOS:
  case GST_EVENT_SEGMENT_DONE:
    run_to_end (follower);
    return gst_pad_push_event (follower->src, event);
  case GST_EVENT_FLUSH_START:
    gst_vae_lstm_gate_follower_interrupt (follower);
    return gst_pad_push_event (follower->src, event);
  case GST_EVENT_FLUSH_STOP:
    forget (follower);
    return gst_pad_push_event (follower->src, event);
  default:
    if (!GST_EVENT_IS_SERIALIZED (event))
      return gst_pad_event_default (pad, parent, event);
    queue_event (follower, event);
    return TRUE;
  }
}

GstVaeLstmGateFollower *
gst_vae_lstm_gate_follower_new (
    GstPad *sink, GstPad *src, GstVaeLstmGateSpans *spans)
{
  GstVaeLstmGateFollower *follower = g_new0 (GstVaeLstmGateFollower, 1);

  follower->sink = gst_object_ref_sink (sink);
  follower->src = gst_object_ref_sink (src);
  follower->spans = spans;
  follower->ring = gst_vae_lstm_gate_ring_new ();
  gst_vae_lstm_gate_output_init (&follower->output, src);
  gst_vae_lstm_gate_clock_init (&follower->clock);
  forget (follower);

  gst_pad_set_element_private (sink, follower);
  gst_pad_set_chain_function (sink, chain);
  gst_pad_set_event_function (sink, handle_event);
  return follower;
}

void
gst_vae_lstm_gate_follower_free (GstVaeLstmGateFollower *follower)
{
  gst_vae_lstm_gate_ring_free (follower->ring);
  gst_object_unref (follower->sink);
  gst_object_unref (follower->src);
  g_free (follower);
}

GstPad *
gst_vae_lstm_gate_follower_get_other (
    const GstVaeLstmGateFollower *follower, GstPad *pad)
{
  return pad == follower->sink  ? follower->src
         : pad == follower->src ? follower->sink
                                : NULL;
}

void
gst_vae_lstm_gate_follower_interrupt (GstVaeLstmGateFollower *follower)
{
  g_atomic_int_set (&follower->interrupted, TRUE);
  gst_vae_lstm_gate_spans_wake (follower->spans);
}

GstVaeLstmGateRing *
gst_vae_lstm_gate_follower_reset (GstVaeLstmGateFollower *follower)
{
  GstVaeLstmGateRing *held = follower->ring;

  follower->ring = gst_vae_lstm_gate_ring_new ();
  follower->warned = FALSE;
  forget (follower);
  return held;
}
