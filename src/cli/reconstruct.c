/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

#include "analysis.h"
#include "canvas.h"
#include "clip.h"
#include "interrupt.h"
#include "output.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_PICTURES 8
#define MAX_PICTURES 1000
#define MAX_BYTES (512 << 20) /* of all pixels held */
#define SHEET_WIDTH 1600      /* pixels, about */
#define GAP 6
#define CAPTION 18

typedef struct {
  char *model, *output, *frames;
  char **videos;
  GArray *wanted; /* guint64, rising; NULL: spread over range */
  VlRange range;
} Options;

/* A frame as it was and as the model draws it, 0xRRGGBB pixels. */
typedef struct {
  guint64 frame;
  guint32 *original, *reconstruction; /* (height,width) */
} Pair;

static int
compare_frames (gconstpointer a, gconstpointer b)
{
  const guint64 x = *(const guint64 *)a, y = *(const guint64 *)b;

  return (x > y) - (x < y);
}

/* A list "0,50,..." or, as in the other commands, a range "A:B". */
static gboolean
parse_frames (Options *o, GError **error)
{
  g_auto (GStrv) parts = NULL;

  if (o->frames == NULL || strchr (o->frames, ':') != NULL)
    return vl_range_parse (o->frames, &o->range, error);
  o->range = VL_RANGE_ALL;
  o->wanted = g_array_new (FALSE, FALSE, sizeof (guint64));
  parts = g_strsplit (o->frames, ",", -1);
  for (char **part = parts; *part != NULL; part++) {
    guint64 frame;

    if (!g_ascii_string_to_unsigned (*part, 10, 0, G_MAXINT64, &frame, NULL))
      return vl_usage_error (error,
          "--frames: %s is no list, expected frames such as 0,50,100",
          o->frames);
    g_array_append_val (o->wanted, frame);
  }
  g_array_sort (o->wanted, compare_frames);
  return o->wanted->len <= MAX_PICTURES ||
         vl_usage_error (
             error, "--frames: expected at most %d frames", MAX_PICTURES);
}

static gboolean
read_options (int argc, char **argv, Options *o, GError **error)
{
  const GOptionEntry entries[] = {
      {"model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model, "The model", "MODEL"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output,
          "The picture to write", "FILE.png"},
      {"frames", 0, 0, G_OPTION_ARG_STRING, &o->frames,
          "Frames to show, from 0, or a range A:B to spread them over (8 over "
          "the video)",
          "0,50,..."},
      {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o->videos, NULL,
          NULL},
      {NULL}};

  if (!vl_command_parse (argc, argv, entries, "VIDEO",
          "Draws frames above what the model makes of them. A frame between "
          "two analysed ones is shown as the later one.",
          error) ||
      !vl_command_require (o->model, "a model: -m MODEL", error) ||
      !vl_command_require (o->output, "a file to write: -o FILE.png", error) ||
      !vl_command_require (o->videos, "a VIDEO", error))
    return FALSE;
  if (o->videos[1] != NULL)
    return vl_usage_error (error, "expected one VIDEO");
  return parse_frames (o, error);
}

static void
clear_options (Options *o)
{
  g_free (o->model);
  g_free (o->output);
  g_free (o->frames);
  g_strfreev (o->videos);
  g_clear_pointer (&o->wanted, g_array_unref);
}

/* Decodes the range once to learn its analysed frames, and spreads the wanted
 * ones evenly over them. */
static gboolean
spread_wanted (Options *o, const VlInput *input, GError **error)
{
  g_autoptr (VlClip) clip = vl_clip_open (
      o->videos[0], input, &o->range, vl_interrupt_cancellable (), error);
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (guint64));
  GError *failure = NULL;
  VlMediaFrame frame;
  gboolean due;
  guint n;

  if (clip == NULL)
    return FALSE;
  while (vl_clip_next (clip, &frame, &due, &failure))
    if (due)
      g_array_append_val (all, frame.index);
  if (failure != NULL) {
    g_propagate_error (error, failure);
    return FALSE;
  }
  n = MIN (all->len, DEFAULT_PICTURES);
  o->wanted = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (guint i = 0; i < n; i++) {
    const guint place = n > 1 ? i * (all->len - 1) / (n - 1) : 0;

    g_array_append_val (o->wanted, g_array_index (all, guint64, place));
  }
  return TRUE;
}

