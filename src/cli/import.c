/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"
#include "model.h"
#include "output.h"

typedef struct {
  char *vae, *mdnrnn, *output;
} Options;

static gboolean
read_options (int argc, char **argv, Options *o, GError **error)
{
  const GOptionEntry entries[] = {
      {"vae", 0, 0, G_OPTION_ARG_FILENAME, &o->vae,
          "Weights of the autoencoder", "FILE.safetensors"},
      {"mdnrnn", 0, 0, G_OPTION_ARG_FILENAME, &o->mdnrnn,
          "Weights of the LSTM with mixture output", "FILE.safetensors"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output,
          "The model to write", "MODEL"},
      {NULL}};

  return vl_command_parse (argc, argv, entries, "",
             "Makes a model of weights trained in PyTorch under the published "
             "layer names. It can encode and reconstruct; scoring needs a "
             "calibration, which training makes.",
             error) &&
         vl_command_require (o->vae, "weights: --vae FILE", error) &&
         vl_command_require (o->mdnrnn, "weights: --mdnrnn FILE", error) &&
         vl_command_require (o->output, "a file to write: -o MODEL", error);
}

gboolean
vl_command_import (int argc, char **argv, GError **error)
{
  Options o = {NULL};
  g_autoptr (VlModel) model = NULL;
  const gboolean done =
      read_options (argc, argv, &o, error) &&
      vl_output_check (o.output, error) &&
      (model = vl_model_import (o.vae, o.mdnrnn, error)) != NULL &&
      vl_model_save (model, o.output, error);

  g_free (o.vae);
  g_free (o.mdnrnn);
  g_free (o.output);
  return done;
}
