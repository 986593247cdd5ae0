/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The safetensors reader and writer: what is written comes back, what is
 * damaged is named, and a failed save leaves nothing behind. */

#include <check.h>
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "safetensors.h"

static char *directory, *path;

static void
setup (void)
{
  directory = g_dir_make_tmp ("vaelstm-XXXXXX", NULL);
  path = g_build_filename (directory, "t.safetensors", NULL);
}

/* A new file: replacing one would wait for the disk. */
static void
overwrite (const char *bytes, gssize n)
{
  g_unlink (path);
  ck_assert (g_file_set_contents (path, bytes, n, NULL));
}

static void
teardown (void)
{
  g_unlink (path);
  ck_assert_int_eq (g_rmdir (directory), 0); /* nothing else was left there */
  g_free (path);
  g_free (directory);
}

/* A file of the given header and n bytes of data, all 0x3f. */
static void
write_raw (const char *header, gsize n)
{
  guint64 length = GUINT64_TO_LE ((guint64)strlen (header));
  GString *bytes = g_string_new_len ((char *)&length, sizeof length);

  g_string_append (bytes, header);
  for (gsize i = 0; i < n; i++)
    g_string_append_c (bytes, 0x3f);
  overwrite (bytes->str, bytes->len);
  g_string_free (bytes, TRUE);
}

static void
assert_fails (VlTensorFileError code)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (vl_tensor_file_open (path, &error));
  ck_assert_msg (g_error_matches (error, VL_TENSOR_FILE_ERROR, code),
      "expected code %d, got: %s", code, error->message);
  ck_assert (g_str_has_prefix (error->message, path));
  ck_assert_ptr_null (strchr (error->message, '\n'));
}

static const float numbers[] = {1.5f, -0.0f, 3e-42f, 1e38f, -7.25f, 0.1f};

static void
save_small (void)
{
  g_autoptr (VlTensorWriter) writer = vl_tensor_writer_new ();

  vl_tensor_writer_metadata (writer, "record", "{\"a\": \"x\\\"y\"}");
  vl_tensor_writer_add (writer, "matrix", numbers, 2, (guint64[]){2, 3});
  vl_tensor_writer_add (writer, "scalar", numbers + 4, 0, NULL);
  vl_tensor_writer_add (writer, "empty", numbers, 1, (guint64[]){0});
  ck_assert_ptr_null (vl_tensor_writer_checksum (writer));
  ck_assert (vl_tensor_writer_save (writer, path, NULL));
  ck_assert_int_eq (strlen (vl_tensor_writer_checksum (writer)), 64);
}

START_TEST (test_round_trip)
{
  g_autoptr (VlTensorFile) file = NULL;
  guint64 shape[VL_MAX_DIMS];
  unsigned n_dims;
  const float *data;

  save_small ();
  file = vl_tensor_file_open (path, NULL);
  ck_assert_ptr_nonnull (file);
  ck_assert_uint_eq (vl_tensor_file_n_tensors (file), 3);
  ck_assert_str_eq (
      vl_tensor_file_metadata (file, "record"), "{\"a\": \"x\\\"y\"}");
  ck_assert_ptr_null (vl_tensor_file_metadata (file, "other"));

  data = vl_tensor_file_get (file, "matrix", &n_dims, shape, NULL);
  ck_assert_uint_eq (n_dims, 2);
  ck_assert_uint_eq (shape[0], 2);
  ck_assert_uint_eq (shape[1], 3);
  ck_assert_mem_eq (data, numbers, sizeof numbers);

  data = vl_tensor_file_expect (file, "scalar", 0, NULL, NULL);
  ck_assert_float_eq (*data, numbers[4]);
  ck_assert_ptr_nonnull (
      vl_tensor_file_get (file, "empty", &n_dims, shape, NULL));
}
END_TEST

