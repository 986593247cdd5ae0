/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "report.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define N_KEYS 9

/* The first keys of both reports, in their order. */
typedef struct {
  const char *name;
  double value; /* NAN: there is none */
  gboolean whole;
} Key;

static double
ratio (double a, double b)
{
  return b > 0 ? a / b : NAN;
}

static void
list_keys (const VlEvaluation *e, const VlSpeed *speed, Key keys[N_KEYS])
{
  const Key all[N_KEYS] = {
      {"auc_live", e->auc[VL_SERIES_SCORE].live},
      {"auc_published", e->auc[VL_SERIES_SCORE].published},
      {"eer", e->eer},
      {"events", e->n_events, TRUE},
      {"events_detected", e->n_detected, TRUE},
      {"delay_s_median", e->delay_median},
      {"false_alarms_per_hour",
          ratio (3600.0 * e->n_false_alarms, e->normal_seconds)},
      {"frames_per_second", ratio (speed->n_frames, speed->wall)},
      {"cpu_s_per_video_s", ratio (speed->cpu, e->video_seconds)},
  };

  memcpy (keys, all, sizeof all);
}

static void
append_number (GString *text, const char *format, double value)
{
  if (isnan (value))
    g_string_append_printf (text, "%8s", "n/a");
  else
    g_string_append_printf (text, format, value);
}

static void
append_keys (
    GString *text, const VlEvaluation *evaluation, const VlSpeed *speed)
{
  Key keys[N_KEYS];

  list_keys (evaluation, speed, keys);
  for (guint i = 0; i < N_KEYS; i++) {
    g_string_append_printf (text, "%s: ", keys[i].name);
    if (isnan (keys[i].value))
      g_string_append (text, "n/a");
    else
      g_string_append_printf (
          text, keys[i].whole ? "%.0f" : "%.4f", keys[i].value);
    g_string_append_c (text, '\n');
  }
  if (isnan (evaluation->auc[VL_SERIES_SCORE].live))
    g_string_append (text, "(n/a: ranking needs both normal and anomalous "
                           "frames among those read)\n");
}

static void
append_channels (GString *text, const VlEvaluation *evaluation)
{
  g_string_append_printf (
      text, "\n%-16s %8s  %13s\n", "alone", "auc_live", "auc_published");
  for (VlSeries s = VL_SERIES_DYNAMICS; s < VL_N_SERIES; s++) {
    g_string_append_printf (text, "%-16s ", vl_series_name (s));
    append_number (text, "%8.4f", evaluation->auc[s].live);
    g_string_append (text, "  ");
    append_number (text, "%13.4f", evaluation->auc[s].published);
    g_string_append_c (text, '\n');
  }
}

static void
append_intervals (GString *text, const VlEvaluation *evaluation)
{
  if (evaluation->intervals->len > 0)
    g_string_append (text, "\nlabelled anomalies\n");
  for (guint i = 0; i < evaluation->intervals->len; i++) {
    const VlInterval *interval =
        &g_array_index (evaluation->intervals, VlInterval, i);

    g_string_append_printf (text,
        "%s %" G_GUINT64_FORMAT "..%" G_GUINT64_FORMAT ": ",
        interval->track->clip, interval->first, interval->last);
    if (interval->detected)
      g_string_append_printf (text,
          "alarm raised at frame %" G_GUINT64_FORMAT ", delay %.2f s%s\n",
          interval->alarm_frame, interval->delay,
          interval->alarm_frame < interval->first ? " (stood before)" : "");
    else
      g_string_append (text, "missed\n");
  }
}

static const char *
verdict_name (VlVerdict verdict)
{
  static const char *const names[] = {"true", "ignored", "false"};

  return names[verdict];
}

static void
append_events (GString *text, const GPtrArray *tracks, const VlLabels *labels)
{
  gboolean title = FALSE;

  for (guint t = 0; t < tracks->len; t++) {
    const VlTrack *track = tracks->pdata[t];

    for (guint i = 0; i < track->events->len; i++) {
      const VlTrackEvent *event = vl_track_event (track, i);

      if (!title)
        g_string_append (text, "\nevents raised\n");
      title = TRUE;
      g_string_append_printf (text,
          "%s %" G_GUINT64_FORMAT "..%" G_GUINT64_FORMAT
          ": %s, peak %.1f, threshold %.2f\n",
          track->clip, vl_track_frame (track, event->first)->frame,
          vl_track_frame (track, event->last)->frame,
          verdict_name (vl_event_verdict (labels, track, event)), event->peak,
          track->threshold);
    }
  }
}

