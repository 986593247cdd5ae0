/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmworker.h"

typedef enum {
  IDLE,    /* nothing to do, nothing to take */
  BUSY,    /* analysing */
  DONE,    /* the analysis waits to be taken */
  QUITTING /* the thread ends */
} Phase;

struct GstVaeLstmWorker {
  VlDetector *detector;
  GThread *thread;
  GMutex mutex;
  GCond changed;
  Phase phase; /* under the mutex */

  /* The thread's while BUSY, else the stream's. */
  guint8 *picture;
  GstVaeLstmAnalysis analysis;
};

static void
analyse (GstVaeLstmWorker *worker)
{
  GstVaeLstmAnalysis *analysis = &worker->analysis;
  GstClockTime begin = gst_util_get_timestamp ();

  vl_detector_process_picture (worker->detector, worker->picture,
      analysis->times.time, &analysis->result);
  analysis->spent = gst_util_get_timestamp () - begin;
}

static gpointer
run (gpointer user_data)
{
  GstVaeLstmWorker *worker = user_data;

  g_mutex_lock (&worker->mutex);
  while (worker->phase != QUITTING) {
    if (worker->phase != BUSY) {
      g_cond_wait (&worker->changed, &worker->mutex);
      continue;
    }
    g_mutex_unlock (&worker->mutex);
    analyse (worker);
    g_mutex_lock (&worker->mutex);
    if (worker->phase == BUSY)
      worker->phase = DONE;
    g_cond_signal (&worker->changed);
  }
  g_mutex_unlock (&worker->mutex);
  return NULL;
}

static void
set_phase (GstVaeLstmWorker *worker, Phase phase)
{
  g_mutex_lock (&worker->mutex);
  worker->phase = phase;
  g_cond_signal (&worker->changed);
  g_mutex_unlock (&worker->mutex);
}

static Phase
get_phase (GstVaeLstmWorker *worker)
{
  Phase phase;

  g_mutex_lock (&worker->mutex);
  phase = worker->phase;
  g_mutex_unlock (&worker->mutex);
  return phase;
}

GstVaeLstmWorker *
gst_vae_lstm_worker_new (VlDetector *detector)
{
  GstVaeLstmWorker *worker = g_new0 (GstVaeLstmWorker, 1);

  worker->detector = detector;
  worker->picture = g_malloc (vl_detector_picture_size (detector));
  g_mutex_init (&worker->mutex);
  g_cond_init (&worker->changed);
  worker->thread = g_thread_new ("vaelstm-analysis", run, worker);
  return worker;
}

void
gst_vae_lstm_worker_free (GstVaeLstmWorker *worker)
{
  if (!worker)
    return;
  set_phase (worker, QUITTING);
  g_thread_join (worker->thread);
  g_mutex_clear (&worker->mutex);
  g_cond_clear (&worker->changed);
  g_free (worker->picture);
  g_free (worker);
}

gboolean
gst_vae_lstm_worker_is_idle (GstVaeLstmWorker *worker)
{
  return get_phase (worker) == IDLE;
}

void
gst_vae_lstm_worker_wait (GstVaeLstmWorker *worker)
{
  g_mutex_lock (&worker->mutex);
  while (worker->phase == BUSY)
    g_cond_wait (&worker->changed, &worker->mutex);
  g_mutex_unlock (&worker->mutex);
}

void
gst_vae_lstm_worker_start (GstVaeLstmWorker *worker, const guint8 *picture,
    const GstVaeLstmTimes *times)
{
  g_assert (get_phase (worker) == IDLE);
  memcpy (
      worker->picture, picture, vl_detector_picture_size (worker->detector));
  worker->analysis.times = *times;
  set_phase (worker, BUSY);
}

const GstVaeLstmAnalysis *
gst_vae_lstm_worker_take (GstVaeLstmWorker *worker)
{
  if (get_phase (worker) != DONE)
    return NULL;
  set_phase (worker, IDLE);
  return &worker->analysis;
}
