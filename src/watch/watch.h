/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Watches cameras until all are done or it is cancelled. */

#pragma once

#include <gio/gio.h>

#include "archive.h"
#include "source.h"

typedef struct {
  const char *model;     /* NULL: each camera learns its own */
  const char *directory; /* of recordings; NULL: none are made */
  VlArchiveLimits limits;
  const char *command; /* to run per event; NULL: none */
  double cooldown;     /* seconds between two runs for one camera */
  gboolean display;
  double pre_roll, post_roll, learn; /* seconds */
  double max_event;                  /* seconds; 0: no limit */
  char **settings;                   /* PROPERTY=VALUE of vaelstmdetect */
} VlWatchOptions;

/* Watches sources (VlSource), whose names differ. SIGHUP has the models read
 * again. FALSE with error set when it cannot begin (G_IO_ERROR_INVALID_ARGUMENT
 * for what the user asked for and cannot be), or, when all is done, if a file
 * could not be read or an event not be printed. */
gboolean vl_watch_run (GPtrArray *sources, const VlWatchOptions *options,
    GCancellable *cancellable, GError **error);
