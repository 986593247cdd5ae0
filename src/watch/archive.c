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

/* Bytes that a recording may take beyond what it asks for. */
#define MAX_STEP (1024 * 1024)

struct VlArchive {
  char *directory;
  VlArchiveLimits limits;
  GRegex *name;
  GHashTable *own; /* stem -> Own, of what this archive opened */
  guint64 n_opened;
  GHashTable *found;       /* stem -> Recording; NULL: to be looked for */
  struct timespec changed; /* the directory, before it was looked at */
};

typedef struct {
  guint64 place; /* in the order of opening, from 1 */
  gboolean open;
  guint64 reserved; /* bytes it may take while it is open */
} Own;

/* One found in the directory. */
typedef struct {
  char *stem;
  GPtrArray *files; /* paths */
  guint64 bytes;    /* that it takes, or may take while it is open */
  guint64 place;    /* 0: older than this archive */
  gint64 second;    /* since 1970 */
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
  g_clear_pointer (&archive->found, g_hash_table_unref);
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

static Recording *
add_recording (GHashTable *recordings, const char *stem)
{
  Recording *recording = g_new0 (Recording, 1);

  recording->stem = g_strdup (stem);
  recording->files = g_ptr_array_new_with_free_func (g_free);
  g_hash_table_insert (recordings, recording->stem, recording);
  return recording;
}

/* NULL for a time that no clock shows. */
static Recording *
add_match (const VlArchive *archive, GHashTable *recordings, const char *stem,
    const GMatchInfo *match)
{
  g_autofree char *time = g_match_info_fetch (match, 2);
  g_autofree char *number = g_match_info_fetch (match, 3);
  g_autoptr (GDateTime) date = g_date_time_new_from_iso8601 (time, NULL);
  const Own *own = g_hash_table_lookup (archive->own, stem);
  Recording *recording;

  if (date == NULL)
    return NULL;
  recording = add_recording (recordings, stem);
  recording->second = g_date_time_to_unix (date);
  if (number != NULL)
    recording->number = g_ascii_strtoull (number, NULL, 10);
  if (own != NULL)
    recording->place = own->place;
  return recording;
}

static guint64
find_size (const GStatBuf *info)
{
  return MAX ((guint64)info->st_size, (guint64)info->st_blocks * 512);
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
  if (recording == NULL)
    recording = add_match (archive, recordings, stem, match);
  if (recording == NULL)
    return;
  g_ptr_array_add (recording->files, g_steal_pointer (&path));
  recording->bytes += find_size (&info);
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

/* What is in the directory: as it was found, as long as that has not changed.
 * Large directories on network disks take long to read. */
static gboolean
look (VlArchive *archive, GError **error)
{
  GStatBuf info;

  if (g_stat (archive->directory, &info) != 0) {
    set_directory_error (error, archive, errno);
    return FALSE;
  }
  if (archive->found != NULL &&
      archive->changed.tv_sec == info.st_mtim.tv_sec &&
      archive->changed.tv_nsec == info.st_mtim.tv_nsec)
    return TRUE;
  g_clear_pointer (&archive->found, g_hash_table_unref);
  archive->found = find_recordings (archive, error);
  if (archive->found == NULL)
    return FALSE;
  archive->changed = info.st_mtim;
  g_hash_table_foreach_remove (archive->own, has_gone, archive->found);
  return TRUE;
}

static guint64
measure (const Recording *recording)
{
  guint64 bytes = 0;
  GStatBuf info;

  for (guint i = 0; i < recording->files->len; i++)
    if (g_lstat (recording->files->pdata[i], &info) == 0)
      bytes += find_size (&info);
  return bytes;
}

/* Counts what open recordings may take. Returns how much of that is not yet
 * taken; `total` is all of it. */
static guint64
count_open (VlArchive *archive, guint64 *total)
{
  guint64 to_come = 0;
  GHashTableIter iter;
  gpointer stem, value;

  *total = 0;
  g_hash_table_iter_init (&iter, archive->own);
  while (g_hash_table_iter_next (&iter, &stem, &value)) {
    const Own *own = value;
    Recording *recording = g_hash_table_lookup (archive->found, stem);
    guint64 bytes;

    if (!own->open)
      continue;
    if (recording == NULL)
      recording = add_recording (archive->found, stem);
    bytes = measure (recording);
    recording->open = TRUE;
    recording->place = own->place;
    recording->bytes = MAX (bytes, own->reserved);
    to_come += recording->bytes - bytes;
    *total += recording->bytes;
  }
  return to_come;
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

static gboolean
remove_recording (
    VlArchive *archive, const Recording *recording, GError **error)
{
  /* read again next time: a change within a clock's tick does not show */
  archive->changed.tv_nsec = -1;
  return delete_recording (recording, error);
}

/* Returns how many bytes are left of the recordings, oldest first. */
static guint64
delete_excess (
    VlArchive *archive, GList *recordings, gint64 now, GError **error)
{
  const VlArchiveLimits *limits = &archive->limits;
  const double oldest = now / (double)G_USEC_PER_SEC - limits->keep_days * DAY;
  guint64 total = 0;

  for (GList *l = recordings; l != NULL; l = l->next) {
    Recording *recording = l->data;

    if (limits->keep_days > 0 && recording->second < oldest &&
        !recording->open && remove_recording (archive, recording, error))
      recording->bytes = 0;
    total += recording->bytes;
  }
  if (limits->max_bytes == 0)
    return total;
  for (GList *l = recordings; l != NULL && total > limits->max_bytes;
       l = l->next) {
    const Recording *recording = l->data;

    if (recording->bytes > 0 && !recording->open &&
        remove_recording (archive, recording, error))
      total -= recording->bytes;
  }
  return total;
}

static gboolean
has_free_space (const VlArchive *archive, guint64 to_come, GError **error)
{
  struct statvfs info;
  guint64 bytes;

  if (statvfs (archive->directory, &info) != 0) {
    set_directory_error (error, archive, errno);
    return FALSE;
  }
  bytes = (guint64)info.f_bavail * info.f_frsize;
  if (bytes >= to_come && bytes - to_come >= archive->limits.min_free)
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

/* Makes the limits hold. FALSE with error set when there is no room; then
 * nothing is deleted in vain. What could not be deleted is told in `kept`. */
static gboolean
make_room (VlArchive *archive, gint64 now, GError **kept, GError **error)
{
  const guint64 max_bytes = archive->limits.max_bytes;
  g_autoptr (GList) oldest_first = NULL;
  guint64 to_come, total;

  if (!look (archive, error))
    return FALSE;
  to_come = count_open (archive, &total);
  if (max_bytes > 0 && total > max_bytes) {
    set_quota_error (error, archive, total, NULL);
    return FALSE;
  }
  oldest_first =
      g_list_sort (g_hash_table_get_values (archive->found), compare_age);
  total = delete_excess (archive, oldest_first, now, kept);
  if (max_bytes == 0 || total <= max_bytes)
    return has_free_space (archive, to_come, error);
  set_quota_error (error, archive, total, *kept);
  return FALSE;
}

gboolean
vl_archive_tidy (VlArchive *archive, gint64 now, GError **kept, GError **error)
{
  return !g_file_test (archive->directory, G_FILE_TEST_EXISTS) ||
         make_room (archive, now, kept, error);
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
  own = g_new0 (Own, 1);
  own->place = ++archive->n_opened;
  own->open = TRUE;
  g_hash_table_insert (archive->own, stem, own);
  return g_build_filename (archive->directory, stem, NULL);
}

static void
set_length_error (GError **error, const VlArchive *archive, guint64 limit)
{
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC,
      "%s: no room: a clip takes %.1f MiB at most, half of the limit; raise "
      "it, or make events shorter",
      archive->directory, limit / MIB);
}

static Own *
find_own (const VlArchive *archive, const char *path)
{
  g_autofree char *stem = g_path_get_basename (path);

  return g_hash_table_lookup (archive->own, stem);
}

guint64
vl_archive_reserve (
    VlArchive *archive, const char *path, guint64 bytes, GError **error)
{
  const guint64 max_bytes = archive->limits.max_bytes;
  const guint64 limit = max_bytes > 0 ? max_bytes / 2 : G_MAXUINT64;
  const guint64 step =
      max_bytes > 0 ? MIN (max_bytes / 16, MAX_STEP) : MAX_STEP;
  g_autoptr (GError) kept = NULL;
  Own *own = find_own (archive, path);
  const guint64 before = own->reserved;

  own->reserved = MIN (bytes + step, limit);
  if (!make_room (archive, G_MININT64, &kept, error))
    return own->reserved = before;
  if (own->reserved < bytes)
    set_length_error (error, archive, limit);
  return own->reserved;
}

void
vl_archive_close (VlArchive *archive, const char *path)
{
  Own *own = find_own (archive, path);

  if (own == NULL)
    return;
  own->open = FALSE;
  g_clear_pointer (&archive->found, g_hash_table_unref);
}