/* In memory, whole and cut short. */
START_TEST (test_from_bytes)
{
  g_autoptr (VlTensorFile) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL, some = NULL;
  char *contents;
  gsize n;

  save_small ();
  ck_assert (g_file_get_contents (path, &contents, &n, NULL));
  bytes = g_bytes_new_take (contents, n);
  some = g_bytes_new_from_bytes (bytes, 0, n - 1);
  ck_assert_ptr_null (vl_tensor_file_new_from_bytes (some, "name", &error));
  ck_assert (g_error_matches (
      error, VL_TENSOR_FILE_ERROR, VL_TENSOR_FILE_ERROR_TRUNCATED));
  ck_assert (g_str_has_prefix (error->message, "name: "));

  file = vl_tensor_file_new_from_bytes (bytes, "name", NULL);
  g_clear_pointer (&bytes, g_bytes_unref); /* the file holds its own */
  ck_assert_ptr_nonnull (file);
  ck_assert_mem_eq (
      vl_tensor_file_expect (file, "matrix", 2, (guint64[]){2, 3}, NULL),
      numbers, sizeof numbers);
}
END_TEST

START_TEST (test_same_content_same_bytes)
{
  g_autofree char *first = NULL, *second = NULL;
  gsize n_first, n_second;

  save_small ();
  ck_assert (g_file_get_contents (path, &first, &n_first, NULL));
  save_small ();
  ck_assert (g_file_get_contents (path, &second, &n_second, NULL));
  ck_assert_uint_eq (n_first, n_second);
  ck_assert_mem_eq (first, second, n_first);
}
END_TEST

START_TEST (test_checksum_is_of_the_file)
{
  g_autoptr (VlTensorWriter) writer = vl_tensor_writer_new ();
  g_autoptr (VlTensorFile) file = NULL;
  g_autofree char *checksum = NULL, *contents = NULL, *expected = NULL;
  gsize n;

  vl_tensor_writer_add (writer, "x", numbers, 1, (guint64[]){6});
  ck_assert (vl_tensor_writer_save (writer, path, NULL));
  file = vl_tensor_file_open (path, NULL);
  checksum = vl_tensor_file_checksum (file);
  ck_assert (g_file_get_contents (path, &contents, &n, NULL));
  expected = g_compute_checksum_for_data (
      G_CHECKSUM_SHA256, (const guchar *)contents, n);
  ck_assert_str_eq (vl_tensor_writer_checksum (writer), expected);
  ck_assert_str_eq (checksum, expected);
}
END_TEST

/* More numbers than are converted at a time. */
START_TEST (test_large_tensor)
{
  const guint64 n = 100003;
  g_autofree float *data = g_new (float, n);
  g_autoptr (VlTensorWriter) writer = vl_tensor_writer_new ();
  g_autoptr (VlTensorFile) file = NULL;
  const float *back;

  for (guint64 i = 0; i < n; i++)
    data[i] = (float)i;
  vl_tensor_writer_add (writer, "x", data, 1, &n);
  ck_assert (vl_tensor_writer_save (writer, path, NULL));
  file = vl_tensor_file_open (path, NULL);
  back = vl_tensor_file_expect (file, "x", 1, &n, NULL);
  ck_assert_mem_eq (back, data, n * sizeof *data);
}
END_TEST

