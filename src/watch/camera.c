/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "camera.h"

#include "model.h"
#include "say.h"

/* Seconds. */
#define MAX_BACK_OFF 60
#define STABLE 30     /* a connection that lasted so long resets the back-off */
#define SILENCE 15    /* without a frame: lost */
#define CONNECTING 40 /* the same, before the first one */
#define ENDING 3      /* for a stream to end properly */

struct VlCamera {
  const VlFeedOptions *options;
  VlRecorder *recorder;
  VlCameraDone done;
  gpointer user_data;

  VlFeed *feed;   /* NULL: not connected */
  guint timer;    /* every second */
  guint back_off; /* seconds before the next attempt */
  guint waiting;  /* seconds until it; 0: not waiting */
  guint age;      /* of the connection, in seconds */
  guint silence;  /* seconds without a frame */
  guint n_frames;
  guint ending; /* seconds since the end was asked for; 0: it was not */
  gboolean stops, reloads, is_done;
  gboolean is_announced; /* that it is connected */
  gboolean has_checksum; /* of the connection's model */
  char *lost;            /* why, until that was dealt with; "" at the end */
  guint dealing;         /* idle source that does */

  gint n_events; /* atomic */
  char *checksum;
  char *warning; /* last told */
};

static const char *
name (const VlCamera *camera)
{
  return camera->options->source->name;
}

/* ---- events and states ----------------------------------------------------*/

static guint
number_event (gpointer data)
{
  VlCamera *camera = data;

  return g_atomic_int_add (&camera->n_events, 1) + 1;
}

/* Once for each connection. A file is there anyway. */
static void
announce (VlCamera *camera)
{
  if (!camera->is_announced && camera->options->source->kind != VL_SOURCE_FILE)
    vl_say (name (camera), "connected");
  camera->is_announced = TRUE;
}

static void
on_begun (VlEvent *event, gpointer data)
{
  VlCamera *camera = data;

  announce (camera);
  vl_recorder_begin (camera->recorder, event);
}

static void
on_over (VlEvent *event, gpointer data)
{
  VlCamera *camera = data;

  event->model = g_strdup (camera->options->model);
  event->checksum = g_strdup (camera->checksum);
  vl_recorder_end (camera->recorder, event);
}

/* Of the model that the feed has just begun to watch with. */
static void
read_checksum (VlCamera *camera)
{
  g_autoptr (VlModel) model = vl_model_load (camera->options->model, NULL);

  g_free (camera->checksum);
  camera->has_checksum = TRUE;
  camera->checksum = model != NULL ? g_strdup (model->checksum) : NULL;
}

/* An element may repeat it for every frame. */
static void
on_warning (const char *text, gpointer data)
{
  VlCamera *camera = data;

  if (camera->stops || g_strcmp0 (camera->warning, text) == 0)
    return;
  g_free (camera->warning);
  camera->warning = g_strdup (text);
  vl_say (name (camera), "warning: %s", text);
}

