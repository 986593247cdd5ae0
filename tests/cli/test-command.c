/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The built program as users call it; argv[1] is its path, argv[2] the folder
 * of the golden files. One small model is trained first and shared by all
 * tests. */

#include <check.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "footage.h"
#include "model.h"
#include "safetensors.h"

#define N_FRAMES 90

static char *program, *golden;
static char *folder; /* of everything below, and the working directory */

#define TRAIN "train", "--width", "4", "--latent", "4", "--threads", "1"

typedef struct {
  int status; /* exit status */
  char *output, *errors;
} Run;

static void
run_clear (Run *run)
{
  g_free (run->output);
  g_free (run->errors);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static Run
run_args (const char *const *args)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  Run run = {0};
  int wait_status;

  g_ptr_array_add (argv, program);
  for (; *args != NULL; args++)
    g_ptr_array_add (argv, (char *)*args);
  g_ptr_array_add (argv, NULL);
  g_spawn_sync (folder, (char **)argv->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL,
      &run.output, &run.errors, &wait_status, &error);
  ck_assert_msg (error == NULL, "%s", error != NULL ? error->message : "");
  ck_assert_msg (WIFEXITED (wait_status), "killed by a signal: %s", run.errors);
  run.status = WEXITSTATUS (wait_status);
  return run;
}

#define run_command(...) run_args ((const char *const[]){__VA_ARGS__, NULL})

static Run
run_well (const char *const *args)
{
  Run run = run_args (args);

  ck_assert_msg (run.status == 0, "%s: %s", args[0], run.errors);
  return run;
}

#define must_run(...) run_well ((const char *const[]){__VA_ARGS__, NULL})

