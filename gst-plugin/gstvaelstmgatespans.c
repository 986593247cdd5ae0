/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgatespans.h"

/* More than any stream that follows can be behind. */
#define MAX_SPANS 64

struct _GstVaeLstmGateSpans {
  GMutex lock;
  GCond changed;
  GArray *spans; /* oldest first */
  guint number;  /* of the newest */
  GstClockTimeDiff decided;
  gboolean finished;
};

GstVaeLstmGateSpans *
gst_vae_lstm_gate_spans_new (void)
{
  GstVaeLstmGateSpans *spans = g_new0 (GstVaeLstmGateSpans, 1);

  g_mutex_init (&spans->lock);
  g_cond_init (&spans->changed);
  spans->spans = g_array_new (FALSE, FALSE, sizeof (GstVaeLstmGateSpan));
  spans->decided = -G_MAXINT64;
  return spans;
}

void
gst_vae_lstm_gate_spans_free (GstVaeLstmGateSpans *spans)
{
  g_array_unref (spans->spans);
  g_cond_clear (&spans->changed);
  g_mutex_clear (&spans->lock);
  g_free (spans);
}

void
gst_vae_lstm_gate_spans_reset (GstVaeLstmGateSpans *spans)
{
  g_mutex_lock (&spans->lock);
  g_array_set_size (spans->spans, 0);
  spans->decided = -G_MAXINT64;
  spans->finished = FALSE;
  g_mutex_unlock (&spans->lock);
}

void
gst_vae_lstm_gate_spans_finish (GstVaeLstmGateSpans *spans)
{
  g_mutex_lock (&spans->lock);
  spans->finished = TRUE;
  g_cond_broadcast (&spans->changed);
  g_mutex_unlock (&spans->lock);
}

void
gst_vae_lstm_gate_spans_begin (
    GstVaeLstmGateSpans *spans, GstClockTimeDiff start, GstClockTime shift)
{
  GstVaeLstmGateSpan span = {.start = start, .end = start, .shift = shift};

  g_mutex_lock (&spans->lock);
  span.number = ++spans->number;
  if (spans->spans->len == MAX_SPANS)
    g_array_remove_index (spans->spans, 0);
  g_array_append_val (spans->spans, span);
  g_mutex_unlock (&spans->lock);
}

void
gst_vae_lstm_gate_spans_advance (
    GstVaeLstmGateSpans *spans, GstClockTimeDiff end, GstClockTimeDiff decided)
{
  GArray *all = spans->spans;
  GstVaeLstmGateSpan *newest;

  g_mutex_lock (&spans->lock);
  if (all->len > 0) {
    newest = &g_array_index (all, GstVaeLstmGateSpan, all->len - 1);
    newest->end = MAX (newest->end, end);
  }
  spans->finished = FALSE;
  spans->decided = MAX (spans->decided, decided);
  g_cond_broadcast (&spans->changed);
  g_mutex_unlock (&spans->lock);
}

void
gst_vae_lstm_gate_spans_close (GstVaeLstmGateSpans *spans, GstClockTimeDiff end)
{
  GArray *all = spans->spans;

  g_mutex_lock (&spans->lock);
  if (all->len > 0)
    g_array_index (all, GstVaeLstmGateSpan, all->len - 1).end = end;
  spans->decided = MIN (spans->decided, end);
  g_mutex_unlock (&spans->lock);
}

static gboolean
is_undecided (const GstVaeLstmGateSpans *spans, GstClockTimeDiff time)
{
  return time >= spans->decided && !spans->finished;
}

GstVaeLstmGatePlace
gst_vae_lstm_gate_spans_find (
    GstVaeLstmGateSpans *spans, GstClockTimeDiff time, GstVaeLstmGateSpan *span)
{
  GstVaeLstmGatePlace place = GST_VAE_LSTM_GATE_OUTSIDE;

  g_mutex_lock (&spans->lock);
  if (is_undecided (spans, time))
    place = GST_VAE_LSTM_GATE_UNDECIDED;
  for (guint i = spans->spans->len; i-- > 0;) {
    const GstVaeLstmGateSpan *it =
        &g_array_index (spans->spans, GstVaeLstmGateSpan, i);

    if (time >= it->start && time < it->end) {
      place = GST_VAE_LSTM_GATE_INSIDE;
      if (span)
        *span = *it;
      break;
    }
  }
  g_mutex_unlock (&spans->lock);
  return place;
}

void
gst_vae_lstm_gate_spans_wait (
    GstVaeLstmGateSpans *spans, GstClockTimeDiff time, const gint *interrupted)
{
  g_mutex_lock (&spans->lock);
  while (is_undecided (spans, time) && !g_atomic_int_get (interrupted))
    g_cond_wait (&spans->changed, &spans->lock);
  g_mutex_unlock (&spans->lock);
}

void
gst_vae_lstm_gate_spans_wake (GstVaeLstmGateSpans *spans)
{
  g_mutex_lock (&spans->lock);
  g_cond_broadcast (&spans->changed);
  g_mutex_unlock (&spans->lock);
}
