/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "evaluation.h"

#include "ranking.h"

#include <math.h>
#include <string.h>

/* One series of the frames that take part, clip after clip. */
typedef struct {
  GArray *values;    /* double */
  GArray *anomalous; /* guint8 */
  GArray *clip_ends; /* guint: places where clips end */
} Pool;

static void
pool_add_track (
    Pool *pool, const VlTrack *track, const VlLabels *labels, VlSeries series)
{
  for (guint i = 0; i < track->frames->len; i++) {
    const VlScoredFrame *frame = vl_track_frame (track, i);
    const VlLabel label = vl_labels_at (labels, track->clip, frame->frame);
    const guint8 anomalous = label == VL_LABEL_ANOMALY;

    if (label == VL_LABEL_IGNORE)
      continue;
    g_array_append_val (pool->values, frame->values[series]);
    g_array_append_val (pool->anomalous, anomalous);
  }
  g_array_append_val (pool->clip_ends, pool->values->len);
}

static Pool
pool_new (const GPtrArray *tracks, const VlLabels *labels, VlSeries series)
{
  Pool pool = {g_array_new (FALSE, FALSE, sizeof (double)),
      g_array_new (FALSE, FALSE, sizeof (guint8)),
      g_array_new (FALSE, FALSE, sizeof (guint))};

  for (guint i = 0; i < tracks->len; i++)
    pool_add_track (&pool, tracks->pdata[i], labels, series);
  return pool;
}

static void
pool_clear (Pool *pool)
{
  g_array_unref (pool->values);
  g_array_unref (pool->anomalous);
  g_array_unref (pool->clip_ends);
}

static void
pool_scale_clips (Pool *pool)
{
  double *values = (double *)(void *)pool->values->data;
  guint begin = 0;

  for (guint i = 0; i < pool->clip_ends->len; i++) {
    const guint end = g_array_index (pool->clip_ends, guint, i);

    vl_scale_to_unit (values + begin, end - begin);
    begin = end;
  }
}

typedef double (*RankFunc) (const double *, const guint8 *, gsize);

static double
pool_rank (const Pool *pool, RankFunc rank)
{
  return rank ((const double *)(const void *)pool->values->data,
      (const guint8 *)pool->anomalous->data, pool->values->len);
}

static void
rank_frames (
    VlEvaluation *evaluation, const GPtrArray *tracks, const VlLabels *labels)
{
  for (VlSeries series = 0; series < VL_N_SERIES; series++) {
    Pool pool = pool_new (tracks, labels, series);

    if (series == VL_SERIES_SCORE)
      evaluation->eer = pool_rank (&pool, vl_eer);
    evaluation->auc[series].live = pool_rank (&pool, vl_auc);
    pool_scale_clips (&pool);
    evaluation->auc[series].published = pool_rank (&pool, vl_auc);
    pool_clear (&pool);
  }
}

/* Seconds of video that an analysed frame stands for: up to the next one. */
static double
frame_seconds (const VlTrack *track, guint place)
{
  if (track->frames->len < 2)
    return 0;
  place = MIN (place, track->frames->len - 2);
  return (double)(vl_track_frame (track, place + 1)->time -
                  vl_track_frame (track, place)->time) /
         GST_SECOND;
}

static void
measure_time (
    VlEvaluation *evaluation, const GPtrArray *tracks, const VlLabels *labels)
{
  for (guint t = 0; t < tracks->len; t++) {
    const VlTrack *track = tracks->pdata[t];

    for (guint i = 0; i < track->frames->len; i++) {
      const guint64 frame = vl_track_frame (track, i)->frame;
      const double seconds = frame_seconds (track, i);

      evaluation->video_seconds += seconds;
      if (vl_labels_at (labels, track->clip, frame) == VL_LABEL_NORMAL)
        evaluation->normal_seconds += seconds;
    }
  }
}

static gboolean
event_overlaps (const VlTrack *track, const VlTrackEvent *event, guint64 first,
    guint64 last)
{
  return vl_track_frame (track, event->first)->frame <= last &&
         vl_track_frame (track, event->last)->frame >= first;
}

