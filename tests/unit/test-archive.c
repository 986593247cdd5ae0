/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The archive: its bounds hold whatever the clock does, it never overwrites,
 * and touches nothing that is not a recording. */

#define _GNU_SOURCE /* setresuid */

#include <check.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)
#define SECOND ((gint64)G_USEC_PER_SEC)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define NOW (G_GINT64_CONSTANT (1795465429) * SECOND) /* 20261123T202349Z */
#define NOBODY 65534

static char *directory;

static void
set_up (void)
{
  directory = g_dir_make_tmp ("vaelstm-archive-XXXXXX", NULL);
  ck_assert_ptr_nonnull (directory);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    dir = g_dir_open (path, 0, NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_tree (child);
  }
  g_remove (path);
}

static void
tear_down (void)
{
  remove_tree (directory);
  g_clear_pointer (&directory, g_free);
}

static VlArchive *
new_archive (double keep_days, guint64 max_bytes)
{
  const VlArchiveLimits limits = {keep_days, max_bytes, 0};

  return vl_archive_new (directory, &limits);
}

static void
write_path (const char *path, guint64 bytes)
{
  int fd = g_open (path, O_CREAT | O_WRONLY | O_TRUNC, 0666);

  ck_assert_int_ge (fd, 0);
  if (bytes > 0)
    ck_assert_int_eq (posix_fallocate (fd, 0, bytes), 0);
  close (fd);
}

static void
write_name (const char *name, guint64 bytes)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);

  write_path (path, bytes);
}

static void
write_part (const char *recording, const char *extension, guint64 bytes)
{
  g_autofree char *path = g_strconcat (recording, ".", extension, NULL);

  write_path (path, bytes);
}

static gboolean
exists (const char *name)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  GStatBuf info;

  return g_lstat (path, &info) == 0;
}

static gboolean
has_clip (const char *recording)
{
  g_autofree char *path = g_strconcat (recording, ".mp4", NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* Bytes in the directory, and how many entries that is. */
static guint64
measure (guint *n)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  guint64 bytes = 0;
  const char *name;

  for (*n = 0; (name = g_dir_read_name (dir)) != NULL; (*n)++) {
    g_autofree char *path = g_build_filename (directory, name, NULL);
    GStatBuf info;

    ck_assert_int_eq (g_lstat (path, &info), 0);
    bytes += MAX ((guint64)info.st_size, (guint64)info.st_blocks * 512);
  }
  return bytes;
}

static char *
open_recording (VlArchive *archive, const char *camera, gint64 time)
{
  g_autoptr (GError) error = NULL;
  char *path = vl_archive_open (archive, camera, time, &error);

  ck_assert_msg (path != NULL, "%s", error != NULL ? error->message : "");
  return path;
}

/* A whole recording, whose clip has this size. */
static char *
record (VlArchive *archive, gint64 time, guint64 bytes)
{
  char *path = open_recording (archive, "front", time);

  write_part (path, "mp4", bytes);
  write_part (path, "json", 100);
  write_part (path, "jpg", 10000);
  vl_archive_close (archive, path);
  return path;
}

static void
tidy (VlArchive *archive, gint64 now)
{
  g_autoptr (GError) error = NULL;

  ck_assert_msg (vl_archive_tidy (archive, now, NULL, &error), "%s",
      error != NULL ? error->message : "");
}

/* One line that says where, and has this in it. */
static void
assert_error (const GError *error, int code, const char *part)
{
  ck_assert_ptr_nonnull (error);
  ck_assert_msg (g_error_matches (error, G_FILE_ERROR, code), "%s, %d",
      error->message, error->code);
  ck_assert_msg (
      g_str_has_prefix (error->message, directory), "%s", error->message);
  ck_assert_msg (
      strstr (error->message, part) != NULL, "%s: %s", part, error->message);
  ck_assert_ptr_null (strchr (error->message, '\n'));
}

static void
assert_refuses (VlArchive *archive, int code, const char *part)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (vl_archive_open (archive, "front", NOW, &error));
  assert_error (error, code, part);
}

/* Names */

static void
assert_name (const char *path, const char *name)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);

  ck_assert_str_eq (folder, directory);
  ck_assert_str_eq (base, name);
}

START_TEST (test_names_tell_camera_and_time)
{
  g_autoptr (VlArchive) archive = new_archive (0, 0);
  g_autofree char *path = open_recording (archive, "front.2_a-b", NOW + 999999);

  assert_name (path, "front.2_a-b-20261123T202349Z");
}
END_TEST

