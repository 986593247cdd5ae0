/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"
#include "interrupt.h"
#include "watch.h"

#include "say.h"

#define GIB (1024.0 * 1024 * 1024)

/* Bytes that recording leaves free for others. */
#define MIN_FREE (64 * 1024 * 1024)

/* Bytes that the pictures and records of events that end at once take at most.
 */
#define MAX_RESERVE (G_GUINT64_CONSTANT (16) << 20)

#define MAX_SECONDS (7 * 86400.0)

typedef struct {
  char *model, *directory, *command;
  double keep_days, max_gib, cooldown, max_event, pre_roll, post_roll, learn;
  gboolean display;
  char **settings, **sources;
} Options;

static gboolean
parse_options (int argc, char **argv, Options *o, GError **error)
{
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model,
          "The model; without, each camera learns its own first", "MODEL"},
      {"record", 0, 0, G_OPTION_ARG_FILENAME, &o->directory,
          "Keep a clip, a picture and a record of each event", "DIR"},
      {"display", 0, 0, G_OPTION_ARG_NONE, &o->display,
          "Show the video, the score and what is anomalous", NULL},
      {"exec", 0, 0, G_OPTION_ARG_STRING, &o->command,
          "Run this per event, with its JSON on standard input", "COMMAND"},
      {"cooldown", 0, 0, G_OPTION_ARG_DOUBLE, &o->cooldown,
          "Seconds between two runs of COMMAND for one camera (0)", "SECONDS"},
      {"keep-days", 0, 0, G_OPTION_ARG_DOUBLE, &o->keep_days,
          "Delete recordings that are older (0: none)", "DAYS"},
      {"max-gib", 0, 0, G_OPTION_ARG_DOUBLE, &o->max_gib,
          "Delete the oldest recordings beyond so much (0: no limit)", "GIB"},
      {"max-event", 0, 0, G_OPTION_ARG_DOUBLE, &o->max_event,
          "Longest event; what goes on is another one (300; 0: no limit)",
          "SECONDS"},
      {"pre-roll", 0, 0, G_OPTION_ARG_DOUBLE, &o->pre_roll,
          "Video before an anomaly (5)", "SECONDS"},
      {"post-roll", 0, 0, G_OPTION_ARG_DOUBLE, &o->post_roll,
          "Video after it, within which another is the same event (5)",
          "SECONDS"},
      {"learn", 0, 0, G_OPTION_ARG_DOUBLE, &o->learn,
          "Video to learn from where there is no model (60)", "SECONDS"},
      {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->settings,
          "A property of vaelstmdetect, as exclude=0,0,1,0.2",
          "PROPERTY=VALUE"},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->sources, NULL,
          NULL},
      {NULL}};

  return vl_command_parse (argc, argv, entries, "[NAME=]SOURCE...",
      "Watches cameras: /dev/videoN, files or URIs. Prints a line of JSON for "
      "each event.",
      error);
}

static gboolean
check_options (const Options *o, GError **error)
{
  const struct {
    const char *option;
    double value, low, high;
  } ranges[] = {
      {"--cooldown", o->cooldown, 0, MAX_SECONDS},
      {"--keep-days", o->keep_days, 0, 36500},
      {"--max-gib", o->max_gib, 0, 1 << 20},
      {"--max-event", o->max_event, 0, MAX_SECONDS},
      {"--pre-roll", o->pre_roll, 0, 600},
      {"--post-roll", o->post_roll, 0, 600},
      {"--learn", o->learn, 1, MAX_SECONDS},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (!vl_command_check_range (ranges[i].option, ranges[i].value,
            ranges[i].low, ranges[i].high, error))
      return FALSE;
  return vl_command_require (
      o->sources, "a SOURCE: /dev/videoN, a file or a URI", error);
}

/* VlSource; NULL with error set. */
static GPtrArray *
parse_sources (char **texts, GError **error)
{
  g_autoptr (GPtrArray) sources =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vl_source_free);

  for (char **text = texts; *text != NULL; text++) {
    g_autoptr (GError) problem = NULL;
    VlSource *source = vl_source_parse (*text, &problem);

    if (source == NULL) {
      vl_usage_error (error, "%s", problem->message);
      return NULL;
    }
    g_ptr_array_add (sources, source);
  }
  if (vl_sources_tell_apart (sources) > 0)
    vl_say (NULL, "sources of one name were given others; NAME=SOURCE names "
                  "them");
  return g_steal_pointer (&sources);
}

/* Of the archive, which reserves what clips take: pictures and records, which
 * come when a clip is complete, are held back. */
static guint64
find_max_bytes (double gib)
{
  guint64 bytes = gib * GIB;

  return bytes - MIN (bytes / 16, MAX_RESERVE);
}

static gboolean
watch (const Options *o, GPtrArray *sources, GError **error)
{
  const VlWatchOptions options = {
      .model = o->model,
      .directory = o->directory,
      .limits = {.keep_days = o->keep_days,
          .max_bytes = find_max_bytes (o->max_gib),
          .min_free = MIN_FREE},
      .command = o->command,
      .cooldown = o->cooldown,
      .display = o->display,
      .pre_roll = o->pre_roll,
      .post_roll = o->post_roll,
      .learn = o->learn,
      .max_event = o->max_event,
      .settings = o->settings,
  };
  g_autoptr (GError) problem = NULL;

  if (vl_watch_run (sources, &options, vl_interrupt_cancellable (), &problem))
    return TRUE;
  if (g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT))
    return vl_usage_error (error, "%s", problem->message);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static void
clear_options (Options *o)
{
  g_free (o->model);
  g_free (o->directory);
  g_free (o->command);
  g_strfreev (o->settings);
  g_strfreev (o->sources);
}

gboolean
vl_command_watch (int argc, char **argv, GError **error)
{
  Options o = {.max_event = 300, .pre_roll = 5, .post_roll = 5, .learn = 60};
  g_autoptr (GPtrArray) sources = NULL;
  gboolean ok = parse_options (argc, argv, &o, error) &&
                check_options (&o, error) &&
                (sources = parse_sources (o.sources, error)) != NULL &&
                watch (&o, sources, error);

  clear_options (&o);
  return ok;
}
