/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "recorder.h"

#include "say.h"
#include "snapshot.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* Seconds between two looks at the archive, for the age of what is there. */
#define TIDY 60

struct VlRecorder {
  VlArchive *archive;
  VlHook *hook;
  double cooldown;       /* seconds */
  GHashTable *last_runs; /* camera name -> gint64 *, monotonic time */
  GPtrArray *jobs;       /* of events that are not finished */
  gboolean is_failing;   /* recording, as was told */
  gboolean is_untidy;    /* something cannot be deleted, as was told */
  gboolean is_mute;      /* standard output takes no more */
  guint timer;
};

/* An event on its way. */
typedef struct {
  VlRecorder *recorder;
  VlEvent *event;
  char *path;        /* of its files, without extension; NULL: none */
  gboolean has_clip; /* being written */
  gboolean ended;    /* and filled in */
  gboolean is_ready; /* its files are complete */
} Job;

/* ---- trouble --------------------------------------------------------------*/

static void
report_trouble (VlRecorder *recorder, const char *camera, const GError *error)
{
  if (!recorder->is_failing)
    vl_say (camera, "not recording: %s; detection goes on", error->message);
  recorder->is_failing = TRUE;
}

static void
report_recovery (VlRecorder *recorder, const char *camera)
{
  if (recorder->is_failing)
    vl_say (camera, "recording again");
  recorder->is_failing = FALSE;
}

static void
tidy (VlRecorder *recorder)
{
  g_autoptr (GError) kept = NULL, error = NULL;

  if (!vl_archive_tidy (recorder->archive, g_get_real_time (), &kept, &error))
    report_trouble (recorder, NULL, error);
  if (kept != NULL && !recorder->is_untidy)
    vl_say (NULL, "cannot tidy: %s", kept->message);
  recorder->is_untidy = kept != NULL;
}

/* ---- an event's end -------------------------------------------------------*/

static void
free_job (Job *job)
{
  vl_event_unref (job->event);
  g_free (job->path);
  g_free (job);
}

static void
write_record (Job *job, const char *json)
{
  g_autofree char *path = g_strconcat (job->path, ".json", NULL);
  g_autofree char *text = g_strconcat (json, "\n", NULL);
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents (path, text, -1, &error))
    report_trouble (job->recorder, job->event->camera, error);
}

static void
run_hook (VlRecorder *recorder, const VlEvent *event, const char *json)
{
  gint64 now = g_get_monotonic_time ();
  gint64 *last = g_hash_table_lookup (recorder->last_runs, event->camera);

  if (recorder->hook == NULL || !event->sighting.any ||
      (last != NULL && now - *last < recorder->cooldown * G_USEC_PER_SEC))
    return;
  g_hash_table_insert (recorder->last_runs, g_strdup (event->camera),
      g_memdup2 (&now, sizeof now));
  vl_hook_run (recorder->hook, json);
}

/* Who reads it may go away; recording goes on. */
static void
print_line (VlRecorder *recorder, const char *json)
{
  if (recorder->is_mute || (printf ("%s\n", json) >= 0 && fflush (stdout) == 0))
    return;
  recorder->is_mute = TRUE;
  vl_say (NULL, "no longer prints events: %s", g_strerror (errno));
}

static void
publish (Job *job)
{
  VlRecorder *recorder = job->recorder;
  g_autofree char *json = vl_event_to_json (job->event);

  if (job->path != NULL) {
    write_record (job, json);
    vl_archive_close (recorder->archive, job->path);
    tidy (recorder);
  }
  print_line (recorder, json);
  run_hook (recorder, job->event, json);
  g_ptr_array_remove (recorder->jobs, job);
}

/* Of its camera's events. */
static gboolean
is_oldest (const Job *job)
{
  const GPtrArray *jobs = job->recorder->jobs;

  for (guint i = 0; jobs->pdata[i] != job; i++)
    if (g_str_equal (
            ((Job *)jobs->pdata[i])->event->camera, job->event->camera))
      return FALSE;
  return TRUE;
}

/* A camera's events are told in their order, whichever files are complete
 * first. */
static void
make_ready (Job *job)
{
  GPtrArray *jobs = job->recorder->jobs;

  job->is_ready = TRUE;
  for (guint i = 0; i < jobs->len;) {
    Job *next = jobs->pdata[i];

    if (next->is_ready && is_oldest (next))
      publish (next);
    else
      i++;
  }
}

static void
take_snapshot (
    GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Job *job = data;
  g_autofree char *path = g_strconcat (job->path, ".jpg", NULL);
  GError *error = NULL;

  if (vl_snapshot_write (job->event->sighting.frame, path, &error))
    g_task_return_pointer (task, g_steal_pointer (&path), g_free);
  else
    g_task_return_error (task, error);
}

