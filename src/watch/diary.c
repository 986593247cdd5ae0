/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "diary.h"

/* How long after an anomaly its gate still may open. */
#define PATIENCE (30 * GST_SECOND)

/* Of one event, each of which holds a frame. */
#define MAX_SIGHTINGS 16

struct VlDiary {
  GstClockTime post_roll;
  gboolean keep_frames;

  GMutex lock;
  GArray *sightings;  /* VlSighting, oldest first: of no event yet */
  gboolean is_seeing; /* the last frame belongs to the newest of them */
  gboolean is_open;   /* the gate */
  GQueue closed;      /* Closed *, oldest first: not everything was seen */
  GstClockTime seen;  /* running time of the last frame; NONE: there are no
                         others */
};

typedef struct {
  VlEvent *event;
  GstClockTime end;
} Closed;

static void
free_closed (gpointer closed)
{
  vl_event_unref (((Closed *)closed)->event);
  g_free (closed);
}

VlDiary *
vl_diary_new (GstClockTime post_roll, gboolean keep_frames)
{
  VlDiary *diary = g_new0 (VlDiary, 1);

  diary->post_roll = post_roll;
  diary->keep_frames = keep_frames;
  g_mutex_init (&diary->lock);
  g_queue_init (&diary->closed);
  diary->sightings = g_array_new (FALSE, TRUE, sizeof (VlSighting));
  g_array_set_clear_func (diary->sightings, (GDestroyNotify)vl_sighting_clear);
  return diary;
}

void
vl_diary_free (VlDiary *diary)
{
  g_array_unref (diary->sightings);
  g_queue_clear_full (&diary->closed, free_closed);
  g_mutex_clear (&diary->lock);
  g_free (diary);
}

static VlSighting *
get (const VlDiary *diary, guint i)
{
  return &g_array_index (diary->sightings, VlSighting, i);
}

/* ---- what is seen ---------------------------------------------------------*/

static VlSighting *
add_sighting (VlDiary *diary)
{
  if (diary->sightings->len == MAX_SIGHTINGS) {
    vl_sighting_join (get (diary, 0), get (diary, 1));
    g_array_remove_index (diary->sightings, 1);
  }
  g_array_set_size (diary->sightings, diary->sightings->len + 1);
  diary->is_seeing = TRUE;
  return get (diary, diary->sightings->len - 1);
}

static void
see_anomaly (VlDiary *diary, GstPad *pad, GstBuffer *buffer)
{
  GstVaeLstmAnomaly anomaly;

  if (!gst_buffer_get_vaelstm_anomaly (buffer, &anomaly) ||
      !anomaly.anomalous) {
    diary->is_seeing = FALSE;
    return;
  }
  if (!diary->is_seeing)
    add_sighting (diary);
  vl_sighting_add (get (diary, diary->sightings->len - 1), pad, buffer,
      &anomaly, diary->keep_frames);
}

static void
see_frame (VlDiary *diary, GstPad *pad, GstBuffer *buffer)
{
  GstClockTime time = vl_sighting_time (pad, buffer);

  if (GST_CLOCK_TIME_IS_VALID (time))
    diary->seen = time;
  see_anomaly (diary, pad, buffer);
}

/* An anomaly's start comes before the frame with which it became certain. */
static void
see_event (VlDiary *diary, GstEvent *event)
{
  const GstStructure *structure = gst_event_get_structure (event);

  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    diary->seen = GST_CLOCK_TIME_NONE;
  else if (gst_event_has_name (event, "vaelstm-anomaly") &&
           g_strcmp0 (gst_structure_get_string (structure, "event"), "start") ==
               0)
    vl_sighting_begin (add_sighting (diary), structure);
}

void
vl_diary_see (VlDiary *diary, GstPad *pad, GstPadProbeInfo *info)
{
  g_mutex_lock (&diary->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    see_frame (diary, pad, GST_PAD_PROBE_INFO_BUFFER (info));
  else
    see_event (diary, GST_PAD_PROBE_INFO_EVENT (info));
  g_mutex_unlock (&diary->lock);
}

void
vl_diary_finish (VlDiary *diary)
{
  g_mutex_lock (&diary->lock);
  diary->seen = GST_CLOCK_TIME_NONE;
  g_mutex_unlock (&diary->lock);
}

/* ---- of which event it is -------------------------------------------------*/

void
vl_diary_open (VlDiary *diary)
{
  g_mutex_lock (&diary->lock);
  diary->is_open = TRUE;
  g_mutex_unlock (&diary->lock);
}

void
vl_diary_close (VlDiary *diary, VlEvent *event, GstClockTime end)
{
  Closed *closed = g_new (Closed, 1);

  *closed = (Closed){vl_event_ref (event), end};
  g_mutex_lock (&diary->lock);
  diary->is_open = FALSE;
  g_queue_push_tail (&diary->closed, closed);
  g_mutex_unlock (&diary->lock);
}

/* Whether a sighting is of an event that has `seen` some and whose last frame
 * ends at `end`. What began too late for the gate to join the two, and goes on
 * after a recording that went on to a key frame, is of the next event. */
static gboolean
belongs (const VlDiary *diary, const VlSighting *sighting,
    const VlSighting *seen, GstClockTime end)
{
  if (seen->any && sighting->first <= seen->last + diary->post_roll)
    return TRUE;
  return sighting->first < end &&
         (!seen->any || sighting->last + diary->post_roll <= end);
}

/* A part of an event that max_event has cut begins where the one before ends,
 * and may hold nothing anomalous any more. */
static void
fit_into (VlSighting *seen, GstClockTime start, GstClockTime end)
{
  seen->first = MAX (seen->first, start);
  seen->last = MAX (seen->first, MIN (seen->last, end));
  seen->peak = CLAMP (seen->peak, seen->first, seen->last);
  if (!seen->any)
    seen->position = GST_CLOCK_TIME_NONE;
}

static void
take_sightings (VlDiary *diary, VlEvent *event, GstClockTime end)
{
  VlSighting *seen = &event->sighting;

  while (
      diary->sightings->len > 0 && belongs (diary, get (diary, 0), seen, end)) {
    vl_sighting_join (seen, get (diary, 0));
    g_array_remove_index (diary->sightings, 0);
  }
  diary->is_seeing &= diary->sightings->len > 0;
  fit_into (seen, event->start, end);
}

VlEvent *
vl_diary_settle (VlDiary *diary)
{
  g_autofree Closed *closed = NULL;

  g_mutex_lock (&diary->lock);
  closed = g_queue_peek_head (&diary->closed);
  if (closed != NULL && closed->end <= diary->seen) {
    g_queue_pop_head (&diary->closed);
    take_sightings (diary, closed->event, closed->end);
  } else {
    closed = NULL;
  }
  g_mutex_unlock (&diary->lock);
  return closed != NULL ? closed->event : NULL;
}

gboolean
vl_diary_take_missed (VlDiary *diary, VlSighting *sighting)
{
  gboolean missed;

  g_mutex_lock (&diary->lock);
  missed = diary->sightings->len > 0 && !diary->is_open &&
           g_queue_is_empty (&diary->closed) &&
           diary->seen > get (diary, 0)->last &&
           diary->seen - get (diary, 0)->last > diary->post_roll + PATIENCE;
  if (missed) {
    *sighting = (VlSighting){0};
    vl_sighting_join (sighting, get (diary, 0));
    g_array_remove_index (diary->sightings, 0);
    diary->is_seeing &= diary->sightings->len > 0;
  }
  g_mutex_unlock (&diary->lock);
  return missed;
}
