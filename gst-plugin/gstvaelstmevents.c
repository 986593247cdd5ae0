/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmevents.h"

#include "gstvaelstmreport.h"

/* Of an open event, in time of the video. */
#define UPDATE_INTERVAL GST_SECOND

static void
post (GstElement *element, GstStructure *structure)
{
  gst_element_post_message (
      element, gst_message_new_element (GST_OBJECT (element), structure));
}

/* Tells the application what happened in the open event. */
static void
post_event (GstVaeLstmEvents *events, GstElement *element, const gchar *event,
    const GstVaeLstmTimes *times, GstClockTime duration)
{
  events->last_message = times->time;
  post (element, gst_vae_lstm_report_new (
                     "vaelstmdetect", event, &events->last, times, duration));
}

/* The same, and tells the elements downstream, whatever the application wants
 * to know. */
static void
post_and_push_event (GstVaeLstmEvents *events, GstElement *element, GstPad *src,
    GstVaeLstmPost wanted, const gchar *event, const GstVaeLstmTimes *times,
    GstClockTime duration)
{
  if (wanted != GST_VAE_LSTM_POST_NONE)
    post_event (events, element, event, times, duration);
  gst_pad_push_event (src, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
                               gst_vae_lstm_report_new ("vaelstm-anomaly",
                                   event, &events->last, times, duration)));
}

static void
report_end (GstVaeLstmEvents *events, GstElement *element, GstPad *src,
    GstVaeLstmPost wanted)
{
  post_and_push_event (events, element, src, wanted, "end", &events->counted,
      events->last.event_end - events->last.event_start);
}

static void
report_frame (const GstVaeLstmEvents *events, GstElement *element,
    const GstVaeLstmTimes *times)
{
  VlResult frame = events->last;
  GstClockTime duration = frame.anomalous ? times->time - frame.event_start : 0;

  /* An event that has just ended is not this frame's. */
  if (!frame.anomalous) {
    frame.event_id = 0;
    frame.peak = 0;
  }
  post (element, gst_vae_lstm_report_new (
                     "vaelstmdetect", "frame", &frame, times, duration));
}

void
gst_vae_lstm_events_report (GstVaeLstmEvents *events, GstElement *element,
    GstPad *src, GstVaeLstmPost wanted, const GstVaeLstmTimes *times)
{
  const VlResult *last = &events->last;
  GstClockTime so_far = times->time - last->event_start;

  if (last->event == VL_EVENT_START ||
      (last->event == VL_EVENT_UPDATE && last->event_end == times->time))
    events->counted = *times;

  switch (last->event) {
  case VL_EVENT_START:
    post_and_push_event (events, element, src, wanted, "start", times, so_far);
    break;
  case VL_EVENT_UPDATE:
    if (wanted != GST_VAE_LSTM_POST_NONE &&
        times->time - events->last_message >= UPDATE_INTERVAL)
      post_event (events, element, "update", times, so_far);
    break;
  case VL_EVENT_END:
    report_end (events, element, src, wanted);
    break;
  case VL_EVENT_NONE:
    break;
  }
  if (wanted == GST_VAE_LSTM_POST_ALL)
    report_frame (events, element, times);
}

void
gst_vae_lstm_events_close (GstVaeLstmEvents *events, GstElement *element,
    GstPad *src, GstVaeLstmPost wanted)
{
  if (!events->last.anomalous)
    return;

  events->last.anomalous = FALSE;
  report_end (events, element, src, wanted);
}
