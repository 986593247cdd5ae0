/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

#include "train.h"
#include "base.h"
#include "clip.h"
#include "framesize.h"
#include "interrupt.h"
#include "output.h"
#include "progress.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEFAULT_THREADS 8
#define MAX_STEPS 10000000
#define UNSET G_MININT /* a whole number that was not given */

typedef struct {
  char *output, *size, *channels, *rate, *loss, *vae_only, *frames;
  char **videos;
  int stride, latent, width, steps, lstm_steps, seed, threads;
  double minutes; /* NAN: not given */
  gboolean base, resume;
  VlTrainOptions train; /* what the options above come to */
  VlRange range;
} Options;

static gboolean
parse_arguments (int argc, char **argv, Options *o, GError **error)
{
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output,
          "The model to write", "MODEL"},
      {"size", 0, 0, G_OPTION_ARG_STRING, &o->size,
          "Pixels the model sees (by the first video's size)", "WxH"},
      {"stride", 0, 0, G_OPTION_ARG_INT, &o->stride,
          "Pixels between windows, a multiple of 16 (32 or 16)", "N"},
      {"channels", 0, 0, G_OPTION_ARG_STRING, &o->channels,
          "rgb, or motion: luma of the last three analysed frames (rgb)",
          "rgb|motion"},
      {"rate", 0, 0, G_OPTION_ARG_STRING, &o->rate,
          "Frames analysed per second (10)", "N"},
      {"latent", 0, 0, G_OPTION_ARG_INT, &o->latent, "Numbers per latent (32)",
          "N"},
      {"width", 0, 0, G_OPTION_ARG_INT, &o->width,
          "Channels of the first layer; less is faster (32)", "N"},
      {"steps", 0, 0, G_OPTION_ARG_INT, &o->steps,
          "Training steps of the autoencoder (3000)", "N"},
      {"lstm-steps", 0, 0, G_OPTION_ARG_INT, &o->lstm_steps,
          "Training steps of the LSTM (1500)", "N"},
      {"minutes", 0, 0, G_OPTION_ARG_DOUBLE, &o->minutes,
          "Train for so long instead", "M"},
      {"loss", 0, 0, G_OPTION_ARG_STRING, &o->loss,
          "How reconstructions are judged (gaussian)",
          "gaussian|bernoulli|published"},
      {"vae-only-videos", 0, 0, G_OPTION_ARG_FILENAME, &o->vae_only,
          "More videos for the autoencoder alone; they may hold anomalies",
          "VIDEO,..."},
      {"frames", 0, 0, G_OPTION_ARG_STRING, &o->frames,
          "Frames to read of each video, also of --vae-only-videos, from 0, "
          "without the last",
          "A:B"},
      {"base", 0, 0, G_OPTION_ARG_NONE, &o->base,
          "Start the autoencoder from weights that know pictures already, "
          "with --width 16 --latent 32",
          NULL},
      {"seed", 0, 0, G_OPTION_ARG_INT, &o->seed,
          "Same seed and threads, same model (1)", "N"},
      {"threads", 0, 0, G_OPTION_ARG_INT, &o->threads,
          "Threads to compute with (the processors, up to 8)", "N"},
      {"resume", 0, 0, G_OPTION_ARG_NONE, &o->resume,
          "Go on from MODEL.checkpoint, with the same options and videos",
          NULL},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->videos, NULL,
          NULL},
      {NULL}};

  return vl_command_parse (argc, argv, entries, "VIDEO...",
      "Learns from videos of a camera what it normally sees. A VIDEO is a file "
      "or URI, a folder of images or a pattern such as img%05d.png.",
      error);
}

static void
clear_options (Options *o)
{
  g_free (o->output);
  g_free (o->size);
  g_free (o->channels);
  g_free (o->rate);
  g_free (o->loss);
  g_free (o->vae_only);
  g_free (o->frames);
  g_strfreev (o->videos);
}

static gboolean
parse_size (const char *text, VlInput *input, GError **error)
{
  char end;

  if (text == NULL)
    return TRUE;
  if (sscanf (text, "%5ux%5u%c", &input->width, &input->height, &end) != 2)
    return vl_usage_error (
        error, "--size: %s is no size, expected WxH such as 256x192", text);
  return vl_command_check_range ("--size: width", input->width, VL_WINDOW,
             VL_MODEL_MAX_SIDE, error) &&
         vl_command_check_range ("--size: height", input->height, VL_WINDOW,
             VL_MODEL_MAX_SIDE, error);
}