static char *
path_of (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static gboolean
exists (const char *name)
{
  g_autofree char *path = path_of (name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static char *
contents (const char *name, gsize *size)
{
  g_autofree char *path = path_of (name);
  char *text = NULL;

  ck_assert_msg (g_file_get_contents (path, &text, size, NULL), "%s", name);
  return text;
}

static guint
count_files (void)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  g_dir_close (dir);
  return n;
}

/* One second of 30 frames. */
static void
make_fast_footage (void)
{
  g_autofree char *pipeline = g_strdup_printf (
      "videotestsrc num-buffers=30 pattern=ball ! "
      "video/x-raw,width=160,height=120,framerate=30/1 ! jpegenc ! avimux ! "
      "filesink location=\"%s/fast.avi\"",
      folder);

  footage_run (pipeline);
}

/* All of it in the parent: GStreamer does not run after a fork. */
static void
make_footage (void)
{
  g_autofree char *images = path_of ("images");
  g_autofree char *bare = path_of ("bare");

  g_free (footage_video (folder, "ball.avi", "avimux", N_FRAMES));
  g_free (footage_video (folder, "short.avi", "avimux", 15));
  make_fast_footage ();
  g_free (footage_text (folder, "empty.mp4", ""));
  g_free (footage_text (folder, "text.mp4", "not a video at all, but text\n"));
  g_free (footage_text (folder, "kept.checkpoint", "another training\n"));
  g_free (footage_text (folder, "labels.csv",
      "clip,first,last,label\nball.avi,40,49,anomaly\n"
      "ball.avi,50,59,ignore\n"));
  g_free (footage_text (
      folder, "unknown.csv", "clip,first,last,label\nother.avi,4,5,anomaly\n"));
  g_free (footage_text (
      folder, "past.csv", "clip,first,last,label\nball.avi,40,90,anomaly\n"));
  g_mkdir (images, 0755);
  footage_images (images, "img%03d.png", 1, 4);
  g_mkdir (bare, 0755);
}

static void
setup (void)
{
  g_auto (Run) run = {0};

  gst_init (NULL, NULL);
  folder = footage_folder ();
  make_footage ();
  run = must_run (
      TRAIN, "--steps", "20", "--lstm-steps", "20", "-o", "m", "ball.avi");
  ck_assert_ptr_nonnull (strstr (run.output, "90 normal"));
  ck_assert (!exists ("m.checkpoint"));
}

static void
teardown (void)
{
  footage_remove (folder);
}

static const struct {
  int status;
  const char *errors; /* a part of what is printed */
  const char *args[12];
} bad[] = {
    /* usage */
    {2, "Usage", {NULL}},
    {2, "unknown command walk", {"walk"}},
    {2, "Unknown option --fast", {"score", "--fast"}},
    {2, "expected a model", {"score", "ball.avi"}},
    {2, "expected a VIDEO", {"score", "-m", "m"}},
    {2, "--frames", {"score", "-m", "m", "--frames", "9:5", "ball.avi"}},
    {2, "--threshold", {"score", "-m", "m", "--threshold", "-1", "ball.avi"}},
    {2, "--false-alarms-per-day",
        {"score", "-m", "m", "--false-alarms-per-day", "0", "ball.avi"}},
    {2, "expected labels", {"evaluate", "-m", "m", "ball.avi"}},
    {2, "expected a file", {"train", "ball.avi"}},
    {2, "expected a VIDEO", {"train", "-o", "new"}},
    {2, "--size: width",
        {"train", "-o", "new", "--size", "96x128", "ball.avi"}},
    {2, "--size: height",
        {"train", "-o", "new", "--size", "128x9999", "ball.avi"}},
    {2, "--size", {"train", "-o", "new", "--size", "large", "ball.avi"}},
    {2, "--size", {"train", "-o", "new", "--size", "130x128", "ball.avi"}},
    {2, "--stride",
        {"train", "-o", "new", "--size", "160x128", "--stride", "48",
            "ball.avi"}},
    {2, "--steps", {"train", "-o", "new", "--steps", "0", "ball.avi"}},
    {2, "--lstm-steps",
        {"train", "-o", "new", "--lstm-steps", "-3", "ball.avi"}},
    {2, "--latent", {"train", "-o", "new", "--latent", "0", "ball.avi"}},
    {2, "--width", {"train", "-o", "new", "--width", "7", "ball.avi"}},
    {2, "--threads", {"train", "-o", "new", "--threads", "0", "ball.avi"}},
    {2, "--rate", {"train", "-o", "new", "--rate", "0", "ball.avi"}},
    {2, "--rate", {"train", "-o", "new", "--rate", "1/0", "ball.avi"}},
    {2, "--rate", {"train", "-o", "new", "--rate", "fast", "ball.avi"}},
    {2, "--rate", {"train", "-o", "new", "--rate", "1001/1", "ball.avi"}},
    {2, "up to 1000000",
        {"train", "-o", "new", "--rate", "1000001/100001", "ball.avi"}},
    {2, "up to 1000000",
        {"train", "-o", "new", "--rate", "100001/1000001", "ball.avi"}},
    {2, "--minutes", {"train", "-o", "new", "--minutes", "0", "ball.avi"}},
    {2, "not both",
        {"train", "-o", "new", "--minutes", "1", "--steps", "5", "ball.avi"}},
    {2, "--loss", {"train", "-o", "new", "--loss", "huber", "ball.avi"}},
    {2, "--channels", {"train", "-o", "new", "--channels", "hsv", "ball.avi"}},
    {2, "--frames",
        {"reconstruct", "-m", "m", "-o", "new", "--frames", "1,x", "ball.avi"}},
    {2, "expected one VIDEO",
        {"encode", "-m", "m", "-o", "new", "ball.avi", "ball.avi"}},
    {2, "expected weights", {"import", "-o", "new"}},
    {2, "unexpected argument",
        {"import", "--vae", "a", "--mdnrnn", "b", "-o", "new", "c"}},
    {2, "expected a MODEL", {"info"}},
    /* at run time */
    {1, "gone.avi: ", {"score", "-m", "m", "gone.avi"}},
    {1, "empty.mp4: ", {"score", "-m", "m", "--csv", "new", "empty.mp4"}},
    {1, "text.mp4: ", {"score", "-m", "m", "--csv", "new", "text.mp4"}},
    {1, "bare: no image", {"score", "-m", "m", "--csv", "new", "bare"}},
    {1, "ball.avi: has 90 frames",
        {"score", "-m", "m", "--csv", "new", "--frames", "90:", "ball.avi"}},
    {1, "gone: ", {"score", "-m", "gone", "ball.avi"}},
    {1, "text.mp4: ", {"score", "-m", "text.mp4", "ball.avi"}},
    {1, "bare: ", {"score", "-m", "bare", "ball.avi"}},
    {1, "none/s.csv: ",
        {"score", "-m", "m", "--csv", "none/s.csv", "ball.avi"}},
    {1, "none/s.png: ",
        {"score", "-m", "m", "--plot", "none/s.png", "ball.avi"}},
    {1, "/dev/full: ", {"score", "-m", "m", "--csv", "/dev/full", "ball.avi"}},
    {1, "gone.csv: ",
        {"evaluate", "-m", "m", "--labels", "gone.csv", "ball.avi"}},
    {1, "unknown.csv: line 2: other.avi",
        {"evaluate", "-m", "m", "--labels", "unknown.csv", "ball.avi"}},
    {1, "past.csv: line 2: frame 90",
        {"evaluate", "-m", "m", "--labels", "past.csv", "ball.avi"}},
    {1, "text.mp4: line 1",
        {"evaluate", "-m", "m", "--labels", "text.mp4", "ball.avi"}},
    {1, "short.avi: 15 analysed frames, expected at least 21",
        {"train", "-o", "new", "short.avi"}},
    {1, "none/m: ", {"train", "-o", "none/m", "ball.avi"}},
    {1, "bare: ", {"train", "-o", "bare", "ball.avi"}},
    {1, "kept.checkpoint: exists, expected --resume",
        {"train", "-o", "kept", "ball.avi"}},
    {1, "new.checkpoint: ", {"train", "-o", "new", "--resume", "ball.avi"}},
    {1, "gone.avi: ",
        {"train", "-o", "new", "--vae-only-videos", "gone.avi", "ball.avi"}},
    {1, "none/e: ", {"encode", "-m", "m", "-o", "none/e", "ball.avi"}},
    {1, "gone.avi: ", {"encode", "-m", "m", "-o", "new", "gone.avi"}},
    {1, "none/r.png: ",
        {"reconstruct", "-m", "m", "-o", "none/r.png", "ball.avi"}},
    {1, "no frame 90",
        {"reconstruct", "-m", "m", "-o", "new", "--frames", "3,90",
            "ball.avi"}},
    {1, "gone: ", {"info", "gone"}},
    {1, "gone: ", {"import", "--vae", "gone", "--mdnrnn", "m", "-o", "new"}},
};

START_TEST (test_bad_input)
{
  g_auto (Run) run = run_args (bad[_i].args);
  const guint n_files = count_files ();

  ck_assert_msg (run.status == bad[_i].status, "status %d, expected %d: %s",
      run.status, bad[_i].status, run.errors);
  ck_assert_msg (strstr (run.errors, bad[_i].errors) != NULL, "%s", run.errors);
  if (bad[_i].args[0] != NULL && strcmp (bad[_i].args[0], "walk") != 0) {
    char *line = g_strrstr (run.errors, "vaelstm: ");

    /* the message is the last line and the only one of its kind */
    ck_assert_ptr_nonnull (line);
    ck_assert_ptr_eq (strchr (line, '\n'), line + strlen (line) - 1);
  }
  ck_assert (!exists ("new"));
  ck_assert_uint_eq (n_files, count_files ());
}
END_TEST

START_TEST (test_help_is_no_error)
{
  static const char *const commands[] = {
      "train", "score", "evaluate", "reconstruct", "info", "import", "encode"};
  g_auto (Run) overview = must_run ("--help");

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    g_auto (Run) run = must_run (commands[i], "--help");
    g_autofree char *usage = g_strconcat ("vaelstm ", commands[i], NULL);

    ck_assert_ptr_nonnull (strstr (run.output, usage));
    ck_assert_ptr_nonnull (strstr (overview.output, commands[i]));
  }
}
END_TEST

START_TEST (test_score_writes_a_line_per_frame)
{
  g_auto (Run) plain = must_run ("score", "-m", "m", "ball.avi");
  g_auto (Run) file =
      must_run ("score", "-m", "m", "--csv", "s.csv", "ball.avi");
  g_autofree char *csv = contents ("s.csv", NULL);
  g_auto (GStrv) lines = g_strsplit (csv, "\n", -1);

  ck_assert_str_eq (plain.output, csv);
  ck_assert_str_eq (file.output, "");
  ck_assert_str_eq (lines[0],
      "clip,frame,timestamp,score,appearance,dynamics,anomalous,event_id");
  ck_assert_uint_eq (g_strv_length (lines), N_FRAMES + 2);
  for (guint i = 0; i < N_FRAMES; i++) {
    g_auto (GStrv) cells = g_strsplit (lines[i + 1], ",", -1);

    ck_assert_uint_eq (g_strv_length (cells), 8);
    ck_assert_str_eq (cells[0], "ball.avi");
    ck_assert_int_eq (atoi (cells[1]), (int)i);
    ck_assert_double_eq_tol (atof (cells[2]), i / 10.0, 1e-3);
    ck_assert (atof (cells[3]) >= 0);
    /* outside events there is no id */
    ck_assert_int_eq (atoi (cells[6]) == 0, atoi (cells[7]) == 0);
  }
}
END_TEST

START_TEST (test_score_keeps_the_clip_s_frame_numbers)
{
  g_auto (Run) run =
      must_run ("score", "-m", "m", "--frames", "30:33", "ball.avi");
  g_auto (GStrv) lines = g_strsplit (run.output, "\n", -1);

  ck_assert_uint_eq (g_strv_length (lines), 5);
  ck_assert (g_str_has_prefix (lines[1], "ball.avi,30,3.0"));
  ck_assert (g_str_has_prefix (lines[3], "ball.avi,32,3.2"));
}
END_TEST

START_TEST (test_clips_do_not_touch_each_other)
{
  g_auto (Run) alone = must_run ("score", "-m", "m", "ball.avi");
  g_auto (Run) both = must_run (
      "score", "-m", "m", "--threshold", "99", "short.avi", "ball.avi");
  g_auto (GStrv) first = g_strsplit (alone.output, "\n", -1);
  g_auto (GStrv) second = g_strsplit (both.output, "\n", -1);

  for (guint i = 0; i < N_FRAMES; i++) {
    g_auto (GStrv) a = g_strsplit (first[1 + i], ",", -1);
    g_auto (GStrv) b = g_strsplit (second[1 + 15 + i], ",", -1);

    for (int cell = 0; cell < 6; cell++)
      ck_assert_str_eq (a[cell], b[cell]);
  }
}
END_TEST

START_TEST (test_analysis_rate_thins_frames)
{
  g_auto (Run) train = must_run (TRAIN, "--steps", "5", "--lstm-steps", "5",
      "--rate", "10", "-o", "slow", "ball.avi");
  g_auto (Run) run = must_run ("score", "-m", "slow", "fast.avi");
  g_auto (GStrv) lines = g_strsplit (run.output, "\n", -1);

  ck_assert_uint_eq (g_strv_length (lines), 10 + 2);
  ck_assert (g_str_has_prefix (lines[2], "fast.avi,3,0.1"));
}
END_TEST

START_TEST (test_rates_are_of_small_numbers)
{
  g_auto (Run) train = must_run (TRAIN, "--steps", "5", "--lstm-steps", "5",
      "--rate", "9.87654321", "-o", "rated", "ball.avi");
  g_auto (Run) info = must_run ("info", "--json", "rated");
  g_autoptr (JsonNode) root = json_from_string (info.output, NULL);
  JsonObject *input = json_object_get_object_member (
      json_node_get_object (root), "preprocessing");

  ck_assert_double_eq (
      json_object_get_double_member (input, "rate"), 9877 / 1000.0);
}
END_TEST

START_TEST (test_images_come_at_the_model_s_rate)
{
  g_auto (Run) pattern = must_run ("score", "-m", "m", "images/img%03d.png");
  g_auto (Run) images = must_run ("score", "-m", "m", "images");
  g_auto (GStrv) lines = g_strsplit (images.output, "\n", -1);

  ck_assert_uint_eq (g_strv_length (lines), 4 + 2);
  ck_assert (g_str_has_prefix (lines[4], "images,3,0.3"));
  ck_assert_ptr_nonnull (strstr (pattern.output, "img%03d.png,3,0.3"));
}
END_TEST

START_TEST (test_jsonl_and_plot)
{
  g_auto (Run) run = must_run ("score", "-m", "m", "--jsonl", "s.jsonl",
      "--plot", "s.png", "ball.avi", "short.avi");
  gsize size;
  g_autofree char *json = contents ("s.jsonl", NULL);
  g_autofree char *png = contents ("s.png", &size);
  g_auto (GStrv) lines = g_strsplit (json, "\n", -1);
  g_autoptr (JsonNode) node = json_from_string (lines[N_FRAMES], NULL);
  JsonObject *object;

  ck_assert_str_eq (run.output, "");
  ck_assert_uint_eq (g_strv_length (lines), N_FRAMES + 15 + 1);
  ck_assert_ptr_nonnull (node);
  object = json_node_get_object (node);
  ck_assert_uint_eq (json_object_get_size (object), 8);
  ck_assert_str_eq (
      json_object_get_string_member (object, "clip"), "short.avi");
  ck_assert_int_eq (json_object_get_int_member (object, "frame"), 0);
  ck_assert (json_object_has_member (object, "event_id"));
  ck_assert_uint_gt (size, 1000);
  ck_assert_mem_eq (png, "\x89PNG", 4);
}
END_TEST

START_TEST (test_failure_leaves_older_outputs)
{
  g_auto (Run) run = {0};
  g_autofree char *old = footage_text (folder, "old.csv", "older scores\n");
  g_autofree char *old_model = footage_text (folder, "old.m", "older model\n");
  g_autofree char *scores = NULL, *model = NULL;
  const guint n_files = count_files ();

  /* the first clip is good, the second one is not */
  run = run_command (
      "score", "-m", "m", "--csv", "old.csv", "ball.avi", "text.mp4");
  ck_assert_int_eq (run.status, 1);
  run_clear (&run);
  run = run_command ("train", "-o", "old.m", "ball.avi", "text.mp4");
  ck_assert_int_eq (run.status, 1);
  scores = contents ("old.csv", NULL);
  model = contents ("old.m", NULL);
  ck_assert_str_eq (scores, "older scores\n");
  ck_assert_str_eq (model, "older model\n");
  ck_assert_uint_eq (count_files (), n_files);
}
END_TEST

START_TEST (test_evaluate_prints_every_key)
{
  static const char *const keys[] = {"auc_live", "auc_published", "eer",
      "events", "events_detected", "delay_s_median", "false_alarms_per_hour",
      "frames_per_second", "cpu_s_per_video_s"};
  g_auto (Run) text =
      must_run ("evaluate", "-m", "m", "--labels", "labels.csv", "ball.avi");
  g_auto (Run) json = must_run (
      "evaluate", "-m", "m", "--labels", "labels.csv", "--json", "ball.avi");
  g_autoptr (JsonNode) root = json_from_string (json.output, NULL);
  JsonObject *object, *channels, *dynamics;

  ck_assert_ptr_nonnull (root);
  object = json_node_get_object (root);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autofree char *line = g_strconcat (keys[i], ": ", NULL);

    ck_assert (json_object_has_member (object, keys[i]));
    ck_assert_ptr_nonnull (strstr (text.output, line));
  }
  channels = json_object_get_object_member (object, "channels");
  dynamics = json_object_get_object_member (channels, "dynamics");
  ck_assert (json_object_has_member (dynamics, "auc_published"));
  ck_assert (json_object_has_member (channels, "appearance"));
  ck_assert (json_object_has_member (
      json_object_get_object_member (object, "baseline"), "auc_live"));
  ck_assert_uint_eq (json_array_get_length (
                         json_object_get_array_member (object, "intervals")),
      1);
}
END_TEST

