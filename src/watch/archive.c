/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "archive.h"

#include <dirent.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The scheme: 1 is the stem, 2 its time, 3 its number from 2 on. A file that is
 * being written may end in six characters more. */
#define NAME                                                                   \
  "^([A-Za-z0-9_][A-Za-z0-9._-]*-(\\d{8}T\\d{6}Z)(?:-([2-9]|[1-9]\\d{1,8}))?)" \
  "\\.(?:mkv|mp4|json|jpg)(?:\\.[A-Za-z0-9]{6})?\\z"

/* Leaves room for the rest of a name in the 255 bytes file systems allow. */
#define MAX_CAMERA 120

#define LAST_SECOND G_GINT64_CONSTANT (253402300799) /* of the year 9999 */
#define DAY (24 * 60 * 60.0)
#define MIB (1024 * 1024.0)

struct VlArchive {
  char *directory;
  VlArchiveLimits limits;
  GRegex *name;
  GHashTable *own; /* stem -> Own, of what this archive opened */
  guint64 n_opened;
};

typedef struct {
  guint64 place; /* in the order of opening, from 1 */
  gboolean open;
} Own;

/* One found in the directory. */
typedef struct {
  char *stem;
  GPtrArray *files; /* paths */
  guint64 bytes;
  guint64 place; /* 0: older than this archive */
  gint64 second; /* since 1970 */
  guint64 number;
  gboolean open;
} Recording;

static void
recording_free (gpointer data)
{
  Recording *recording = data;

  g_free (recording->stem);
  g_ptr_array_unref (recording->files);
  g_free (recording);
}

VlArchive *
vl_archive_new (const char *directory, const VlArchiveLimits *limits)
{
  VlArchive *archive = g_new0 (VlArchive, 1);

  archive->directory = g_strdup (directory);
  archive->limits = *limits;
  archive->name = g_regex_new (NAME, G_REGEX_RAW | G_REGEX_OPTIMIZE, 0, NULL);
  archive->own =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return archive;
}

void
vl_archive_free (VlArchive *archive)
{
  g_hash_table_unref (archive->own);
  g_regex_unref (archive->name);
  g_free (archive->directory);
  g_free (archive);
}

static const char *
directory_advice (int number)
{
  switch (number) {
  case EROFS:
    return "mount it for writing, or record elsewhere";
  case EACCES:
  case EPERM:
    return "let this user read and write it, or record elsewhere";
  case ENOTDIR:
  case EEXIST:
    return "move the file away, or record elsewhere";
  default:
    return "expected a directory that can be written";
  }
}

static void
set_directory_error (GError **error, const VlArchive *archive, int number)
{
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (number),
      "%s: %s; %s", archive->directory, g_strerror (number),
      directory_advice (number));
}

static gboolean
prepare_directory (const VlArchive *archive, GError **error)
{
  if (g_mkdir_with_parents (archive->directory, 0777) == 0 &&
      g_access (archive->directory, R_OK | W_OK | X_OK) == 0)
    return TRUE;
  set_directory_error (error, archive, errno);
  return FALSE;
}

/* NULL for a time that no clock shows. */
static Recording *
recording_new (const VlArchive *archive, const GMatchInfo *match)
{
  g_autofree char *stem = g_match_info_fetch (match, 1);
  g_autofree char *time = g_match_info_fetch (match, 2);
  g_autofree char *number = g_match_info_fetch (match, 3);
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (time, NULL);
  const Own *own = g_hash_table_lookup (archive->own, stem);
  Recording *recording;

  if (date == NULL)
    return NULL;
  recording = g_new0 (Recording, 1);
  recording->stem = g_steal_pointer (&stem);
  recording->files = g_ptr_array_new_with_free_func (g_free);
  recording->second = g_date_time_to_unix (date);
  if (number != NULL)
    recording->number = g_ascii_strtoull (number, NULL, 10);
  if (own != NULL) {
    recording->place = own->place;
    recording->open = own->open;
  }
  return recording;
}

