/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* with-model COMMAND [ARGUMENT...]: runs a command with VAELSTM_MODEL set to
 * the tiny model's file, which is made before and removed after. Exits with the
 * command's status. */

#include <stdlib.h>

#include "tiny-model.h"

static int
run (gchar **command)
{
  g_autoptr (GError) error = NULL;
  gint status;

  if (g_spawn_sync (NULL, command, NULL,
          G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL,
          NULL, &status, &error) &&
      g_spawn_check_wait_status (status, &error))
    return EXIT_SUCCESS;

  if (error->domain == G_SPAWN_EXIT_ERROR)
    return error->code;
  g_printerr ("%s: %s\n", command[0], error->message);
  return EXIT_FAILURE;
}

int
main (int argc, char **argv)
{
  gchar *model;
  int status;

  if (argc < 2) {
    g_printerr ("usage: %s COMMAND [ARGUMENT...]\n", argv[0]);
    return 2;
  }

  model = tiny_model_make ();
  g_setenv ("VAELSTM_MODEL", model, TRUE);
  status = run (argv + 1);
  tiny_model_remove (model);
  return status;
}