/* "30000/1001" as it is; "10" or "12.5" to the thousandth, reduced. */
static gboolean
read_rate (const char *text, unsigned *n, unsigned *d)
{
  char end, *number_end;
  int thousandths, divisor;
  double rate;

  if (sscanf (text, "%9u/%9u%c", n, d, &end) == 2)
    return TRUE;
  rate = g_ascii_strtod (text, &number_end);
  if (*number_end != '\0' || !(rate >= 0.001 && rate <= 1000))
    return FALSE;
  thousandths = (int)lround (rate * 1000);
  divisor = gst_util_greatest_common_divisor (thousandths, 1000);
  *n = (unsigned)(thousandths / divisor);
  *d = (unsigned)(1000 / divisor);
  return TRUE;
}

static gboolean
parse_rate (const char *text, VlInput *input, GError **error)
{
  unsigned n, d;

  if (text == NULL)
    return TRUE;
  if (!read_rate (text, &n, &d) || n == 0 || d == 0 || n > VL_MODEL_MAX_RATE ||
      d > VL_MODEL_MAX_RATE || n > 1000 * d || d > 1000 * n)
    return vl_usage_error (error,
        "--rate: %s is no rate, expected 0.001 to 1000 frames per second, such "
        "as 10, 12.5 or 30000/1001, of numbers up to %d",
        text, VL_MODEL_MAX_RATE);
  input->rate_n = n;
  input->rate_d = d;
  return TRUE;
}

static gboolean
parse_word (const char *option, const char *text, const char *const *words,
    int *index, GError **error)
{
  g_autofree char *known = NULL;

  if (text == NULL)
    return TRUE;
  for (int i = 0; words[i] != NULL; i++)
    if (strcmp (words[i], text) == 0) {
      *index = i;
      return TRUE;
    }
  known = g_strjoinv (", ", (char **)words);
  return vl_usage_error (
      error, "%s: %s is unknown, expected one of %s", option, text, known);
}

static gboolean
parse_words (Options *o, GError **error)
{
  static const char *const channels[] = {"rgb", "motion", NULL};
  static const char *const losses[] = {
      "gaussian", "bernoulli", "published", NULL};
  int kind = VL_INPUT_RGB, loss = VL_LOSS_GAUSSIAN;

  if (!parse_word ("--channels", o->channels, channels, &kind, error) ||
      !parse_word ("--loss", o->loss, losses, &loss, error))
    return FALSE;
  o->train.input.kind = (VlInputKind)kind;
  o->train.loss.kind = (VlLossKind)loss;
  return TRUE;
}

/* A whole number in [low, high] into *value, where it was given. */
static gboolean
take_number (const char *option, int given, int low, int high, unsigned *value,
    GError **error)
{
  if (given == UNSET)
    return TRUE;
  *value = (unsigned)given;
  return vl_command_check_range (option, given, low, high, error);
}

static gboolean
take_numbers (Options *o, GError **error)
{
  VlTrainOptions *t = &o->train;

  if (!isnan (o->minutes)) {
    if (o->steps != UNSET || o->lstm_steps != UNSET)
      return vl_usage_error (error, "expected steps or --minutes, not both");
    if (!vl_command_check_range ("--minutes", o->minutes, 0.01, 1e5, error))
      return FALSE;
    t->minutes = o->minutes;
  }
  if (!take_number ("--latent", o->latent, 1, 1024, &t->Z, error) ||
      !take_number ("--width", o->width, 2, 256, &t->width, error) ||
      !take_number ("--steps", o->steps, 1, MAX_STEPS, &t->vae_steps, error) ||
      !take_number (
          "--lstm-steps", o->lstm_steps, 1, MAX_STEPS, &t->lstm_steps, error) ||
      !take_number ("--seed", o->seed, 0, G_MAXINT, &t->seed, error) ||
      !take_number ("--threads", o->threads, 1, 64, &t->threads, error) ||
      !take_number ("--stride", o->stride, VL_VAE_STEP, VL_MODEL_MAX_SIDE,
          &t->input.stride, error))
    return FALSE;
  t->base = o->base;
  if (t->base && (t->width != VL_BASE_WIDTH || t->Z != VL_BASE_LATENT))
    return vl_usage_error (error, "--base: expected --width %d --latent %d",
        VL_BASE_WIDTH, VL_BASE_LATENT);
  return t->width % 2 == 0 ||
         vl_usage_error (
             error, "--width: %u is odd, expected an even number", t->width);
}

