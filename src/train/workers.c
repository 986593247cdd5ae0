/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "workers.h"

typedef struct {
  VlWorkers *workers;
  guint index;
  GThread *thread;
} Worker;

struct VlWorkers {
  guint n;
  Worker *threads; /* (n - 1) */
  GMutex mutex;
  GCond job, done;
  guint round; /* counts jobs */
  guint busy;  /* threads still at the current job */
  gboolean quit;
  VlWork work;
  gpointer data;
};

static gpointer
thread_main (gpointer user_data)
{
  Worker *worker = user_data;
  VlWorkers *workers = worker->workers;
  guint round = 0;

  g_mutex_lock (&workers->mutex);
  for (;;) {
    while (workers->round == round && !workers->quit)
      g_cond_wait (&workers->job, &workers->mutex);
    if (workers->quit)
      break;
    round = workers->round;
    g_mutex_unlock (&workers->mutex);
    workers->work (worker->index, workers->data);
    g_mutex_lock (&workers->mutex);
    if (--workers->busy == 0)
      g_cond_signal (&workers->done);
  }
  g_mutex_unlock (&workers->mutex);
  return NULL;
}

VlWorkers *
vl_workers_new (guint n)
{
  VlWorkers *workers = g_new0 (VlWorkers, 1);

  workers->n = n;
  workers->threads = g_new0 (Worker, n - 1);
  g_mutex_init (&workers->mutex);
  g_cond_init (&workers->job);
  g_cond_init (&workers->done);
  for (guint i = 1; i < n; i++) {
    Worker *worker = &workers->threads[i - 1];
    worker->workers = workers;
    worker->index = i;
    worker->thread = g_thread_new ("vaelstm-train", thread_main, worker);
  }
  return workers;
}

void
vl_workers_free (VlWorkers *workers)
{
  if (!workers)
    return;
  g_mutex_lock (&workers->mutex);
  workers->quit = TRUE;
  g_cond_broadcast (&workers->job);
  g_mutex_unlock (&workers->mutex);
  for (guint i = 1; i < workers->n; i++)
    g_thread_join (workers->threads[i - 1].thread);
  g_mutex_clear (&workers->mutex);
  g_cond_clear (&workers->job);
  g_cond_clear (&workers->done);
  g_free (workers->threads);
  g_free (workers);
}

guint
vl_workers_count (const VlWorkers *workers)
{
  return workers->n;
}

void
vl_workers_run (VlWorkers *workers, VlWork work, gpointer data)
{
  g_mutex_lock (&workers->mutex);
  workers->work = work;
  workers->data = data;
  workers->busy = workers->n - 1;
  workers->round++;
  g_cond_broadcast (&workers->job);
  g_mutex_unlock (&workers->mutex);

  work (0, data);

  g_mutex_lock (&workers->mutex);
  while (workers->busy)
    g_cond_wait (&workers->done, &workers->mutex);
  g_mutex_unlock (&workers->mutex);
}