VlVerdict
vl_event_verdict (
    const VlLabels *labels, const VlTrack *track, const VlTrackEvent *event)
{
  VlVerdict verdict = VL_VERDICT_FALSE;

  for (guint i = 0; i < labels->ranges->len; i++) {
    const VlLabelRange *range =
        &g_array_index (labels->ranges, VlLabelRange, i);

    if (strcmp (range->clip, track->clip) != 0 ||
        !event_overlaps (track, event, range->first, range->last))
      continue;
    if (range->label == VL_LABEL_ANOMALY)
      return VL_VERDICT_TRUE;
    verdict = VL_VERDICT_IGNORED;
  }
  return verdict;
}

static void
judge_events (
    VlEvaluation *evaluation, const GPtrArray *tracks, const VlLabels *labels)
{
  for (guint t = 0; t < tracks->len; t++) {
    const VlTrack *track = tracks->pdata[t];

    evaluation->n_events += track->events->len;
    for (guint i = 0; i < track->events->len; i++)
      evaluation->n_false_alarms +=
          vl_event_verdict (labels, track, vl_track_event (track, i)) ==
          VL_VERDICT_FALSE;
  }
}

/* The first analysed frame at or after a frame of the clip; the last one when
 * there is none. */
static const VlScoredFrame *
frame_from (const VlTrack *track, guint64 frame)
{
  guint i = 0;

  while (i + 1 < track->frames->len && vl_track_frame (track, i)->frame < frame)
    i++;
  return vl_track_frame (track, i);
}

/* An alarm that already stands when the interval begins has no delay. */
static void
find_alarm (VlInterval *interval)
{
  const VlTrack *track = interval->track;
  const VlScoredFrame *start = frame_from (track, interval->first);

  for (guint i = 0; i < track->events->len && !interval->detected; i++) {
    const VlTrackEvent *event = vl_track_event (track, i);
    const VlScoredFrame *alarm = vl_track_frame (track, event->raised);

    if (!event_overlaps (track, event, interval->first, interval->last))
      continue;
    interval->detected = TRUE;
    interval->alarm_frame = alarm->frame;
    if (alarm->time > start->time)
      interval->delay = (double)(alarm->time - start->time) / GST_SECOND;
  }
}

/* Whether any analysed frame lies in the range: --frames may leave it out. */
static gboolean
was_read (const VlTrack *track, const VlLabelRange *range)
{
  const guint64 frame = frame_from (track, range->first)->frame;

  return frame >= range->first && frame <= range->last;
}

static void
match_intervals (
    VlEvaluation *evaluation, const GPtrArray *tracks, const VlLabels *labels)
{
  for (guint t = 0; t < tracks->len; t++)
    for (guint i = 0; i < labels->ranges->len; i++) {
      const VlTrack *track = tracks->pdata[t];
      const VlLabelRange *range =
          &g_array_index (labels->ranges, VlLabelRange, i);
      VlInterval interval = {track, range->first, range->last};

      if (range->label != VL_LABEL_ANOMALY ||
          strcmp (range->clip, track->clip) != 0 || !was_read (track, range))
        continue;
      find_alarm (&interval);
      evaluation->n_detected += interval.detected;
      g_array_append_val (evaluation->intervals, interval);
    }
}

static int
compare_rising (gconstpointer a, gconstpointer b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double
median (GArray *values)
{
  const guint n = values->len;

  if (n == 0)
    return NAN;
  g_array_sort (values, compare_rising);
  return (g_array_index (values, double, (n - 1) / 2) +
             g_array_index (values, double, n / 2)) /
         2;
}

static double
median_delay (const GArray *intervals)
{
  g_autoptr (GArray) delays = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < intervals->len; i++) {
    const VlInterval *interval = &g_array_index (intervals, VlInterval, i);

    if (interval->detected)
      g_array_append_val (delays, interval->delay);
  }
  return median (delays);
}

VlEvaluation *
vl_evaluate (const GPtrArray *tracks, const VlLabels *labels)
{
  VlEvaluation *evaluation = g_new0 (VlEvaluation, 1);

  evaluation->intervals = g_array_new (FALSE, FALSE, sizeof (VlInterval));
  rank_frames (evaluation, tracks, labels);
  measure_time (evaluation, tracks, labels);
  judge_events (evaluation, tracks, labels);
  match_intervals (evaluation, tracks, labels);
  evaluation->delay_median = median_delay (evaluation->intervals);
  return evaluation;
}

void
vl_evaluation_free (VlEvaluation *evaluation)
{
  g_array_unref (evaluation->intervals);
  g_free (evaluation);
}