START_TEST (test_evaluate_reads_only_the_range)
{
  /* the labels end at 59, reading before that: no error, one class */
  g_auto (Run) run = must_run ("evaluate", "-m", "m", "--labels", "labels.csv",
      "--frames", "0:30", "--json", "ball.avi");
  g_autoptr (JsonNode) root = json_from_string (run.output, NULL);
  JsonObject *object = json_node_get_object (root);

  ck_assert (json_object_get_null_member (object, "auc_live"));
  ck_assert_int_eq (json_object_get_int_member (object, "frames"), 30);
}
END_TEST

START_TEST (test_info_describes_the_model)
{
  g_auto (Run) text = must_run ("info", "m");
  g_auto (Run) json = must_run ("info", "--json", "m");
  g_autoptr (JsonNode) root = json_from_string (json.output, NULL);
  JsonObject *object, *input;

  ck_assert_ptr_nonnull (root);
  object = json_node_get_object (root);
  input = json_object_get_object_member (object, "preprocessing");
  ck_assert_int_eq (json_object_get_int_member (input, "width"), 160);
  ck_assert_int_eq (json_object_get_int_member (input, "height"), 128);
  ck_assert_uint_eq (
      strlen (json_object_get_string_member (object, "checksum")), 64);
  ck_assert (json_object_has_member (object, "architecture"));
  ck_assert (json_object_has_member (object, "calibration"));
  ck_assert_ptr_nonnull (strstr (text.output, "160x128"));
  ck_assert_ptr_nonnull (strstr (text.output, "extrapolated"));
}
END_TEST

