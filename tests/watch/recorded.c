/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recorded.h"

#include <string.h>

#include <check.h>
#include <gst/app/gstappsink.h>

#define LOOK (100 * GST_MSECOND)
#define PATIENCE 300 /* looks, for anything to happen at all */
#define FRAME (GST_SECOND / 10)
#define ROUNDING GST_MSECOND /* of containers */

/* Types of the network abstraction layer's units that hold a picture. */
#define NAL_TYPE(byte) ((byte)&0x1f)
#define NAL_FIRST_SLICE 1
#define NAL_LAST_SLICE 5

/* ---- reading ------------------------------------------------------------ */

static void
check_bus (GstElement *pipeline, const char *path)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;

  if (!message)
    return;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, &debug);
  else
    gst_message_parse_warning (message, &error, &debug);
  ck_abort_msg ("%s: %s %s", path, error->message, debug);
}

/* The next sample; NULL after the last. */
static GstSample *
next_sample (GstElement *pipeline, GstAppSink *sink, const char *path)
{
  for (guint i = 0; i < PATIENCE; i++) {
    GstSample *sample = gst_app_sink_try_pull_sample (sink, LOOK);

    check_bus (pipeline, path);
    if (sample || gst_app_sink_is_eos (sink))
      return sample;
  }
  ck_abort_msg ("%s does not end", path);
  return NULL;
}

typedef void (*TakeSample) (GstSample *sample, gpointer user_data);

/* Calls back for each sample of the file behind these elements. */
static void
read_file (
    const char *path, const char *elements, TakeSample take, gpointer user_data)
{
  g_autofree char *line = g_strdup_printf (
      "filesrc location=\"%s\" ! %s ! appsink name=sink sync=false", path,
      elements);
  g_autoptr (GstElement) pipeline = gst_parse_launch (line, NULL);
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *sample;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while ((sample = next_sample (pipeline, GST_APP_SINK (sink), path)) != NULL) {
    take (sample, user_data);
    gst_sample_unref (sample);
  }
  check_bus (pipeline, path);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static GstClockTime
time_of (GstSample *sample)
{
  return gst_segment_to_stream_time (gst_sample_get_segment (sample),
      GST_FORMAT_TIME, GST_BUFFER_PTS (gst_sample_get_buffer (sample)));
}

/* ---- pictures ----------------------------------------------------------- */

/* Of the slices alone: data is a row of units behind their sizes, 4 bytes. */
static char *
digest_slices (const guint8 *data, gsize size)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);

  while (size > 4) {
    guint32 length;

    memcpy (&length, data, sizeof length); /* aligned to nothing */
    length = GUINT32_FROM_BE (length);
    ck_assert_uint_gt (length, 0);
    ck_assert_uint_le (length, size - 4);
    if (NAL_TYPE (data[4]) >= NAL_FIRST_SLICE &&
        NAL_TYPE (data[4]) <= NAL_LAST_SLICE)
      g_checksum_update (checksum, data + 4, length);
    data += 4 + length;
    size -= 4 + length;
  }
  return g_strdup (g_checksum_get_string (checksum));
}

static void
take_unit (GstSample *sample, gpointer units)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  RecordedUnit *unit = g_new0 (RecordedUnit, 1);
  GstMapInfo map;

  ck_assert (gst_buffer_map (buffer, &map, GST_MAP_READ));
  unit->digest = digest_slices (map.data, map.size);
  gst_buffer_unmap (buffer, &map);
  unit->key = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  unit->time = time_of (sample);
  g_ptr_array_add (units, unit);
}

static void
free_unit (gpointer data)
{
  RecordedUnit *unit = data;

  g_free (unit->digest);
  g_free (unit);
}

GPtrArray *
recorded_units (const char *path)
{
  GPtrArray *units = g_ptr_array_new_with_free_func (free_unit);

  read_file (path,
      "parsebin ! h264parse ! video/x-h264,stream-format=avc,alignment=au",
      take_unit, units);
  ck_assert_msg (units->len > 0, "%s is empty", path);
  return units;
}

/* ---- frames ------------------------------------------------------------- */

typedef struct {
  guint n;
  GstClockTime last;
} Frames;

static void
take_frame (GstSample *sample, gpointer user_data)
{
  Frames *frames = user_data;
  GstClockTime time = time_of (sample);

  ck_assert_msg (frames->n == 0 || time > frames->last,
      "frame %u is at %" G_GUINT64_FORMAT
      " ns, the one before at %" G_GUINT64_FORMAT,
      frames->n, time, frames->last);
  frames->n++;
  frames->last = time;
}

guint
recorded_decode (const char *path)
{
  Frames frames = {0};

  read_file (path, "decodebin ! video/x-raw", take_frame, &frames);
  return frames.n;
}

/* ---- copies ------------------------------------------------------------- */

static guint
find_unit (GPtrArray *units, const RecordedUnit *wanted)
{
  for (guint i = 0; i < units->len; i++) {
    const RecordedUnit *unit = g_ptr_array_index (units, i);

    if (g_str_equal (unit->digest, wanted->digest))
      return i;
  }
  ck_abort_msg ("the clip's first picture is not in the source");
  return 0;
}

/* As far in the clip as in the source. */
static void
check_times (GPtrArray *clip, GPtrArray *source, guint first)
{
  const RecordedUnit *clip_first = g_ptr_array_index (clip, 0);
  const RecordedUnit *source_first = g_ptr_array_index (source, first);

  for (guint i = 0; i < clip->len; i++) {
    const RecordedUnit *copy = g_ptr_array_index (clip, i);
    const RecordedUnit *original = g_ptr_array_index (source, first + i);
    gint64 drift = (gint64)(copy->time - clip_first->time) -
                   (gint64)(original->time - source_first->time);

    ck_assert_msg (ABS (drift) <= ROUNDING,
        "picture %u of the clip is %" G_GINT64_FORMAT " ns off", i, drift);
  }
}

/* No picture of the source between the times is left out. */
static void
check_complete (
    GPtrArray *source, guint first, guint n, GstClockTime from, GstClockTime to)
{
  for (guint i = 0; i < source->len; i++) {
    const RecordedUnit *unit = g_ptr_array_index (source, i);

    if (unit->time >= from && unit->time + FRAME <= to)
      ck_assert_msg (i >= first && i < first + n,
          "the picture at %" G_GUINT64_FORMAT " ns is not in the clip",
          unit->time);
  }
}

GstClockTime
recorded_check_copy (
    const char *clip_path, const char *path, GstClockTime from, GstClockTime to)
{
  g_autoptr (GPtrArray) clip = recorded_units (clip_path);
  g_autoptr (GPtrArray) source = recorded_units (path);
  const RecordedUnit *head = g_ptr_array_index (clip, 0);
  guint first = find_unit (source, head);

  ck_assert (head->key);
  ck_assert_uint_le (first + clip->len, source->len);
  for (guint i = 0; i < clip->len; i++) {
    const RecordedUnit *copy = g_ptr_array_index (clip, i);
    const RecordedUnit *original = g_ptr_array_index (source, first + i);

    ck_assert_msg (g_str_equal (copy->digest, original->digest),
        "picture %u of the clip is not picture %u of the source", i, first + i);
  }
  check_times (clip, source, first);
  check_complete (source, first, clip->len, from, to);
  ck_assert_uint_eq (recorded_decode (clip_path), clip->len);
  return ((RecordedUnit *)g_ptr_array_index (source, first))->time;
}
