/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Many live streams in one pipeline, all with one model: is a frame late, and
 * what does one more stream take? Prints one line; never fails on a number.
 *
 *   streams [N [SECONDS [FPS [WIDTHxHEIGHT]]]]
 *
 * The model is of the given size, else of the one that the element learns from
 * such video. A frame is late that comes to the sink after its stream's next
 * one was made. The frames of all streams are made at the same instants, which
 * is the worst case. Memory and threads are compared with the same pipeline of
 * identity elements. Each pipeline runs in a process of its own: streams N
 * SECONDS FPS run ELEMENT. */

#include <gst/gst.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "framesize.h"
#include "process.h"
#include "train.h"
#include "untrained.h"

#define SETTLE_SECONDS 2 /* before anything is counted */
#define WIDTH 640
#define HEIGHT 360

/* A source that costs next to nothing. */
#define BRANCH                                                                 \
  "videotestsrc num-buffers=1 ! video/x-raw,format=I420,width=%u,height=%u ! " \
  "imagefreeze is-live=true ! video/x-raw,framerate=%u/1 ! %s name=e%u ! "     \
  "fakesink name=s%u sync=true "

/* The arguments. */
typedef struct {
  guint n_streams;
  guint seconds;
  guint fps;
} Load;

typedef struct {
  guint frames, late; /* that came to a sink */
  guint worst_us;     /* from source to sink */
  double analysed;    /* frames a second and stream */
  double cpu;         /* seconds a second, of all processors */
  guint rss_kib;
  guint threads;
} Figures;

/* ------------------------------------------ one pipeline, seen from within */

typedef struct {
  GstElement *pipeline;
  Load load;
  gint counting;                /* atomic */
  guint frames, late, worst_us; /* atomic */
} Run;

static void
keep_largest (guint *largest, guint value)
{
  guint before = g_atomic_int_get (largest);

  while (value > before &&
         !g_atomic_int_compare_and_exchange (largest, before, value))
    before = g_atomic_int_get (largest);
}

static GstPadProbeReturn
note_arrival (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Run *run = data;
  const GstClockTime made = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));
  GstClockTime delay;

  if (!g_atomic_int_get (&run->counting))
    return GST_PAD_PROBE_OK;
  delay = gst_element_get_current_running_time (run->pipeline) - made;
  g_atomic_int_inc (&run->frames);
  if (delay > GST_SECOND / run->load.fps)
    g_atomic_int_inc (&run->late);
  keep_largest (&run->worst_us, delay / GST_USECOND);
  return GST_PAD_PROBE_OK;
}

static GstElement *
branch_element (const Run *run, char kind, guint i)
{
  g_autofree char *name = g_strdup_printf ("%c%u", kind, i);

  return gst_bin_get_by_name (GST_BIN (run->pipeline), name);
}

static void
watch_sink (Run *run, guint i)
{
  GstElement *sink = branch_element (run, 's', i);
  GstPad *pad = gst_element_get_static_pad (sink, "sink");

  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, note_arrival, run, NULL);
  gst_object_unref (pad);
  gst_object_unref (sink);
}

/* Frames that were scored, of all streams. */
static guint64
count_analysed (const Run *run)
{
  guint64 sum = 0;

  for (guint i = 0; i < run->load.n_streams; i++) {
    GstElement *element = branch_element (run, 'e', i);
    GstStructure *stats = NULL;
    guint64 value = 0;

    if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "stats") !=
        NULL)
      g_object_get (element, "stats", &stats, NULL);
    if (stats != NULL) {
      gst_structure_get_uint64 (stats, "analysed", &value);
      gst_structure_free (stats);
    }
    sum += value;
    gst_object_unref (element);
  }
  return sum;
}

