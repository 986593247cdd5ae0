/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "watch.h"

#include "camera.h"
#include "model.h"
#include "say.h"

#include <glib-unix.h>
#include <signal.h>

/* Seconds that a run of the hook may take, and those that all which have not
 * ended when the last event is told may take: when the files are read, or when
 * it was cancelled. */
#define HOOK_TIMEOUT 60
#define HOOK_FAREWELL 2

typedef struct {
  const VlWatchOptions *options;
  GMainLoop *loop;
  VlArchive *archive;
  VlHook *hook;
  VlRecorder *recorder;
  VlFeedOptions *feeds;
  GPtrArray *cameras; /* VlCamera */
  guint n_sources, n_done;
  gboolean failed; /* a file could not be read */
  guint patience;  /* seconds that the hook is waited for at the end */
  gint64 hook_end; /* monotonic time of that; 0: not yet */
} Watch;

/* ---- the loop -------------------------------------------------------------*/

/* Whether there is something to wait for, of what the last event has run. */
static gboolean
is_hook_running (Watch *watch)
{
  const guint n = watch->hook != NULL ? vl_hook_pending (watch->hook) : 0;
  const gint64 now = g_get_monotonic_time ();

  if (n == 0)
    return FALSE;
  if (watch->hook_end == 0)
    watch->hook_end = now + watch->patience * G_TIME_SPAN_SECOND;
  if (now < watch->hook_end)
    return TRUE;
  vl_say (NULL, "--exec: given up on runs that have not ended: %u", n);
  return FALSE;
}

/* The last camera's events may still be written. */
static gboolean
quit_when_idle (gpointer data)
{
  Watch *watch = data;

  if (!vl_recorder_is_idle (watch->recorder) || is_hook_running (watch))
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (watch->loop);
  return G_SOURCE_REMOVE;
}

static void
on_camera_done (VlCamera *camera, gboolean ok, gpointer data)
{
  Watch *watch = data;

  watch->failed |= !ok;
  if (++watch->n_done < watch->n_sources)
    return;
  g_timeout_add (50, quit_when_idle, watch);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  Watch *watch = data;

  watch->patience = HOOK_FAREWELL;
  watch->hook_end = 0;
  for (guint i = 0; i < watch->cameras->len; i++)
    vl_camera_stop (watch->cameras->pdata[i]);
  return G_SOURCE_REMOVE;
}

static gboolean
on_hang_up (gpointer data)
{
  Watch *watch = data;

  for (guint i = 0; i < watch->cameras->len; i++)
    vl_camera_reload (watch->cameras->pdata[i]);
  return G_SOURCE_CONTINUE;
}

static void
on_hook_failed (const char *message, gpointer data)
{
  vl_say (NULL, "%s", message);
}

/* ---- preparing ------------------------------------------------------------*/

/* Where a camera's own model is kept. */
static char *
own_model (const VlWatchOptions *options, const VlSource *source)
{
  g_autofree char *file = g_strconcat (source->name, ".vaelstm", NULL);
  g_autofree char *data =
      g_build_filename (g_get_user_data_dir (), "vaelstm", NULL);
  const char *directory =
      options->directory != NULL ? options->directory : data;

  /* recording tells what is wrong with it, and learning does */
  (void)g_mkdir_with_parents (directory, 0777);
  return g_build_filename (directory, file, NULL);
}

/* A file is over before a model has been trained. */
static gboolean
check_model (const VlFeedOptions *feed, GError **error)
{
  g_autoptr (VlModel) model = NULL;

  if (feed->learn > 0) {
    if (g_file_test (feed->model, G_FILE_TEST_EXISTS))
      return (model = vl_model_load (feed->model, error)) != NULL;
    if (feed->source->kind != VL_SOURCE_FILE)
      return TRUE;
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "%s is a file: expected -m MODEL; vaelstm train makes one",
        feed->source->name);
    return FALSE;
  }
  return (model = vl_model_load (feed->model, error)) != NULL;
}

