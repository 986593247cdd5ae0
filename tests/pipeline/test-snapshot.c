/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Pictures of frames of every kind, as read back. */

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/check/gstcheck.h>
#include <gst/video/video.h>

#include "gstvaelstmmeta.h"
#include "recording.h"
#include "running.h"
#include "snapshot.h"

static char *path; /* of the picture that a test writes */

/* ---- frames ---- */

/* All of one grey, or what the format makes of such bytes. */
static GstSample *
make_frame (GstVideoFormat format, guint width, guint height)
{
  GstVideoInfo info;
  GstBuffer *buffer;
  GstCaps *caps;
  GstSample *frame;

  gst_video_info_set_format (&info, format, width, height);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_memset (buffer, 0, 128, info.size);
  GST_BUFFER_PTS (buffer) = 3600 * GST_SECOND;
  caps = gst_video_info_to_caps (&info);
  frame = gst_sample_new (buffer, caps, NULL, NULL);
  gst_caps_unref (caps);
  gst_buffer_unref (buffer);
  return frame;
}

/* What vaelstmdetect would say: an event, and a tile in the right half. */
static void
mark (GstSample *frame)
{
  GstBuffer *buffer = gst_sample_get_buffer (frame);
  GstVideoRegionOfInterestMeta *region =
      gst_buffer_add_video_region_of_interest_meta (
          buffer, "anomaly", 200, 100, 64, 64);
  GstCustomMeta *meta =
      gst_buffer_add_custom_meta (buffer, GST_VAELSTM_ANOMALY_META_NAME);

  gst_video_region_of_interest_meta_add_param (
      region, gst_structure_new ("anomaly", "score", G_TYPE_DOUBLE, 7.5, NULL));
  gst_structure_set (gst_custom_meta_get_structure (meta), "score",
      G_TYPE_DOUBLE, 7.5, "appearance", G_TYPE_DOUBLE, 7.5, "dynamics",
      G_TYPE_DOUBLE, 2., "threshold", G_TYPE_DOUBLE, 5., "anomalous",
      G_TYPE_BOOLEAN, TRUE, "event-id", G_TYPE_UINT, 3, "state", G_TYPE_STRING,
      "detecting", "age", G_TYPE_UINT64, G_GUINT64_CONSTANT (0), NULL);
}

/* ---- pictures ---- */

/* The picture in the file, RGB. */
static GstSample *
read_picture (void)
{
  g_autofree char *line =
      g_strdup_printf ("filesrc location=\"%s\" ! jpegdec ! videoconvert ! "
                       "video/x-raw,format=RGB ! appsink name=sink sync=false",
          path);
  GstElement *pipeline = running_launch (line);
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstSample *picture;

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  picture = gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 30 * GST_SECOND);
  fail_unless (picture != NULL);
  gst_object_unref (sink);
  running_stop (pipeline);
  return picture;
}

static void
check_size (guint width, guint height)
{
  GstSample *picture = read_picture ();
  GstVideoInfo info;

  gst_video_info_from_caps (&info, gst_sample_get_caps (picture));
  fail_unless_equals_int (info.width, width);
  fail_unless_equals_int (info.height, height);
  gst_sample_unref (picture);
}

/* Whether the picture in the file shows anything but one grey in that area. */
static gboolean
is_drawn_on (guint x, guint y, guint width, guint height)
{
  GstSample *picture = read_picture ();
  GstVideoInfo info;
  GstMapInfo map;
  guint n = 0;

  gst_video_info_from_caps (&info, gst_sample_get_caps (picture));
  gst_buffer_map (gst_sample_get_buffer (picture), &map, GST_MAP_READ);
  for (guint row = y; row < y + height; row++)
    for (guint i = 3 * x; i < 3 * (x + width); i++)
      n += ABS (map.data[row * info.stride[0] + i] - 128) > 32;
  gst_buffer_unmap (gst_sample_get_buffer (picture), &map);
  gst_sample_unref (picture);
  return n > 0;
}

static void
write_picture (GstSample *frame)
{
  GError *error = NULL;

  fail_unless (vl_snapshot_write (frame, path, &error), "%s",
      error ? error->message : "");
}

/* One line that has both texts. */
static void
check_error (GstSample *frame, const char *text, const char *other)
{
  GError *error = NULL;

  fail_if (vl_snapshot_write (frame, path, &error));
  fail_unless (error != NULL);
  fail_unless (strstr (error->message, text), "%s", error->message);
  fail_unless (strstr (error->message, other), "%s", error->message);
  fail_unless (!strchr (error->message, '\n'), "%s", error->message);
  g_error_free (error);
}

/* Files in the test's directory. */
static guint
count_files (void)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

/* ---- tests ---- */

/* One of each layout. */
static const GstVideoFormat formats[] = {GST_VIDEO_FORMAT_YV12,
    GST_VIDEO_FORMAT_Y42B, GST_VIDEO_FORMAT_Y444, GST_VIDEO_FORMAT_NV12,
    GST_VIDEO_FORMAT_YUY2, GST_VIDEO_FORMAT_RGB, GST_VIDEO_FORMAT_BGRA,
    GST_VIDEO_FORMAT_ARGB64, GST_VIDEO_FORMAT_RGB16, GST_VIDEO_FORMAT_RGB8P,
    GST_VIDEO_FORMAT_GRAY8, GST_VIDEO_FORMAT_GRAY16_BE, GST_VIDEO_FORMAT_v210,
    GST_VIDEO_FORMAT_P010_10LE, GST_VIDEO_FORMAT_I420_12BE,
    GST_VIDEO_FORMAT_A420, GST_VIDEO_FORMAT_GBR, GST_VIDEO_FORMAT_IYU1,
    GST_VIDEO_FORMAT_NV12_64Z32};

