/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "sighting.h"

#include <gst/video/video.h>

/* The box around all anomalous regions, in 0..1. */
static void
find_region (GstBuffer *buffer, const GstVideoInfo *info, double region[4])
{
  guint left = G_MAXUINT, top = G_MAXUINT, right = 0, bottom = 0;
  GstVideoRegionOfInterestMeta *roi;
  gpointer state = NULL;

  while ((roi = (gpointer)gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    if (roi->roi_type != g_quark_from_static_string ("anomaly"))
      continue;
    left = MIN (left, roi->x);
    top = MIN (top, roi->y);
    right = MAX (right, roi->x + roi->w);
    bottom = MAX (bottom, roi->y + roi->h);
  }
  if (right <= left || bottom <= top)
    return;
  region[0] = (double)left / GST_VIDEO_INFO_WIDTH (info);
  region[1] = (double)top / GST_VIDEO_INFO_HEIGHT (info);
  region[2] = (double)(right - left) / GST_VIDEO_INFO_WIDTH (info);
  region[3] = (double)(bottom - top) / GST_VIDEO_INFO_HEIGHT (info);
}

static GstSample *
copy_frame (GstBuffer *buffer, GstCaps *caps)
{
  /* the buffer's pool may be small, and the event long */
  g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (buffer);

  return gst_sample_new (copy, caps, NULL, NULL);
}

static void
set_peak (VlSighting *sighting, GstPad *pad, GstBuffer *buffer,
    const GstVaeLstmAnomaly *anomaly, gboolean keep_frame)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (pad);
  GstVideoInfo info;

  sighting->score = anomaly->score;
  sighting->appearance = anomaly->appearance;
  sighting->dynamics = anomaly->dynamics;
  sighting->threshold = anomaly->threshold;
  if (caps != NULL && gst_video_info_from_caps (&info, caps))
    find_region (buffer, &info, sighting->region);
  if (keep_frame) {
    g_clear_pointer (&sighting->frame, gst_sample_unref);
    sighting->frame = copy_frame (buffer, caps);
  }
}

void
vl_sighting_begin (VlSighting *sighting, const GstStructure *start)
{
  GstClockTime time, position = GST_CLOCK_TIME_NONE, duration = 0;

  if (!gst_structure_get_uint64 (start, "running-time", &time) ||
      !GST_CLOCK_TIME_IS_VALID (time))
    return;
  /* it was anomalous for so long when it became certain */
  gst_structure_get_uint64 (start, "duration", &duration);
  gst_structure_get_uint64 (start, "stream-time", &position);
  sighting->any = TRUE;
  sighting->first = time - MIN (time, duration);
  sighting->last = sighting->peak = time;
  sighting->position = GST_CLOCK_TIME_IS_VALID (position)
                           ? position - MIN (position, duration)
                           : GST_CLOCK_TIME_NONE;
}

static GstClockTime
find_time (GstPad *pad, GstBuffer *buffer,
    guint64 (*to_time) (const GstSegment *, GstFormat, guint64))
{
  g_autoptr (GstEvent) event =
      gst_pad_get_sticky_event (pad, GST_EVENT_SEGMENT, 0);
  const GstSegment *segment;

  if (event == NULL)
    return GST_CLOCK_TIME_NONE;
  gst_event_parse_segment (event, &segment);
  return segment->format == GST_FORMAT_TIME
             ? to_time (segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer))
             : GST_CLOCK_TIME_NONE;
}

GstClockTime
vl_sighting_time (GstPad *pad, GstBuffer *buffer)
{
  return find_time (pad, buffer, gst_segment_to_running_time);
}

void
vl_sighting_add (VlSighting *sighting, GstPad *pad, GstBuffer *buffer,
    const GstVaeLstmAnomaly *anomaly, gboolean keep_frame)
{
  GstClockTime time = vl_sighting_time (pad, buffer);

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return;
  if (!sighting->any) {
    sighting->any = TRUE;
    sighting->first = sighting->last = sighting->peak = time;
    sighting->position = find_time (pad, buffer, gst_segment_to_stream_time);
  }
  if (anomaly->score >= anomaly->threshold)
    sighting->last = MAX (sighting->last, time);
  if (anomaly->score > sighting->score) {
    sighting->peak = time;
    set_peak (sighting, pad, buffer, anomaly, keep_frame);
  }
}

void
vl_sighting_join (VlSighting *sighting, VlSighting *later)
{
  VlSighting joined = *sighting;

  if (!sighting->any || later->score > sighting->score) {
    joined = *later;
    *later = *sighting;
  }
  if (sighting->any) {
    joined.first = sighting->first;
    joined.position = sighting->position;
    joined.last = MAX (joined.last, MAX (later->last, sighting->last));
  }
  vl_sighting_clear (later);
  *sighting = joined;
}

void
vl_sighting_clear (VlSighting *sighting)
{
  g_clear_pointer (&sighting->frame, gst_sample_unref);
  *sighting = (VlSighting){0};
}