static GstClockTime
to_clock_time (double seconds)
{
  return seconds * GST_SECOND;
}

static gboolean
prepare_feed (VlFeedOptions *feed, const VlSource *source,
    const VlWatchOptions *options, GError **error)
{
  *feed = (VlFeedOptions){
      .source = source,
      .model = options->model != NULL ? g_strdup (options->model)
                                      : own_model (options, source),
      .record = options->directory != NULL,
      .display = options->display,
      .pre_roll = to_clock_time (options->pre_roll),
      .post_roll = to_clock_time (options->post_roll),
      .max_event = to_clock_time (options->max_event),
      .learn = options->model != NULL ? 0 : to_clock_time (options->learn),
      .settings = options->settings,
  };
  return vl_feed_check (feed, error) && check_model (feed, error);
}

static gboolean
prepare_hook (Watch *watch, GError **error)
{
  const char *command = watch->options->command;
  g_autoptr (GError) problem = NULL;

  if (command == NULL)
    return TRUE;
  watch->hook =
      vl_hook_new (command, HOOK_TIMEOUT, on_hook_failed, watch, &problem);
  if (watch->hook == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "--exec: %s; expected a program and its arguments", problem->message);
  return watch->hook != NULL;
}

static gboolean
prepare (Watch *watch, GPtrArray *sources, GError **error)
{
  const VlWatchOptions *options = watch->options;

  for (guint i = 0; i < sources->len; i++)
    if (!prepare_feed (&watch->feeds[i], sources->pdata[i], options, error))
      return FALSE;
  if (!prepare_hook (watch, error))
    return FALSE;
  if (options->directory != NULL)
    watch->archive = vl_archive_new (options->directory, &options->limits);
  watch->recorder =
      vl_recorder_new (watch->archive, watch->hook, options->cooldown);
  return TRUE;
}

static void
run (Watch *watch, GCancellable *cancellable)
{
  g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);
  guint hang_up = g_unix_signal_add (SIGHUP, on_hang_up, watch);

  signal (SIGPIPE, SIG_IGN);
  g_source_set_callback (cancelled, G_SOURCE_FUNC (on_cancelled), watch, NULL);
  g_source_attach (cancelled, NULL);
  vl_recorder_check (watch->recorder);
  for (guint i = 0; i < watch->n_sources; i++)
    g_ptr_array_add (
        watch->cameras, vl_camera_new (&watch->feeds[i], watch->recorder,
                            on_camera_done, watch));
  g_main_loop_run (watch->loop);
  g_source_destroy (cancelled);
  g_source_remove (hang_up);
}

static void
clear (Watch *watch)
{
  g_ptr_array_unref (watch->cameras);
  g_clear_pointer (&watch->recorder, vl_recorder_free);
  g_clear_pointer (&watch->archive, vl_archive_free);
  g_clear_pointer (&watch->hook, vl_hook_free);
  for (guint i = 0; i < watch->n_sources; i++)
    g_free (watch->feeds[i].model);
  g_free (watch->feeds);
  g_main_loop_unref (watch->loop);
}

static gboolean
check_outcome (const Watch *watch, GError **error)
{
  if (watch->failed)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "a file could not be read to its end");
  else if (vl_recorder_is_mute (watch->recorder))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
        "not all events could be printed");
  return !watch->failed && !vl_recorder_is_mute (watch->recorder);
}

gboolean
vl_watch_run (GPtrArray *sources, const VlWatchOptions *options,
    GCancellable *cancellable, GError **error)
{
  Watch watch = {
      .options = options,
      .loop = g_main_loop_new (NULL, FALSE),
      .feeds = g_new0 (VlFeedOptions, sources->len),
      .cameras =
          g_ptr_array_new_with_free_func ((GDestroyNotify)vl_camera_free),
      .n_sources = sources->len,
      .patience = HOOK_TIMEOUT,
  };
  gboolean ok = prepare (&watch, sources, error);

  if (ok) {
    run (&watch, cancellable);
    ok = check_outcome (&watch, error);
  }
  clear (&watch);
  return ok;
}
