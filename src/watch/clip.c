/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "clip.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsrc.h>

#define EXTENSION "mkv"

/* Matroska is a row of frames, and only the index at its end comes late: cut
 * anywhere, by a full disk or a killed process, it plays until there. Neither
 * does it need decode times, which network cameras do not send. Fragmented MP4
 * loses up to a fragment, and all if there is no room for its final index.
 * Unbuffered: what is in a buffer of the process dies with it. */
#define LINE                                                                   \
  "appsrc name=source format=time block=false max-bytes=0 ! mux.video_0 "      \
  "matroskamux name=mux ! "                                                    \
  "filesink name=sink async=false buffer-mode=unbuffered"

/* At most what the file has beside its frames, bytes: at once and per frame. */
#define HEAD 8192
#define FRAME_HEAD 64

#define LEAP (2 * GST_SECOND) /* further back than any frame is reordered */

/* Seconds without a byte taken, once there is no more to come. */
#define PATIENCE 10

struct VlClip {
  gatomicrefcount references;
  guint64 max_backlog;

  GMutex lock;       /* for what follows, up to the main thread's */
  GQueue waiting;    /* GstBuffer *, for the source */
  guint64 n_waiting; /* bytes of theirs */
  guint64 n_written; /* bytes in the file of those that the source was given */
  guint64 max_bytes; /* in all */
  gboolean is_short; /* needs more than that */
  GstAppSrc *source; /* takes buffers; NULL before and after */
  GstCaps *caps;     /* NULL before the first buffer */
  gint64 origin;     /* running time of the first frame */
  gint64 expected;   /* the same of the next one, more or less */
  gboolean is_started;
  gboolean is_ended; /* takes no more */
  GError *error;     /* why, if too early */

  /* Of the main thread. */
  char *path;
  VlClipFull full; /* NULL: never is */
  VlClipDone done; /* NULL once called */
  gpointer user_data;
  GstElement *pipeline;
  guint bus_watch, timeout; /* source ids, or 0 */
  guint64 backlog;          /* bytes, when last looked at */
};

VlClip *
vl_clip_new (guint64 max_backlog)
{
  VlClip *clip = g_new0 (VlClip, 1);

  g_atomic_ref_count_init (&clip->references);
  clip->max_backlog = max_backlog;
  clip->n_written = HEAD;
  g_mutex_init (&clip->lock);
  g_queue_init (&clip->waiting);
  return clip;
}

VlClip *
vl_clip_ref (VlClip *clip)
{
  g_atomic_ref_count_inc (&clip->references);
  return clip;
}

/* The pipeline holds a reference of its own while there is one. */
void
vl_clip_unref (VlClip *clip)
{
  if (!g_atomic_ref_count_dec (&clip->references))
    return;
  g_queue_clear_full (&clip->waiting, (GDestroyNotify)gst_mini_object_unref);
  gst_clear_caps (&clip->caps);
  g_clear_error (&clip->error);
  g_mutex_clear (&clip->lock);
  g_free (clip->path);
  g_free (clip);
}

const char *
vl_clip_extension (void)
{
  return EXTENSION;
}

/* ----------------------------------------------------------- any one thread */

static gboolean attend (gpointer clip);

/* With the lock held. */
static void
call_attention (VlClip *clip)
{
  if (clip->is_started)
    g_idle_add_full (G_PRIORITY_DEFAULT, attend, vl_clip_ref (clip),
        (GDestroyNotify)vl_clip_unref);
}

static guint64
find_cost (GstBuffer *buffer)
{
  return gst_buffer_get_size (buffer) + FRAME_HEAD;
}

/* With the lock held. Gives the source what the file has room for. */
static void
pass_on (VlClip *clip)
{
  GstBuffer *buffer;

  if (!clip->source)
    return;
  while ((buffer = g_queue_peek_head (&clip->waiting)) &&
         clip->n_written + find_cost (buffer) <= clip->max_bytes) {
    clip->n_written += find_cost (buffer);
    clip->n_waiting -= gst_buffer_get_size (buffer);
    gst_app_src_push_buffer (clip->source, g_queue_pop_head (&clip->waiting));
  }
  if (buffer && !clip->is_short) {
    clip->is_short = TRUE;
    call_attention (clip);
  }
  if (!buffer && clip->is_ended)
    gst_app_src_end_of_stream (clip->source);
}