static gboolean
read_options (int argc, char **argv, Options *o, GError **error)
{
  return parse_arguments (argc, argv, o, error) &&
         vl_command_require (o->output, "a file to write: -o MODEL", error) &&
         vl_command_require (o->videos, "a VIDEO", error) &&
         vl_range_parse (o->frames, &o->range, error) &&
         parse_size (o->size, &o->train.input, error) &&
         parse_rate (o->rate, &o->train.input, error) &&
         parse_words (o, error) && take_numbers (o, error);
}

/* The size of the first frame, as a viewer sees it, decides. */
static gboolean
choose_size (Options *o, GError **error)
{
  VlInput *input = &o->train.input;
  g_autoptr (VlMedia) media = NULL;
  unsigned width, height;
  VlMediaFrame frame;

  if (input->width != 0)
    return TRUE;
  media = vl_media_open (o->videos[0], &VL_RANGE_ALL, input->rate_n,
      input->rate_d, vl_interrupt_cancellable (), error);
  if (media == NULL || !vl_media_next (media, &frame, error))
    return FALSE;
  vl_square_frame_size (&frame.video->info, &width, &height);
  vl_default_frame_size (width, height, &input->width, &input->height);
  return TRUE;
}

/* Windows have to reach the edges. */
static gboolean
choose_stride (Options *o, GError **error)
{
  VlInput *input = &o->train.input;
  const unsigned across = input->width - VL_WINDOW;
  const unsigned down = input->height - VL_WINDOW;

  if (input->stride == 0)
    input->stride = vl_train_default_stride (input->width, input->height);
  if (input->stride == 0)
    return vl_usage_error (error,
        "--size: windows do not reach the edges of %ux%u, expected width and "
        "height to be 128 plus multiples of 16",
        input->width, input->height);
  if (input->stride % VL_VAE_STEP == 0 && across % input->stride == 0 &&
      down % input->stride == 0)
    return TRUE;
  return vl_usage_error (error,
      "--stride: %u does not fit %ux%u, expected a multiple of 16 that divides "
      "%u and %u",
      input->stride, input->width, input->height, across, down);
}

/* Appends the pictures of a clip to a store. FALSE with error set when it has
 * fewer than at_least. */
static gboolean
read_clip (VlFrameStore *store, const char *where, const VlInput *input,
    const VlRange *range, guint at_least, VlProgressLine *line, GError **error)
{
  g_autoptr (VlClip) clip =
      vl_clip_open (where, input, range, vl_interrupt_cancellable (), error);
  g_autofree char *name = vl_media_clip_name (where);
  GError *failure = NULL;
  const guint8 *picture;
  VlMediaFrame frame;
  guint n = 0;

  if (clip == NULL)
    return FALSE;
  vl_frame_store_begin_clip (store);
  while ((picture = vl_clip_next_picture (clip, &frame, &failure)) != NULL &&
         vl_frame_store_append (store, picture, &failure))
    vl_progress_read (line, name, ++n, FALSE);
  if (failure != NULL) {
    vl_progress_finish (line);
    g_propagate_error (error, failure);
    return FALSE;
  }
  vl_progress_read (line, name, n, TRUE);
  if (n < at_least)
    g_set_error (error, VL_TRAIN_ERROR, VL_TRAIN_ERROR_TOO_SHORT,
        "%s: %u analysed frames, expected at least %u", where, n, at_least);
  return n >= at_least;
}

/* All clips of a list in one finished store; NULL with error set. */
static VlFrameStore *
read_clips (char *const *videos, const VlInput *input, const VlRange *range,
    guint at_least, VlProgressLine *line, GError **error)
{
  g_autoptr (VlFrameStore) store = vl_frame_store_new (
      (gsize)input->width * input->height * vl_input_bytes_per_pixel (input),
      error);

  if (store == NULL)
    return NULL;
  for (char *const *video = videos; *video != NULL; video++)
    if (!read_clip (store, *video, input, range, at_least, line, error))
      return NULL;
  return vl_frame_store_finish (store, error) ? g_steal_pointer (&store) : NULL;
}

