/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "table.h"

#define HEADER "clip,first,last,label\n"

static char *
write_labels (const char *text)
{
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("labels-XXXXXX.csv", &path, &error);

  ck_assert_int_ge (fd, 0);
  g_close (fd, NULL);
  ck_assert (g_file_set_contents (path, text, -1, NULL));
  return path;
}

static VlLabels *
load (const char *text, GError **error)
{
  g_autofree char *path = write_labels (text);
  VlLabels *labels = vl_labels_load (path, error);

  g_unlink (path);
  return labels;
}

START_TEST (test_ranges_are_inclusive)
{
  g_autoptr (VlLabels) labels =
      load (HEADER "a.mp4,5,7,anomaly\na.mp4,7,9,ignore\n\nb.mp4,0,0,anomaly\n",
          NULL);

  ck_assert_ptr_nonnull (labels);
  ck_assert_uint_eq (labels->ranges->len, 3);
  ck_assert_int_eq (vl_labels_at (labels, "a.mp4", 4), VL_LABEL_NORMAL);
  ck_assert_int_eq (vl_labels_at (labels, "a.mp4", 5), VL_LABEL_ANOMALY);
  ck_assert_int_eq (vl_labels_at (labels, "a.mp4", 6), VL_LABEL_ANOMALY);
  ck_assert_int_eq (vl_labels_at (labels, "a.mp4", 7), VL_LABEL_IGNORE);
  ck_assert_int_eq (vl_labels_at (labels, "a.mp4", 10), VL_LABEL_NORMAL);
  ck_assert_int_eq (vl_labels_at (labels, "b.mp4", 0), VL_LABEL_ANOMALY);
  ck_assert_int_eq (vl_labels_at (labels, "c.mp4", 5), VL_LABEL_NORMAL);
}
END_TEST

START_TEST (test_editors_habits_are_accepted)
{
  g_autoptr (VlLabels) labels = load ("\xEF\xBB\xBF"
                                      "clip,first,last,label\r\n"
                                      "\"a, \"\"b\"\".mp4\", 1 ,2,anomaly\r\n",
      NULL);

  ck_assert_ptr_nonnull (labels);
  ck_assert_int_eq (vl_labels_at (labels, "a, \"b\".mp4", 2), VL_LABEL_ANOMALY);
}
END_TEST

START_TEST (test_no_range_is_no_error)
{
  g_autoptr (VlLabels) labels = load (HEADER, NULL);

  ck_assert_ptr_nonnull (labels);
  ck_assert_uint_eq (labels->ranges->len, 0);
}
END_TEST

static const struct {
  const char *text, *message; /* a part of it */
} bad[] = {
    {"", "line 1: expected the header"},
    {"clip,start,end,label\na,0,1,anomaly\n", "line 1: expected the header"},
    {HEADER "a.mp4,0,1\n", "line 2: expected four cells"},
    {HEADER "a.mp4,0,1,anomaly,x\n", "line 2: expected four cells"},
    {HEADER "\"a.mp4,0,1,anomaly\n", "line 2: expected four cells"},
    {HEADER "a.mp4,0,1,anomaly\na.mp4,-1,4,anomaly\n",
        "line 3: expected frame"},
    {HEADER "a.mp4,0,x,anomaly\n", "line 2: expected frame"},
    {HEADER "a.mp4,0,1.5,anomaly\n", "line 2: expected frame"},
    {HEADER "a.mp4,0,99999999999999999999,anomaly\n", "line 2: expected frame"},
    {HEADER "a.mp4,5,4,anomaly\n", "line 2: first is above last"},
    {HEADER "a.mp4,5,6,weird\n", "line 2: unknown label"},
    {HEADER ",5,6,anomaly\n", "line 2: expected a clip"},
};

START_TEST (test_bad_files_name_the_line)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (load (bad[_i].text, &error));
  ck_assert (g_error_matches (error, VL_LABELS_ERROR, VL_LABELS_ERROR_FORMAT));
  ck_assert_msg (
      strstr (error->message, bad[_i].message) != NULL, "%s", error->message);
  ck_assert_ptr_nonnull (strstr (error->message, ".csv: "));
}
END_TEST

START_TEST (test_missing_file)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (vl_labels_load ("/nonexistent/l.csv", &error));
  ck_assert_ptr_nonnull (strstr (error->message, "/nonexistent/l.csv: "));
}
END_TEST

START_TEST (test_labels_must_fit_the_clips)
{
  g_autoptr (VlLabels) labels =
      load (HEADER "a.mp4,5,9,anomaly\nb.mp4,0,3,ignore\n", NULL);
  char *both[] = {"b.mp4", "a.mp4", NULL}, *one[] = {"a.mp4", NULL};
  char *twice[] = {"a.mp4", "b.mp4", "a.mp4", NULL};
  g_autoptr (GError) error = NULL;

  ck_assert (vl_labels_check_clips (labels, both, NULL));
  ck_assert (!vl_labels_check_clips (labels, twice, NULL));
  ck_assert (!vl_labels_check_clips (labels, one, &error));
  ck_assert_ptr_nonnull (strstr (error->message, "line 3: b.mp4"));
  ck_assert (vl_labels_check_length (labels, "a.mp4", 10, NULL));
  ck_assert (!vl_labels_check_length (labels, "a.mp4", 9, NULL));
  ck_assert (vl_labels_check_length (labels, "b.mp4", 4, NULL));
}
END_TEST

START_TEST (test_rows_read_back)
{
  const VlScoredFrame scored = {.frame = 12,
      .time = 1234567890,
      .values = {[VL_SERIES_SCORE] = 1234.56789,
          [VL_SERIES_APPEARANCE] = 0.000123456789,
          [VL_SERIES_DYNAMICS] = 7},
      .anomalous = TRUE,
      .event_id = 3};
  g_autofree char *row = vl_table_csv_row ("a \"b\",c.mp4", &scored);
  g_auto (GStrv) cells = vl_csv_split (g_strchomp (row));

  ck_assert_str_eq (vl_table_csv_header (),
      "clip,frame,timestamp,score,appearance,dynamics,anomalous,event_id\n");
  ck_assert_uint_eq (g_strv_length (cells), 8);
  ck_assert_str_eq (cells[0], "a \"b\",c.mp4");
  ck_assert_str_eq (cells[1], "12");
  ck_assert_double_eq_tol (atof (cells[2]), 1.234567, 1e-3);
  ck_assert_double_eq_tol (atof (cells[3]), 1234.56789, 1e-3);
  ck_assert_double_eq_tol (atof (cells[4]), 0.000123456789, 1e-9);
  ck_assert_str_eq (cells[5], "7");
  ck_assert_str_eq (cells[6], "1");
  ck_assert_str_eq (cells[7], "3");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("labels");
  TCase *tcase = tcase_create ("labels");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_test (tcase, test_ranges_are_inclusive);
  tcase_add_test (tcase, test_editors_habits_are_accepted);
  tcase_add_test (tcase, test_no_range_is_no_error);
  tcase_add_loop_test (
      tcase, test_bad_files_name_the_line, 0, G_N_ELEMENTS (bad));
  tcase_add_test (tcase, test_missing_file);
  tcase_add_test (tcase, test_labels_must_fit_the_clips);
  tcase_add_test (tcase, test_rows_read_back);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