static void
on_snapshot (GObject *source, GAsyncResult *result, gpointer data)
{
  Job *job = data;
  g_autoptr (GError) error = NULL;

  job->event->picture_path = g_task_propagate_pointer (G_TASK (result), &error);
  if (error != NULL)
    vl_say (job->event->camera, "no picture: %s", error->message);
  make_ready (job);
}

static void
finish_if_done (Job *job)
{
  g_autoptr (GTask) task = NULL;

  if (!job->ended || job->has_clip)
    return;
  if (job->path == NULL || job->event->sighting.frame == NULL) {
    make_ready (job);
    return;
  }
  task = g_task_new (NULL, NULL, on_snapshot, job);
  g_task_set_task_data (task, job, NULL);
  g_task_run_in_thread (task, take_snapshot);
}

/* ---- clips ----------------------------------------------------------------*/

static gboolean
has_content (const char *path)
{
  GStatBuf info;

  return g_stat (path, &info) == 0 && info.st_size > 0;
}

static guint64
on_clip_full (VlClip *clip, guint64 needed, GError **error, gpointer data)
{
  const Job *job = data;

  return vl_archive_reserve (job->recorder->archive, job->path, needed, error);
}

/* A clip that was cut tells neither that recording fails nor that it works. */
static void
on_clip_done (VlClip *clip, const GError *error, gpointer data)
{
  Job *job = data;
  VlEvent *event = job->event;

  job->has_clip = FALSE;
  if (!has_content (event->clip_path))
    g_clear_pointer (&event->clip_path, g_free);
  if (error == NULL)
    report_recovery (job->recorder, event->camera);
  else if (event->clip_path == NULL)
    report_trouble (job->recorder, event->camera, error);
  else
    vl_say (event->camera, "clip ended early: %s", error->message);
  finish_if_done (job);
}

static void
start_clip (Job *job)
{
  VlEvent *event = job->event;
  g_autoptr (GError) error = NULL;

  job->path = vl_archive_open (job->recorder->archive, event->camera,
      vl_event_utc (event, event->start), &error);
  if (job->path == NULL) {
    report_trouble (job->recorder, event->camera, error);
    vl_clip_finish (event->clip);
    return;
  }
  event->clip_path = g_strconcat (job->path, ".", vl_clip_extension (), NULL);
  job->has_clip = TRUE;
  vl_clip_start (
      event->clip, event->clip_path, on_clip_full, on_clip_done, job);
}

static gboolean
on_minute (gpointer data)
{
  tidy (data);
  return G_SOURCE_CONTINUE;
}

/* ---- what others call -----------------------------------------------------*/

VlRecorder *
vl_recorder_new (VlArchive *archive, VlHook *hook, double cooldown)
{
  VlRecorder *recorder = g_new0 (VlRecorder, 1);

  recorder->archive = archive;
  recorder->hook = hook;
  recorder->cooldown = cooldown;
  recorder->last_runs =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  recorder->jobs = g_ptr_array_new_with_free_func ((GDestroyNotify)free_job);
  if (archive != NULL)
    recorder->timer = g_timeout_add_seconds (TIDY, on_minute, recorder);
  return recorder;
}

void
vl_recorder_free (VlRecorder *recorder)
{
  if (recorder->timer != 0)
    g_source_remove (recorder->timer);
  g_ptr_array_unref (recorder->jobs);
  g_hash_table_unref (recorder->last_runs);
  g_free (recorder);
}

void
vl_recorder_check (VlRecorder *recorder)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;

  if (recorder->archive == NULL)
    return;
  path =
      vl_archive_open (recorder->archive, "check", g_get_real_time (), &error);
  if (path != NULL)
    vl_archive_close (recorder->archive, path);
  else
    report_trouble (recorder, NULL, error);
}

void
vl_recorder_begin (VlRecorder *recorder, VlEvent *event)
{
  Job *job = g_new0 (Job, 1);

  job->recorder = recorder;
  job->event = vl_event_ref (event);
  g_ptr_array_add (recorder->jobs, job);
  if (event->clip != NULL)
    start_clip (job);
  vl_say (event->camera, "event %u has begun", event->number);
}

void
vl_recorder_end (VlRecorder *recorder, VlEvent *event)
{
  for (guint i = 0; i < recorder->jobs->len; i++) {
    Job *job = recorder->jobs->pdata[i];

    if (job->event == event) {
      job->ended = TRUE;
      finish_if_done (job);
      return;
    }
  }
}

gboolean
vl_recorder_is_idle (const VlRecorder *recorder)
{
  return recorder->jobs->len == 0;
}

gboolean
vl_recorder_is_mute (const VlRecorder *recorder)
{
  return recorder->is_mute;
}
