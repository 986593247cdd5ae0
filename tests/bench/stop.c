/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How long it takes to stop an element in the middle of its training. Stops a
 * few at different moments and prints one line; never fails on a number.
 *
 *   stop [BUSY]    beside so many busy loops (0) */

#include <gst/check/gstharness.h>
#include <stdlib.h>

#define ROUNDS 10
#define SIZE (640 * 360 * 3 / 2) /* bytes, I420 */
#define FRAMES 100

static gint quit; /* atomic */

static gpointer
be_busy (gpointer data)
{
  while (!g_atomic_int_get (&quit))
    ;
  return NULL;
}

static void
push_frame (GstHarness *harness, guint n)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, SIZE, NULL);

  gst_buffer_memset (buffer, 0, 100 + n % 2, SIZE);
  GST_BUFFER_PTS (buffer) = n * GST_SECOND / 10;
  gst_harness_push (harness, buffer);
  gst_buffer_unref (gst_harness_pull (harness));
}

static gboolean
is_training (GstElement *element)
{
  gint state;
  GEnumValue *value;

  g_object_get (element, "state", &state, NULL);
  value = g_enum_get_value (
      g_type_class_peek (g_type_from_name ("GstVaeLstmState")), state);
  return g_str_equal (value->value_nick, "training");
}

/* Milliseconds from PLAYING to NULL, `wait` us into a training. */
static double
stop_training (gulong wait)
{
  GstElement *element = gst_element_factory_make ("vaelstmdetect", NULL);
  GstHarness *harness;
  gint64 begin;
  double ms;

  g_object_set (element, "learn-duration", 5 * GST_SECOND, NULL);
  harness = gst_harness_new_with_element (element, "sink", "src");
  gst_harness_set_src_caps_str (
      harness, "video/x-raw,format=I420,width=640,height=360,framerate=10/1");
  for (guint n = 0; n < FRAMES && !is_training (element); n++)
    push_frame (harness, n);
  if (!is_training (element))
    g_error ("the element does not train");

  g_usleep (wait);
  begin = g_get_monotonic_time ();
  gst_element_set_state (element, GST_STATE_NULL);
  ms = (g_get_monotonic_time () - begin) / 1e3;
  gst_harness_teardown (harness);
  gst_object_unref (element);
  return ms;
}

int
main (int argc, char **argv)
{
  const guint n_busy = argc > 1 ? (guint)MIN (atoi (argv[1]), 64) : 0;
  GThread *busy[64];
  double largest = 0, sum = 0;

  gst_init (NULL, NULL);
  if (gst_plugin_load_file (PLUGIN_FILE, NULL) == NULL)
    g_error ("cannot load %s", PLUGIN_FILE);
  for (guint i = 0; i < n_busy; i++)
    busy[i] = g_thread_new ("busy", be_busy, NULL);
  for (guint i = 0; i < ROUNDS; i++) {
    const double ms = stop_training (G_USEC_PER_SEC / 7 * (i + 1));
    largest = MAX (largest, ms);
    sum += ms;
  }
  g_atomic_int_set (&quit, TRUE);
  for (guint i = 0; i < n_busy; i++)
    g_thread_join (busy[i]);
  g_print ("bench=stop busy=%u stop_mean_ms=%.1f stop_max_ms=%.1f\n", n_busy,
      sum / ROUNDS, largest);
  return 0;
}
