/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "event.h"

#include <json-glib/json-glib.h>
#include <math.h>

VlEvent *
vl_event_new (const char *camera, guint number, gint64 epoch,
    GstClockTime start, VlClip *clip)
{
  VlEvent *event = g_new0 (VlEvent, 1);

  g_atomic_ref_count_init (&event->ref_count);
  event->camera = g_strdup (camera);
  event->number = number;
  event->epoch = epoch;
  event->start = start;
  event->clip = clip != NULL ? vl_clip_ref (clip) : NULL;
  return event;
}

VlEvent *
vl_event_ref (VlEvent *event)
{
  g_atomic_ref_count_inc (&event->ref_count);
  return event;
}

void
vl_event_unref (VlEvent *event)
{
  if (!g_atomic_ref_count_dec (&event->ref_count))
    return;
  vl_sighting_clear (&event->sighting);
  g_clear_pointer (&event->clip, vl_clip_unref);
  g_free (event->camera);
  g_free (event->model);
  g_free (event->checksum);
  g_free (event->clip_path);
  g_free (event->picture_path);
  g_free (event);
}

gint64
vl_event_utc (const VlEvent *event, GstClockTime running_time)
{
  return event->epoch + (gint64)(running_time / GST_USECOND);
}

static void
add_time (JsonBuilder *builder, const char *name, gint64 utc)
{
  g_autoptr (GDateTime) seconds =
      g_date_time_new_from_unix_utc (utc / G_USEC_PER_SEC);
  g_autofree char *text =
      seconds != NULL ? g_date_time_format (seconds, "%Y-%m-%dT%H:%M:%S")
                      : g_strdup ("");
  g_autofree char *whole =
      g_strdup_printf ("%s.%03dZ", text, (int)(utc % G_USEC_PER_SEC / 1000));

  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, whole);
}

/* NULL text: null. */
static void
add_string (JsonBuilder *builder, const char *name, const char *text)
{
  g_autofree char *valid = text ? g_utf8_make_valid (text, -1) : NULL;

  json_builder_set_member_name (builder, name);
  if (valid != NULL)
    json_builder_add_string_value (builder, valid);
  else
    json_builder_add_null_value (builder);
}

static void
add_number (JsonBuilder *builder, double value)
{
  json_builder_add_double_value (builder, round (value * 1000) / 1000);
}

static void
add_named_number (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  add_number (builder, value);
}

/* null where it is not known. */
static void
add_region (JsonBuilder *builder, const double region[4])
{
  json_builder_set_member_name (builder, "region");
  if (region[2] <= 0) {
    json_builder_add_null_value (builder);
    return;
  }
  json_builder_begin_array (builder);
  for (guint i = 0; i < 4; i++)
    add_number (builder, region[i]);
  json_builder_end_array (builder);
}

static void
add_sighting (JsonBuilder *builder, const VlEvent *event)
{
  const VlSighting *seen = &event->sighting;

  add_time (builder, "start", vl_event_utc (event, seen->first));
  add_time (builder, "end", vl_event_utc (event, seen->last));
  add_time (builder, "peak", vl_event_utc (event, seen->peak));
  add_named_number (
      builder, "duration", (seen->last - seen->first) / (double)GST_SECOND);
  if (GST_CLOCK_TIME_IS_VALID (seen->position))
    add_named_number (builder, "position", seen->position / (double)GST_SECOND);
  add_named_number (builder, "score", seen->score);
  add_named_number (builder, "threshold", seen->threshold);
  add_named_number (builder, "appearance", seen->appearance);
  add_named_number (builder, "dynamics", seen->dynamics);
  add_region (builder, seen->region);
}

char *
vl_event_to_json (const VlEvent *event)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_string (builder, "camera", event->camera);
  json_builder_set_member_name (builder, "event");
  json_builder_add_int_value (builder, event->number);
  add_sighting (builder, event);
  add_string (builder, "clip", event->clip_path);
  add_time (builder, "clip_start", vl_event_utc (event, event->start));
  add_string (builder, "picture", event->picture_path);
  add_string (builder, "model", event->model);
  add_string (builder, "checksum", event->checksum);
  json_builder_end_object (builder);

  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}