START_TEST (test_names_are_never_taken_twice)
{
  g_autoptr (VlArchive) archive = new_archive (0, 0);
  g_autofree char *first = open_recording (archive, "front", NOW);
  g_autofree char *second = open_recording (archive, "front", NOW + 1);
  g_autofree char *third = NULL, *fifth = NULL, *again = NULL;

  assert_name (second, "front-20261123T202349Z-2");
  vl_archive_close (archive, first);
  write_part (second, "mp4", 10);
  vl_archive_close (archive, second);
  write_name ("front-20261123T202349Z.txt", 0);
  third = open_recording (archive, "front", NOW);
  assert_name (third, "front-20261123T202349Z-3");
  write_name ("front-20261123T202349Z-4.mp4.abcdef", 0);
  fifth = open_recording (archive, "front", NOW);
  assert_name (fifth, "front-20261123T202349Z-5");
  again = open_recording (archive, "back", NOW);
  assert_name (again, "back-20261123T202349Z");
}
END_TEST

START_TEST (test_names_are_free_again_when_nothing_was_written)
{
  g_autoptr (VlArchive) archive = new_archive (0, 0);
  g_autofree char *first = open_recording (archive, "front", NOW);
  g_autofree char *second = NULL;

  vl_archive_close (archive, first);
  second = open_recording (archive, "front", NOW);
  ck_assert_str_eq (first, second);
}
END_TEST

START_TEST (test_another_archive_does_not_overwrite)
{
  g_autoptr (VlArchive) before = new_archive (0, 0);
  g_autofree char *first = record (before, NOW, 10);
  g_autoptr (VlArchive) archive = new_archive (0, 0);
  g_autofree char *second = open_recording (archive, "front", NOW);

  assert_name (first, "front-20261123T202349Z");
  assert_name (second, "front-20261123T202349Z-2");
}
END_TEST

static const struct {
  const char *camera, *name;
} cameras[] = {
    {"../x", "_._x"},
    {"a/b", "a_b"},
    {"/etc/passwd", "_etc_passwd"},
    {"..", "_."},
    {"", "camera"},
    {"-rf", "_rf"},
    {"rtsp://user@host:554/1", "rtsp___user_host_554_1"},
    {"a\nb c", "a_b_c"},
    {"$(reboot)", "__reboot_"},
    {"K\xc3\xbc"
     "che",
        "Kuche"},
    {"\xff", "_"},
};

START_TEST (test_names_stay_in_the_directory)
{
  g_autoptr (VlArchive) archive = new_archive (1, 0);
  g_autofree char *path =
      open_recording (archive, cameras[_i].camera, NOW - 2 * DAY);
  g_autofree char *expected =
      g_strconcat (cameras[_i].name, "-20261121T202349Z", NULL);

  assert_name (path, expected);
  write_part (path, "mp4", 10);
  vl_archive_close (archive, path);
  tidy (archive, NOW);
  ck_assert_msg (!has_clip (path), "%s is not seen as a recording", path);
}
END_TEST

START_TEST (test_names_fit_file_systems)
{
  g_autoptr (VlArchive) archive = new_archive (0, 0);
  g_autofree char *camera = g_strnfill (5000, 'x');
  g_autofree char *path = open_recording (archive, camera, NOW);

  write_part (path, "mp4.abcdef", 10);
}
END_TEST

START_TEST (test_times_may_be_anything)
{
  g_autoptr (VlArchive) archive = new_archive (0, 0);
  g_autofree char *first = open_recording (archive, "front", G_MININT64);
  g_autofree char *last = open_recording (archive, "front", G_MAXINT64);

  assert_name (first, "front-19700101T000000Z");
  assert_name (last, "front-99991231T235959Z");
}
END_TEST

/* Limits */

START_TEST (test_an_hour_of_alarms_stays_in_the_quota)
{
  g_autoptr (VlArchive) archive = new_archive (0, 50 * MIB);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  guint n, n_kept = 0;

  for (guint i = 0; i < 720; i++) {
    const gint64 time = NOW + i * 5 * SECOND;

    g_ptr_array_add (paths, record (archive, time, MIB));
    tidy (archive, time + 5 * SECOND);
    ck_assert_uint_le (measure (&n), 50 * MIB);
    ck_assert_msg (has_clip (paths->pdata[i]), "the newest, %u, is gone", i);
  }
  for (guint i = 0; i < paths->len; i++)
    n_kept += has_clip (paths->pdata[i]);
  ck_assert_uint_ge (n_kept, 45);
  ck_assert_uint_eq (n, 3 * n_kept);
  for (guint i = 0; i < n_kept; i++)
    ck_assert (has_clip (paths->pdata[paths->len - 1 - i]));
}
END_TEST