GST_START_TEST (test_formats)
{
  GstSample *frame = make_frame (formats[__i__], 61, 37);

  write_picture (frame);
  check_size (61, 37);
  gst_sample_unref (frame);
}
GST_END_TEST;

static const struct {
  guint width, height;
} sizes[] = {{1, 1}, {1, 2}, {3, 1}, {17, 5}, {321, 241}, {3840, 2160}};

GST_START_TEST (test_sizes)
{
  guint width = sizes[__i__].width, height = sizes[__i__].height;
  GstSample *frame = make_frame (GST_VIDEO_FORMAT_I420, width, height);

  mark (frame);
  write_picture (frame);
  check_size (width, height);
  gst_sample_unref (frame);
}
GST_END_TEST;

/* The panel is in a corner, and the tile where it is; in a format that can be
 * drawn on, and in one that cannot. */
GST_START_TEST (test_drawing)
{
  GstVideoFormat format =
      __i__ == 0 ? GST_VIDEO_FORMAT_NV12 : GST_VIDEO_FORMAT_Y444_16LE;
  GstSample *frame = make_frame (format, 320, 240);

  write_picture (frame);
  fail_if (is_drawn_on (0, 0, 320, 240));

  mark (frame);
  write_picture (frame);
  fail_unless (is_drawn_on (0, 0, 100, 60));
  fail_unless (is_drawn_on (196, 96, 72, 72));
  fail_if (is_drawn_on (0, 180, 320, 60));
  gst_sample_unref (frame);
}
GST_END_TEST;

/* Others may have the frame too. */
GST_START_TEST (test_leaves_the_frame)
{
  GstSample *frame = make_frame (GST_VIDEO_FORMAT_I420, 320, 240);
  GstBuffer *buffer = gst_sample_get_buffer (frame);
  GstBuffer *before = gst_buffer_copy_deep (buffer);
  GstMapInfo map;

  mark (frame);
  write_picture (frame);
  gst_buffer_map (before, &map, GST_MAP_READ);
  fail_unless (gst_buffer_memcmp (buffer, 0, map.data, map.size) == 0);
  gst_buffer_unmap (before, &map);
  gst_buffer_unref (before);
  gst_sample_unref (frame);
}
GST_END_TEST;

/* There is one file, and it is the new one. */
GST_START_TEST (test_replaces)
{
  GstSample *small = make_frame (GST_VIDEO_FORMAT_I420, 16, 16);
  GstSample *large = make_frame (GST_VIDEO_FORMAT_I420, 320, 240);

  write_picture (large);
  write_picture (small);
  check_size (16, 16);
  fail_unless_equals_int (count_files (), 1);
  gst_sample_unref (large);
  gst_sample_unref (small);
}
GST_END_TEST;

GST_START_TEST (test_bad_places)
{
  GstSample *frame = make_frame (GST_VIDEO_FORMAT_I420, 320, 240);

  g_free (path);
  path = recording_path ("missing/picture");
  check_error (frame, path, "No such file or directory");
  g_free (path);
  path = recording_path ("directory");
  g_mkdir (path, 0700);
  check_error (frame, path, "Is a directory");
  fail_unless_equals_int (count_files (), 1);
  g_rmdir (path);
  gst_sample_unref (frame);
}
GST_END_TEST;

/* A frame that is shorter than its caps say. */
GST_START_TEST (test_bad_frame)
{
  GstSample *frame = make_frame (GST_VIDEO_FORMAT_I420, 320, 240);

  mark (frame);
  gst_buffer_set_size (gst_sample_get_buffer (frame), 100);
  check_error (frame, path, "");
  fail_unless_equals_int (count_files (), 0);
  gst_sample_unref (frame);
}
GST_END_TEST;

GST_START_TEST (test_missing_element)
{
  static const char *const names[] = {"jpegenc", "vaelstmoverlay"};
  GstRegistry *registry = gst_registry_get ();
  GstPluginFeature *feature =
      gst_registry_lookup_feature (registry, names[__i__]);
  GstSample *frame = make_frame (GST_VIDEO_FORMAT_I420, 320, 240);

  gst_registry_remove_feature (registry, feature);
  check_error (frame, path, names[__i__]);
  gst_registry_add_feature (registry, feature);
  gst_object_unref (feature);
  fail_unless_equals_int (count_files (), 0);
  gst_sample_unref (frame);
}
GST_END_TEST;

/* ---- */

static void
set_up (void)
{
  recording_set_up ();
  path = recording_path ("picture");
}

static void
tear_down (void)
{
  g_clear_pointer (&path, g_free);
  recording_tear_down ();
}

static Suite *
snapshot_suite (void)
{
  Suite *suite = suite_create ("snapshot");
  TCase *tests = tcase_create ("pictures");

  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_set_timeout (tests, 120);
  tcase_add_loop_test (tests, test_formats, 0, G_N_ELEMENTS (formats));
  tcase_add_loop_test (tests, test_sizes, 0, G_N_ELEMENTS (sizes));
  tcase_add_loop_test (tests, test_drawing, 0, 2);
  tcase_add_test (tests, test_leaves_the_frame);
  tcase_add_test (tests, test_replaces);
  tcase_add_test (tests, test_bad_places);
  tcase_add_test (tests, test_bad_frame);
  tcase_add_loop_test (tests, test_missing_element, 0, 2);
  suite_add_tcase (suite, tests);
  return suite;
}

int
main (int argc, char **argv)
{
  GstPlugin *plugin;

  gst_check_init (&argc, &argv);
  plugin = gst_plugin_load_by_name ("vaelstm"); /* makes the meta known */
  gst_clear_object (&plugin);
  return gst_check_run_suite (snapshot_suite (), "snapshot", __FILE__);
}
