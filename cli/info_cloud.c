/* cli/info_cloud.c - what a set of points or meshes holds, with streaming statistics. */
#include "cli/info.h"
#include "cli/info_reading.h"
#include "io/cloud.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void moments(json_t *row, const fc_cloud_moments *m) {
  if (!m) return;
  fc_info_real(row, "min", m->n > 0 ? m->lo : NAN);
  fc_info_real(row, "mean", m->n > 0 ? m->mean : NAN);
  fc_info_real(row, "std", m->n > 0 ? m->std : NAN);
  fc_info_real(row, "max", m->n > 0 ? m->hi : NAN);
}

static json_t *named(const char *name, const char *unit) {
  json_t *row = json_object();

  fc_info_text(row, "name", name);
  fc_info_text(row, "unit", unit);
  return row;
}

static void coordinates(json_t *out, const fc_cloud_info *i, const fc_cloud_stats *s) {
  json_t *list = json_array();

  for (int a = 0; a < i->space; a++) {
    json_t *row = named(i->axis[a], i->space_unit);
    moments(row, s ? &s->axis[a] : NULL);
    json_array_append_new(list, row);
  }
  json_object_set_new(out, "coordinates", list);
}

static void fields(json_t *out, const fc_cloud_info *i, const fc_cloud_stats *s) {
  json_t *list = json_array();

  for (int c = 0; c < i->n_channels; c++) {
    json_t *row = named(i->channel[c].name, i->channel[c].unit);
    fc_info_text(row, "role", i->role[c] == FC_ROLE_INPUT ? "input" : "target");
    if (i->n_steps > 1) fc_info_text(row, "in time", i->varying[c] ? "varies" : "constant");
    moments(row, s ? &s->channel[c] : NULL);
    json_array_append_new(list, row);
  }
  json_object_set_new(out, "fields", list);
}

static void parameters(json_t *out, const fc_cloud_info *i, const fc_cloud_stats *s) {
  json_t *list = json_array();

  for (int k = 0; k < i->n_params; k++) {
    json_t *row = named(i->param[k].name, i->param[k].unit);
    moments(row, s ? &s->param[k] : NULL);
    json_array_append_new(list, row);
  }
  if (i->n_params) json_object_set(out, "parameters", list);
  json_decref(list);
}

static void functions(json_t *out, const fc_cloud_info *i, const fc_cloud_stats *s) {
  json_t *list = json_array();

  for (int f = 0; f < i->n_functions; f++)
    for (int k = 0; k < i->function[f].n; k++) {
      json_t *row = json_object();
      fc_info_text(row, "function", i->function[f].name);
      fc_info_text(row, "column", i->function[f].column[k].name);
      fc_info_text(row, "unit", i->function[f].column[k].unit);
      moments(row, s ? &s->function[f][k] : NULL);
      json_array_append_new(list, row);
    }
  if (i->n_functions) json_object_set(out, "input functions", list);
  json_decref(list);
}

static void general(json_t *out, fc_cloud *c, const fc_cloud_info *i) {
  static const char *const texts[] = {"fieldcast_version", "command", "model", "checkpoint"};

  fc_info_text(out, "kind", i->layout_name);
  fc_info_text(out, "name", i->name);
  fc_info_int(out, "files", i->n_files);
  fc_info_int(out, "samples", i->n_samples);
  fc_info_int(out, "points", i->points);
  json_t *one = json_object();
  fc_info_int(one, "min", i->least);
  fc_info_int(one, "median", i->median);
  fc_info_int(one, "max", i->most);
  json_object_set_new(out, "points of a sample", one);
  if (i->corners) {
    fc_info_int(out, "cells", i->cells);
    fc_info_int(out, "corners of a cell", i->corners);
  }
  if (i->mask) fc_info_int(out, "mask numbers", i->mask);
  if (i->n_steps > 1) {
    fc_info_int(out, "steps", i->n_steps);
    fc_info_real(out, "time step", i->dt);
    if (i->time_unit[0]) fc_info_text(out, "time unit", i->time_unit);
  }
  for (int k = 0; k < FC_COUNT(texts); k++) {
    const char *value = fc_cloud_text(c, texts[k]);
    if (value[0]) fc_info_text(out, texts[k], value);
  }
}

static void tables(json_t *out, const fc_cloud_info *i, const fc_cloud_stats *s) {
  coordinates(out, i, s);
  fields(out, i, s);
  parameters(out, i, s);
  functions(out, i, s);
}

/* Values that are not finite are news, not a reason to fail; damage is. */
static fc_status statistics(json_t *out, fc_cloud *c) {
  const fc_cloud_info *i = fc_cloud_about(c);
  fc_cloud_stats      *s = malloc(sizeof *s);
  fc_info_reading      r = fc_info_reading_start("sample");

  FC_REQUIRE(s, FC_E_SYSTEM, "no memory for statistics");
  fc_status st = fc_cloud_statistics(c, 0, i->n_samples, fc_info_reading_tick, &r, s);
  fc_info_reading_end(&r);
  if (st == FC_OK) tables(out, i, s);
  if (st != FC_OK && strstr(fc_error(), "not finite")) {
    tables(out, i, NULL);
    fc_info_text(out, "note", fc_error());
    st = FC_OK;
  }
  free(s);
  return st;
}

fc_status fc_info_cloud(const char *path, const fc_info_options *o, json_t *out) {
  fc_cloud *c;
  fc_status s = FC_OK;

  FC_TRY(fc_cloud_open(path, NULL, &c));
  general(out, c, fc_cloud_about(c));
  if (o->statistics)
    s = statistics(out, c);
  else
    tables(out, fc_cloud_about(c), NULL);
  fc_cloud_close(c);
  return s;
}