static void
print_summary (const Options *o, const VlTrainSummary *s)
{
  const VlInput *input = &o->train.input;
  double total = 0;

  for (VlStage stage = 0; stage < VL_N_STAGES; stage++)
    total += s->seconds[stage];
  printf ("model: %s, %ux%u, stride %u, %s, %g frames per second\n", o->output,
      input->width, input->height, input->stride,
      input->kind == VL_INPUT_RGB ? "rgb" : "motion", vl_input_rate (input));
  printf ("frames: %u normal (%u to learn from, %u held out), %u for the "
          "autoencoder alone\n",
      s->normal_frames, s->fit_frames, s->held_out_frames, s->vae_only_frames);
  printf ("autoencoder: %u steps, reconstruction loss %.5g, mean squared error "
          "%.5f, %.1f nats in z\n",
      s->vae_steps, s->recon, s->squared_error, s->kld);
  printf ("lstm: %u steps, %.4f nats per step where learned, %.4f held out\n",
      s->lstm_steps, s->nll_fit, s->nll_held_out);
  printf ("seconds: %.1f", total);
  for (VlStage stage = 0; stage < VL_N_STAGES; stage++)
    printf (", %s %.1f", vl_stage_name (stage), s->seconds[stage]);
  printf ("\n");
}

/* A checkpoint is this training's: check_files() refuses any other one. */
static void
explain_resume (const char *checkpoint, GError **error)
{
  if (error != NULL &&
      g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
      g_file_test (checkpoint, G_FILE_TEST_EXISTS))
    g_printerr ("vaelstm: progress is kept in %s: the same command with "
                "--resume goes on from there\n",
        checkpoint);
}

static gboolean
train (Options *o, const char *checkpoint, VlProgressLine *line, GError **error)
{
  const VlInput *input = &o->train.input;
  g_autoptr (VlFrameStore) normal = NULL, vae_only = NULL;
  g_autoptr (VlModel) model = NULL;
  VlTrainSummary summary;

  normal = read_clips (
      o->videos, input, &o->range, VL_TRAIN_SEQUENCE + 1, line, error);
  if (normal == NULL)
    return FALSE;
  if (o->vae_only != NULL) {
    g_auto (GStrv) videos = g_strsplit (o->vae_only, ",", -1);

    vae_only = read_clips (videos, input, &o->range, 1, line, error);
    if (vae_only == NULL)
      return FALSE;
  }
  model = vl_train (&o->train, normal, vae_only, checkpoint, o->resume,
      vl_progress_train, line, vl_interrupt_cancellable (), &summary, error);
  vl_progress_finish (line);
  if (model == NULL || !vl_model_save (model, o->output, error))
    return FALSE;
  g_unlink (checkpoint);
  print_summary (o, &summary);
  return TRUE;
}

/* What can be found out before anything is read. */
static gboolean
check_files (const Options *o, const char *checkpoint, GError **error)
{
  const gboolean exists = g_file_test (checkpoint, G_FILE_TEST_EXISTS);

  if (!o->resume && exists) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
        "%s: exists, expected --resume to go on from it, or the file to be "
        "removed",
        checkpoint);
    return FALSE;
  }
  if (o->resume && !exists) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT,
        "%s: no such file, expected what an interrupted training leaves",
        checkpoint);
    return FALSE;
  }
  return vl_output_check (o->output, error);
}

gboolean
vl_command_train (int argc, char **argv, GError **error)
{
  Options o = {.stride = UNSET,
      .latent = UNSET,
      .width = UNSET,
      .steps = UNSET,
      .lstm_steps = UNSET,
      .seed = UNSET,
      .threads = UNSET,
      .minutes = NAN,
      .train = VL_TRAIN_DEFAULTS};
  g_autofree char *checkpoint = NULL;
  VlProgressLine line;
  gboolean done;

  o.train.threads = MIN (g_get_num_processors (), MAX_DEFAULT_THREADS);
  vl_progress_init (&line);
  done = read_options (argc, argv, &o, error);
  if (done) {
    checkpoint = g_strconcat (o.output, ".checkpoint", NULL);
    done = check_files (&o, checkpoint, error) && choose_size (&o, error) &&
           choose_stride (&o, error) && train (&o, checkpoint, &line, error);
    if (!done)
      explain_resume (checkpoint, error);
  }
  clear_options (&o);
  return done;
}