START_TEST (test_f64_and_misaligned)
{
  const char *header = "{\"b\":{\"dtype\":\"BOOL\",\"shape\":[1],"
                       "\"data_offsets\":[0,1]},"
                       "\"f\":{\"dtype\":\"F32\",\"shape\":[2],"
                       "\"data_offsets\":[1,9]},"
                       "\"d\":{\"dtype\":\"F64\",\"shape\":[1,1],"
                       "\"data_offsets\":[9,17]}}";
  g_autoptr (VlTensorFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint64 shape[VL_MAX_DIMS];
  unsigned n_dims;
  const float *data;

  write_raw (header, 17);
  file = vl_tensor_file_open (path, NULL);
  ck_assert_ptr_nonnull (file);
  data = vl_tensor_file_get (file, "f", &n_dims, shape, NULL);
  ck_assert_float_eq (data[1], 0.74705881f); /* 0x3f3f3f3f */
  data = vl_tensor_file_get (file, "d", &n_dims, shape, NULL);
  ck_assert_float_eq_tol (data[0], 0.00047676, 1e-6); /* 0x3f3f3f3f3f3f3f3f */
  ck_assert_ptr_null (vl_tensor_file_get (file, "b", &n_dims, shape, &error));
  ck_assert (
      g_error_matches (error, VL_TENSOR_FILE_ERROR, VL_TENSOR_FILE_ERROR_TYPE));
}
END_TEST

START_TEST (test_verify)
{
  g_autofree char *whole = NULL;
  g_autoptr (VlTensorFile) sound = NULL, damaged = NULL, other = NULL;
  g_autoptr (GError) error = NULL;
  gsize n;

  save_small ();
  sound = vl_tensor_file_open (path, NULL);
  ck_assert (vl_tensor_file_verify (sound, NULL));

  ck_assert (g_file_get_contents (path, &whole, &n, NULL));
  whole[n - 1] ^= 1;
  overwrite (whole, n);
  damaged = vl_tensor_file_open (path, NULL);
  ck_assert (!vl_tensor_file_verify (damaged, &error));
  ck_assert (g_error_matches (
      error, VL_TENSOR_FILE_ERROR, VL_TENSOR_FILE_ERROR_DAMAGED));

  write_raw ("{}", 0);
  other = vl_tensor_file_open (path, NULL);
  ck_assert (vl_tensor_file_verify (other, NULL));
}
END_TEST

START_TEST (test_missing_and_wrong_shape)
{
  g_autoptr (VlTensorFile) file = NULL;
  g_autoptr (GError) missing = NULL, wrong = NULL;
  g_autofree char *expected = NULL;

  save_small ();
  file = vl_tensor_file_open (path, NULL);
  ck_assert_ptr_null (
      vl_tensor_file_expect (file, "vector", 1, (guint64[]){6}, &missing));
  ck_assert (g_error_matches (
      missing, VL_TENSOR_FILE_ERROR, VL_TENSOR_FILE_ERROR_MISSING));
  ck_assert_ptr_null (
      vl_tensor_file_expect (file, "matrix", 2, (guint64[]){3, 2}, &wrong));
  ck_assert (g_error_matches (
      wrong, VL_TENSOR_FILE_ERROR, VL_TENSOR_FILE_ERROR_SHAPE));
  expected =
      g_strdup_printf ("%s: tensor matrix has shape 2x3, expected 3x2", path);
  ck_assert_str_eq (wrong->message, expected);
}
END_TEST

START_TEST (test_unreadable)
{
  assert_fails (VL_TENSOR_FILE_ERROR_READ); /* does not exist */
  ck_assert_int_eq (g_mkdir (path, 0700), 0);
  assert_fails (VL_TENSOR_FILE_ERROR_READ);
  ck_assert_int_eq (g_rmdir (path), 0);
  ck_assert_int_eq (mkfifo (path, 0600), 0);
  assert_fails (VL_TENSOR_FILE_ERROR_READ); /* and does not wait for a writer */
}
END_TEST

START_TEST (test_truncated)
{
  g_autofree char *whole = NULL;
  gsize n;

  save_small ();
  ck_assert (g_file_get_contents (path, &whole, &n, NULL));
  for (gsize i = 0; i < n; i++) {
    overwrite (whole, i);
    assert_fails (VL_TENSOR_FILE_ERROR_TRUNCATED);
  }
}
END_TEST

#define ENTRY(shape, offsets)                                                  \
  "{\"x\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

/* Headers that are wrong in front of eight bytes of data. */
static const char *const bad_headers[] = {"", " ", "[]", "null", "{", "{}",
    "{]", "}{", "{'x':1}", "/* \" */{}", "{\"x\":1}", "{\"x\":{}}",
    "{\"x\":null}", "x={}", "{\"__metadata__\":1}",
    "{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":{\"a\":null}}",
    ENTRY ("[1]", "[0,8]"), ENTRY ("[3]", "[0,8]"), ENTRY ("2", "[0,8]"),
    ENTRY ("[-2]", "[0,8]"), ENTRY ("[2.0]", "[0,8]"),
    ENTRY ("[\"2\"]", "[0,8]"), ENTRY ("[null]", "[0,8]"),
    ENTRY ("[[2]]", "[0,8]"), ENTRY ("[2]", "[0,4,8]"), ENTRY ("[2]", "[0]"),
    ENTRY ("[2]", "[8,0]"), ENTRY ("[2]", "[-8,0]"), ENTRY ("[2]", "{}"),
    ENTRY ("[1]", "[4,8]"), ENTRY ("[1]", "[0,4]"),
    ENTRY ("[1,1,1,1,1,1,1,1,2]", "[0,8]"),
    ENTRY ("[4294967296,4294967296]", "[0,0]"),
    ENTRY ("[2305843009213693954,2]", "[0,8]"),
    ENTRY ("[99999999999999999999]", "[0,8]"),
    "{\"x\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}",
    "{\"x\":{\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]}}",
    "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
    "\"y\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"};

START_TEST (test_bad_header)
{
  write_raw (bad_headers[_i], 8);
  assert_fails (VL_TENSOR_FILE_ERROR_FORMAT);
}
END_TEST

START_TEST (test_long_data_are_missing)
{
  write_raw (ENTRY ("[1152921504606846976]", "[0,4611686018427387904]"), 8);
  assert_fails (VL_TENSOR_FILE_ERROR_TRUNCATED);
}
END_TEST

/* A header of the largest size that repeats one text. */
static void
write_repeated (const char *start, const char *text)
{
  GString *header = g_string_new (start);

  while (header->len + strlen (text) <= VL_TENSOR_FILE_MAX_HEADER)
    g_string_append (header, text);
  write_raw (header->str, 0);
  g_string_free (header, TRUE);
}

START_TEST (test_hostile_headers)
{
  write_repeated ("", "[");
  assert_fails (VL_TENSOR_FILE_ERROR_FORMAT);
  write_repeated ("", "{\"\":");
  assert_fails (VL_TENSOR_FILE_ERROR_FORMAT);
  write_repeated ("{\"a\":0", ",\"a\":0");
  assert_fails (VL_TENSOR_FILE_ERROR_FORMAT);
  write_repeated ("{\"__metadata__\":{\"", "\\u0000");
  assert_fails (VL_TENSOR_FILE_ERROR_FORMAT);
  write_repeated ("", "          ");
  assert_fails (VL_TENSOR_FILE_ERROR_FORMAT);
}
END_TEST

/* A header of n empty tensors. */
static void
write_tensors (guint n)
{
  GString *header = g_string_new ("{\"__metadata__\":{}");

  for (guint i = 0; i < n; i++)
    g_string_append_printf (header,
        ",\"%u\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}", i);
  g_string_append_c (header, '}');
  write_raw (header->str, 0);
  g_string_free (header, TRUE);
}

START_TEST (test_number_of_tensors)
{
  g_autoptr (VlTensorFile) file = NULL;

  write_tensors (VL_TENSOR_FILE_MAX_TENSORS);
  file = vl_tensor_file_open (path, NULL);
  ck_assert_ptr_nonnull (file);
  ck_assert_uint_eq (
      vl_tensor_file_n_tensors (file), VL_TENSOR_FILE_MAX_TENSORS);
  write_tensors (VL_TENSOR_FILE_MAX_TENSORS + 1);
  assert_fails (VL_TENSOR_FILE_ERROR_FORMAT);
}
END_TEST

START_TEST (test_bit_flips_never_crash)
{
  g_autofree char *whole = NULL;
  gsize n, header;

  save_small ();
  ck_assert (g_file_get_contents (path, &whole, &n, NULL));
  header = n - sizeof numbers - sizeof (float);
  for (gsize bit = 0; bit < 8 * header; bit++) {
    g_autoptr (VlTensorFile) file = NULL;
    g_autoptr (GError) error = NULL;

    whole[bit / 8] ^= 1 << bit % 8;
    overwrite (whole, n);
    whole[bit / 8] ^= 1 << bit % 8;
    file = vl_tensor_file_open (path, &error);
    ck_assert ((file == NULL) == (error != NULL));
    for (guint i = 0; file && i < vl_tensor_file_n_tensors (file); i++) {
      guint64 shape[VL_MAX_DIMS];
      unsigned n_dims;

      vl_tensor_file_get (
          file, vl_tensor_file_name (file, i), &n_dims, shape, NULL);
    }
  }
}
END_TEST

static gboolean
try_save (const char *to, GError **error)
{
  g_autoptr (VlTensorWriter) writer = vl_tensor_writer_new ();
  g_autofree float *data = g_new0 (float, 65536);

  vl_tensor_writer_add (writer, "x", data, 1, (guint64[]){65536});
  return vl_tensor_writer_save (writer, to, error);
}

static void
assert_save_fails (const char *to)
{
  g_autoptr (GError) error = NULL;

  ck_assert (!try_save (to, &error));
  ck_assert (g_error_matches (
      error, VL_TENSOR_FILE_ERROR, VL_TENSOR_FILE_ERROR_WRITE));
  ck_assert (g_str_has_prefix (error->message, to));
}

/* A limit on file sizes fails as a full disk does: part is written. */
START_TEST (test_full_disk_keeps_the_older_file)
{
  g_autofree char *before = NULL, *after = NULL;
  gsize n_before, n_after;
  struct rlimit old, small;

  save_small ();
  ck_assert (g_file_get_contents (path, &before, &n_before, NULL));

  ck_assert_int_eq (getrlimit (RLIMIT_FSIZE, &old), 0);
  small = (struct rlimit){4096, old.rlim_max};
  signal (SIGXFSZ, SIG_IGN);
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &small), 0);
  assert_save_fails (path);
  ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &old), 0);

  ck_assert (g_file_get_contents (path, &after, &n_after, NULL));
  ck_assert_uint_eq (n_before, n_after);
  ck_assert_mem_eq (before, after, n_before);
}
END_TEST

