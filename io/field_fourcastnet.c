/* io/field_fourcastnet.c - one data set 'fields' (T, C, H, W), as FourCastNet (Pathak et al. 2022) and its
   successors store ERA5: one file per year, so a file is a trajectory. Names, units and times are not stored:
   channels are numbered, times are frame numbers. */
#include "io/field_layout.h"

#include <stdio.h>
#include <string.h>

static bool match(hid_t file) { return fc_h5_what(file, "fields") == FC_H5_DATASET; }

static fc_status describe(hid_t file, const char *path, fc_field_map *m) {
  static const char *const names[2] = {"latitude", "longitude"};

  m->info.layout_name = "FourCastNet 'fields'";
  m->info.ndim        = 2;
  fc_map_name_from_path(m, path);
  for (int a = 0; a < 2; a++) snprintf(m->info.axis[a], FC_NAME, "%s", names[a]);
  return fc_map_add(m, file, path, "fields", "tcxy", "fields", 0, false);
}

const fc_layout_def fc_layout_fourcastnet = {FC_LAYOUT_FOURCASTNET, match, describe};
