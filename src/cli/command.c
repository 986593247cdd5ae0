/* vaelstm: anomaly detection for fixed cameras
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "command.h"

#include <stdarg.h>

G_DEFINE_QUARK (vl_usage_error, vl_usage_error)

gboolean
vl_usage_error (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (
      error, g_error_new_valist (VL_USAGE_ERROR, 0, format, args));
  va_end (args);
  return FALSE;
}

gboolean
vl_command_parse (int argc, char **argv, const GOptionEntry *entries,
    const char *parameters, const char *summary, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new (parameters);
  g_autofree char *program = g_strconcat ("vaelstm ", argv[0], NULL);
  g_auto (GStrv) args = g_strdupv (argv);

  g_set_prgname (program);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, summary);
  if (!g_option_context_parse_strv (context, &args, error))
    return FALSE;
  return args[1] == NULL ||
         vl_usage_error (error, "unexpected argument %s", args[1]);
}

gboolean
vl_command_require (const void *value, const char *what, GError **error)
{
  return value != NULL || vl_usage_error (error, "expected %s", what);
}

gboolean
vl_command_check_range (
    const char *option, double value, double low, double high, GError **error)
{
  if (value >= low && value <= high)
    return TRUE;
  return vl_usage_error (error, "%s: %g is out of range, expected %g to %g",
      option, value, low, high);
}