char *
vl_report_text (const VlEvaluation *evaluation, const GPtrArray *tracks,
    const VlLabels *labels, const VlSpeed *speed)
{
  GString *text = g_string_new (NULL);

  append_keys (text, evaluation, speed);
  append_channels (text, evaluation);
  append_intervals (text, evaluation);
  append_events (text, tracks, labels);
  return g_string_free (text, FALSE);
}

static void
add_number (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  if (isnan (value))
    json_builder_add_null_value (json);
  else
    json_builder_add_double_value (json, value);
}

static void
add_whole (JsonBuilder *json, const char *name, guint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, (gint64)value);
}

static void
add_text (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static void
add_auc (JsonBuilder *json, const char *name, const VlAuc *auc)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  add_number (json, "auc_live", auc->live);
  add_number (json, "auc_published", auc->published);
  json_builder_end_object (json);
}

static void
add_channels (JsonBuilder *json, const VlEvaluation *evaluation)
{
  json_builder_set_member_name (json, "channels");
  json_builder_begin_object (json);
  for (VlSeries s = VL_SERIES_DYNAMICS; s < VL_SERIES_BASELINE; s++)
    add_auc (json, vl_series_name (s), &evaluation->auc[s]);
  json_builder_end_object (json);
  add_auc (json, "baseline", &evaluation->auc[VL_SERIES_BASELINE]);
}

static void
add_intervals (JsonBuilder *json, const VlEvaluation *evaluation)
{
  json_builder_set_member_name (json, "intervals");
  json_builder_begin_array (json);
  for (guint i = 0; i < evaluation->intervals->len; i++) {
    const VlInterval *interval =
        &g_array_index (evaluation->intervals, VlInterval, i);

    json_builder_begin_object (json);
    add_text (json, "clip", interval->track->clip);
    add_whole (json, "first", interval->first);
    add_whole (json, "last", interval->last);
    json_builder_set_member_name (json, "detected");
    json_builder_add_boolean_value (json, interval->detected);
    if (interval->detected) {
      add_whole (json, "alarm_frame", interval->alarm_frame);
      add_number (json, "delay_s", interval->delay);
    }
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
add_event (JsonBuilder *json, const VlTrack *track, const VlTrackEvent *event,
    const VlLabels *labels)
{
  json_builder_begin_object (json);
  add_text (json, "clip", track->clip);
  add_whole (json, "first", vl_track_frame (track, event->first)->frame);
  add_whole (json, "raised", vl_track_frame (track, event->raised)->frame);
  add_whole (json, "last", vl_track_frame (track, event->last)->frame);
  add_number (json, "peak", event->peak);
  add_text (
      json, "verdict", verdict_name (vl_event_verdict (labels, track, event)));
  json_builder_end_object (json);
}

static void
add_events (JsonBuilder *json, const GPtrArray *tracks, const VlLabels *labels)
{
  json_builder_set_member_name (json, "event_list");
  json_builder_begin_array (json);
  for (guint t = 0; t < tracks->len; t++) {
    const VlTrack *track = tracks->pdata[t];

    for (guint i = 0; i < track->events->len; i++)
      add_event (json, track, vl_track_event (track, i), labels);
  }
  json_builder_end_array (json);
}

char *
vl_report_json (const VlEvaluation *evaluation, const GPtrArray *tracks,
    const VlLabels *labels, const VlSpeed *speed)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *text = NULL;
  Key keys[N_KEYS];

  list_keys (evaluation, speed, keys);
  json_builder_begin_object (json);
  for (guint i = 0; i < N_KEYS; i++)
    if (keys[i].whole)
      add_whole (json, keys[i].name, (guint64)keys[i].value);
    else
      add_number (json, keys[i].name, keys[i].value);
  add_whole (json, "frames", speed->n_frames);
  add_channels (json, evaluation);
  add_intervals (json, evaluation);
  add_events (json, tracks, labels);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  text = json_to_string (root, TRUE);
  return g_strconcat (text, "\n", NULL);
}
