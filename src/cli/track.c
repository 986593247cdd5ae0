/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "track.h"

#include "interrupt.h"

const char *
vl_series_name (VlSeries series)
{
  static const char *const names[VL_N_SERIES] = {
      "score", "dynamics", "appearance", "baseline"};

  return names[series];
}

const VlScoredFrame *
vl_track_frame (const VlTrack *track, guint place)
{
  return &g_array_index (track->frames, VlScoredFrame, place);
}

const VlTrackEvent *
vl_track_event (const VlTrack *track, guint place)
{
  return &g_array_index (track->events, VlTrackEvent, place);
}

static VlTrack *
track_new (const char *where)
{
  VlTrack *track = g_new0 (VlTrack, 1);

  track->clip = vl_media_clip_name (where);
  track->frames = g_array_new (FALSE, FALSE, sizeof (VlScoredFrame));
  track->events = g_array_new (FALSE, FALSE, sizeof (VlTrackEvent));
  return track;
}

void
vl_track_free (VlTrack *track)
{
  g_array_unref (track->frames);
  g_array_unref (track->events);
  g_free (track->clip);
  g_free (track);
}

/* The last frame at or before a time. */
static guint
place_of_time (const VlTrack *track, guint64 time)
{
  guint place = track->frames->len - 1;

  while (place > 0 && vl_track_frame (track, place)->time > time)
    place--;
  return place;
}

/* Keeps the list of events in step with the detector. The frame that the
 * result is about is the last one of the track. */
static void
follow_event (VlTrack *track, const VlResult *result)
{
  VlTrackEvent *event;

  if (result->event == VL_EVENT_NONE)
    return;
  if (result->event == VL_EVENT_START) {
    const VlTrackEvent fresh = {.id = result->event_id,
        .first = place_of_time (track, result->event_start),
        .raised = track->frames->len - 1};

    g_array_append_val (track->events, fresh);
  }
  event = &g_array_index (track->events, VlTrackEvent, track->events->len - 1);
  event->last = MAX (event->first, place_of_time (track, result->event_end));
  event->peak = result->peak;
}

static VlScoredFrame
make_scored (const VlMediaFrame *frame, const VlResult *result)
{
  return (VlScoredFrame){
      .frame = frame->index,
      .time = frame->time,
      .values =
          {
              [VL_SERIES_SCORE] = result->score,
              [VL_SERIES_DYNAMICS] = result->dynamics,
              [VL_SERIES_APPEARANCE] = result->appearance,
          },
      .anomalous = result->anomalous,
      .event_id = result->anomalous ? result->event_id : 0,
  };
}

static void
close_event (VlTrack *track, VlDetector *detector)
{
  VlResult result = {0};

  vl_detector_close (detector, &result);
  follow_event (track, &result);
}

/* A clip begins, or its format changes: the detector starts afresh. */
static gboolean
follow_format (VlTrack *track, VlDetector *detector, GstVideoInfo *info,
    const GstVideoFrame *video, GError **error)
{
  if (gst_video_info_is_equal (info, &video->info))
    return TRUE;
  close_event (track, detector);
  *info = video->info;
  return vl_detector_set_format (detector, info, error);
}

static gboolean
score_frames (VlTrack *track, VlDetector *detector, VlMedia *media,
    VlScoredFunc func, gpointer user_data, GError **error)
{
  GError *failure = NULL;
  GstVideoInfo info;
  VlMediaFrame frame;

  gst_video_info_init (&info);
  vl_detector_reset (detector);
  while (vl_media_next (media, &frame, &failure)) {
    VlResult result = {0};
    VlScoredFrame scored;

    track->n_read = frame.index + 1;
    if (!follow_format (track, detector, &info, frame.video, error)) {
      g_prefix_error (error, "%s: ", track->clip);
      return FALSE;
    }
    if (!vl_detector_is_due (detector, frame.time))
      continue;
    vl_detector_process (detector, frame.video, frame.time, &result);
    scored = make_scored (&frame, &result);
    if (!func (&scored, frame.video, user_data, error))
      return FALSE;
    g_array_append_val (track->frames, scored);
    track->threshold = result.threshold;
    follow_event (track, &result);
  }
  close_event (track, detector);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

VlTrack *
vl_track_run (VlDetector *detector, const char *where, const VlRange *range,
    unsigned rate_n, unsigned rate_d, VlScoredFunc func, gpointer user_data,
    GError **error)
{
  g_autoptr (VlTrack) track = track_new (where);
  g_autoptr (VlMedia) media = vl_media_open (
      where, range, rate_n, rate_d, vl_interrupt_cancellable (), error);

  if (media == NULL ||
      !score_frames (track, detector, media, func, user_data, error))
    return NULL;
  return g_steal_pointer (&track);
}
