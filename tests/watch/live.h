/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Network cameras, and what is recorded of them. The second argument of a test
 * program that uses them is rtsp-camera. */

#pragma once

#include "watching.h"

/* The film of most cameras: a visit in every 3 s. */
#define LIVE_HALL_FRAMES 30
extern char *live_hall;

/* One that somebody hardly ever leaves: with a post-roll of 2 s one event. */
#define LIVE_OFFICE_FRAMES 60
extern char *live_office;

/* Makes the films. They are deleted with the studio's directory. */
void live_prepare (void);
void live_clear (void);

/* What makes every visit to the hall an event. */
#define LIVE_ROLLS "--pre-roll", "0.5", "--post-roll", "0.5"

/* Shows a film at a port, which is changed from 0 to the one found, as text. */
typedef char LivePort[8];
Watching *live_start (const char *film, LivePort port);

/* At once, as by a power failure. */
void live_kill (Watching *camera);

/* Until it has shown its film n times since the first viewer came. */
void live_await_showings (Watching *camera, guint n);

/* Its source, with that name for it. Owned by the caller. */
char *live_source (const char *name, const LivePort port);

/* Checks that a clip is playable and that its pictures follow each other as in
 * the film, which has no end. Returns how many there are. */
guint live_check_clip (const char *path, const char *film);

/* The next events, which are those of these numbers in any order, with clips of
 * at least n pictures. */
void live_check_events (
    Watching *watching, guint first, guint last, guint n, const char *film);
