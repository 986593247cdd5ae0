/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Files of recordings, as read back: their frames are those of the stream that
 * was given, in its order. What must not happen to a test program itself, to be
 * killed or to have no room, happens to a program that it starts: this one with
 * arguments. */

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/check/gstcheck.h>
#include <signal.h>
#include <sys/resource.h>

#include "clip.h"
#include "recording.h"
#include "running.h"

#define RATE 25 /* frames/s */
#define FRAME (GST_SECOND / RATE)
#define N_FRAMES 130u
#define PLENTY (64 << 20) /* bytes of backlog */

#define H264 " ! h264parse ! video/x-h264,stream-format=avc,alignment=au"

/* The same bytes in every process. */
#define X264 "x264enc pass=quant quantizer=20 threads=1 key-int-max=50"
#define PLAIN X264 " speed-preset=ultrafast" H264
#define REORDERED X264 " speed-preset=veryfast bframes=3 b-adapt=false" H264
#define N_REORDERED 4 /* consecutive frames of it that are out of order */
#define HEVC                                                                   \
  "x265enc speed-preset=ultrafast key-int-max=50 ! h265parse ! "               \
  "video/x-h265,stream-format=hvc1,alignment=au"

static char *path;    /* of the file that a test writes */
static char *program; /* this one */

/* ---- streams ---- */

/* What went wrong, if anything did, fails the test. */
static void
check_bus (GstElement *pipeline)
{
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  GError *error = NULL;
  char *debug = NULL;

  if (message)
    gst_message_parse_error (message, &error, &debug);
  fail_unless (message == NULL, "%s: %s", error ? error->message : "", debug);
  gst_object_unref (bus);
}

static GPtrArray *
pull_all (GstElement *pipeline)
{
  GstElement *element = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  GstAppSink *sink = GST_APP_SINK (element);
  GPtrArray *samples =
      g_ptr_array_new_with_free_func ((GDestroyNotify)gst_sample_unref);

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  while (!gst_app_sink_is_eos (sink)) {
    GstSample *sample = gst_app_sink_try_pull_sample (sink, GST_SECOND);

    if (sample)
      g_ptr_array_add (samples, sample);
    else
      check_bus (pipeline);
  }
  gst_object_unref (element);
  running_stop (pipeline);
  return samples;
}

/* Samples of an encoded stream of N_FRAMES frames. */
static GPtrArray *
encode (const char *encoder)
{
  g_autofree char *line = g_strdup_printf (
      "videotestsrc num-buffers=%u pattern=ball ! video/x-raw,format=I420,"
      "width=160,height=120,framerate=%d/1 ! %s ! appsink name=sink sync=false",
      N_FRAMES, RATE, encoder);
  GPtrArray *samples = pull_all (running_launch (line));

  fail_unless_equals_int (samples->len, N_FRAMES);
  return samples;
}

/* The i-th sample, which nobody else has, with its buffer, to be changed. */
static GstBuffer *
take_buffer (GPtrArray *samples, guint i)
{
  GstSample *sample = gst_sample_make_writable (samples->pdata[i]);
  GstBuffer *buffer = gst_buffer_copy (gst_sample_get_buffer (sample));

  gst_sample_set_buffer (sample, buffer);
  gst_buffer_unref (buffer);
  samples->pdata[i] = sample;
  return buffer;
}

static void
forget_decode_times (GPtrArray *samples)
{
  for (guint i = 0; i < samples->len; i++)
    GST_BUFFER_DTS (take_buffer (samples, i)) = GST_CLOCK_TIME_NONE;
}

/* ---- what is in a file ---- */

static char *
checksum (GstSample *sample)
{
  GstMapInfo map;
  char *sum;

  gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ);
  sum = g_compute_checksum_for_data (G_CHECKSUM_MD5, map.data, map.size);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  return sum;
}

static const char *
find_decoder (GPtrArray *samples)
{
  GstCaps *caps = gst_sample_get_caps (samples->pdata[0]);

  return gst_structure_has_name (
             gst_caps_get_structure (caps, 0), "video/x-h265")
             ? "avdec_h265"
             : "avdec_h264";
}