START_TEST (test_encode_writes_latents_and_mixture)
{
  const guint64 mu_shape[] = {20, 1, 2, 4};
  g_auto (Run) mixed = must_run ("encode", "-m", "m", "-o", "mixed",
      "--mixture", "--frames", "10:30", "ball.avi");
  g_auto (Run) plain = must_run (
      "encode", "-m", "m", "-o", "plain", "--frames", "10:30", "ball.avi");
  g_autofree char *mixed_path = path_of ("mixed");
  g_autofree char *plain_path = path_of ("plain");
  g_autoptr (VlTensorFile) file = vl_tensor_file_open (mixed_path, NULL);
  g_autoptr (VlTensorFile) other = vl_tensor_file_open (plain_path, NULL);
  guint64 shape[VL_MAX_DIMS];
  unsigned n_dims, K;
  const float *mu, *other_mu, *pi, *sigma;

  ck_assert_uint_eq (vl_tensor_file_n_tensors (file), 4);
  ck_assert_uint_eq (vl_tensor_file_n_tensors (other), 1);
  mu = vl_tensor_file_expect (file, "mu", 4, mu_shape, NULL);
  other_mu = vl_tensor_file_expect (other, "mu", 4, mu_shape, NULL);
  ck_assert_ptr_nonnull (mu);
  ck_assert_mem_eq (mu, other_mu, 20 * 1 * 2 * 4 * sizeof (float));
  pi = vl_tensor_file_get (file, "pi", &n_dims, shape, NULL);
  sigma = vl_tensor_file_get (file, "sigma", &n_dims, shape, NULL);
  ck_assert_ptr_nonnull (
      vl_tensor_file_get (file, "mixture_mu", &n_dims, shape, NULL));
  ck_assert_uint_eq (n_dims, 5);
  ck_assert_uint_eq (shape[0], 20);
  ck_assert_uint_eq (shape[4], 4);
  K = (unsigned)shape[3];
  for (unsigned i = 0; i < 20 * 2; i++)
    for (unsigned d = 0; d < 4; d++) {
      double sum = 0;

      for (unsigned k = 0; k < K; k++) {
        sum += pi[(i * K + k) * 4 + d];
        ck_assert (sigma[(i * K + k) * 4 + d] > 0);
      }
      ck_assert_double_eq_tol (sum, 1, 1e-5);
    }
}
END_TEST

