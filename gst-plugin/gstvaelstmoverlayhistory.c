/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmoverlayhistory.h"

#include <math.h>

#define SPANS GST_VAE_LSTM_HISTORY_SPANS

/* Times that fall back by less are jitter. */
#define MAX_JITTER GST_SECOND

void
gst_vae_lstm_history_init (GstVaeLstmHistory *history, GstClockTime duration)
{
  history->span = MAX (duration / SPANS, 1);
  gst_vae_lstm_history_reset (history);
}

void
gst_vae_lstm_history_reset (GstVaeLstmHistory *history)
{
  history->newest = 0;
  history->latest = GST_CLOCK_TIME_NONE;
  history->joined = FALSE;
  for (guint i = 0; i < SPANS; i++)
    history->scores[i] = NAN;
}

void
gst_vae_lstm_history_break (GstVaeLstmHistory *history)
{
  history->joined = FALSE;
}

/* Makes span `number` the newest, and fills those between with a line that
 * ends at `score`, or with nothing. */
static void
advance (GstVaeLstmHistory *history, guint64 number, float score)
{
  guint64 steps = number - history->newest;
  guint64 kept = MIN (steps, SPANS);
  float from = history->scores[history->newest % SPANS];

  for (guint64 i = steps - kept + 1; i <= steps; i++) {
    float share = (float)((double)i / (double)steps);

    history->scores[(history->newest + i) % SPANS] =
        history->joined ? from + share * (score - from) : NAN;
  }
  history->newest = number;
}

static gboolean
starts_over (const GstVaeLstmHistory *history, GstClockTime time)
{
  return !GST_CLOCK_TIME_IS_VALID (history->latest) ||
         (time < history->latest && history->latest - time >= MAX_JITTER);
}

void
gst_vae_lstm_history_add (
    GstVaeLstmHistory *history, GstClockTime time, double score)
{
  guint64 number = time / history->span;
  float *slot;

  if (starts_over (history, time)) {
    gst_vae_lstm_history_reset (history);
    history->newest = number;
  } else if (number > history->newest) {
    advance (history, number, (float)score);
  } else if (history->newest - number >= SPANS) {
    return;
  }

  slot = &history->scores[number % SPANS];
  *slot = fmaxf (*slot, (float)score);
  history->latest = time;
  history->joined = TRUE;
}

void
gst_vae_lstm_history_copy (const GstVaeLstmHistory *history, float *curve)
{
  for (guint i = 0; i < SPANS; i++)
    curve[i] = history->scores[(history->newest + 1 + i) % SPANS];
}
