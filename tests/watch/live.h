/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Network cameras, and what is recorded of them. The second argument of a test
 * program that uses them is rtsp-camera. */

#pragma once

#include "watching.h"

/* What a camera shows again and again. Times in seconds. */
typedef struct {
  char *file;    /* H.264 */
  double visit;  /* when somebody comes */
  double length; /* of it all */
} LiveFilm;

/* A short visit to the hall every 3 s; an office that somebody hardly ever
 * leaves: with a post-roll of 2 s one event. */
extern LiveFilm live_hall, live_office;

/* Makes these films. They are deleted with the studio's directory. */
void live_prepare (void);
void live_clear (void);

/* What makes every visit to the hall an event. */
#define LIVE_ROLLS "--pre-roll", "0.5", "--post-roll", "0.5"

/* Shows a film at a port, which is changed from 0 to the one found, as text. */
typedef char LivePort[8];
Watching *live_start (const LiveFilm *film, LivePort port);

/* At once, as by a power failure. */
void live_kill (Watching *camera);

/* Until it has shown its film n times since the first viewer came. */
void live_await_showings (Watching *camera, guint n);

/* Its source, with that name for it. Owned by the caller. */
char *live_source (const char *name, const LivePort port);

/* How a clip may end: with a whole picture; or where the camera died, in the
 * middle of one. */
typedef enum { LIVE_WHOLE, LIVE_CUT } LiveEnd;

/* Checks that a clip is playable and that its pictures follow each other as in
 * the film, which has no end. Returns how many there are. */
guint live_check_clip (const char *path, const LiveFilm *film, LiveEnd end);

/* The next events are those of these numbers, of the first visits since the
 * camera was connected to, one each, with clips of at least n pictures. end: of
 * the last clip. */
void live_check_events (Watching *watching, guint first, guint last, guint n,
    const LiveFilm *film, LiveEnd end);

/* Watches a camera that dies and comes back three times, recording to a
 * directory: no visit is missed, each loss is told, memory stays what it was.
 * args: what else to watch with. */
void live_check_comes_back (
    const LiveFilm *film, const char *directory, const char *const *args);
