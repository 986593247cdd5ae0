/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Starting, with every kind of model and with none, and stopping. */

#include "stream.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* The element must refuse to start: at once, cleanly, naming `word`. */
static void
check_fails_to_start (
    const gchar *mode, const gchar *model_file, gint code, const gchar *word)
{
  GstBus *bus;
  GstElement *element =
      stream_make_element (&bus, "model-file", model_file, NULL);
  GstMessage *message;
  GError *error;

  gst_util_set_object_arg (G_OBJECT (element), "mode", mode);
  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PLAYING),
      GST_STATE_CHANGE_FAILURE);

  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  fail_unless (message != NULL);
  gst_message_parse_error (message, &error, NULL);
  fail_unless (
      g_error_matches (error, GST_RESOURCE_ERROR, code), "%s", error->message);
  fail_unless (strstr (error->message, word) != NULL, "\"%s\" lacks \"%s\"",
      error->message, word);
  fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR) == NULL);

  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (element);
  gst_object_unref (bus);
}

GST_START_TEST (test_no_model_says_how_to_make_one)
{
  check_fails_to_start (
      "detect", NULL, GST_RESOURCE_ERROR_SETTINGS, "vaelstm train -o");
  check_fails_to_start (
      "detect", "", GST_RESOURCE_ERROR_SETTINGS, "vaelstm train -o");
  check_fails_to_start ("detect", "/nowhere/room.vaelstm",
      GST_RESOURCE_ERROR_NOT_FOUND, "vaelstm train -o");
  check_fails_to_start ("detect", "/nowhere/room.vaelstm",
      GST_RESOURCE_ERROR_NOT_FOUND, "/nowhere/room.vaelstm");
}
GST_END_TEST

/* Learning for minutes only to find out would be too late. */
GST_START_TEST (test_a_place_that_cannot_be_saved_to_is_refused_by_name)
{
  gchar *dir = g_path_get_dirname (stream_model);
  gchar *inside = g_build_filename (stream_model, "room.vaelstm", NULL);

  check_fails_to_start ("auto", "/nowhere/room.vaelstm",
      GST_RESOURCE_ERROR_OPEN_WRITE, "/nowhere/room.vaelstm");
  check_fails_to_start ("learn", "/nowhere/room.vaelstm",
      GST_RESOURCE_ERROR_OPEN_WRITE, "/nowhere/room.vaelstm");
  check_fails_to_start ("auto", inside, GST_RESOURCE_ERROR_OPEN_WRITE, inside);
  check_fails_to_start ("learn", dir, GST_RESOURCE_ERROR_OPEN_WRITE, dir);
  g_free (inside);
  g_free (dir);
}
GST_END_TEST

/* A file of the given bytes is refused by name. */
static void
check_bytes_are_refused (const gchar *bytes, gsize size)
{
  gchar *path = g_strconcat (stream_model, ".bad", NULL);

  fail_unless (g_file_set_contents (path, bytes, size, NULL));
  check_fails_to_start ("detect", path, GST_RESOURCE_ERROR_READ, path);
  check_fails_to_start ("auto", path, GST_RESOURCE_ERROR_READ, path);
  g_unlink (path);
  g_free (path);
}

GST_START_TEST (test_damaged_models_are_refused_by_name)
{
  gchar *bytes, *copy;
  gsize size;
  guint64 header;
  float nan = NAN;

  fail_unless (g_file_get_contents (stream_model, &bytes, &size, NULL));
  check_bytes_are_refused ("", 0);
  check_bytes_are_refused ("not a model at all, just words\n", 31);
  check_bytes_are_refused (bytes, 7);
  check_bytes_are_refused (bytes, 100);
  check_bytes_are_refused (bytes, size / 2);
  check_bytes_are_refused (bytes, size - 1);

  copy = g_memdup2 (bytes, size);
  memset (copy, 0xff, 8);
  check_bytes_are_refused (copy, size);

  /* NaN for a weight; the tensors follow the header. */
  memcpy (copy, bytes, size);
  memcpy (&header, bytes, sizeof header);
  memcpy (copy + 8 + GUINT64_FROM_LE (header) + 400, &nan, sizeof nan);
  check_bytes_are_refused (copy, size);

  g_free (copy);
  g_free (bytes);
}
GST_END_TEST

GST_START_TEST (test_a_folder_is_refused_by_name)
{
  gchar *dir = g_path_get_dirname (stream_model);

  check_fails_to_start ("detect", dir, GST_RESOURCE_ERROR_READ, dir);
  check_fails_to_start ("auto", dir, GST_RESOURCE_ERROR_READ, dir);
  g_free (dir);
}
GST_END_TEST