static double
cpu_seconds (void)
{
  struct rusage use;

  getrusage (RUSAGE_SELF, &use);
  return use.ru_utime.tv_sec + use.ru_stime.tv_sec +
         (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static void
count (Run *run, Figures *figures)
{
  const guint seconds = run->load.seconds;
  const guint64 analysed = count_analysed (run);
  const double cpu = cpu_seconds ();

  g_atomic_int_set (&run->counting, TRUE);
  g_usleep (seconds * G_USEC_PER_SEC);
  g_atomic_int_set (&run->counting, FALSE);

  *figures = (Figures){
      .frames = run->frames,
      .late = run->late,
      .worst_us = run->worst_us,
      .analysed = (count_analysed (run) - analysed) /
                  (double)(seconds * run->load.n_streams),
      .cpu = (cpu_seconds () - cpu) / seconds,
      .rss_kib = process_resident_bytes () / 1024,
      .threads = process_threads (),
  };
}

static Figures
run_pipeline (const char *element, const Load *load)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  Run run = {.load = *load};
  Figures figures;

  if (!gst_plugin_load_file (PLUGIN_FILE, &error))
    g_error ("%s", error->message);
  for (guint i = 0; i < load->n_streams; i++)
    g_string_append_printf (
        line, BRANCH, WIDTH, HEIGHT, load->fps, element, i, i);
  run.pipeline = gst_parse_launch (line->str, &error);
  if (error != NULL)
    g_error ("%s", error->message);
  for (guint i = 0; i < load->n_streams; i++)
    watch_sink (&run, i);

  gst_element_set_state (run.pipeline, GST_STATE_PLAYING);
  g_usleep (SETTLE_SECONDS * G_USEC_PER_SEC);
  count (&run, &figures);
  gst_element_set_state (run.pipeline, GST_STATE_NULL);
  gst_object_unref (run.pipeline);
  return figures;
}

/* ----------------------------------------- several pipelines, from without */

#define FORMAT "%u %u %u %lg %lg %u %u\n"

static void
print_figures (const Figures *f)
{
  g_print (FORMAT, f->frames, f->late, f->worst_us, f->analysed, f->cpu,
      f->rss_kib, f->threads);
}

/* What print_figures says in a process of its own. */
static Figures
spawn (const char *program, const char *element, const Load *load)
{
  g_autofree char *arguments = g_strdup_printf (
      "%u %u %u run %s", load->n_streams, load->seconds, load->fps, element);
  g_auto (GStrv) words = g_strsplit (arguments, " ", 5);
  char *argv[] = {
      (char *)program, words[0], words[1], words[2], words[3], words[4], NULL};
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  Figures f;

  if (!g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &text, NULL,
          NULL, &error))
    g_error ("%s", error->message);
  if (sscanf (text, FORMAT, &f.frames, &f.late, &f.worst_us, &f.analysed,
          &f.cpu, &f.rss_kib, &f.threads) != 7)
    g_error ("no figures of %s", arguments);
  return f;
}

static void
usage (void)
{
  g_printerr ("usage: streams [N [SECONDS [FPS [WIDTHxHEIGHT]]]], N up to 512, "
              "sizes in steps of 16 from 128\n");
  exit (2);
}

/* size_text: "WIDTHxHEIGHT", or NULL. */
static UntrainedSize
model_size (const char *size_text)
{
  UntrainedSize size = {.vae_width = 16, .latent = 32, .hidden = 128};

  vl_quick_frame_size (WIDTH, HEIGHT, &size.width, &size.height);
  if (size_text != NULL &&
      sscanf (size_text, "%ux%u", &size.width, &size.height) != 2)
    usage ();
  size.stride = vl_train_default_stride (size.width, size.height);
  if (size.stride == 0)
    usage ();
  return size;
}

static void
compare (const char *program, const Load *load, const UntrainedSize *size)
{
  const Load one = {1, 1, load->fps}, brief = {load->n_streams, 1, load->fps};
  char *model = untrained_model_make (size);
  g_autofree char *detector =
      g_strdup_printf ("vaelstmdetect model-file=%s", model);
  const Figures first = spawn (program, detector, &one);
  const Figures all = spawn (program, detector, load);
  const Figures bare_first = spawn (program, "identity", &one);
  const Figures bare = spawn (program, "identity", &brief);
  const double growth_kib = (double)all.rss_kib - first.rss_kib;
  const double bare_growth_kib = (double)bare.rss_kib - bare_first.rss_kib;

  g_print ("bench=streams n=%u fps=%u model=%ux%u frames=%u late=%u "
           "delay_max_ms=%.1f "
           "analysed_per_s=%.2f mib_per_stream=%.2f threads=%u "
           "threads_without=%u cpu=%.2f cpu_without=%.2f\n",
      load->n_streams, load->fps, size->width, size->height, all.frames,
      all.late, all.worst_us / 1000.0, all.analysed,
      (growth_kib - bare_growth_kib) / 1024 / MAX (load->n_streams - 1, 1),
      all.threads, bare.threads, all.cpu, bare.cpu);
  untrained_model_remove (model);
}

static guint
number (const char *text, guint otherwise, guint max)
{
  guint64 value = otherwise;

  if (text != NULL &&
      !g_ascii_string_to_unsigned (text, 10, 1, max, &value, NULL))
    usage ();
  return value;
}

int
main (int argc, char **argv)
{
  Load load;

  gst_init (NULL, NULL);
  load.n_streams = number (argc > 1 ? argv[1] : NULL, 64, 512);
  load.seconds = number (argc > 2 ? argv[2] : NULL, 20, G_MAXINT);
  load.fps = number (argc > 3 ? argv[3] : NULL, 10, 240);
  if (argc > 5) {
    const Figures figures = run_pipeline (argv[5], &load);
    print_figures (&figures);
  } else {
    const UntrainedSize size = model_size (argc > 4 ? argv[4] : NULL);
    compare (argv[0], &load, &size);
  }
  return EXIT_SUCCESS;
}