/* What a state means to those who wait for it; NULL: nothing to tell. */
static const char *
describe_state (const char *state)
{
  static const char *const texts[][2] = {
      {"learning", "learning what is normal"},
      {"training", "training on what it saw; not watching yet"},
      {"warming-up", NULL},
      {"detecting", "watching"},
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    if (g_str_equal (texts[i][0], state))
      return texts[i][1];
  return state;
}

static void
on_state (const char *state, const char *reason, gpointer data)
{
  VlCamera *camera = data;
  const char *text = describe_state (state);

  if (text == state)
    vl_say (name (camera), "%s: %s", state, reason);
  else if (text != NULL)
    vl_say (name (camera), "%s", text);
  if (g_str_equal (state, "detecting") && !camera->has_checksum)
    read_checksum (camera);
}

/* ---- connections ----------------------------------------------------------*/

static void on_lost (const char *why, gpointer data);

static void
connect_feed (VlCamera *camera)
{
  static const VlFeedFuncs funcs = {
      number_event, on_begun, on_over, on_state, on_warning, on_lost};

  camera->age = camera->silence = camera->n_frames = camera->ending = 0;
  camera->is_announced = camera->has_checksum = FALSE;
  camera->feed = vl_feed_new (camera->options, &funcs, camera);
}

static void
disconnect (VlCamera *camera)
{
  g_clear_pointer (&camera->feed, vl_feed_free);
}

static void
finish (VlCamera *camera, gboolean ok)
{
  camera->is_done = TRUE;
  g_clear_handle_id (&camera->timer, g_source_remove);
  camera->done (camera, ok, camera->user_data);
}

static void
wait_to_connect (VlCamera *camera, const char *why)
{
  if (camera->age >= STABLE)
    camera->back_off = 0;
  camera->back_off = CLAMP (camera->back_off * 2, 1, MAX_BACK_OFF);
  camera->waiting = camera->back_off;
  vl_say (name (camera), "lost: %s; next attempt in %u s",
      why[0] != '\0' ? why : "the stream ended", camera->back_off);
}

/* Out of the feed's own calls. */
static gboolean
deal_with_loss (gpointer data)
{
  VlCamera *camera = data;
  g_autofree char *why = g_steal_pointer (&camera->lost);

  camera->dealing = 0;
  disconnect (camera);
  if (camera->stops) {
    finish (camera, TRUE);
  } else if (camera->reloads) {
    camera->reloads = FALSE;
    connect_feed (camera);
  } else if (camera->options->source->kind == VL_SOURCE_FILE) {
    if (why[0] != '\0')
      vl_say (name (camera), "%s", why);
    finish (camera, why[0] == '\0');
  } else {
    wait_to_connect (camera, why);
  }
  return G_SOURCE_REMOVE;
}

static void
on_lost (const char *why, gpointer data)
{
  VlCamera *camera = data;

  if (camera->dealing != 0)
    return;
  camera->lost = g_strdup (why != NULL ? why : "");
  camera->dealing = g_idle_add (deal_with_loss, camera);
}

/* Properly, where there is anything to end. */
static void
end_feed (VlCamera *camera)
{
  if (camera->feed == NULL || vl_feed_n_frames (camera->feed) == 0) {
    on_lost (NULL, camera);
    return;
  }
  camera->ending = 1;
  vl_feed_end (camera->feed);
}

/* ---- time -----------------------------------------------------------------*/

static void
watch_feed (VlCamera *camera)
{
  guint n_frames = vl_feed_n_frames (camera->feed);

  camera->age++;
  if (n_frames > 0)
    announce (camera);
  camera->silence = n_frames == camera->n_frames ? camera->silence + 1 : 0;
  camera->n_frames = n_frames;

  if (camera->ending > 0 && camera->ending++ > ENDING)
    on_lost ("", camera);
  else if (camera->silence >= (n_frames > 0 ? SILENCE : CONNECTING))
    on_lost (n_frames > 0 ? "no pictures any more" : "no pictures", camera);
}

static gboolean
on_second (gpointer data)
{
  VlCamera *camera = data;

  if (camera->feed != NULL)
    watch_feed (camera);
  else if (camera->waiting > 0 && --camera->waiting == 0)
    connect_feed (camera);
  return G_SOURCE_CONTINUE;
}

/* ---- what others call -----------------------------------------------------*/

VlCamera *
vl_camera_new (const VlFeedOptions *options, VlRecorder *recorder,
    VlCameraDone done, gpointer user_data)
{
  VlCamera *camera = g_new0 (VlCamera, 1);

  camera->options = options;
  camera->recorder = recorder;
  camera->done = done;
  camera->user_data = user_data;
  camera->timer = g_timeout_add_seconds (1, on_second, camera);
  connect_feed (camera);
  return camera;
}

void
vl_camera_free (VlCamera *camera)
{
  disconnect (camera);
  g_clear_handle_id (&camera->timer, g_source_remove);
  g_clear_handle_id (&camera->dealing, g_source_remove);
  g_free (camera->lost);
  g_free (camera->checksum);
  g_free (camera->warning);
  g_free (camera);
}

void
vl_camera_stop (VlCamera *camera)
{
  if (camera->stops || camera->is_done)
    return;
  camera->stops = TRUE;
  end_feed (camera);
}

void
vl_camera_reload (VlCamera *camera)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VlModel) model = NULL;

  if (camera->options->source->kind == VL_SOURCE_FILE) {
    vl_say (name (camera), "a file keeps the model that it began with");
    return;
  }
  if (!g_file_test (camera->options->model, G_FILE_TEST_EXISTS)) {
    vl_say (name (camera), "has no model to read again");
    return;
  }
  model = vl_model_load (camera->options->model, &error);
  if (model == NULL) {
    vl_say (name (camera), "keeps its model: %s", error->message);
    return;
  }
  if (camera->feed == NULL || camera->stops)
    return;
  vl_say (name (camera), "reads its model again");
  camera->reloads = TRUE;
  end_feed (camera);
}