/* Adds the file of this name to its recording, if it is part of one. */
static void
add_file (const VlArchive *archive, GHashTable *recordings, const char *name)
{
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *path = NULL, *stem = NULL;
  Recording *recording;
  GStatBuf info;

  if (!g_regex_match (archive->name, name, 0, &match))
    return;
  path = g_build_filename (archive->directory, name, NULL);
  if (g_lstat (path, &info) != 0 || !S_ISREG (info.st_mode))
    return;
  stem = g_match_info_fetch (match, 1);
  recording = g_hash_table_lookup (recordings, stem);
  if (recording == NULL) {
    recording = recording_new (archive, match);
    if (recording == NULL)
      return;
    g_hash_table_insert (recordings, recording->stem, recording);
  }
  g_ptr_array_add (recording->files, g_steal_pointer (&path));
  recording->bytes +=
      MAX ((guint64)info.st_size, (guint64)info.st_blocks * 512);
}

/* Stem -> Recording. NULL with error set when the directory cannot be read. */
static GHashTable *
find_recordings (const VlArchive *archive, GError **error)
{
  DIR *dir = opendir (archive->directory);
  const struct dirent *entry;
  GHashTable *recordings;

  if (dir == NULL) {
    set_directory_error (error, archive, errno);
    return NULL;
  }
  recordings =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, recording_free);
  while ((entry = readdir (dir)) != NULL)
    add_file (archive, recordings, entry->d_name);
  closedir (dir);
  return recordings;
}

static gboolean
has_gone (gpointer stem, gpointer own, gpointer recordings)
{
  return !((const Own *)own)->open && !g_hash_table_contains (recordings, stem);
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int
compare_age (gconstpointer first, gconstpointer second)
{
  const Recording *a = first, *b = second;
  int order = COMPARE (a->place, b->place);

  if (order == 0)
    order = COMPARE (a->second, b->second);
  if (order == 0)
    order = COMPARE (a->number, b->number);
  return order != 0 ? order : strcmp (a->stem, b->stem);
}

/* The first failure is the one that is told. */
static gboolean
delete_recording (const Recording *recording, GError **error)
{
  gboolean gone = TRUE;

  for (guint i = 0; i < recording->files->len; i++) {
    const char *path = recording->files->pdata[i];
    int number;

    if (g_unlink (path) == 0 || errno == ENOENT)
      continue;
    number = errno;
    gone = FALSE;
    if (error != NULL && *error == NULL)
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (number),
          "%s: cannot be deleted: %s; let this user delete it", path,
          g_strerror (number));
  }
  return gone;
}

/* Returns how many bytes are left of the recordings, oldest first. */
static guint64
delete_excess (
    const VlArchive *archive, GList *recordings, gint64 now, GError **error)
{
  const VlArchiveLimits *limits = &archive->limits;
  const double oldest = now / (double)G_USEC_PER_SEC - limits->keep_days * DAY;
  guint64 total = 0;

  for (GList *l = recordings; l != NULL; l = l->next) {
    Recording *recording = l->data;

    if (limits->keep_days > 0 && recording->second < oldest &&
        !recording->open && delete_recording (recording, error))
      recording->bytes = 0;
    total += recording->bytes;
  }
  if (limits->max_bytes == 0)
    return total;
  for (GList *l = recordings; l != NULL && total > limits->max_bytes;
       l = l->next) {
    const Recording *recording = l->data;

    if (recording->bytes > 0 && !recording->open &&
        delete_recording (recording, error))
      total -= recording->bytes;
  }
  return total;
}

static gboolean
has_free_space (const VlArchive *archive, GError **error)
{
  struct statvfs info;
  guint64 bytes;

  if (statvfs (archive->directory, &info) != 0) {
    set_directory_error (error, archive, errno);
    return FALSE;
  }
  bytes = (guint64)info.f_bavail * info.f_frsize;
  if (bytes >= archive->limits.min_free)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC,
      "%s: no room: %.1f MiB free, %.1f MiB are to stay free; delete "
      "something, or record elsewhere",
      archive->directory, bytes / MIB, archive->limits.min_free / MIB);
  return FALSE;
}