START_TEST (test_reconstruct_draws)
{
  g_auto (Run) spread =
      must_run ("reconstruct", "-m", "m", "-o", "r.png", "ball.avi");
  g_auto (Run) chosen = must_run ("reconstruct", "-m", "m", "-o", "two.png",
      "--frames", "0,89", "ball.avi");
  gsize size;
  g_autofree char *png = contents ("r.png", &size);
  g_autofree char *two = contents ("two.png", &size);

  ck_assert_mem_eq (png, "\x89PNG", 4);
  /* two columns of 160 pixels and gaps, in the header's big-endian width */
  ck_assert_uint_eq ((guint8)two[18] << 8 | (guint8)two[19], 2 * 166 + 6);
}
END_TEST

START_TEST (test_motion_and_vae_only_videos)
{
  g_auto (Run) train = must_run (TRAIN, "--steps", "5", "--lstm-steps", "5",
      "--channels", "motion", "--frames", "1:80", "--vae-only-videos",
      "short.avi,images", "-o", "motion", "ball.avi");
  g_auto (Run) score = must_run ("score", "-m", "motion", "short.avi");
  g_auto (Run) draw =
      must_run ("reconstruct", "-m", "motion", "-o", "motion.png", "short.avi");

  ck_assert_ptr_nonnull (strstr (train.output, "79 normal"));
  ck_assert_ptr_nonnull (strstr (train.output, "17 for the autoencoder"));
}
END_TEST

