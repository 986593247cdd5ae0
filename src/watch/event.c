/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "event.h"

#include <json-glib/json-glib.h>

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

/* ---- JSON -----------------------------------------------------------------*/

/* `"name":`, after a comma where it is not the first. */
static void
add_name (GString *json, const char *name)
{
  g_string_append_printf (json, "%s\"%s\":", json->len > 1 ? "," : "", name);
}

/* NULL text: null. */
static void
add_text (GString *json, const char *name, const char *text)
{
  g_autofree char *valid = text != NULL ? g_utf8_make_valid (text, -1) : NULL;
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autofree char *quoted = NULL;

  if (valid != NULL)
    json_node_init_string (node, valid);
  else
    json_node_init_null (node);
  quoted = json_to_string (node, FALSE);
  add_name (json, name);
  g_string_append (json, quoted);
}

static void
add_time (GString *json, const char *name, gint64 utc)
{
  g_autoptr (GDateTime) seconds =
      g_date_time_new_from_unix_utc (utc / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (seconds, "%Y-%m-%dT%H:%M:%S");

  add_name (json, name);
  g_string_append_printf (
      json, "\"%s.%03dZ\"", text, (int)(utc % G_USEC_PER_SEC / 1000));
}

static void
add_number (GString *json, const char *name, double value)
{
  add_name (json, name);
  g_string_append_printf (json, "%.3f", value);
}

/* null where there is no peak. */
static void
add_score (
    GString *json, const char *name, const VlSighting *seen, double value)
{
  if (seen->any)
    add_number (json, name, value);
  else
    add_text (json, name, NULL);
}

/* null where it is not known. */
static void
add_region (GString *json, const double region[4])
{
  add_name (json, "region");
  if (region[2] > 0)
    g_string_append_printf (json, "[%.3f,%.3f,%.3f,%.3f]", region[0], region[1],
        region[2], region[3]);
  else
    g_string_append (json, "null");
}

static void
add_sighting (GString *json, const VlEvent *event)
{
  const VlSighting *seen = &event->sighting;

  add_time (json, "start", vl_event_utc (event, seen->first));
  add_time (json, "end", vl_event_utc (event, seen->last));
  add_time (json, "peak", vl_event_utc (event, seen->peak));
  add_number (
      json, "duration", (seen->last - seen->first) / (double)GST_SECOND);
  if (GST_CLOCK_TIME_IS_VALID (seen->position))
    add_number (json, "position", seen->position / (double)GST_SECOND);
  add_score (json, "score", seen, seen->score);
  add_score (json, "threshold", seen, seen->threshold);
  add_score (json, "appearance", seen, seen->appearance);
  add_score (json, "dynamics", seen, seen->dynamics);
  add_region (json, seen->region);
}

char *
vl_event_to_json (const VlEvent *event)
{
  GString *json = g_string_new ("{");

  add_text (json, "camera", event->camera);
  add_name (json, "event");
  g_string_append_printf (json, "%u", event->number);
  add_sighting (json, event);
  add_text (json, "clip", event->clip_path);
  add_time (json, "clip_start", vl_event_utc (event, event->start));
  add_text (json, "picture", event->picture_path);
  add_text (json, "model", event->model);
  add_text (json, "checksum", event->checksum);
  g_string_append_c (json, '}');
  return g_string_free (json, FALSE);
}
