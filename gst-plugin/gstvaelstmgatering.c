/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgatering.h"

#include <gst/base/gstqueuearray.h>

#define FIRST_CAPACITY 256 /* items */

struct _GstVaeLstmGateRing {
  GstQueueArray *items;
  guint64 bytes;
};

static void
clear_item (gpointer item)
{
  gst_mini_object_unref (((GstVaeLstmGateItem *)item)->object);
}

GstVaeLstmGateRing *
gst_vae_lstm_gate_ring_new (void)
{
  GstVaeLstmGateRing *ring = g_new0 (GstVaeLstmGateRing, 1);

  ring->items = gst_queue_array_new_for_struct (
      sizeof (GstVaeLstmGateItem), FIRST_CAPACITY);
  gst_queue_array_set_clear_func (ring->items, clear_item);
  return ring;
}

void
gst_vae_lstm_gate_ring_free (GstVaeLstmGateRing *ring)
{
  gst_queue_array_free (ring->items);
  g_free (ring);
}

void
gst_vae_lstm_gate_ring_push (
    GstVaeLstmGateRing *ring, const GstVaeLstmGateItem *item)
{
  gst_queue_array_push_tail_struct (ring->items, (gpointer)item);
  ring->bytes += item->size;
}

GstVaeLstmGateItem
gst_vae_lstm_gate_ring_pop (GstVaeLstmGateRing *ring)
{
  GstVaeLstmGateItem item =
      *(GstVaeLstmGateItem *)gst_queue_array_pop_head_struct (ring->items);

  ring->bytes -= item.size;
  return item;
}

guint
gst_vae_lstm_gate_ring_length (const GstVaeLstmGateRing *ring)
{
  return gst_queue_array_get_length (ring->items);
}

guint64
gst_vae_lstm_gate_ring_bytes (const GstVaeLstmGateRing *ring)
{
  return ring->bytes;
}

const GstVaeLstmGateItem *
gst_vae_lstm_gate_ring_peek (const GstVaeLstmGateRing *ring, guint i)
{
  if (i >= gst_queue_array_get_length (ring->items))
    return NULL;
  return gst_queue_array_peek_nth_struct (ring->items, i);
}

guint
gst_vae_lstm_gate_ring_find_key (const GstVaeLstmGateRing *ring, guint from)
{
  const GstVaeLstmGateItem *item;
  guint i = from;

  while ((item = gst_vae_lstm_gate_ring_peek (ring, i)) && !item->key)
    i++;
  return i;
}

gint
gst_vae_lstm_gate_ring_find_key_before (
    const GstVaeLstmGateRing *ring, GstClockTimeDiff time)
{
  const GstVaeLstmGateItem *item;
  gint found = -1;

  for (guint i = gst_vae_lstm_gate_ring_find_key (ring, 0);
       (item = gst_vae_lstm_gate_ring_peek (ring, i)) && item->time <= time;
       i = gst_vae_lstm_gate_ring_find_key (ring, i + 1))
    found = i;
  return found;
}

guint
gst_vae_lstm_gate_ring_count_until (
    const GstVaeLstmGateRing *ring, GstClockTimeDiff time)
{
  const GstVaeLstmGateItem *item;
  guint i = gst_vae_lstm_gate_ring_length (ring);

  while (i > 0) {
    item = gst_vae_lstm_gate_ring_peek (ring, i - 1);
    if (item->is_buffer && item->time <= time)
      break;
    i--;
  }
  return i;
}
