/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"
#include "output.h"
#include "plot.h"
#include "scoring.h"
#include "table.h"

typedef struct {
  char *model, *csv, *jsonl, *plot, *frames;
  char **videos;
  VlScoringOptions scoring;
  VlRange range;
} Options;

/* Where scores go; NULL where they do not. */
typedef struct {
  VlOutput *csv, *jsonl, *plot;
  GPtrArray *tracks; /* for the plot */
  char *clip;        /* the one being scored */
} Sinks;

static gboolean
read_options (int argc, char **argv, Options *o, GError **error)
{
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model, "The model", "MODEL"},
      {"csv", 0, 0, G_OPTION_ARG_FILENAME, &o->csv,
          "Write one line per analysed frame; without --csv, --jsonl and "
          "--plot it goes to standard output",
          "FILE"},
      {"jsonl", 0, 0, G_OPTION_ARG_FILENAME, &o->jsonl,
          "The same, one JSON object per line", "FILE"},
      {"plot", 0, 0, G_OPTION_ARG_FILENAME, &o->plot,
          "Draw the scores and events", "FILE.png"},
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
             "Scores the frames of videos: -log10 of the chance that a normal "
             "frame scores as high.",
             error) &&
         vl_command_require (o->model, "a model: -m MODEL", error) &&
         vl_command_require (o->videos, "a VIDEO", error) &&
         vl_range_parse (o->frames, &o->range, error) &&
         vl_scoring_check (&o->scoring, error);
}

static void
clear_options (Options *o)
{
  g_free (o->model);
  g_free (o->csv);
  g_free (o->jsonl);
  g_free (o->plot);
  g_free (o->frames);
  g_strfreev (o->videos);
}

static gboolean
open_sink (VlOutput **sink, const char *path, GError **error)
{
  return path == NULL || (*sink = vl_output_open (path, error)) != NULL;
}

static gboolean
open_sinks (Sinks *sinks, const Options *o, GError **error)
{
  if (o->csv == NULL && o->jsonl == NULL && o->plot == NULL)
    sinks->csv = vl_output_open (NULL, NULL);
  else if (!open_sink (&sinks->csv, o->csv, error) ||
           !open_sink (&sinks->jsonl, o->jsonl, error) ||
           !open_sink (&sinks->plot, o->plot, error))
    return FALSE;
  sinks->tracks =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vl_track_free);
  if (sinks->csv != NULL)
    vl_output_print (sinks->csv, vl_table_csv_header ());
  return TRUE;
}

static void
clear_sinks (Sinks *sinks)
{
  g_clear_pointer (&sinks->csv, vl_output_free);
  g_clear_pointer (&sinks->jsonl, vl_output_free);
  g_clear_pointer (&sinks->plot, vl_output_free);
  g_clear_pointer (&sinks->tracks, g_ptr_array_unref);
}

static gboolean
write_frame (VlScoredFrame *scored, const GstVideoFrame *video,
    gpointer user_data, GError **error)
{
  const Sinks *sinks = user_data;

  if (sinks->csv != NULL) {
    g_autofree char *row = vl_table_csv_row (sinks->clip, scored);

    vl_output_print (sinks->csv, row);
  }
  if (sinks->jsonl != NULL) {
    g_autofree char *row = vl_table_json_row (sinks->clip, scored);

    vl_output_print (sinks->jsonl, row);
  }
  return TRUE;
}

static void
print_events (const VlTrack *track)
{
  if (track->events->len == 0)
    g_printerr ("%s: no event in %u analysed frames, threshold %.2f\n",
        track->clip, track->frames->len, track->threshold);
  for (guint i = 0; i < track->events->len; i++) {
    const VlTrackEvent *event = vl_track_event (track, i);
    const VlScoredFrame *first = vl_track_frame (track, event->first);
    const VlScoredFrame *last = vl_track_frame (track, event->last);

    g_printerr ("%s: event %u: frames %" G_GUINT64_FORMAT
                " to %" G_GUINT64_FORMAT
                ", %.1f s to %.1f s, peak %.1f, threshold %.2f\n",
        track->clip, event->id, first->frame, last->frame,
        (double)first->time / GST_SECOND, (double)last->time / GST_SECOND,
        event->peak, track->threshold);
  }
}

static gboolean
score_videos (const Options *o, Sinks *sinks, VlModel *model, GError **error)
{
  g_autoptr (VlDetector) detector = vl_scoring_detector (model, &o->scoring);
  const VlInput *input = &model->input;

  for (char **video = o->videos; *video != NULL; video++) {
    g_autofree char *clip = vl_media_clip_name (*video);
    VlTrack *track;

    sinks->clip = clip;
    track = vl_track_run (detector, *video, &o->range, input->rate_n,
        input->rate_d, write_frame, sinks, error);
    if (track == NULL)
      return FALSE;
    print_events (track);
    if (sinks->plot != NULL)
      g_ptr_array_add (sinks->tracks, track);
    else
      vl_track_free (track);
  }
  return TRUE;
}

static gboolean
commit_sinks (Sinks *sinks, GError **error)
{
  if (sinks->plot != NULL &&
      !vl_plot_tracks (sinks->tracks, sinks->plot, error))
    return FALSE;
  return (sinks->csv == NULL || vl_output_commit (sinks->csv, error)) &&
         (sinks->jsonl == NULL || vl_output_commit (sinks->jsonl, error)) &&
         (sinks->plot == NULL || vl_output_commit (sinks->plot, error));
}

gboolean
vl_command_score (int argc, char **argv, GError **error)
{
  Options o = {.scoring = VL_SCORING_DEFAULTS};
  Sinks sinks = {NULL};
  g_autoptr (VlModel) model = NULL;
  const gboolean done = read_options (argc, argv, &o, error) &&
                        (model = vl_scoring_load (o.model, error)) != NULL &&
                        open_sinks (&sinks, &o, error) &&
                        score_videos (&o, &sinks, model, error) &&
                        commit_sinks (&sinks, error);

  clear_sinks (&sinks);
  clear_options (&o);
  return done;
}