/* With the lock held. Takes the error, if any. */
static void
end (VlClip *clip, GError *error)
{
  if (clip->is_ended) {
    g_clear_error (&error);
    return;
  }
  clip->is_ended = TRUE;
  clip->error = error;
  pass_on (clip);
  call_attention (clip);
}

void
vl_clip_finish (VlClip *clip)
{
  g_mutex_lock (&clip->lock);
  end (clip, NULL);
  g_mutex_unlock (&clip->lock);
}

/* FALSE when there is no such time. */
static gboolean
get_running_time (const GstSegment *segment, GstClockTime time, gint64 *running)
{
  guint64 distance;
  int sign = gst_segment_to_running_time_full (
      segment, GST_FORMAT_TIME, time, &distance);

  *running = sign * (gint64)distance;
  return sign != 0;
}

/* Time in the file. It does not go back for good, and there always is one: a
 * muxer drops frames without. Before 0 are the leading pictures of an open
 * group, which refer to frames before the first. */
static gint64
get_file_time (VlClip *clip, GstBuffer *buffer, const GstSegment *segment)
{
  gint64 time;

  if (!get_running_time (segment, GST_BUFFER_PTS (buffer), &time) &&
      !get_running_time (segment, GST_BUFFER_DTS (buffer), &time))
    time = clip->expected;
  if (!clip->caps)
    clip->origin = time;
  else if (time < clip->expected - (gint64)LEAP)
    clip->origin -= clip->expected - time;

  clip->expected = time;
  if (GST_BUFFER_DURATION_IS_VALID (buffer))
    clip->expected += (gint64)GST_BUFFER_DURATION (buffer);
  return time - clip->origin;
}

/* A copy for the file, of the same memory; NULL when no player could decode it
 * there. */
static GstBuffer *
make_file_buffer (VlClip *clip, GstSample *sample)
{
  GstBuffer *original = gst_sample_get_buffer (sample), *buffer;
  gint64 time = get_file_time (clip, original, gst_sample_get_segment (sample));

  if (time < 0)
    return NULL;
  buffer = gst_buffer_copy (original);
  GST_BUFFER_PTS (buffer) = time;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  return buffer;
}

static guint64
count_backlog (const VlClip *clip)
{
  guint64 n = clip->n_waiting;

  if (clip->source)
    n += gst_app_src_get_current_level_bytes (clip->source);
  return n;
}

/* Why this sample cannot be in the file, or NULL. */
static GError *
find_objection (const VlClip *clip, GstSample *sample)
{
  gsize size = gst_buffer_get_size (gst_sample_get_buffer (sample));

  if (clip->caps &&
      !gst_caps_is_equal (clip->caps, gst_sample_get_caps (sample)))
    return g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED,
        "The video's format changed, and a file cannot hold both");
  if (count_backlog (clip) + size > clip->max_backlog)
    return g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED,
        "The disk is too slow, %" G_GUINT64_FORMAT " bytes wait for it",
        count_backlog (clip));
  return NULL;
}

/* With the lock held. */
static void
add (VlClip *clip, GstSample *sample)
{
  GstBuffer *buffer = make_file_buffer (clip, sample);

  if (!buffer)
    return;
  g_queue_push_tail (&clip->waiting, buffer);
  clip->n_waiting += gst_buffer_get_size (buffer);
  pass_on (clip);
  if (!clip->caps) {
    clip->caps = gst_caps_ref (gst_sample_get_caps (sample));
    call_attention (clip);
  }
}

void
vl_clip_push (VlClip *clip, GstSample *sample)
{
  GError *objection;

  g_mutex_lock (&clip->lock);
  if (!clip->is_ended) {
    objection = find_objection (clip, sample);
    if (objection)
      end (clip, objection);
    else
      add (clip, sample);
  }
  g_mutex_unlock (&clip->lock);
}

/* ---------------------------------------------------------- the main thread */

/* Takes the error, which is of what `end` or the pipeline said, or NULL. */
static void
report (VlClip *clip, GError *error)
{
  VlClipDone done = g_steal_pointer (&clip->done);

  if (error)
    g_prefix_error (&error, "%s: ", clip->path);
  if (done)
    done (clip, error, clip->user_data);
  g_clear_error (&error);
}