/* Raw frames of a stream. */
static GPtrArray *
decode_samples (GPtrArray *samples)
{
  g_autofree char *line =
      g_strdup_printf ("appsrc name=source format=time ! %s ! appsink "
                       "name=sink sync=false",
          find_decoder (samples));
  GstElement *pipeline = running_launch (line);
  GstElement *source = gst_bin_get_by_name (GST_BIN (pipeline), "source");

  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (guint i = 0; i < samples->len; i++)
    gst_app_src_push_sample (GST_APP_SRC (source), samples->pdata[i]);
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  gst_object_unref (source);
  return pull_all (pipeline);
}

/* Raw frames of the file. */
static GPtrArray *
decode_file (const char *decoder)
{
  g_autofree char *line =
      g_strdup_printf ("filesrc location=\"%s\" ! matroskademux ! %s ! %s ! "
                       "appsink name=sink sync=false",
          path, g_str_equal (decoder, "avdec_h265") ? "h265parse" : "h264parse",
          decoder);

  return pull_all (running_launch (line));
}

/* As a player shows it. */
static GstClockTime
get_stream_time (GstSample *frame)
{
  return gst_segment_to_stream_time (gst_sample_get_segment (frame),
      GST_FORMAT_TIME, GST_BUFFER_PTS (gst_sample_get_buffer (frame)));
}

/* The file has the first n frames of the stream, one every 40 ms. */
static void
check_frames (GPtrArray *frames, GPtrArray *samples, guint n)
{
  GPtrArray *expected = decode_samples (samples);

  fail_unless_equals_int (frames->len, n);
  for (guint i = 0; i < n; i++) {
    GstClockTime time = get_stream_time (frames->pdata[i]);
    g_autofree char *sum = checksum (frames->pdata[i]);
    g_autofree char *expected_sum = checksum (expected->pdata[i]);

    fail_unless (ABS (GST_CLOCK_DIFF (i * FRAME, time)) <= (gint64)GST_MSECOND,
        "frame %u is at %" GST_TIME_FORMAT, i, GST_TIME_ARGS (time));
    fail_unless_equals_string (sum, expected_sum);
  }
  g_ptr_array_unref (expected);
}

static void
check_file (GPtrArray *samples)
{
  GPtrArray *frames = decode_file (find_decoder (samples));

  check_frames (frames, samples, samples->len);
  g_ptr_array_unref (frames);
}

/* Frames that the file has, whatever they show. */
static guint
count_frames (void)
{
  GPtrArray *frames = decode_file ("avdec_h264");
  guint n = frames->len;

  g_ptr_array_unref (frames);
  return n;
}

/* ---- writing ---- */

typedef struct {
  VlClip *clip;
  guint n_done;
  GError *error;
} Outcome;

static void
note_done (VlClip *clip, const GError *error, gpointer user_data)
{
  Outcome *outcome = user_data;

  fail_unless (clip == outcome->clip);
  outcome->n_done++;
  if (error)
    outcome->error = g_error_copy (error);
}

static void
push (VlClip *clip, GPtrArray *samples, guint first, guint end)
{
  for (guint i = first; i < end; i++)
    vl_clip_push (clip, samples->pdata[i]);
}

/* Waits for the end, of which there is only one, and gives the clip up. The
 * error, or NULL, is the caller's. */
static GError *
wait_for_end (Outcome *outcome)
{
  while (outcome->n_done == 0)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  fail_unless_equals_int (outcome->n_done, 1);
  vl_clip_unref (g_steal_pointer (&outcome->clip));
  return g_steal_pointer (&outcome->error);
}

/* Writes the samples to the file. */
static GError *
write_file (GPtrArray *samples)
{
  Outcome outcome = {vl_clip_new (PLENTY)};

  vl_clip_start (outcome.clip, path, NULL, note_done, &outcome);
  push (outcome.clip, samples, 0, samples->len);
  vl_clip_finish (outcome.clip);
  return wait_for_end (&outcome);
}

static void
check_no_error (GError *error)
{
  fail_unless (error == NULL, "%s", error ? error->message : "");
}

/* One line that names the file and has the text. */
static void
check_error (GError *error, const char *text)
{
  fail_unless (error != NULL);
  fail_unless (strstr (error->message, path), "%s", error->message);
  fail_unless (strstr (error->message, text), "%s", error->message);
  fail_unless (!strchr (error->message, '\n'), "%s", error->message);
  g_error_free (error);
}

/* ---- whole files ---- */

static const struct {
  const char *encoder;
  gboolean has_decode_times;
} streams[] = {
    {PLAIN, TRUE},
    {PLAIN, FALSE},
    {REORDERED, TRUE},
    {REORDERED, FALSE},
    {HEVC, TRUE},
    {HEVC, FALSE},
};