START_TEST (test_old_recordings_go_whole)
{
  g_autoptr (VlArchive) before = new_archive (0, 0);
  g_autoptr (VlArchive) archive = new_archive (2, 0);
  g_autofree char *old = record (before, NOW - 2 * DAY - SECOND, 10);
  g_autofree char *kept = record (before, NOW - 2 * DAY + SECOND, 10);
  g_autofree char *future = record (archive, NOW + 400 * DAY, 10);
  guint n;

  ck_assert (has_clip (old));
  write_part (old, "jpg.Ab3x9Z", 10);
  tidy (archive, NOW);
  ck_assert (!has_clip (old));
  ck_assert (has_clip (kept) && has_clip (future));
  measure (&n);
  ck_assert_uint_eq (n, 6);
}
END_TEST

START_TEST (test_no_limits_delete_nothing)
{
  g_autoptr (VlArchive) archive = new_archive (0, 0);
  g_autofree char *old = record (archive, 0, 10);

  tidy (archive, NOW);
  ck_assert (has_clip (old));
}
END_TEST

/* Hours by which the clock is off, recording after recording. */
static const int clocks[][8] = {
    {0, 0, 0, -1, -1, -1, -1, -1},
    {0, 0, 0, 87600, 87600, 87600, 0, 0},
    {-400000, -400000, 0, 0, 0, 0, 0, 0},
    {0, -1, 1, -1, 1, -1, 1, -1},
};

START_TEST (test_the_newest_stay_whatever_the_clock_does)
{
  g_autoptr (VlArchive) archive = new_archive (0, 4 * MIB);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < 8; i++) {
    const gint64 time = NOW + i * SECOND + clocks[_i][i] * HOUR;

    g_ptr_array_add (paths, record (archive, time, MIB));
    tidy (archive, time);
    for (guint j = 0; j <= i; j++)
      ck_assert_msg (has_clip (paths->pdata[j]) == (j + 3 > i),
          "after %u: recording %u", i, j);
  }
}
END_TEST

START_TEST (test_what_was_there_goes_before_what_came)
{
  g_autoptr (VlArchive) before = new_archive (0, 0);
  g_autofree char *past = record (before, NOW - HOUR, MIB);
  g_autofree char *future = record (before, NOW + 9999 * DAY, MIB);
  g_autoptr (VlArchive) archive = new_archive (0, 3 * MIB);
  g_autofree char *first = record (archive, NOW, MIB);
  g_autofree char *second = NULL;

  tidy (archive, NOW);
  ck_assert (!has_clip (past) && has_clip (future) && has_clip (first));
  second = record (archive, NOW, MIB);
  tidy (archive, NOW);
  ck_assert (!has_clip (future) && has_clip (first) && has_clip (second));
}
END_TEST

START_TEST (test_numbers_count_in_order)
{
  g_autoptr (VlArchive) before = new_archive (0, 0);
  g_autofree char *paths[12] = {NULL};
  g_autoptr (VlArchive) archive = new_archive (0, 2 * MIB);

  for (guint i = 0; i < 12; i++)
    paths[i] = record (before, NOW, MIB / 2);
  tidy (archive, NOW);
  for (guint i = 0; i < 12; i++) {
    ck_assert_int_eq (has_clip (paths[i]), i >= 9);
    g_clear_pointer (&paths[i], g_free);
  }
}
END_TEST

START_TEST (test_what_is_open_stays)
{
  g_autoptr (VlArchive) archive = new_archive (1, 2 * MIB);
  g_autofree char *open = open_recording (archive, "front", NOW - 9 * DAY);
  g_autofree char *closed = NULL;
  g_autoptr (GError) error = NULL;

  write_part (open, "mp4", 3 * MIB / 2);
  closed = record (archive, NOW, MIB);
  tidy (archive, NOW);
  ck_assert (has_clip (open) && !has_clip (closed));
  write_part (open, "mp4", 3 * MIB);
  ck_assert (!vl_archive_tidy (archive, NOW, NULL, &error));
  assert_error (error, G_FILE_ERROR_NOSPC, "3.0 MiB of at most 2.0 MiB");
  assert_refuses (archive, G_FILE_ERROR_NOSPC, "raise the limit");
  ck_assert (has_clip (open));
  vl_archive_close (archive, open);
  tidy (archive, NOW);
  ck_assert (!has_clip (open));
}
END_TEST