START_TEST (test_unwritable_paths)
{
  g_autofree char *missing = g_build_filename (directory, "no", "x", NULL);
  g_autofree char *fifo = g_build_filename (directory, "fifo", NULL);
  struct stat st;

  assert_save_fails (missing);
  assert_save_fails (directory);
  ck_assert_int_eq (mkfifo (fifo, 0600), 0);
  assert_save_fails (fifo);
  ck_assert_int_eq (g_stat (fifo, &st), 0);
  ck_assert (S_ISFIFO (st.st_mode)); /* a device node would survive as well */
  g_unlink (fifo);
}
END_TEST

START_TEST (test_mode_follows_umask)
{
  struct stat st;
  mode_t old = umask (027);

  ck_assert (try_save (path, NULL));
  umask (old);
  ck_assert_int_eq (g_stat (path, &st), 0);
  ck_assert_uint_eq (st.st_mode & 0777, 0640);
}
END_TEST

static Suite *
safetensors_suite (void)
{
  Suite *suite = suite_create ("safetensors");
  TCase *read = tcase_create ("read"), *save = tcase_create ("save");

  tcase_add_checked_fixture (read, setup, teardown);
  tcase_add_test (read, test_round_trip);
  tcase_add_test (read, test_from_bytes);
  tcase_add_test (read, test_same_content_same_bytes);
  tcase_add_test (read, test_checksum_is_of_the_file);
  tcase_add_test (read, test_large_tensor);
  tcase_add_test (read, test_f64_and_misaligned);
  tcase_add_test (read, test_verify);
  tcase_add_test (read, test_missing_and_wrong_shape);
  tcase_add_test (read, test_unreadable);
  tcase_add_test (read, test_truncated);
  tcase_add_loop_test (read, test_bad_header, 0, G_N_ELEMENTS (bad_headers));
  tcase_add_test (read, test_long_data_are_missing);
  tcase_add_test (read, test_hostile_headers);
  tcase_add_test (read, test_number_of_tensors);
  tcase_add_test (read, test_bit_flips_never_crash);
  tcase_set_timeout (read, 60);
  suite_add_tcase (suite, read);

  tcase_add_checked_fixture (save, setup, teardown);
  tcase_add_test (save, test_full_disk_keeps_the_older_file);
  tcase_add_test (save, test_unwritable_paths);
  tcase_add_test (save, test_mode_follows_umask);
  suite_add_tcase (suite, save);
  return suite;
}

int
main (void)
{
  SRunner *runner = srunner_create (safetensors_suite ());
  int failed;

  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed != 0;
}
