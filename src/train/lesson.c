/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "lesson.h"

#include "background.h"
#include "footage.h"

#define PROGRESS_EVERY (100 * 1000) /* us between calls, at least */
#define MIN_SECONDS 0.1             /* of a budget, which 0 would not be */

/* Shared by the learner and the training's thread. */
struct VlLesson {
  VlReservoir *reservoir;
  VlFrameStore *store; /* the reservoir's pictures, once they were moved */
  VlTrainOptions options;
  guint64 budget; /* ns */
  char *path;
  GCancellable *cancellable;

  VlLearnerProgressFunc progress;
  gpointer user_data;
  GDestroyNotify destroy;
  gint dropped; /* atomic; nobody wants to be told any more */
  gint64 told;  /* monotonic us of the last call */

  GMutex lock; /* guards done, and by it the result */
  GCond changed;
  gboolean done;
  VlModel *model;
  guint vae_steps;
  GError *save_error, *error;
};

static void
lesson_clear (gpointer data)
{
  VlLesson *lesson = data;

  if (lesson->destroy != NULL)
    lesson->destroy (lesson->user_data);
  vl_reservoir_free (lesson->reservoir);
  vl_frame_store_free (lesson->store);
  g_free (lesson->path);
  g_object_unref (lesson->cancellable);
  g_mutex_clear (&lesson->lock);
  g_cond_clear (&lesson->changed);
  g_clear_pointer (&lesson->model, vl_model_unref);
  g_clear_error (&lesson->save_error);
  g_clear_error (&lesson->error);
}

static void
lesson_unref (VlLesson *lesson)
{
  g_atomic_rc_box_release_full (lesson, lesson_clear);
}

/* ---- in the training's thread ---- */

static void
tell (VlLesson *lesson, gboolean waiting, const VlProgress *progress)
{
  if (lesson->progress != NULL && !g_atomic_int_get (&lesson->dropped))
    lesson->progress (waiting, progress, lesson->user_data);
}

/* Pictures that wait for their turn take disk, not memory. */
static gboolean
move_pictures (VlLesson *lesson, GError **error)
{
  if (lesson->store == NULL)
    lesson->store =
        vl_reservoir_move (lesson->reservoir, lesson->cancellable, error);
  return lesson->store != NULL;
}

static void
on_wait (gpointer data)
{
  VlLesson *lesson = data;

  tell (lesson, TRUE, NULL);
  move_pictures (lesson, &lesson->error);
}

static void
on_progress (const VlProgress *progress, gpointer data)
{
  VlLesson *lesson = data;
  const gint64 now = g_get_monotonic_time ();

  if (now - lesson->told < PROGRESS_EVERY)
    return;
  lesson->told = now;
  tell (lesson, FALSE, progress);
}

static VlModel *
train (VlLesson *lesson, GError **error)
{
  const gint64 start = g_get_monotonic_time ();
  g_autoptr (VlModel) model = NULL;
  VlTrainSummary summary;
  double left;

  if (!move_pictures (lesson, error))
    return NULL;
  left = lesson->budget / 1e9 - (g_get_monotonic_time () - start) / 1e6;
  lesson->options.minutes = MAX (left, MIN_SECONDS) / 60;
  model = vl_train (&lesson->options, lesson->store, NULL, NULL, FALSE,
      on_progress, lesson, lesson->cancellable, &summary, error);
  if (model == NULL ||
      g_cancellable_set_error_if_cancelled (lesson->cancellable, error))
    return NULL;
  lesson->vae_steps = summary.vae_steps;
  return g_steal_pointer (&model);
}

/* The model, or that of its file, which streams that load the file share. */
static VlModel *
save (VlModel *model, const char *path, GError **error)
{
  VlModel *saved;

  if (path == NULL || !vl_model_save (model, path, error))
    return model;
  saved = vl_model_load (path, error);
  if (saved == NULL)
    return model;
  vl_model_unref (model);
  return saved;
}

static void
on_turn (gpointer data)
{
  VlLesson *lesson = data;

  if (lesson->error == NULL)
    lesson->model = train (lesson, &lesson->error);
  if (lesson->model != NULL)
    lesson->model = save (lesson->model, lesson->path, &lesson->save_error);

  g_mutex_lock (&lesson->lock);
  lesson->done = TRUE;
  g_cond_broadcast (&lesson->changed);
  g_mutex_unlock (&lesson->lock);
  lesson_unref (lesson);
}

/* ---- in the stream's thread ---- */

static gboolean
check_clips (VlReservoir *reservoir, GError **error)
{
  g_autoptr (GArray) clips = NULL;

  if (reservoir == NULL)
    return vl_footage_check (NULL, 0, error);
  clips = vl_reservoir_clips (reservoir);
  return vl_footage_check ((const guint *)clips->data, clips->len, error);
}

VlLesson *
vl_lesson_start (VlReservoir *reservoir, const VlTrainOptions *options,
    guint64 budget, const char *path, VlLearnerProgressFunc progress,
    gpointer user_data, GDestroyNotify destroy)
{
  static const VlJob job = {on_wait, on_turn};
  VlLesson *lesson = g_atomic_rc_box_new0 (VlLesson);

  lesson->reservoir = reservoir;
  lesson->options = *options;
  lesson->budget = budget;
  lesson->path = g_strdup (path);
  lesson->cancellable = g_cancellable_new ();
  lesson->progress = progress;
  lesson->user_data = user_data;
  lesson->destroy = destroy;
  g_mutex_init (&lesson->lock);
  g_cond_init (&lesson->changed);
  if (check_clips (reservoir, &lesson->error))
    vl_background_start (
        &job, g_atomic_rc_box_acquire (lesson), lesson->cancellable);
  else
    lesson->done = TRUE;
  return lesson;
}

void
vl_lesson_drop (VlLesson *lesson)
{
  if (lesson == NULL)
    return;
  g_atomic_int_set (&lesson->dropped, TRUE);
  vl_lesson_cancel (lesson);
  lesson_unref (lesson);
}

gboolean
vl_lesson_is_done (VlLesson *lesson)
{
  gboolean done;

  g_mutex_lock (&lesson->lock);
  done = lesson->done;
  g_mutex_unlock (&lesson->lock);
  return done;
}

static void
wake (GCancellable *cancellable, gpointer data)
{
  VlLesson *lesson = data;

  g_mutex_lock (&lesson->lock);
  g_cond_broadcast (&lesson->changed);
  g_mutex_unlock (&lesson->lock);
}

gboolean
vl_lesson_wait (VlLesson *lesson, GCancellable *cancellable)
{
  gulong id = 0;
  gboolean done;

  if (cancellable != NULL)
    id = g_cancellable_connect (cancellable, G_CALLBACK (wake), lesson, NULL);
  g_mutex_lock (&lesson->lock);
  while (!lesson->done && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&lesson->changed, &lesson->lock);
  done = lesson->done;
  g_mutex_unlock (&lesson->lock);
  g_cancellable_disconnect (cancellable, id);
  return done;
}

void
vl_lesson_cancel (VlLesson *lesson)
{
  g_cancellable_cancel (lesson->cancellable);
}

guint
vl_lesson_vae_steps (const VlLesson *lesson)
{
  return lesson->vae_steps;
}

VlModel *
vl_lesson_take (VlLesson *lesson, GError **save_error, GError **error)
{
  if (lesson->error != NULL)
    g_propagate_error (error, g_steal_pointer (&lesson->error));
  if (lesson->save_error != NULL)
    g_propagate_error (save_error, g_steal_pointer (&lesson->save_error));
  return g_steal_pointer (&lesson->model);
}