/* Before a byte is written, and all that was there goes first. */
START_TEST (test_what_is_reserved_counts)
{
  g_autoptr (VlArchive) archive = new_archive (0, 4 * MIB);
  g_autofree char *old = record (archive, NOW, 2 * MIB);
  g_autofree char *young = record (archive, NOW, MIB / 2);
  g_autofree char *open = open_recording (archive, "front", NOW);
  g_autoptr (GError) error = NULL;
  guint64 bytes = vl_archive_reserve (archive, open, MIB, &error);

  ck_assert_ptr_null (error);
  ck_assert_uint_ge (bytes, MIB);
  ck_assert_uint_le (bytes, 2 * MIB);
  ck_assert (has_clip (old) && has_clip (young));
  ck_assert_uint_eq (
      vl_archive_reserve (archive, open, 2 * MIB, &error), 2 * MIB);
  ck_assert_ptr_null (error);
  ck_assert (!has_clip (old) && has_clip (young));
  ck_assert_uint_eq (
      vl_archive_reserve (archive, open, 2 * MIB + 1, &error), 2 * MIB);
  assert_error (error, G_FILE_ERROR_NOSPC, "2.0 MiB at most, half");
  vl_archive_close (archive, open);
  g_free (record (archive, NOW, 2 * MIB));
  tidy (archive, NOW);
  ck_assert (has_clip (young));
}
END_TEST

/* There is no room for all, and nothing goes in vain. */
START_TEST (test_what_is_open_together_is_bounded)
{
  g_autoptr (VlArchive) archive = new_archive (0, 4 * MIB);
  g_autofree char *old = record (archive, NOW, MIB / 8);
  g_autofree char *open[3] = {NULL};
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3; i++) {
    open[i] = open_recording (archive, "front", NOW);
    ck_assert_uint_ge (vl_archive_reserve (archive, open[i], MIB, &error), MIB);
  }
  ck_assert_ptr_null (error);
  ck_assert (has_clip (old));
  ck_assert_uint_lt (
      vl_archive_reserve (archive, open[2], 2 * MIB, &error), 2 * MIB);
  assert_error (error, G_FILE_ERROR_NOSPC, "what is being recorded takes");
  ck_assert (has_clip (old));
  g_clear_error (&error);
  vl_archive_close (archive, open[0]);
  ck_assert_uint_eq (
      vl_archive_reserve (archive, open[2], 2 * MIB, &error), 2 * MIB);
  ck_assert_ptr_null (error);
  for (guint i = 0; i < 3; i++)
    g_clear_pointer (&open[i], g_free);
}
END_TEST

