/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "change.h"

#include "running.h"

void
change_init (Change *change, GstElement *pipeline)
{
  *change =
      (Change){pipeline, gst_bin_get_by_name (GST_BIN (pipeline), "before"),
          gst_bin_get_by_name (GST_BIN (pipeline), "after")};
}

void
change_clear (Change *change)
{
  gst_object_unref (change->before);
  gst_object_unref (change->after);
}

static GstPadProbeReturn
add_detector (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Change *change = user_data;

  gst_element_unlink (change->before, change->after);
  gst_bin_add (GST_BIN (change->pipeline), gst_object_ref (change->detect));
  fail_unless (gst_element_link_many (
      change->before, change->detect, change->after, NULL));
  fail_unless (gst_element_sync_state_with_parent (change->detect));
  g_atomic_int_inc (&change->n_done);
  return GST_PAD_PROBE_REMOVE;
}

static GstPadProbeReturn
remove_detector (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  Change *change = user_data;

  gst_element_unlink_many (change->before, change->detect, change->after, NULL);
  fail_unless_equals_int (
      gst_element_set_state (change->detect, GST_STATE_NULL),
      GST_STATE_CHANGE_SUCCESS);
  gst_bin_remove (GST_BIN (change->pipeline), change->detect);
  fail_unless (gst_element_link (change->before, change->after));
  g_atomic_int_inc (&change->n_done);
  return GST_PAD_PROBE_REMOVE;
}

/* Does it when no frame is on its way past `before`, and waits until it is
 * done. */
static void
when_idle (Change *change, GstPadProbeCallback callback)
{
  GstPad *pad = gst_element_get_static_pad (change->before, "src");
  gint n_done = g_atomic_int_get (&change->n_done);

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_IDLE, callback, change, NULL);
  running_wait_until (&change->n_done, n_done + 1);
  gst_object_unref (pad);
}

void
change_add_detector (Change *change)
{
  when_idle (change, add_detector);
}

void
change_remove_detector (Change *change)
{
  when_idle (change, remove_detector);
}