static void
set_quota_error (
    GError **error, const VlArchive *archive, guint64 bytes, const GError *kept)
{
  if (kept != NULL)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "%s: no room: %s",
        archive->directory, kept->message);
  else
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC,
        "%s: no room: what is being recorded takes %.1f MiB of at most "
        "%.1f MiB; raise the limit, or make events shorter",
        archive->directory, bytes / MIB, archive->limits.max_bytes / MIB);
}

/* Makes the limits hold. FALSE with error set when there is no room. What could
 * not be deleted otherwise is told in `kept`. */
static gboolean
make_room (VlArchive *archive, gint64 now, GError **kept, GError **error)
{
  g_autoptr (GHashTable) recordings = find_recordings (archive, error);
  g_autoptr (GList) oldest_first = NULL;
  guint64 total;

  if (recordings == NULL)
    return FALSE;
  g_hash_table_foreach_remove (archive->own, has_gone, recordings);
  oldest_first =
      g_list_sort (g_hash_table_get_values (recordings), compare_age);
  total = delete_excess (archive, oldest_first, now, kept);
  if (archive->limits.max_bytes == 0 || total <= archive->limits.max_bytes)
    return has_free_space (archive, error);
  set_quota_error (error, archive, total, *kept);
  return FALSE;
}

gboolean
vl_archive_tidy (VlArchive *archive, gint64 now, GError **error)
{
  g_autoptr (GError) kept = NULL;

  if (!g_file_test (archive->directory, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!make_room (archive, now, &kept, error))
    return FALSE;
  if (kept == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&kept));
  return FALSE;
}

/* Part of a file's name: never a path, hidden, or taken for an option. */
static char *
camera_name (const char *camera)
{
  g_autofree char *valid = g_utf8_make_valid (camera, -1);
  g_autofree char *ascii = g_str_to_ascii (valid, "C");
  char *name = g_strndup (*ascii != '\0' ? ascii : "camera", MAX_CAMERA);

  g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-", '_');
  if (*name == '.' || *name == '-')
    *name = '_';
  return name;
}

static char *
first_stem (const char *camera, gint64 time)
{
  const gint64 second = CLAMP (time / G_USEC_PER_SEC, 0, LAST_SECOND);
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (second);
  g_autofree char *name = camera_name (camera);
  g_autofree char *stamp = g_date_time_format (date, "%Y%m%dT%H%M%SZ");

  return g_strconcat (name, "-", stamp, NULL);
}

/* Stems in the directory, of files of any kind, that start with this. */
static GHashTable *
find_stems (const VlArchive *archive, const char *start)
{
  g_autoptr (GDir) dir = g_dir_open (archive->directory, 0, NULL);
  GHashTable *stems =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const gsize length = strlen (start);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, start))
      g_hash_table_add (
          stems, g_strndup (name, length + strcspn (name + length, ".")));
  return stems;
}

static char *
free_stem (const VlArchive *archive, const char *camera, gint64 time)
{
  char *first = first_stem (camera, time);
  g_autoptr (GHashTable) stems = find_stems (archive, first);
  char *stem = g_strdup (first);

  for (guint i = 2; g_hash_table_contains (stems, stem) ||
                    g_hash_table_contains (archive->own, stem);
       i++) {
    g_free (stem);
    stem = g_strdup_printf ("%s-%u", first, i);
  }
  g_free (first);
  return stem;
}

char *
vl_archive_open (
    VlArchive *archive, const char *camera, gint64 time, GError **error)
{
  g_autoptr (GError) kept = NULL;
  char *stem;
  Own *own;

  if (!prepare_directory (archive, error) ||
      !make_room (archive, G_MININT64, &kept, error))
    return NULL;
  stem = free_stem (archive, camera, time);
  own = g_new (Own, 1);
  own->place = ++archive->n_opened;
  own->open = TRUE;
  g_hash_table_insert (archive->own, stem, own);
  return g_build_filename (archive->directory, stem, NULL);
}

void
vl_archive_close (VlArchive *archive, const char *path)
{
  g_autofree char *stem = g_path_get_basename (path);
  Own *own = g_hash_table_lookup (archive->own, stem);

  if (own != NULL)
    own->open = FALSE;
}
