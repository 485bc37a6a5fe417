/* cli/info_field.c - what a data set of fields holds, with streaming statistics. */
#include "cli/info.h"
#include "cli/info_reading.h"
#include "io/field.h"

#include <math.h>
#include <string.h>

static void grid(json_t *out, const fc_field_info *i) {
  json_t *axes = json_array();

  fc_info_shape(out, "grid", i->ndim, i->dim);
  for (int a = 0; a < i->ndim; a++) {
    json_t *row = json_object();
    fc_info_text(row, "axis", i->axis[a]);
    fc_info_int(row, "points", i->dim[a]);
    fc_info_real(row, "first", i->lo[a]);
    fc_info_real(row, "last", i->hi[a]);
    fc_info_text(row, "spacing", i->uniform[a] ? "even" : "uneven");
    json_object_set_new(row, "periodic", json_boolean(i->periodic[a]));
    json_array_append_new(axes, row);
  }
  if (i->space_unit[0]) fc_info_text(out, "length unit", i->space_unit);
  json_object_set_new(out, "axes", axes);
}

static void channels(json_t *out, const fc_field_info *i, const fc_field_stats *s) {
  json_t *list = json_array();

  for (int c = 0; c < i->n_channels; c++) {
    json_t *row = json_object();
    fc_info_text(row, "name", i->channel[c].name);
    fc_info_text(row, "unit", i->channel[c].unit);
    if (s) {
      fc_info_real(row, "min", s->min[c]);
      fc_info_real(row, "mean", s->mean[c]);
      fc_info_real(row, "std", s->std[c]);
      fc_info_real(row, "max", s->max[c]);
      fc_info_real(row, "std of change", i->n_steps > 1 ? s->std_delta[c] : NAN);
    }
    json_array_append_new(list, row);
  }
  json_object_set_new(out, "channels", list);
}

static void constants(json_t *out, const fc_field_info *i) {
  json_t *list = json_array();

  for (int c = 0; c < i->n_constant; c++) {
    json_t *row = json_object();
    fc_info_text(row, "name", i->constant[c].name);
    fc_info_text(row, "unit", i->constant[c].unit);
    json_array_append_new(list, row);
  }
  if (i->n_constant)
    json_object_set_new(out, "constant in time", list);
  else
    json_decref(list);
}

static void parameters(json_t *out, const fc_field_info *i) {
  json_t *list = json_object();

  for (int k = 0; k < i->n_params; k++) fc_info_real(list, i->param[k].name, i->param[k].value);
  if (i->n_params)
    json_object_set_new(out, "parameters", list);
  else
    json_decref(list);
}

static void texts(json_t *out, fc_field *f) {
  static const char *const names[] = {"fieldcast_version", "solver",     "command", "model", "config",
                                      "positions",         "Conventions"};

  for (int k = 0; k < FC_COUNT(names); k++)
    if (fc_field_text(f, names[k])[0]) fc_info_text(out, names[k], fc_field_text(f, names[k]));
}

static void general(json_t *out, const fc_field_info *i) {
  fc_info_text(out, "kind", i->layout_name);
  fc_info_text(out, "name", i->name);
  fc_info_int(out, "files", i->n_files);
  fc_info_int(out, "trajectories", i->n_traj);
  fc_info_int(out, "steps", i->n_steps);
  if (i->n_steps > 1) fc_info_real(out, "time step", i->dt); /* "-": unknown or not uniform */
  if (i->time_unit[0]) fc_info_text(out, "time unit", i->time_unit);
}

/* Values that are not finite are news, not a reason to fail; damage is. */
static fc_status statistics(json_t *out, fc_field *f, const fc_field_info *i) {
  fc_field_stats  s;
  fc_info_reading r      = fc_info_reading_start("frame");
  const fc_status status = fc_field_statistics(f, 0, i->n_traj, NULL, fc_info_reading_tick, &r, &s);

  fc_info_reading_end(&r);
  if (status == FC_OK)
    channels(out, i, &s);
  else if (strstr(fc_error(), "not finite")) {
    channels(out, i, NULL);
    fc_info_text(out, "note", fc_error());
  } else
    return status;
  return FC_OK;
}

fc_status fc_info_fields(const char *path, const fc_info_options *o, json_t *out) {
  fc_field *f;
  fc_status s = FC_OK;

  FC_TRY(fc_field_open(path, &f));
  const fc_field_info *i = fc_field_about(f);
  general(out, i);
  grid(out, i);
  if (o->statistics)
    s = statistics(out, f, i);
  else
    channels(out, i, NULL);
  constants(out, i);
  parameters(out, i);
  texts(out, f);
  fc_field_close(f);
  return s;
}
