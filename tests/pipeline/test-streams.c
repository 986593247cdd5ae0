/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Many streams in one process: what they share, and what they leave alone. */

#include <cblas.h>
#include <glib/gstdio.h>
#include <gst/check/gstcheck.h>

#include "process.h"
#include "untrained.h"

#define N_STREAMS 16
#define N_FRAMES 3 /* of each stream */
#define MIB (1024 * 1024)
#define SOURCE                                                                 \
  "videotestsrc is-live=true ! video/x-raw,width=160,height=120,"              \
  "framerate=10/1 "

/* Long latents: the weights outweigh a stream, and take little time. */
static const UntrainedSize size = {128, 128, 16, 16, 512, 128};

static gchar *model;

/* N_STREAMS times SOURCE, element, and a sink, in one pipeline. */
static GstElement *
launch (const gchar *element)
{
  GString *line = g_string_new (NULL);
  GError *error = NULL;
  GstElement *pipeline;

  for (guint i = 0; i < N_STREAMS; i++)
    g_string_append_printf (
        line, SOURCE "! %s ! fakesink name=sink%u ", element, i);
  pipeline = gst_parse_launch (line->str, &error);
  fail_unless (error == NULL, "%s: %s", line->str, error ? error->message : "");
  g_string_free (line, TRUE);
  return pipeline;
}

static GstElement *
launch_detectors (void)
{
  gchar *element = g_strdup_printf ("vaelstmdetect model-file=%s", model);
  GstElement *pipeline = launch (element);

  g_free (element);
  return pipeline;
}

static guint64
frames_at_sink (GstElement *pipeline, guint i)
{
  gchar *name = g_strdup_printf ("sink%u", i);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), name);
  GstStructure *stats;
  guint64 rendered = 0;

  g_object_get (sink, "stats", &stats, NULL);
  gst_structure_get_uint64 (stats, "rendered", &rendered);
  gst_structure_free (stats);
  gst_object_unref (sink);
  g_free (name);
  return rendered;
}

/* Plays until every stream has brought its frames, and goes on playing. */
static void
play (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < N_STREAMS; i++)
    while (frames_at_sink (pipeline, i) < N_FRAMES)
      g_usleep (10000);
}

static void
stop (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

static gint64
model_bytes (void)
{
  GStatBuf file;

  fail_unless_equals_int (g_stat (model, &file), 0);
  return file.st_size;
}

/* Half a copy for each stream would be too much. */
GST_START_TEST (test_weights_are_there_once)
{
  GstElement *pipeline = launch_detectors ();
  gint64 before = process_resident_bytes (), growth;

  play (pipeline);
  growth = process_resident_bytes () - before;
  stop (pipeline);
  fail_unless (growth < model_bytes () * N_STREAMS / 2,
      "%u streams grew by %d MiB, with a model of %d MiB", N_STREAMS,
      (int)(growth / MIB), (int)(model_bytes () / MIB));
}
GST_END_TEST

GST_START_TEST (test_streams_bring_no_threads_along)
{
  GstElement *pipeline = launch ("identity");
  guint bare, with_detectors;

  play (pipeline);
  bare = process_threads ();
  stop (pipeline);

  pipeline = launch_detectors ();
  play (pipeline);
  with_detectors = process_threads ();
  stop (pipeline);
  fail_unless (with_detectors <= bare, "%u threads, %u without detectors",
      with_detectors, bare);
}
GST_END_TEST

/* The test is the host application; its environment says nothing. */
GST_START_TEST (test_number_of_blas_threads_stays)
{
  const int chosen = openblas_get_num_procs () + 1;
  GstElement *pipeline = launch_detectors ();
  int number;

  g_unsetenv ("OPENBLAS_NUM_THREADS");
  g_unsetenv ("GOTO_NUM_THREADS");
  g_unsetenv ("OMP_NUM_THREADS");
  openblas_set_num_threads (chosen);
  number = openblas_get_num_threads ();
  play (pipeline);
  fail_unless_equals_int (openblas_get_num_threads (), number);
  stop (pipeline);
  openblas_set_num_threads (1);
}
GST_END_TEST

static Suite *
streams_suite (void)
{
  Suite *suite = suite_create ("streams");
  TCase *tcase = tcase_create ("streams");

  tcase_add_test (tcase, test_weights_are_there_once);
  tcase_add_test (tcase, test_streams_bring_no_threads_along);
  tcase_add_test (tcase, test_number_of_blas_threads_stays);
  suite_add_tcase (suite, tcase);
  return suite;
}

int
main (int argc, char **argv)
{
  int failed;

  gst_check_init (&argc, &argv);
  model = untrained_model_make (&size);
  failed = gst_check_run_suite (streams_suite (), "streams", __FILE__);
  untrained_model_remove (model);
  return failed != 0;
}