/* A file in which there is nothing is of no use to anyone. */
static void
remove_if_empty (const char *path)
{
  GStatBuf status;

  if (g_stat (path, &status) == 0 && status.st_size == 0)
    g_unlink (path);
}

/* Stops writing, and says so. Takes the error, or NULL. The first one that
 * there was matters. */
static void
conclude (VlClip *clip, GError *error)
{
  GstAppSrc *source;

  g_mutex_lock (&clip->lock);
  clip->is_ended = TRUE;
  source = g_steal_pointer (&clip->source);
  if (clip->error) {
    g_clear_error (&error);
    error = g_steal_pointer (&clip->error);
  }
  g_mutex_unlock (&clip->lock);

  gst_clear_object (&source);
  g_clear_handle_id (&clip->timeout, g_source_remove);
  g_clear_handle_id (&clip->bus_watch, g_source_remove);
  if (clip->pipeline) {
    gst_element_set_state (clip->pipeline, GST_STATE_NULL);
    remove_if_empty (clip->path);
  }
  gst_clear_object (&clip->pipeline);
  report (clip, error);
}

/* What the system said is the end of the last line that an element has for
 * developers. NULL when there is no such line. */
static const char *
find_reason (const char *debug)
{
  const char *line = debug ? strrchr (debug, '\n') : NULL;
  const char *reason = line ? g_strrstr (line, ": ") : NULL;

  if (reason)
    return reason + 2;
  return line ? line + 1 : NULL;
}

/* What the pipeline says went wrong, in words for a user. */
static GError *
translate_error (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  const char *reason;

  gst_message_parse_error (message, &error, &debug);
  if (g_error_matches (
          error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT))
    return g_error_new (
        G_IO_ERROR, G_IO_ERROR_NO_SPACE, "No space left on the disk");
  reason = find_reason (debug);
  return g_error_new (
      G_IO_ERROR, G_IO_ERROR_FAILED, "%s", reason ? reason : error->message);
}

/* A file whose directory has gone takes all that is written to it. */
static GError *
find_loss (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS)
             ? NULL
             : g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                   "It was deleted while it was written");
}

static gboolean
take_message (GstBus *bus, GstMessage *message, gpointer user_data)
{
  g_autoptr (VlClip) clip = vl_clip_ref (user_data);

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_EOS:
    conclude (clip, find_loss (clip->path));
    break;
  case GST_MESSAGE_ERROR:
    conclude (clip, translate_error (message));
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

/* Stopping a pipeline that waits for a disk would wait for it too: it is left
 * alone, and ends when it can. */
static gboolean
lose_patience (gpointer user_data)
{
  VlClip *clip = user_data;
  guint64 before = clip->backlog;

  g_mutex_lock (&clip->lock);
  clip->backlog = count_backlog (clip);
  g_mutex_unlock (&clip->lock);
  if (clip->backlog < before)
    return G_SOURCE_CONTINUE;

  clip->timeout = 0;
  report (clip, g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                    "The disk does not take the rest of it"));
  return G_SOURCE_REMOVE;
}

/* Elements refuse files with less to say about why than the system, and take
 * those of others. */
static gboolean
create_file (const char *path, GError **error)
{
  int descriptor =
      g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  int problem = errno;

  if (descriptor < 0) {
    g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (problem),
        g_strerror (problem));
    return FALSE;
  }
  return g_close (descriptor, error);
}

static GstElement *
make_pipeline (const char *path, GError **error)
{
  GstElement *pipeline =
      gst_parse_launch_full (LINE, NULL, GST_PARSE_FLAG_FATAL_ERRORS, error);
  g_autoptr (GstElement) sink = NULL;

  if (!pipeline)
    return NULL;
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (sink, "location", path, NULL);
  return gst_object_ref_sink (pipeline);
}

/* From here on buffers go to the source themselves. */
static void
open_source (VlClip *clip)
{
  GstElement *source = gst_bin_get_by_name (GST_BIN (clip->pipeline), "source");

  gst_app_src_set_caps (GST_APP_SRC (source), clip->caps);
  g_mutex_lock (&clip->lock);
  clip->source = GST_APP_SRC (source);
  pass_on (clip);
  g_mutex_unlock (&clip->lock);
}

