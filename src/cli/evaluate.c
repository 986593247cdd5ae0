/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

#include "baseline.h"
#include "clip.h"
#include "evaluation.h"
#include "report.h"
#include "scoring.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

typedef struct {
  char *model, *labels, *frames;
  gboolean json;
  char **videos;
  VlScoringOptions scoring;
  VlRange range;
} Options;

/* The baseline is measured on the same frames. Its cost is kept, so that the
 * speed reported is the model's alone. */
typedef struct {
  VlBaseline *baseline;
  VlFlexibleSampler *sampler; /* luma at the model's size */
  double wall, cpu;           /* seconds spent here */
} BaselineRun;

static gboolean
read_options (int argc, char **argv, Options *o, GError **error)
{
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model, "The model", "MODEL"},
      {"labels", 0, 0, G_OPTION_ARG_FILENAME, &o->labels,
          "Truth: clip,first,last,label; frames from 0, both ends inclusive; "
          "anomaly or ignore",
          "FILE.csv"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &o->json, "Print one JSON object",
          NULL},
      {"frames", 0, 0, G_OPTION_ARG_STRING, &o->frames,
          "Frames to read of each video, from 0, without the last", "A:B"},
      {"false-alarms-per-day", 0, 0, G_OPTION_ARG_DOUBLE,
          &o->scoring.false_alarms_per_day, "Sets the threshold (1)", "N"},
      {"threshold", 0, 0, G_OPTION_ARG_DOUBLE, &o->scoring.threshold,
          "Score above which an event begins, instead", "SCORE"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->videos, NULL,
          NULL},
      {NULL}};

  return vl_command_parse (argc, argv, entries, "VIDEO...",
             "Compares a model's scores and events with labels, beside a "
             "baseline that learns nothing.",
             error) &&
         vl_command_require (o->model, "a model: -m MODEL", error) &&
         vl_command_require (o->labels, "labels: --labels FILE.csv", error) &&
         vl_command_require (o->videos, "a VIDEO", error) &&
         vl_range_parse (o->frames, &o->range, error) &&
         vl_scoring_check (&o->scoring, error);
}

static void
clear_options (Options *o)
{
  g_free (o->model);
  g_free (o->labels);
  g_free (o->frames);
  g_strfreev (o->videos);
}

static gboolean
check_labels (const VlLabels *labels, char **videos, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  for (char **video = videos; *video != NULL; video++)
    g_ptr_array_add (names, vl_media_clip_name (*video));
  g_ptr_array_add (names, NULL);
  return vl_labels_check_clips (labels, (char **)names->pdata, error);
}

static double
thread_cpu_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double
process_cpu_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double
wall_seconds (void)
{
  return (double)g_get_monotonic_time () / G_TIME_SPAN_SECOND;
}

static gboolean
add_baseline (VlScoredFrame *scored, const GstVideoFrame *video,
    gpointer user_data, GError **error)
{
  BaselineRun *run = user_data;
  const double wall = wall_seconds (), cpu = thread_cpu_seconds ();
  const guint8 *luma = vl_flexible_sampler_run (run->sampler, video, error);

  if (luma == NULL)
    return FALSE;
  scored->values[VL_SERIES_BASELINE] = vl_baseline_update (run->baseline, luma);
  run->wall += wall_seconds () - wall;
  run->cpu += thread_cpu_seconds () - cpu;
  return TRUE;
}

/* Labels past the end of a clip show when its end is reached; --frames may end
 * it earlier. */
static gboolean
check_length (const VlLabels *labels, const VlTrack *track,
    const VlRange *range, GError **error)
{
  return track->n_read >= range->last ||
         vl_labels_check_length (labels, track->clip, track->n_read, error);
}

static gboolean
run_clips (const Options *o, VlModel *model, const VlLabels *labels,
    BaselineRun *run, GPtrArray *tracks, GError **error)
{
  const VlInput *input = &model->input;
  g_autoptr (VlDetector) detector = vl_scoring_detector (model, &o->scoring);

  for (char **video = o->videos; *video != NULL; video++) {
    VlTrack *track;

    vl_baseline_reset (run->baseline);
    track = vl_track_run (detector, *video, &o->range, input->rate_n,
        input->rate_d, add_baseline, run, error);
    if (track == NULL)
      return FALSE;
    g_ptr_array_add (tracks, track);
    if (!check_length (labels, track, &o->range, error))
      return FALSE;
  }
  return TRUE;
}

static guint
count_frames (const GPtrArray *tracks)
{
  guint n = 0;

  for (guint i = 0; i < tracks->len; i++)
    n += ((const VlTrack *)tracks->pdata[i])->frames->len;
  return n;
}

/* Scores every clip and tells how fast that was. */
static gboolean
measure (const Options *o, VlModel *model, const VlLabels *labels,
    GPtrArray *tracks, VlSpeed *speed, GError **error)
{
  const VlInput *input = &model->input;
  BaselineRun run = {vl_baseline_new (input->width, input->height),
      vl_flexible_sampler_new (input->width, input->height, VL_PICTURE_LUMA)};
  const double wall = wall_seconds (), cpu = process_cpu_seconds ();
  const gboolean done = run_clips (o, model, labels, &run, tracks, error);

  speed->n_frames = count_frames (tracks);
  speed->wall = wall_seconds () - wall - run.wall;
  speed->cpu = process_cpu_seconds () - cpu - run.cpu;
  vl_baseline_free (run.baseline);
  vl_flexible_sampler_free (run.sampler);
  return done;
}

static void
print_result (const Options *o, const GPtrArray *tracks, const VlLabels *labels,
    const VlSpeed *speed)
{
  g_autoptr (VlEvaluation) evaluation = vl_evaluate (tracks, labels);
  g_autofree char *text =
      o->json ? vl_report_json (evaluation, tracks, labels, speed)
              : vl_report_text (evaluation, tracks, labels, speed);

  fputs (text, stdout);
}

gboolean
vl_command_evaluate (int argc, char **argv, GError **error)
{
  Options o = {.scoring = VL_SCORING_DEFAULTS};
  g_autoptr (VlModel) model = NULL;
  g_autoptr (VlLabels) labels = NULL;
  g_autoptr (GPtrArray) tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vl_track_free);
  VlSpeed speed;
  const gboolean done = read_options (argc, argv, &o, error) &&
                        (labels = vl_labels_load (o.labels, error)) != NULL &&
                        check_labels (labels, o.videos, error) &&
                        (model = vl_scoring_load (o.model, error)) != NULL &&
                        measure (&o, model, labels, tracks, &speed, error);

  if (done)
    print_result (&o, tracks, labels, &speed);
  clear_options (&o);
  return done;
}