START_TEST (test_imported_models_encode_but_do_not_score)
{
  g_autofree char *vae =
      g_build_filename (golden, "import-vae.safetensors", NULL);
  g_autofree char *mdnrnn =
      g_build_filename (golden, "import-mdnrnn.safetensors", NULL);
  g_auto (Run) import =
      must_run ("import", "--vae", vae, "--mdnrnn", mdnrnn, "-o", "imported");
  g_auto (Run) info = must_run ("info", "imported");
  g_auto (Run) encode = must_run (
      "encode", "-m", "imported", "-o", "latents", "--mixture", "short.avi");
  g_auto (Run) draw =
      must_run ("reconstruct", "-m", "imported", "-o", "i.png", "short.avi");
  g_auto (Run) score = run_command ("score", "-m", "imported", "short.avi");

  ck_assert_ptr_nonnull (strstr (info.output, "calibration: none"));
  ck_assert (exists ("latents"));
  ck_assert_int_eq (score.status, 1);
  ck_assert_ptr_nonnull (strstr (score.errors, "imported: "));
  ck_assert_ptr_nonnull (strstr (score.errors, "calibration"));
}
END_TEST

/* A training that would take hours; stderr is a pipe. */
static GPid
start_training (gboolean resume, FILE **errors)
{
  const char *argv[] = {program, TRAIN, "--steps", "1000000", "-o", "long",
      "ball.avi", resume ? "--resume" : NULL, NULL};
  GPid pid;
  int fd;

  ck_assert (g_spawn_async_with_pipes (folder, (char **)argv, NULL,
      G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL, NULL, &fd, NULL));
  *errors = fdopen (fd, "r");
  return pid;
}