/* All pairs are held until the sheet is drawn. */
static gboolean
check_memory (const Options *o, const VlInput *input, GError **error)
{
  const gsize pair_bytes =
      (gsize)input->width * input->height * 2 * sizeof (guint32);
  const gsize most = MAX_BYTES / pair_bytes;

  return o->wanted->len <= most ||
         vl_usage_error (error,
             "--frames: expected at most %" G_GSIZE_FORMAT
             " frames of %ux%u pixels",
             most, input->width, input->height);
}

static guint32
pixel (const float *x, VlInputKind kind)
{
  unsigned c[3];

  for (int i = 0; i < 3; i++) {
    const float value = x[kind == VL_INPUT_MOTION ? 0 : i];

    c[i] = (unsigned)(CLAMP (value, 0, 1) * 255 + 0.5F);
  }
  return c[0] << 16 | c[1] << 8 | c[2];
}

static guint32 *
make_pixels (const float *image, const VlInput *input)
{
  const gsize n = (gsize)input->width * input->height;
  guint32 *pixels = g_new (guint32, n);

  for (gsize i = 0; i < n; i++)
    pixels[i] = pixel (image + 3 * i, input->kind);
  return pixels;
}

static void
add_window (float *sum, float *weight, const float *x_hat, const VlInput *input,
    unsigned x0, unsigned y0)
{
  for (unsigned y = 0; y < VL_WINDOW; y++)
    for (unsigned x = 0; x < VL_WINDOW; x++) {
      const gsize at = (gsize)(y0 + y) * input->width + x0 + x;

      for (unsigned c = 0; c < 3; c++)
        sum[3 * at + c] += x_hat[3 * (y * VL_WINDOW + x) + c];
      weight[at]++;
    }
}

/* Decodes every tile; where windows overlap, their mean. Free with g_free(). */
static float *
decode_frame (const VlModel *model, const float *mu)
{
  const VlInput *input = &model->input;
  const gsize n = (gsize)input->width * input->height;
  const unsigned gx = vl_model_grid_width (model);
  const unsigned n_tiles = gx * vl_model_grid_height (model);
  float *sum = g_new0 (float, 3 * n);
  g_autofree float *weight = g_new0 (float, n);
  g_autofree float *x_hat = g_new (float, 3 * VL_WINDOW * VL_WINDOW);
  VlDecoder *decoder = vl_decoder_new (&model->vae);

  for (unsigned t = 0; t < n_tiles; t++) {
    vl_decoder_run (
        decoder, x_hat, mu + (gsize)t * model->vae.Z, model->vae_params);
    add_window (sum, weight, x_hat, input, t % gx * input->stride,
        t / gx * input->stride);
  }
  for (gsize i = 0; i < 3 * n; i++)
    sum[i] /= MAX (weight[i / 3], 1);
  vl_decoder_free (decoder);
  return sum;
}

static Pair
make_pair (const VlModel *model, VlAnalysis *analysis, guint64 frame)
{
  g_autofree float *image =
      decode_frame (model, vl_analysis_latents (analysis));

  return (Pair){frame,
      make_pixels (vl_analysis_input (analysis), &model->input),
      make_pixels (image, &model->input)};
}

/* Encodes the analysed frames up to the last wanted one, and keeps the first
 * one at or after each wanted one. */
