/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "background.h"

#include <stdlib.h>
#ifdef __linux__
#include <sys/resource.h>
#endif

#define LOWEST_PRIORITY 19
#define EXIT_PATIENCE (5 * G_USEC_PER_SEC) /* for jobs that do not look */

typedef struct {
  const VlJob *job;
  gpointer data;
  GCancellable *cancellable;
} Entry;

/* Jobs in the order they came; the first one's turn it is. */
static GMutex lock;
static GCond changed;
static GQueue queue = G_QUEUE_INIT;

static void
wake (GCancellable *cancellable, gpointer data)
{
  g_mutex_lock (&lock);
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

/* Linux keeps a nice value for each thread (setpriority(2), Notes); elsewhere
 * it would slow the whole process down. */
static void
lower_priority (void)
{
#ifdef __linux__
  setpriority (PRIO_PROCESS, 0, LOWEST_PRIORITY);
#endif
}

static gboolean
is_first (const Entry *entry)
{
  return g_queue_peek_head (&queue) == entry;
}

static void
await_turn (Entry *entry)
{
  gboolean first;
  gulong id;

  g_mutex_lock (&lock);
  first = is_first (entry);
  g_mutex_unlock (&lock);
  if (first)
    return;

  entry->job->wait (entry->data);
  id =
      g_cancellable_connect (entry->cancellable, G_CALLBACK (wake), NULL, NULL);
  g_mutex_lock (&lock);
  while (!is_first (entry) && !g_cancellable_is_cancelled (entry->cancellable))
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
  g_cancellable_disconnect (entry->cancellable, id);
}

static gpointer
thread_main (gpointer data)
{
  Entry *entry = data;

  lower_priority ();
  await_turn (entry);
  entry->job->run (entry->data);

  g_mutex_lock (&lock);
  g_queue_remove (&queue, entry);
  g_object_unref (entry->cancellable);
  g_free (entry);
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  return NULL;
}

/* Libraries take down what jobs compute with, after this. */
static void
end_all (void)
{
  const gint64 until = g_get_monotonic_time () + EXIT_PATIENCE;
  GList *cancellables = NULL;

  g_mutex_lock (&lock);
  for (GList *item = queue.head; item != NULL; item = item->next)
    cancellables = g_list_prepend (
        cancellables, g_object_ref (((Entry *)item->data)->cancellable));
  g_mutex_unlock (&lock);

  for (GList *item = cancellables; item != NULL; item = item->next)
    g_cancellable_cancel (item->data);
  g_list_free_full (cancellables, g_object_unref);

  g_mutex_lock (&lock);
  while (
      !g_queue_is_empty (&queue) && g_cond_wait_until (&changed, &lock, until))
    ;
  g_mutex_unlock (&lock);
}

void
vl_background_start (const VlJob *job, gpointer data, GCancellable *cancellable)
{
  static gsize at_exit;
  Entry *entry = g_new (Entry, 1);

  if (g_once_init_enter (&at_exit)) {
    atexit (end_all);
    g_once_init_leave (&at_exit, 1);
  }
  *entry = (Entry){job, data, g_object_ref (cancellable)};
  g_mutex_lock (&lock);
  g_queue_push_tail (&queue, entry);
  g_mutex_unlock (&lock);
  g_thread_unref (g_thread_new ("vaelstm-learn", thread_main, entry));
}