static gboolean
can_encode (const char *encoder)
{
  g_autoptr (GstElementFactory) factory = gst_element_factory_find ("x265enc");

  return factory || !g_str_equal (encoder, HEVC);
}

GST_START_TEST (test_streams)
{
  GPtrArray *samples;

  if (!can_encode (streams[__i__].encoder))
    return;
  samples = encode (streams[__i__].encoder);
  if (!streams[__i__].has_decode_times)
    forget_decode_times (samples);
  check_no_error (write_file (samples));
  check_file (samples);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* From anywhere in a stream, whose segments may be any. */
GST_START_TEST (test_starts_at_0)
{
  GPtrArray *samples = encode (REORDERED);

  for (guint i = 0; i < samples->len; i++) {
    GstSample *sample = gst_sample_make_writable (samples->pdata[i]);
    GstSegment segment = *gst_sample_get_segment (sample);

    segment.base = 1000 * GST_SECOND + (i < 50 ? 0 : GST_SECOND);
    segment.start += i < 50 ? 0 : GST_SECOND;
    gst_sample_set_segment (sample, &segment);
    samples->pdata[i] = sample;
  }
  check_no_error (write_file (samples));
  check_file (samples);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* The calls come in any order that they may. */
GST_START_TEST (test_orders)
{
  static const char *const orders[] = {"spf", "psf", "pfs", "sfp"};
  Outcome outcome = {vl_clip_new (PLENTY)};
  GPtrArray *samples = encode (PLAIN);

  push (outcome.clip, samples, 0, 20);
  for (const char *step = orders[__i__]; *step; step++)
    switch (*step) {
    case 's':
      vl_clip_start (outcome.clip, path, NULL, note_done, &outcome);
      break;
    case 'p':
      push (outcome.clip, samples, 20, samples->len);
      break;
    case 'f':
      vl_clip_finish (outcome.clip);
      if (step[1] == 'p')
        g_ptr_array_set_size (samples, 20); /* it takes no more */
      break;
    }
  check_no_error (wait_for_end (&outcome));
  check_file (samples);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* A camera's thread, which the main loop does not wait for. */
typedef struct {
  VlClip *clip;
  GPtrArray *samples;
} Camera;

static gpointer
run_camera (gpointer user_data)
{
  Camera *camera = user_data;

  for (guint i = 0; i < camera->samples->len; i++) {
    push (camera->clip, camera->samples, i, i + 1);
    g_usleep (1000);
  }
  vl_clip_finish (camera->clip);
  vl_clip_unref (camera->clip);
  return NULL;
}

GST_START_TEST (test_threads)
{
  Outcome outcome = {vl_clip_new (PLENTY)};
  Camera camera = {vl_clip_ref (outcome.clip), encode (PLAIN)};
  GThread *thread = g_thread_new ("camera", run_camera, &camera);

  vl_clip_start (outcome.clip, path, NULL, note_done, &outcome);
  check_no_error (wait_for_end (&outcome));
  g_thread_join (thread);
  check_file (camera.samples);
  g_ptr_array_unref (camera.samples);
}
GST_END_TEST;

/* A clip that nobody wanted gives back what it held, and held it itself. */
GST_START_TEST (test_never_started)
{
  VlClip *clip = vl_clip_new (PLENTY);
  GPtrArray *samples = encode (PLAIN);
  GstBuffer *buffer = gst_sample_get_buffer (samples->pdata[0]);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  gint before = GST_MINI_OBJECT_REFCOUNT_VALUE (memory);

  push (clip, samples, 0, samples->len);
  fail_unless_equals_int (GST_MINI_OBJECT_REFCOUNT_VALUE (memory), before + 1);
  if (__i__ == 1)
    vl_clip_finish (clip);
  vl_clip_unref (clip);
  fail_unless_equals_int (GST_MINI_OBJECT_REFCOUNT_VALUE (memory), before);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* Whatever a camera does to its times, all its frames are there. */
GST_START_TEST (test_times)
{
  GPtrArray *samples = encode (PLAIN);

  for (guint i = 0; i < samples->len; i++) {
    GstBuffer *buffer = take_buffer (samples, i);

    if (__i__ % 2)
      GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    if (__i__ < 2 && i % 3 == 0)
      GST_BUFFER_PTS (buffer) = GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    if (__i__ / 2 == 1 && i % 2 == 1)
      GST_BUFFER_PTS (buffer) -= FRAME;
    if (__i__ / 2 == 2 && i >= 60)
      GST_BUFFER_PTS (buffer) -= 2 * GST_SECOND;
    if (__i__ / 2 == 3 && i >= 60)
      GST_BUFFER_PTS (buffer) -= 3600 * GST_SECOND;
    if (__i__ / 2 == 4 && i >= 60)
      GST_BUFFER_PTS (buffer) += 3600 * GST_SECOND;
    if (__i__ / 2 == 5)
      GST_BUFFER_DURATION (buffer) = GST_CLOCK_TIME_NONE;
  }
  check_no_error (write_file (samples));
  fail_unless_equals_int (count_frames (), N_FRAMES);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* Pictures that are shown before the first one refer to others before it: no
 * player could decode them here. */
GST_START_TEST (test_leading_pictures)
{
  GPtrArray *samples = encode (PLAIN);

  for (guint i = 1; i <= 2; i++)
    GST_BUFFER_PTS (take_buffer (samples, i)) -= (i + 1) * FRAME;
  check_no_error (write_file (samples));
  fail_unless_equals_int (count_frames (), N_FRAMES - 2);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* ---- files that end early ---- */

GST_START_TEST (test_nothing)
{
  Outcome outcome = {vl_clip_new (PLENTY)};

  if (__i__ == 0)
    vl_clip_finish (outcome.clip);
  vl_clip_start (outcome.clip, path, NULL, note_done, &outcome);
  if (__i__ == 1)
    vl_clip_finish (outcome.clip);
  check_error (wait_for_end (&outcome), "no video");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
}
GST_END_TEST;

/* What came before is in the file. */
GST_START_TEST (test_new_caps)
{
  GPtrArray *samples = encode (PLAIN);

  for (guint i = 100; i < samples->len; i++) {
    GstSample *sample = gst_sample_make_writable (samples->pdata[i]);
    GstCaps *caps = gst_caps_copy (gst_sample_get_caps (sample));

    gst_caps_set_simple (caps, "width", G_TYPE_INT, 320, NULL);
    gst_sample_set_caps (sample, caps);
    gst_caps_unref (caps);
    samples->pdata[i] = sample;
  }
  check_error (write_file (samples), "format changed");
  g_ptr_array_set_size (samples, 100);
  check_file (samples);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* So is what there was room for. */
GST_START_TEST (test_backlog)
{
  GPtrArray *samples = encode (PLAIN);
  guint64 room = 0;
  Outcome outcome;

  for (guint i = 0; i < 70; i++)
    room += gst_buffer_get_size (gst_sample_get_buffer (samples->pdata[i]));
  outcome = (Outcome){vl_clip_new (room)};
  push (outcome.clip, samples, 0, samples->len);
  vl_clip_start (outcome.clip, path, NULL, note_done, &outcome);
  check_error (wait_for_end (&outcome), "too slow");
  g_ptr_array_set_size (samples, 70);
  check_file (samples);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* ---- a file that has to be short ---- */

/* What a clip may have, and was given up to now. */
typedef struct {
  Outcome outcome; /* first: it is the clip's user data */
  guint64 max_bytes;
  guint64 given;
  guint n_asked;
} Quota;

static guint64
give (VlClip *clip, guint64 needed, GError **error, gpointer user_data)
{
  Quota *quota = user_data;

  fail_unless (needed > quota->given);
  quota->n_asked++;
  quota->given = MIN (needed + 2000, quota->max_bytes);
  if (quota->given < needed)
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "enough");
  return quota->given;
}

static GError *
write_within (Quota *quota, GPtrArray *samples)
{
  VlClip *clip = quota->outcome.clip = vl_clip_new (PLENTY);

  push (clip, samples, 0, 50); /* what came before the file */
  vl_clip_start (clip, path, give, note_done, &quota->outcome);
  for (guint i = 50; i < samples->len; i++) {
    push (clip, samples, i, i + 1);
    while (g_main_context_iteration (NULL, FALSE))
      ;
  }
  vl_clip_finish (clip);
  return wait_for_end (&quota->outcome);
}

static void
check_length (guint64 max_bytes)
{
  GStatBuf info;

  fail_unless_equals_int (g_stat (path, &info), 0);
  fail_unless ((guint64)info.st_size <= max_bytes,
      "%" G_GUINT64_FORMAT " bytes", (guint64)info.st_size);
}

GST_START_TEST (test_room_is_asked_for)
{
  Quota quota = {.max_bytes = G_MAXUINT64};
  GPtrArray *samples = encode (PLAIN);

  check_no_error (write_within (&quota, samples));
  fail_unless (quota.n_asked > 2);
  check_file (samples);
  check_length (quota.given);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* It ends where it has to, even in the midst of what came before it. */
GST_START_TEST (test_room_ends)
{
  static const guint n_frames[] = {20, 100};
  Quota quota = {.max_bytes = 8192};
  GPtrArray *samples = encode (PLAIN);
  GPtrArray *frames;

  for (guint i = 0; i < n_frames[__i__]; i++)
    quota.max_bytes +=
        gst_buffer_get_size (gst_sample_get_buffer (samples->pdata[i])) + 64;
  check_error (write_within (&quota, samples), "enough");
  frames = decode_file ("avdec_h264");
  check_frames (frames, samples, n_frames[__i__]);
  check_length (quota.max_bytes);
  g_ptr_array_unref (frames);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

GST_START_TEST (test_no_room)
{
  Quota quota = {.max_bytes = 0};
  GPtrArray *samples = encode (PLAIN);

  check_error (write_within (&quota, samples), "enough");
  fail_if (g_file_test (path, G_FILE_TEST_EXISTS));
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* ---- places that are no good ---- */

static void
check_refusal (const char *reason)
{
  GPtrArray *samples = encode (PLAIN);

  check_error (write_file (samples), reason);
  g_ptr_array_unref (samples);
}

GST_START_TEST (test_missing_directory)
{
  g_free (path);
  path = recording_path ("missing/clip");
  check_refusal ("No such file or directory");
}
GST_END_TEST;

GST_START_TEST (test_directory_in_its_place)
{
  g_free (path);
  path = recording_path (".");
  check_refusal ("File exists");
}
GST_END_TEST;

/* Nothing is overwritten: neither a file, nor what a link leads to. */
GST_START_TEST (test_file_in_its_place)
{
  g_autofree char *other = recording_path ("other");
  g_autofree char *text = NULL;

  g_file_set_contents (other, "kept", -1, NULL);
  fail_unless_equals_int (
      __i__ == 0 ? link (other, path) : symlink (other, path), 0);
  check_refusal ("File exists");
  fail_unless (g_file_get_contents (other, &text, NULL, NULL));
  fail_unless_equals_string (text, "kept");
}
GST_END_TEST;

GST_START_TEST (test_forbidden_directory)
{
  g_autofree char *directory = recording_path (".");

  if (geteuid () == 0)
    return; /* nothing is forbidden */
  g_chmod (directory, 0500);
  check_refusal ("Permission denied");
  g_chmod (directory, 0700);
}
GST_END_TEST;

GST_START_TEST (test_directory_goes)
{
  g_autofree char *directory = recording_path ("directory");
  Outcome outcome = {vl_clip_new (PLENTY)};
  GPtrArray *samples = encode (PLAIN);

  g_mkdir (directory, 0700);
  g_free (path);
  path = g_build_filename (directory, "clip", NULL);
  vl_clip_start (outcome.clip, path, NULL, note_done, &outcome);
  push (outcome.clip, samples, 0, 60);
  while (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_main_context_iteration (NULL, TRUE);
  g_unlink (path);
  g_rmdir (directory);
  push (outcome.clip, samples, 60, samples->len);
  vl_clip_finish (outcome.clip);
  check_error (wait_for_end (&outcome), "deleted");
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* ---- a disk that stalls ---- */

static GMutex disk_lock;
static GCond disk_cond;
static gboolean disk_stalls;

/* A file that takes nothing while the disk stalls, and then all. */
typedef GstBaseSink StallingSink;
typedef GstBaseSinkClass StallingSinkClass;

GType stalling_sink_get_type (void);
G_DEFINE_TYPE (StallingSink, stalling_sink, GST_TYPE_BASE_SINK)

static GstFlowReturn
stalling_sink_render (GstBaseSink *sink, GstBuffer *buffer)
{
  g_mutex_lock (&disk_lock);
  while (disk_stalls)
    g_cond_wait (&disk_cond, &disk_lock);
  g_mutex_unlock (&disk_lock);
  return GST_FLOW_OK;
}

static void
stalling_sink_ignore_property (
    GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
}

static void
stalling_sink_class_init (StallingSinkClass *klass)
{
  static GstStaticPadTemplate template = GST_STATIC_PAD_TEMPLATE (
      "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = stalling_sink_ignore_property;
  g_object_class_install_property (object_class, 1,
      g_param_spec_string ("location", "", "", NULL, G_PARAM_WRITABLE));
  g_object_class_install_property (object_class, 2,
      g_param_spec_string ("buffer-mode", "", "", NULL, G_PARAM_WRITABLE));
  gst_element_class_add_static_pad_template (
      GST_ELEMENT_CLASS (klass), &template);
  gst_element_class_set_static_metadata (
      GST_ELEMENT_CLASS (klass), "Stalling sink", "Sink", "Stalls", "-");
  klass->render = stalling_sink_render;
}

static void
stalling_sink_init (StallingSink *sink)
{
}

static void
stall_disk (gboolean stalls)
{
  g_mutex_lock (&disk_lock);
  disk_stalls = stalls;
  g_cond_broadcast (&disk_cond);
  g_mutex_unlock (&disk_lock);
}

/* The clip is given up; what is left of it goes when the disk lets it. The last
 * test of the program: files are like that from here on. */
GST_START_TEST (test_stalled_disk)
{
  Outcome outcome = {vl_clip_new (PLENTY)};
  GPtrArray *samples = encode (PLAIN);
  GstBuffer *buffer = gst_sample_get_buffer (samples->pdata[60]);
  GstMemory *memory = gst_buffer_peek_memory (buffer, 0);
  gint before = GST_MINI_OBJECT_REFCOUNT_VALUE (memory);

  gst_element_register (
      NULL, "filesink", GST_RANK_NONE, stalling_sink_get_type ());
  stall_disk (TRUE);
  vl_clip_start (outcome.clip, path, NULL, note_done, &outcome);
  push (outcome.clip, samples, 0, samples->len);
  vl_clip_finish (outcome.clip);
  check_error (wait_for_end (&outcome), "does not take");
  fail_unless (GST_MINI_OBJECT_REFCOUNT_VALUE (memory) > before);

  stall_disk (FALSE);
  while (g_file_test (path, G_FILE_TEST_EXISTS))
    g_main_context_iteration (NULL, TRUE);
  fail_unless_equals_int (GST_MINI_OBJECT_REFCOUNT_VALUE (memory), before);
  fail_unless_equals_int (outcome.n_done, 1);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* ---- in another process ---- */

/* The program's other suite, with one test and the file of this one. */
static GSubprocess *
start_other (const char *test)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_autoptr (GError) error = NULL;
  GSubprocess *other;

  g_subprocess_launcher_setenv (launcher, "CK_FORK", "no", TRUE);
  g_subprocess_launcher_setenv (launcher, "GST_CHECKS", test, TRUE);
  other = g_subprocess_launcher_spawn (launcher, &error, program, path, NULL);
  fail_unless (other != NULL, "%s", error ? error->message : "");
  return other;
}

static void
stop_there (VlClip *clip, const GError *error, gpointer user_data)
{
  fail ("%s", error ? error->message : "It ended.");
}

/* Writes all but the end. */
GST_START_TEST (write_until_killed)
{
  VlClip *clip = vl_clip_new (PLENTY);
  GPtrArray *samples = encode (REORDERED);

  vl_clip_start (clip, path, NULL, stop_there, NULL);
  push (clip, samples, 0, samples->len);
  for (;;)
    g_main_context_iteration (NULL, TRUE);
}
GST_END_TEST;

static goffset
get_file_size (void)
{
  GStatBuf status = {0};

  g_stat (path, &status);
  return status.st_size;
}

static void
wait_for_size (goffset size)
{
  while (get_file_size () < size)
    g_usleep (20 * 1000);
}

GST_START_TEST (test_killed)
{
  GSubprocess *other = start_other ("write_until_killed");
  GPtrArray *samples = encode (REORDERED), *frames;
  goffset size = 0;

  for (guint i = 0; i < N_FRAMES - RATE; i++)
    size += gst_buffer_get_size (gst_sample_get_buffer (samples->pdata[i]));
  wait_for_size (size);
  g_subprocess_force_exit (other);
  g_subprocess_wait (other, NULL, NULL);
  fail_unless (g_subprocess_get_if_signaled (other));
  g_object_unref (other);

  frames = decode_file ("avdec_h264");
  fail_unless (frames->len >= N_FRAMES - 2 * RATE, "%u frames", frames->len);
  /* what is shown before the last one may have been to come after it */
  g_ptr_array_set_size (frames, frames->len - N_REORDERED);
  check_frames (frames, samples, frames->len);
  g_ptr_array_unref (frames);
  g_ptr_array_unref (samples);
}
GST_END_TEST;

/* Writes the whole file, and then again as much of it as fits into part of the
 * room. */
static void
write_into (double part)
{
  GPtrArray *samples = encode (REORDERED);
  struct rlimit limit;

  signal (SIGXFSZ, SIG_IGN);
  check_no_error (write_file (samples));
  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = (rlim_t)(part * get_file_size ());
  g_unlink (path);
  setrlimit (RLIMIT_FSIZE, &limit);
  check_error (write_file (samples), ": File too large");
  g_ptr_array_unref (samples);
}

GST_START_TEST (write_half)
{
  write_into (0.5);
}
GST_END_TEST;

/* Only the end of the index is missing. */
GST_START_TEST (write_all_but_the_end)
{
  write_into (0.9999);
}
GST_END_TEST;

/* The file has that many frames after a disk was full. */
static void
check_full_disk (const char *test, guint at_least, guint at_most)
{
  GSubprocess *other = start_other (test);
  guint n;

  g_subprocess_wait (other, NULL, NULL);
  fail_unless (g_subprocess_get_successful (other));
  g_object_unref (other);
  n = count_frames ();
  g_unlink (path);
  fail_unless (n >= at_least && n <= at_most, "%u frames", n);
}

GST_START_TEST (test_full_disk)
{
  check_full_disk ("write_half", N_FRAMES / 4, N_FRAMES - 1);
  check_full_disk ("write_all_but_the_end", N_FRAMES, N_FRAMES);
}
GST_END_TEST;

/* ---- */

static void
set_up (void)
{
  recording_set_up ();
  path = recording_path ("clip");
}

static void
tear_down (void)
{
  g_clear_pointer (&path, g_free);
  recording_tear_down ();
}

static Suite *
clip_suite (void)
{
  Suite *suite = suite_create ("clip");
  TCase *tests = tcase_create ("files");

  tcase_add_checked_fixture (tests, set_up, tear_down);
  tcase_set_timeout (tests, 120);
  tcase_add_loop_test (tests, test_streams, 0, G_N_ELEMENTS (streams));
  tcase_add_test (tests, test_starts_at_0);
  tcase_add_loop_test (tests, test_orders, 0, 4);
  tcase_add_test (tests, test_threads);
  tcase_add_loop_test (tests, test_never_started, 0, 2);
  tcase_add_loop_test (tests, test_times, 0, 12);
  tcase_add_test (tests, test_leading_pictures);
  tcase_add_loop_test (tests, test_nothing, 0, 2);
  tcase_add_test (tests, test_new_caps);
  tcase_add_test (tests, test_backlog);
  tcase_add_test (tests, test_room_is_asked_for);
  tcase_add_loop_test (tests, test_room_ends, 0, 2);
  tcase_add_test (tests, test_no_room);
  tcase_add_test (tests, test_missing_directory);
  tcase_add_loop_test (tests, test_file_in_its_place, 0, 2);
  tcase_add_test (tests, test_directory_in_its_place);
  tcase_add_test (tests, test_forbidden_directory);
  tcase_add_test (tests, test_directory_goes);
  tcase_add_test (tests, test_killed);
  tcase_add_test (tests, test_full_disk);
  tcase_add_test (tests, test_stalled_disk);
  suite_add_tcase (suite, tests);
  return suite;
}

/* What another process does for a test, one of them. */
static Suite *
other_suite (void)
{
  Suite *suite = suite_create ("other");
  TCase *tests = tcase_create ("writers");

  tcase_add_test (tests, write_until_killed);
  tcase_add_test (tests, write_half);
  tcase_add_test (tests, write_all_but_the_end);
  suite_add_tcase (suite, tests);
  return suite;
}

int
main (int argc, char **argv)
{
  gst_check_init (&argc, &argv);
  program = argv[0];
  path = argc > 1 ? argv[1] : NULL;
  return gst_check_run_suite (
      path ? other_suite () : clip_suite (), "clip", __FILE__);
}
