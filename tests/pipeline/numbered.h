/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Frames that show their number, and what becomes of them in files. */

#pragma once

#include <gst/gst.h>

#define NUMBERED_RATE 10 /* frames/s */
#define NUMBERED_FRAME (GST_SECOND / NUMBERED_RATE)
#define NUMBERED_FRAMES 330
#define NUMBERED_ROLL 20 /* frames, before and after */
#define NUMBERED_CAPS                                                          \
  "video/x-raw,format=GRAY8,width=64,height=64,framerate=10/1"

/* Sound, for an appsrc `sound`: a tick each second, with frames 5, 15, 25, ...
 */
#define NUMBERED_SAMPLE_RATE 48000
#define NUMBERED_SOUND_CAPS                                                    \
  "audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate=48000"
#define NUMBERED_TICK 5

/* A gate that takes NUMBERED_ROLL before and after. */
#define NUMBERED_GATE                                                          \
  "vaelstmgate name=gate pre-roll=2000000000 post-roll=2000000000"

/* A file for each segment. The settings of splitmuxsink that every line needs
 * whose source is not live: without async-handling, EOS gets lost. */
#define NUMBERED_FILES                                                         \
  "splitmuxsink name=files async-handling=true max-size-time=0"

/* Anomalous frames. */
typedef struct {
  guint first, last;
} NumberedVisit;

#define NUMBERED_VISITS 2
extern const NumberedVisit numbered_visits[NUMBERED_VISITS];

/* A directory for files, and its deletion with all that is in it. */
gchar *numbered_make_directory (void);
void numbered_remove_directory (gchar *directory);

/* Plays a launch line to its end, into whose appsrc `source` all the frames go,
 * with the anomalies' meta (if calm, there are none), and the sound into
 * `sound`, if there is one. location: set on `files` with the directory.
 * prepare: called with the pipeline before it plays; may be NULL. */
void numbered_record (const gchar *line, const gchar *directory, gboolean calm,
    void (*prepare) (GstElement *pipeline, gpointer user_data),
    gpointer user_data);

/* What a file holds: consecutive frames, as many as n, that follow on one
 * another in time as well. */
typedef struct {
  guint n;
  guint first;        /* number of the first */
  GstClockTime start; /* its time in the file */
  gboolean key_first; /* the file says that it starts with a key frame */
} NumberedClip;

/* The file of that index. FALSE when there is none. */
gboolean numbered_read_clip (
    const gchar *directory, guint index, NumberedClip *clip);

/* Times in that file at which its sound becomes loud, after silence: guint64 in
 * ns. Owned by the caller. */
GArray *numbered_read_sounds (const gchar *directory, guint index);
