/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

#include "gemm.h"
#include "interrupt.h"

#include <gst/gst.h>
#include <gst/pbutils/pbutils.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const char *name;
  VlCommandFunc run;
  const char *summary;
} Command;

static const Command commands[] = {
    {"train", vl_command_train, "learn what a camera normally sees"},
    {"score", vl_command_score, "score the frames of videos"},
    {"evaluate", vl_command_evaluate, "compare scores with labels"},
    {"reconstruct", vl_command_reconstruct, "show what a model sees"},
    {"info", vl_command_info, "describe a model"},
    {"import", vl_command_import, "make a model of PyTorch weights"},
    {"encode", vl_command_encode, "write the latents of a video"},
    {"watch", vl_command_watch, "watch cameras, record what is unusual"},
};

static void
print_usage (FILE *stream)
{
  fprintf (stream, "Usage: vaelstm COMMAND [OPTION...]\n\n");
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (stream, "  %-12s %s\n", commands[i].name, commands[i].summary);
  fprintf (stream, "\nvaelstm COMMAND --help tells its options.\n");
}

static const Command *
find_command (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}

/* One line, whatever the message holds. */
static int
report (const char *command, GError *error)
{
  const gboolean usage =
      error->domain == VL_USAGE_ERROR || error->domain == G_OPTION_ERROR;

  g_strdelimit (error->message, "\r\n", ' ');
  if (usage)
    g_printerr ("vaelstm: %s: %s (see vaelstm %s --help)\n", command,
        error->message, command);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_printerr ("vaelstm: interrupted\n");
  else
    g_printerr ("vaelstm: %s\n", error->message);
  return usage ? 2 : 1;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const Command *command;

  /* not LC_NUMERIC: tables and JSON are the same everywhere */
  setlocale (LC_CTYPE, "");
  if (argc == 2 &&
      (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h"))) {
    print_usage (stdout);
    return 0;
  }
  command = argc > 1 ? find_command (argv[1]) : NULL;
  if (command == NULL) {
    if (argc > 1)
      g_printerr ("vaelstm: unknown command %s\n", argv[1]);
    print_usage (stderr);
    return 2;
  }
  vl_interrupt_watch ();
  vl_gemm_use_one_thread ();
  gst_init (NULL, NULL);
  gst_pb_utils_init ();
  if (!command->run (argc - 1, argv + 1, &error))
    return report (command->name, error);
  return 0;
}