GST_START_TEST (test_a_failed_start_can_be_mended)
{
  GstBus *bus;
  GstElement *element =
      stream_make_element (&bus, "model-file", "/nowhere/room.vaelstm", NULL);
  Stream stream;

  fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PAUSED),
      GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (element, GST_STATE_NULL);
  g_object_set (element, "model-file", stream_model, NULL);
  stream_open (&stream, NULL, element, bus);
  stream_run (&stream, 2, FALSE);
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_auto_detects_with_a_model)
{
  Stream stream;

  stream_open_default (&stream);
  fail_unless_equals_string (
      stream_run (&stream, 20, FALSE).state, "detecting");
  stream_close (&stream);
}
GST_END_TEST

/* The model knows squares. */
GST_START_TEST (test_pictures_of_another_shape_are_warned_about_once)
{
  static const gchar *const caps[] = {
      "video/x-raw,format=RGB,width=256,height=128,framerate=10/1",
      "video/x-raw,format=RGB,width=128,height=256,framerate=10/1",
      "video/x-raw,format=RGB,width=128,height=128,framerate=10/1,"
      "pixel-aspect-ratio=2/1"};
  static const gsize sizes[] = {256 * 128 * 3, 128 * 256 * 3, 128 * 128 * 3};

  for (guint i = 0; i < G_N_ELEMENTS (caps); i++) {
    GstBus *bus;
    GstElement *element =
        stream_make_element (&bus, "model-file", stream_model, NULL);
    GstMessage *message;
    Stream stream;

    stream_open (&stream, caps[i], element, bus);
    for (guint n = 0; n < 3; n++) {
      GstBuffer *buffer = gst_buffer_new_allocate (NULL, sizes[i], NULL);
      gst_buffer_memset (buffer, 0, 100, sizes[i]);
      gst_buffer_unref (stream_pass (&stream, buffer));
    }
    gst_harness_set_src_caps_str (stream.harness, stream_caps);
    gst_harness_set_src_caps_str (stream.harness, caps[i]);

    message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING);
    fail_unless (message != NULL, "%s", caps[i]);
    gst_message_unref (message);
    fail_unless (gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING) == NULL);
    fail_unless_equals_uint64 (stream_stat (&stream, "analysed"), 3);
    stream_close (&stream);
  }
}
GST_END_TEST

/* Each round starts as fresh as the first. */
GST_START_TEST (test_state_cycling)
{
  double fresh = 0;
  Stream stream;

  stream_open_default (&stream);
  for (guint round = 0; round < 20; round++) {
    double score;

    gst_harness_set_src_caps_str (stream.harness, stream_caps);
    stream.n = 0;
    score = stream_run (&stream, 6, FALSE).score;
    if (round == 0)
      fresh = score;
    fail_unless (score == fresh);
    fail_unless_equals_uint64 (stream_stat (&stream, "frames"), 6);

    fail_unless_equals_int (gst_element_set_state (stream.element,
                                round % 2 ? GST_STATE_NULL : GST_STATE_READY),
        GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int (
        gst_element_set_state (stream.element, GST_STATE_PLAYING),
        GST_STATE_CHANGE_SUCCESS);
  }
  stream_close (&stream);
}
GST_END_TEST

GST_START_TEST (test_cycling_without_data)
{
  GstBus *bus;
  GstElement *element =
      stream_make_element (&bus, "model-file", stream_model, NULL);

  for (guint round = 0; round < 20; round++) {
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_PLAYING),
        GST_STATE_CHANGE_SUCCESS);
    fail_unless_equals_int (gst_element_set_state (element, GST_STATE_NULL),
        GST_STATE_CHANGE_SUCCESS);
  }
  gst_object_unref (element);
  gst_object_unref (bus);
}
GST_END_TEST

static void
add_tests (TCase *tcase)
{
  tcase_add_test (tcase, test_no_model_says_how_to_make_one);
  tcase_add_test (
      tcase, test_a_place_that_cannot_be_saved_to_is_refused_by_name);
  tcase_add_test (tcase, test_damaged_models_are_refused_by_name);
  tcase_add_test (tcase, test_a_folder_is_refused_by_name);
  tcase_add_test (tcase, test_a_failed_start_can_be_mended);
  tcase_add_test (tcase, test_auto_detects_with_a_model);
  tcase_add_test (tcase, test_pictures_of_another_shape_are_warned_about_once);
  tcase_add_test (tcase, test_state_cycling);
  tcase_add_test (tcase, test_cycling_without_data);
}

int
main (int argc, char **argv)
{
  return stream_test_main (argc, argv, "models", add_tests);
}
