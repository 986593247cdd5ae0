/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmgatesplit.h"

#define SIGNAL "split-at-running-time"

/* Elements in a row; more are a loop. */
#define MAX_DEPTH 64

static void find_sinks (GstPad *src, guint depth, GPtrArray *sinks);

static gboolean
takes_splits (GstElement *element)
{
  return element && g_signal_lookup (SIGNAL, G_OBJECT_TYPE (element)) != 0;
}

static void
find_sinks_after (GstPad *sink, guint depth, GPtrArray *sinks)
{
  GstIterator *links = gst_pad_iterate_internal_links (sink);
  GValue link = G_VALUE_INIT;
  GstIteratorResult result = GST_ITERATOR_OK;

  while (
      links && (result == GST_ITERATOR_OK || result == GST_ITERATOR_RESYNC)) {
    result = gst_iterator_next (links, &link);
    if (result == GST_ITERATOR_OK) {
      find_sinks (g_value_get_object (&link), depth + 1, sinks);
      g_value_reset (&link);
    } else if (result == GST_ITERATOR_RESYNC) {
      gst_iterator_resync (links);
    }
  }
  g_value_unset (&link);
  g_clear_pointer (&links, gst_iterator_free);
}

/* Adds those it finds that are not there yet. */
static void
find_sinks (GstPad *src, guint depth, GPtrArray *sinks)
{
  GstPad *peer = depth < MAX_DEPTH ? gst_pad_get_peer (src) : NULL;
  GstElement *element;

  if (!peer)
    return;
  element = gst_pad_get_parent_element (peer);
  if (!takes_splits (element))
    find_sinks_after (peer, depth, sinks);
  else if (!g_ptr_array_find (sinks, element, NULL))
    g_ptr_array_add (sinks, gst_object_ref (element));
  gst_clear_object (&element);
  gst_object_unref (peer);
}

/* Owned by the caller. */
static GPtrArray *
get_sinks (GstPad *src)
{
  GPtrArray *sinks = g_ptr_array_new_with_free_func (gst_object_unref);

  find_sinks (src, 0, sinks);
  return sinks;
}

void
gst_vae_lstm_gate_split (GstPad *src, GstClockTime running_time)
{
  GPtrArray *sinks = get_sinks (src);

  for (guint i = 0; i < sinks->len; i++)
    g_signal_emit_by_name (sinks->pdata[i], SIGNAL, running_time);
  g_ptr_array_unref (sinks);
}

/* Connected last, it has the last word. */
static gchar *
get_nowhere (
    GstElement *sink, guint index, GstSample *first, gpointer user_data)
{
#ifdef G_OS_WIN32
  return g_strdup ("NUL");
#else
  return g_strdup ("/dev/null");
#endif
}

GObject *
gst_vae_lstm_gate_split_discard (GstPad *src)
{
  GObject *token = g_object_new (G_TYPE_OBJECT, NULL);
  GPtrArray *sinks = get_sinks (src);

  for (guint i = 0; i < sinks->len; i++)
    g_signal_connect_object (sinks->pdata[i], "format-location-full",
        G_CALLBACK (get_nowhere), token, 0);
  g_ptr_array_unref (sinks);
  return token;
}
