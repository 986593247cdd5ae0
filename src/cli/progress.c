/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TERMINAL_INTERVAL (G_TIME_SPAN_SECOND / 10)
#define PLAIN_INTERVAL (5 * G_TIME_SPAN_SECOND)
#define BAR_WIDTH 24
#define CLEAR_TO_END "\033[K"

void
vl_progress_init (VlProgressLine *line)
{
  *line = (VlProgressLine){.terminal = isatty (STDERR_FILENO),
      .next = g_get_monotonic_time () + PLAIN_INTERVAL};
  if (line->terminal)
    line->next = 0;
}

void
vl_progress_finish (VlProgressLine *line)
{
  if (line->line_open)
    fputc ('\n', stderr);
  line->line_open = FALSE;
}

/* TRUE when it is time for another line, or this one must be shown. */
static gboolean
is_time (VlProgressLine *line, gboolean must)
{
  const gint64 now = g_get_monotonic_time ();

  if (!must && now < line->next)
    return FALSE;
  line->next = now + (line->terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL);
  return TRUE;
}

static void
show (VlProgressLine *line, const char *text)
{
  if (line->terminal)
    fprintf (stderr, "\r%s" CLEAR_TO_END, text);
  else
    fprintf (stderr, "%s\n", text);
  fflush (stderr);
  line->line_open = line->terminal;
}

void
vl_progress_read (
    VlProgressLine *line, const char *clip, guint n_frames, gboolean last)
{
  g_autofree char *text = NULL;

  if (!is_time (line, last))
    return;
  text = g_strdup_printf ("read %s: %u frames", clip, n_frames);
  show (line, text);
  if (last)
    vl_progress_finish (line);
}

/* Minutes and seconds, or hours too. */
static char *
format_seconds (double seconds)
{
  const guint s = seconds > 0 ? (guint)(seconds + 0.5) : 0;

  if (s >= 3600)
    return g_strdup_printf ("%u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
  return g_strdup_printf ("%u:%02u", s / 60, s % 60);
}

static void
append_bar (GString *text, double share)
{
  const int done = (int)(CLAMP (share, 0, 1) * BAR_WIDTH);

  g_string_append_c (text, '[');
  for (int i = 0; i < BAR_WIDTH; i++)
    g_string_append_c (text, i < done ? '#' : '.');
  g_string_append (text, "] ");
}

static char *
describe (const VlProgress *p, gboolean bar)
{
  const double share = p->n_steps > 0 ? p->step / (double)p->n_steps : 1;
  g_autofree char *elapsed = format_seconds (p->elapsed);
  g_autofree char *eta = format_seconds (p->eta);
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%-9s ", vl_stage_name (p->stage));
  if (bar)
    append_bar (text, share);
  g_string_append_printf (
      text, "%3.0f%%  %u/%u", 100 * share, p->step, p->n_steps);
  if (!isnan (p->loss))
    g_string_append_printf (text, "  loss %.4g", p->loss);
  g_string_append_printf (text, "  elapsed %s", elapsed);
  if (isfinite (p->eta))
    g_string_append_printf (text, "  ETA %s", eta);
  return g_string_free (text, FALSE);
}

void
vl_progress_train (const VlProgress *progress, gpointer user_data)
{
  VlProgressLine *line = user_data;
  const gboolean ended = progress->step >= progress->n_steps;
  g_autofree char *text = NULL;

  if (!line->started || line->stage != progress->stage)
    vl_progress_finish (line);
  line->started = TRUE;
  line->stage = progress->stage;
  if (!is_time (line, ended))
    return;
  text = describe (progress, line->terminal);
  show (line, text);
  if (ended)
    vl_progress_finish (line);
}