START_TEST (test_nothing_else_is_touched)
{
  static const char *const others[] = {
      "notes.txt",
      "front.vaelstm",
      "front.mp4",
      "front-20200101T000000Z",
      "front-20200101T000000Z.txt",
      "front-20200101T000000Z.vaelstm",
      "front-20200101T000000Z.mp4.bak",
      "front-20200101T000000Z.mp4.abcdefg",
      "front-20200101T000000Z.mp4\n",
      "front-20200101T000000Z.MP4",
      "front-20200101T000000Z-.mp4",
      "front-20200101T000000Z-1.mp4",
      "front-20200101T000000Z-02.mp4",
      "front-20201301T000000Z.mp4",
      "front-20200101T250000Z.mp4",
      "front-20200101T000000.mp4",
      "-20200101T000000Z.mp4",
      ".front-20200101T000000Z.mp4",
      "fr\xc3\xbcnt-20200101T000000Z.mp4",
      "\xff-20200101T000000Z.mp4",
  };
  g_autoptr (VlArchive) archive = new_archive (1, 1);
  g_autofree char *folder =
      g_build_filename (directory, "front-20200202T000000Z.mp4", NULL);
  g_autofree char *inside =
      g_build_filename (folder, "front-20200202T000000Z.mp4", NULL);
  g_autofree char *link =
      g_build_filename (directory, "front-20200303T000000Z.mp4", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    write_name (others[i], 4096);
  write_name ("front-20200404T000000Z.mp4", 4096);
  ck_assert_int_eq (g_mkdir (folder, 0777), 0);
  write_path (inside, 4096);
  ck_assert_int_eq (symlink ("notes.txt", link), 0);

  tidy (archive, NOW);
  ck_assert (!exists ("front-20200404T000000Z.mp4"));
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    ck_assert_msg (exists (others[i]), "%s is gone", others[i]);
  ck_assert (g_file_test (inside, G_FILE_TEST_IS_REGULAR));
  ck_assert (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
}
END_TEST

START_TEST (test_many_recordings)
{
  const guint n_recordings = 10000;
  const gint64 first = NOW - n_recordings * SECOND;
  g_autoptr (VlArchive) before = new_archive (0, 0);
  g_autoptr (VlArchive) archive = NULL;
  guint64 bytes;
  guint n;

  for (guint i = 0; i < n_recordings; i++) {
    g_autoptr (GDateTime) date =
        g_date_time_new_from_unix_utc (first / SECOND + i);
    g_autofree char *name =
        g_date_time_format (date, "front-%Y%m%dT%H%M%SZ.json");

    write_name (name, 1);
  }
  bytes = measure (&n);
  ck_assert_uint_eq (n, n_recordings);
  archive = new_archive (0, bytes / 4);
  tidy (archive, NOW);
  ck_assert_uint_le (measure (&n), bytes / 4);
  ck_assert_uint_eq (n, n_recordings / 4);
}
END_TEST

/* Trouble */

START_TEST (test_a_directory_is_made_whenever_it_is_missing)
{
  const VlArchiveLimits limits = {1, MIB, 1};
  g_autofree char *inner = g_build_filename (directory, "a", "b", NULL);
  g_autoptr (VlArchive) archive = vl_archive_new (inner, &limits);

  tidy (archive, NOW);
  ck_assert (!g_file_test (inner, G_FILE_TEST_EXISTS));
  for (guint i = 0; i < 3; i++) {
    g_autofree char *path = open_recording (archive, "front", NOW);

    write_part (path, "mp4", 10);
    remove_tree (inner);
    vl_archive_close (archive, path);
    tidy (archive, NOW);
  }
}
END_TEST

START_TEST (test_a_file_is_no_directory)
{
  g_autofree char *file = g_build_filename (directory, "file", NULL);
  g_autofree char *below = g_build_filename (file, "below", NULL);
  const char *const places[] = {file, below};

  write_path (file, 0);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autoptr (VlArchive) archive =
        vl_archive_new (places[i], &(VlArchiveLimits){0});

    assert_refuses (archive, G_FILE_ERROR_NOTDIR, "move the file away");
  }
}
END_TEST

START_TEST (test_a_full_disk_opens_nothing_and_deletes_nothing)
{
  const VlArchiveLimits limits = {0, 0, G_MAXUINT64};
  g_autoptr (VlArchive) archive = vl_archive_new (directory, &limits);
  g_autoptr (GError) error = NULL;

  write_name ("front-20200101T000000Z.mp4", 10);
  assert_refuses (archive, G_FILE_ERROR_NOSPC, "delete something");
  ck_assert (!vl_archive_tidy (archive, NOW, NULL, &error));
  assert_error (error, G_FILE_ERROR_NOSPC, "free");
  ck_assert (exists ("front-20200101T000000Z.mp4"));
}
END_TEST

/* As somebody who may not do everything, until become_self(). */
static void
become_user (void)
{
  if (getuid () == 0)
    ck_assert_int_eq (setresuid (NOBODY, NOBODY, 0), 0);
}

static void
become_self (void)
{
  uid_t real, effective, saved;

  ck_assert_int_eq (getresuid (&real, &effective, &saved), 0);
  ck_assert_int_eq (setresuid (saved, saved, saved), 0);
}

START_TEST (test_a_directory_of_others)
{
  g_autofree char *missing = g_build_filename (directory, "missing", NULL);
  g_autoptr (VlArchive) archive = new_archive (0, 0);
  g_autoptr (VlArchive) inner = vl_archive_new (missing, &(VlArchiveLimits){0});

  g_chmod (directory, 0555);
  become_user ();
  assert_refuses (archive, G_FILE_ERROR_ACCES, "let this user");
  assert_refuses (inner, G_FILE_ERROR_ACCES, "let this user");
  become_self ();
  g_chmod (directory, 0777);
  become_user ();
  g_free (record (archive, NOW, 10));
  become_self ();
}
END_TEST

/* In a sticky directory everyone may write, and delete what is theirs. */
START_TEST (test_what_cannot_be_deleted_does_not_stop_the_others)
{
  g_autoptr (VlArchive) archive = new_archive (1, 2 * MIB);
  g_autofree char *mine = NULL, *next = NULL;
  g_autoptr (GError) kept = NULL, error = NULL;

  if (getuid () != 0)
    return;
  write_name ("front-20200101T000000Z.mp4", MIB);
  g_chmod (directory, 01777);
  become_user ();
  mine = record (archive, NOW - 9 * DAY, MIB);
  ck_assert (vl_archive_tidy (archive, NOW, &kept, &error));
  assert_error (kept, G_FILE_ERROR_PERM, "front-20200101T000000Z.mp4: cannot");
  ck_assert (!has_clip (mine) && exists ("front-20200101T000000Z.mp4"));
  next = record (archive, NOW, MIB / 2);
  become_self ();
  write_name ("front-20200101T000000Z.mp4", 3 * MIB);
  become_user ();
  assert_refuses (archive, G_FILE_ERROR_NOSPC, "cannot be deleted");
  become_self ();
}
END_TEST

/* A directory is read once, while it stays as it is: here it may not be. */
START_TEST (test_a_directory_is_read_when_it_changes)
{
  g_autoptr (VlArchive) archive = new_archive (1, 2 * MIB);
  g_autofree char *open = open_recording (archive, "front", NOW);
  g_autoptr (GError) error = NULL;

  write_part (open, "mp4", 10);
  g_usleep (20000); /* more than a tick of the file system's clock */
  tidy (archive, NOW);
  g_chmod (directory, 0333);
  become_user ();
  tidy (archive, NOW);
  ck_assert_uint_ge (vl_archive_reserve (archive, open, MIB, &error), MIB);
  write_name ("notes.txt", 10);
  ck_assert (!vl_archive_tidy (archive, NOW, NULL, &error));
  assert_error (error, G_FILE_ERROR_ACCES, "let this user");
  become_self ();
}
END_TEST

static void
add_names (TCase *tcase)
{
  tcase_add_test (tcase, test_names_tell_camera_and_time);
  tcase_add_test (tcase, test_names_are_never_taken_twice);
  tcase_add_test (tcase, test_names_are_free_again_when_nothing_was_written);
  tcase_add_test (tcase, test_another_archive_does_not_overwrite);
  tcase_add_loop_test (
      tcase, test_names_stay_in_the_directory, 0, G_N_ELEMENTS (cameras));
  tcase_add_test (tcase, test_names_fit_file_systems);
  tcase_add_test (tcase, test_times_may_be_anything);
}

static void
add_limits (TCase *tcase)
{
  tcase_add_test (tcase, test_an_hour_of_alarms_stays_in_the_quota);
  tcase_add_test (tcase, test_old_recordings_go_whole);
  tcase_add_test (tcase, test_no_limits_delete_nothing);
  tcase_add_loop_test (tcase, test_the_newest_stay_whatever_the_clock_does, 0,
      G_N_ELEMENTS (clocks));
  tcase_add_test (tcase, test_what_was_there_goes_before_what_came);
  tcase_add_test (tcase, test_numbers_count_in_order);
  tcase_add_test (tcase, test_what_is_open_stays);
  tcase_add_test (tcase, test_what_is_reserved_counts);
  tcase_add_test (tcase, test_what_is_open_together_is_bounded);
  tcase_add_test (tcase, test_nothing_else_is_touched);
  tcase_add_test (tcase, test_many_recordings);
}

static void
add_trouble (TCase *tcase)
{
  tcase_add_test (tcase, test_a_directory_is_made_whenever_it_is_missing);
  tcase_add_test (tcase, test_a_file_is_no_directory);
  tcase_add_test (tcase, test_a_full_disk_opens_nothing_and_deletes_nothing);
  tcase_add_test (tcase, test_a_directory_of_others);
  tcase_add_test (tcase, test_what_cannot_be_deleted_does_not_stop_the_others);
  tcase_add_test (tcase, test_a_directory_is_read_when_it_changes);
}

int
main (void)
{
  Suite *suite = suite_create ("archive");
  TCase *tcase = tcase_create ("archive");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_set_timeout (tcase, 60);
  add_names (tcase);
  add_limits (tcase);
  add_trouble (tcase);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed != 0;
}