static gboolean
collect_pairs (
    const Options *o, const VlModel *model, GArray *pairs, GError **error)
{
  g_autoptr (VlClip) clip = vl_clip_open (o->videos[0], &model->input,
      &o->range, vl_interrupt_cancellable (), error);
  VlAnalysis *analysis;
  const guint8 *picture;
  VlMediaFrame frame;
  GError *failure = NULL;
  guint next = 0;

  if (clip == NULL)
    return FALSE;
  analysis = vl_analysis_new (model);
  while (next < o->wanted->len &&
         (picture = vl_clip_next_picture (clip, &frame, &failure)) != NULL) {
    vl_analysis_encode (analysis, picture);
    if (g_array_index (o->wanted, guint64, next) <= frame.index) {
      const Pair pair = make_pair (model, analysis, frame.index);

      g_array_append_val (pairs, pair);
    }
    while (next < o->wanted->len &&
           g_array_index (o->wanted, guint64, next) <= frame.index)
      next++;
  }
  vl_analysis_free (analysis);
  if (failure == NULL && next < o->wanted->len)
    g_set_error (&failure, VL_MEDIA_ERROR, VL_MEDIA_ERROR_NO_FRAME,
        "%s: has no frame %" G_GUINT64_FORMAT
        " to show, expected at most %" G_GUINT64_FORMAT,
        o->videos[0], g_array_index (o->wanted, guint64, next), frame.index);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static void
draw_pixels (
    cairo_t *cr, guint32 *pixels, const VlInput *input, double x, double y)
{
  const int width = (int)input->width, height = (int)input->height;
  cairo_surface_t *surface = cairo_image_surface_create_for_data (
      (unsigned char *)pixels, CAIRO_FORMAT_RGB24, width, height, width * 4);

  cairo_set_source_surface (cr, surface, x, y);
  cairo_paint (cr);
  cairo_surface_destroy (surface);
}

static void
draw_pair (
    cairo_t *cr, const Pair *pair, const VlInput *input, double x, double y)
{
  char caption[32];

  g_snprintf (caption, sizeof caption, "frame %" G_GUINT64_FORMAT, pair->frame);
  vl_canvas_colour (cr, 0x202020, 1);
  cairo_move_to (cr, x, y + CAPTION - 5);
  cairo_show_text (cr, caption);
  draw_pixels (cr, pair->original, input, x, y + CAPTION);
  draw_pixels (
      cr, pair->reconstruction, input, x, y + CAPTION + input->height + GAP);
}

/* Pairs side by side, in as many rows as the sheet's width asks for. */
static gboolean
draw_sheet (
    const GArray *pairs, const VlInput *input, VlOutput *output, GError **error)
{
  const unsigned cell_width = input->width + GAP;
  const unsigned cell_height = 2 * (input->height + GAP) + CAPTION;
  const unsigned per_row =
      CLAMP (SHEET_WIDTH / cell_width, 1, MAX (pairs->len, 1));
  const unsigned n_rows = (pairs->len + per_row - 1) / per_row;
  cairo_surface_t *sheet = cairo_image_surface_create (CAIRO_FORMAT_RGB24,
      (int)(per_row * cell_width + GAP), (int)(n_rows * cell_height + GAP));
  cairo_t *cr = cairo_create (sheet);
  gboolean written;

  vl_canvas_colour (cr, 0xffffff, 1);
  cairo_paint (cr);
  cairo_select_font_face (
      cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size (cr, 12);
  for (guint i = 0; i < pairs->len; i++)
    draw_pair (cr, &g_array_index (pairs, Pair, i), input,
        GAP + i % per_row * (double)cell_width,
        i / per_row * (double)cell_height);
  written = vl_canvas_write (sheet, output, error);
  cairo_destroy (cr);
  cairo_surface_destroy (sheet);
  return written;
}

static void
clear_pair (gpointer data)
{
  Pair *pair = data;

  g_free (pair->original);
  g_free (pair->reconstruction);
}

gboolean
vl_command_reconstruct (int argc, char **argv, GError **error)
{
  Options o = {NULL};
  g_autoptr (VlModel) model = NULL;
  g_autoptr (VlOutput) output = NULL;
  g_autoptr (GArray) pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  gboolean done;

  g_array_set_clear_func (pairs, clear_pair);
  done = read_options (argc, argv, &o, error) &&
         (output = vl_output_open (o.output, error)) != NULL &&
         (model = vl_model_load (o.model, error)) != NULL &&
         (o.wanted != NULL || spread_wanted (&o, &model->input, error)) &&
         check_memory (&o, &model->input, error) &&
         collect_pairs (&o, model, pairs, error) &&
         draw_sheet (pairs, &model->input, output, error) &&
         vl_output_commit (output, error);
  clear_options (&o);
  return done;
}
