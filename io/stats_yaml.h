/* io/stats_yaml.h - The Well's stats.yaml: top keys mean, std, rms, mean_delta, std_delta, rms_delta;
   below, per field, a number, a list (vector) or a list of lists (tensor). It stands beside data/ and
   describes the training split. */
#ifndef FC_STATS_YAML_H
#define FC_STATS_YAML_H
#include "io/field.h"

/* nine digits, so that float32 statistics survive; replaced in one piece */
fc_status fc_stats_yaml_write(const char *path, const fc_field_info *info, const fc_field_stats *s);
/* Fills what the file has for the channels of info. mean and std must be there for each; rms is computed from
   them if it is missing, *_delta become NaN (published sets lack keys). min, max and frames are not in the
   format: NaN and 0. FC_E_INPUT names what is missing. */
fc_status fc_stats_yaml_read(const char *path, const fc_field_info *info, fc_field_stats *out);
#endif