static gboolean
has_frames (VlClip *clip)
{
  gboolean has;

  g_mutex_lock (&clip->lock);
  has = clip->waiting.length > 0;
  g_mutex_unlock (&clip->lock);
  return has;
}

/* Whatever else is wrong is said on the bus. */
static void
start_writing (VlClip *clip)
{
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstBus) bus = NULL;
  GError *error = NULL;

  if (!has_frames (clip)) {
    conclude (clip, NULL); /* for there is no room for one */
    return;
  }
  pipeline = make_pipeline (clip->path, &error);
  if (!pipeline || !create_file (clip->path, &error)) {
    conclude (clip, error);
    return;
  }
  clip->pipeline = g_steal_pointer (&pipeline);
  bus = gst_element_get_bus (clip->pipeline);
  clip->bus_watch = gst_bus_add_watch_full (bus, G_PRIORITY_DEFAULT,
      take_message, vl_clip_ref (clip), (GDestroyNotify)vl_clip_unref);
  gst_element_set_state (clip->pipeline, GST_STATE_PLAYING);
  open_source (clip);
}

/* With the lock held. Bytes of the file, with all that waits. */
static guint64
count_needed (const VlClip *clip)
{
  return clip->n_written + clip->n_waiting +
         FRAME_HEAD * (guint64)clip->waiting.length;
}

/* With the lock held. Takes the error, or NULL: that there is no room for more
 * is the clip's end. */
static void
take_room (VlClip *clip, guint64 max_bytes, GError *error)
{
  clip->max_bytes = max_bytes;
  clip->is_short = FALSE;
  while (error && clip->waiting.length > 0 && count_needed (clip) > max_bytes) {
    g_autoptr (GstBuffer) last = g_queue_pop_tail (&clip->waiting);

    clip->n_waiting -= gst_buffer_get_size (last);
  }
  clip->is_ended |= error != NULL;
  if (clip->error)
    g_clear_error (&error);
  else
    clip->error = error;
  pass_on (clip);
}

/* Asks for room for what waits, if it needs more. */
static void
ask_for_room (VlClip *clip)
{
  g_autoptr (GError) reason = NULL;
  GError *error = NULL;
  guint64 needed, max_bytes;
  gboolean is_short;

  g_mutex_lock (&clip->lock);
  is_short = clip->is_short;
  needed = count_needed (clip);
  g_mutex_unlock (&clip->lock);
  if (!is_short)
    return;
  max_bytes = clip->full (clip, needed, &reason, clip->user_data);
  if (reason)
    error =
        g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NO_SPACE, reason->message);
  g_mutex_lock (&clip->lock);
  take_room (clip, max_bytes, error);
  g_mutex_unlock (&clip->lock);
}

/* Waits for the disk, once there is no more to come. */
static void
await_end (VlClip *clip)
{
  gboolean is_ended;

  g_mutex_lock (&clip->lock);
  is_ended = clip->is_ended;
  clip->backlog = count_backlog (clip);
  g_mutex_unlock (&clip->lock);
  if (is_ended && !clip->timeout)
    clip->timeout = g_timeout_add_seconds (PATIENCE, lose_patience, clip);
}

/* Does what there is to do in the main thread. */
static gboolean
attend (gpointer user_data)
{
  VlClip *clip = user_data;
  gboolean is_empty, is_ended;

  g_mutex_lock (&clip->lock);
  is_empty = clip->caps == NULL;
  is_ended = clip->is_ended;
  g_mutex_unlock (&clip->lock);

  if (!clip->done)
    return G_SOURCE_REMOVE;
  if (!is_empty)
    ask_for_room (clip);
  if (!clip->pipeline && !is_empty)
    start_writing (clip);
  else if (is_empty && is_ended)
    conclude (clip, g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED,
                        "There was no video to write"));
  if (clip->pipeline)
    await_end (clip);
  return G_SOURCE_REMOVE;
}

void
vl_clip_start (VlClip *clip, const char *path, VlClipFull full, VlClipDone done,
    gpointer user_data)
{
  clip->path = g_strdup (path);
  clip->full = full;
  clip->done = done;
  clip->user_data = user_data;

  g_mutex_lock (&clip->lock);
  clip->is_started = TRUE;
  clip->max_bytes = full ? 0 : G_MAXUINT64;
  clip->is_short = full != NULL;
  call_attention (clip);
  g_mutex_unlock (&clip->lock);
}
