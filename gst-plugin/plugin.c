/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "gstvaelstmdetect.h"
#include "gstvaelstmgate.h"
#include "gstvaelstmmeta-private.h"
#include "gstvaelstmoverlay.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gst_vae_lstm_meta_register ();

  return GST_ELEMENT_REGISTER (vaelstmdetect, plugin) &&
         GST_ELEMENT_REGISTER (vaelstmgate, plugin) &&
         GST_ELEMENT_REGISTER (vaelstmoverlay, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vaelstm,
    "Anomaly detection for fixed cameras: VAE and LSTM-MDN on the CPU",
    plugin_init, VERSION, "LGPL", PACKAGE, "Unknown package origin")