/* Reads up to the first line that holds a text; returns the line. */
static char *
wait_for_line (FILE *file, const char *text)
{
  char line[512];

  while (fgets (line, sizeof line, file) != NULL)
    if (strstr (line, text) != NULL)
      return g_strdup (line);
  return NULL;
}

/* Interrupts a training that has taken steps; returns the step it told. */
static int
interrupt_training (gboolean resume)
{
  FILE *errors;
  GPid pid = start_training (resume, &errors);
  g_autofree char *line = wait_for_line (errors, "/1000000");
  g_autofree char *hint = NULL;
  int status, step = 0;

  ck_assert_ptr_nonnull (line);
  ck_assert_int_eq (sscanf (strchr (line, '%') + 1, "%d/", &step), 1);
  kill (pid, SIGINT);
  hint = wait_for_line (errors, "--resume");
  ck_assert_ptr_nonnull (hint);
  waitpid (pid, &status, 0);
  fclose (errors);
  ck_assert (WIFEXITED (status));
  ck_assert_int_eq (WEXITSTATUS (status), 1);
  return step;
}

START_TEST (test_interrupted_training_resumes)
{
  const int first = interrupt_training (FALSE);
  int second;

  ck_assert (exists ("long.checkpoint"));
  ck_assert (!exists ("long"));
  second = interrupt_training (TRUE);
  ck_assert_int_gt (second, first);
}
END_TEST

int
main (int argc, char **argv)
{
  Suite *suite = suite_create ("command");
  TCase *tcase = tcase_create ("command");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  if (argc < 3)
    return EXIT_FAILURE;
  /* commands run in a folder of their own */
  program = g_canonicalize_filename (argv[1], NULL);
  golden = g_canonicalize_filename (argv[2], NULL);
  tcase_add_unchecked_fixture (tcase, setup, teardown);
  tcase_set_timeout (tcase, 0); /* meson has one */
  tcase_add_loop_test (tcase, test_bad_input, 0, G_N_ELEMENTS (bad));
  tcase_add_test (tcase, test_help_is_no_error);
  tcase_add_test (tcase, test_score_writes_a_line_per_frame);
  tcase_add_test (tcase, test_score_keeps_the_clip_s_frame_numbers);
  tcase_add_test (tcase, test_clips_do_not_touch_each_other);
  tcase_add_test (tcase, test_analysis_rate_thins_frames);
  tcase_add_test (tcase, test_rates_are_of_small_numbers);
  tcase_add_test (tcase, test_images_come_at_the_model_s_rate);
  tcase_add_test (tcase, test_jsonl_and_plot);
  tcase_add_test (tcase, test_failure_leaves_older_outputs);
  tcase_add_test (tcase, test_evaluate_prints_every_key);
  tcase_add_test (tcase, test_evaluate_reads_only_the_range);
  tcase_add_test (tcase, test_info_describes_the_model);
  tcase_add_test (tcase, test_encode_writes_latents_and_mixture);
  tcase_add_test (tcase, test_reconstruct_draws);
  tcase_add_test (tcase, test_motion_and_vae_only_videos);
  tcase_add_test (tcase, test_imported_models_encode_but_do_not_score);
  tcase_add_test (tcase, test_interrupted_training_resumes);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  g_free (program);
  g_free (golden);
  return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
