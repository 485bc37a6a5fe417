/* train/points_output.c */
#include "train/points_output.h"

#include "hpc/comm.h"
#include "io/cloud_writer.h"
#include "io/plot.h"
#include "train/report.h"

#include <stdlib.h>
#include <string.h>

enum { SHOTS = 3, PICTURES = 8 };

typedef struct { /* one column of the pictures */
  fc_cloud_size size;
  int64_t       sample, frame;
  fc_real      *x, *guess, *truth, *difference; /* [N, space], [N, C] */
  int64_t      *cell;
} shot;

struct fc_points_output {
  const fc_run          *run;
  const fc_evaluate_job *job;
  fc_points             *p;
  fc_output_names        names;
  fc_cloud_writer       *writer;
  fc_cloud_spec          spec;
  fc_out_points_field    field[2 * FC_FIELD_CHANNELS];
  char                   name[FC_FIELD_CHANNELS][FC_NAME], truth_name[FC_FIELD_CHANNELS][FC_NAME];
  double                *time;
  fc_cloud_size         *size; /* [count] of the samples to come, if ranks share the file */
  int64_t                frames, count, written;
  int                    n_shots;
  shot                   shots[SHOTS];
};

/* ---- the file ---- */

/* columns of tables may be called anything; names in files may not */
static void file_name(const char *name, char out[FC_NAME]) {
  size_t n = 0;

  for (; n < FC_NAME - 1 && name[n]; n++) out[n] = name[n] == '/' || name[n] == ' ' ? '_' : name[n];
  out[n] = 0;
  if (out[0] == '.') out[0] = '_';
}

static void describe(fc_points_output *o) {
  const fc_cloud_info *i = fc_cloud_about(o->p->file);
  const fc_scaling    *k = &o->p->out;
  fc_cloud_spec       *s = &o->spec;

  *s = (fc_cloud_spec){.name       = i->name,
                       .space      = i->space,
                       .space_unit = i->space_unit,
                       .time_unit  = i->time_unit,
                       .n_fields   = 2 * k->n,
                       .field      = o->field,
                       .corners    = i->corners,
                       .compress   = !o->size,
                       .shared     = o->size != NULL,
                       .n_samples  = o->count,
                       .size       = o->size};
  for (int c = 0; c < k->n; c++) {
    const fc_channel *h = &k->channel[c];
    file_name(h->name, o->name[c]);
    memcpy(o->truth_name[c], o->name[c], FC_NAME);
    o->truth_name[c][FC_NAME - 7] = 0;
    strcat(o->truth_name[c], "_truth");
    o->field[c] = (fc_out_points_field){o->name[c], h->unit, 1, NULL, FC_ROLE_TARGET, i->n_steps > 1};
    o->field[k->n + c] =
        (fc_out_points_field){o->truth_name[c], h->unit, 1, NULL, FC_ROLE_INPUT, i->n_steps > 1};
  }
  for (int a = 0; a < i->space; a++) s->axis[a] = i->axis[a];
  for (int q = 0; q < o->p->params.n; q++, s->n_params++) {
    s->param[q].name = o->p->params.channel[q].name;
    s->param[q].unit = o->p->params.channel[q].unit;
  }
  s->text[0].name = "command", s->text[0].value = o->job->command;
  s->text[1].name = "model", s->text[1].value = o->run->k.def->name;
  s->text[2].name = "checkpoint", s->text[2].value = o->run->path;
  s->text[3].name = "weights", s->text[3].value = o->run->averaged ? "moving average" : "last";
  s->text[4].name = "data", s->text[4].value = o->job->data;
  s->n_texts = 5;
}

static fc_status open_file(fc_points_output *o) {
  describe(o);
  if (fc_cloud_about(o->p->file)->n_steps > 1) {
    o->time = malloc((size_t)o->frames * sizeof *o->time);
    FC_REQUIRE(o->time, FC_E_SYSTEM, "no memory for the times of predictions");
    FC_TRY(fc_cloud_times(o->p->file, 0, o->p->history, o->frames, o->time));
    o->spec.n_steps = o->frames;
    o->spec.time    = o->time;
  }
  FC_TRY(fc_output_names_make(o->job->out, &o->names));
  return fc_cloud_writer_create(o->names.file, &o->spec, &o->writer);
}

static fc_status list_sizes(fc_points_output *o, const int64_t *sample) {
  o->size = malloc((size_t)o->count * sizeof *o->size);
  FC_REQUIRE(o->size, FC_E_SYSTEM, "no memory for a list of samples");
  for (int64_t i = 0; i < o->count; i++) o->size[i] = fc_cloud_size_of(o->p->file, sample[i]);
  return FC_OK;
}

fc_status fc_points_output_create(const fc_run *run, const fc_evaluate_job *job, fc_points *p, int64_t frames,
                                  int64_t count, const int64_t *sample, fc_points_output **out) {
  fc_points_output *o = calloc(1, sizeof *o);

  FC_REQUIRE(o, FC_E_SYSTEM, "no memory for the predictions");
  o->run      = run;
  o->job      = job;
  o->p        = p;
  o->frames   = frames;
  o->count    = count;
  fc_status s = fc_comm_size(NULL) > 1 ? list_sizes(o, sample) : FC_OK;
  if (s == FC_OK) s = open_file(o);
  if (s == FC_OK)
    *out = o;
  else
    fc_points_output_abandon(o);
  return s;
}

void fc_points_output_abandon(fc_points_output *o) {
  if (!o) return;
  fc_cloud_writer_abandon(o->writer);
  for (int i = 0; i < o->n_shots; i++) {
    free(o->shots[i].x);
    free(o->shots[i].guess);
    free(o->shots[i].truth);
    free(o->shots[i].difference);
    free(o->shots[i].cell);
  }
  free(o->time);
  free(o->size);
  free(o);
}

/* channels-last values of all frames to one array for each channel */
static void split(const fc_real *from, int64_t rows, int C, int c, fc_real *to) {
  for (int64_t i = 0; i < rows; i++) to[i] = from[i * C + c];
}

/* One rank writes what a sample has once. Cells are whole, since their corners are points of other ranks too.
 */
static fc_status write_sample(fc_points_output *o, int64_t k, int64_t sample, const fc_cloud_size *z,
                              const fc_real *guess, const fc_real *truth) {
  const int      C = o->p->out.n, n_params = fc_cloud_about(o->p->file)->n_params;
  const int64_t  N = z->points, rows = o->frames * N;
  const bool     first = !o->p->domain || o->p->domain->rank == 0;
  const fc_real *field[2 * FC_FIELD_CHANNELS];
  fc_real       *all  = malloc((size_t)(2 * C * rows + N * o->p->x.n + 2 * n_params) * sizeof *all);
  int64_t       *cell = malloc((size_t)(first ? z->cells * o->spec.corners + 1 : 1) * sizeof *cell);
  fc_status      s = all && cell ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for the predictions of a sample");

  if (s != FC_OK) goto done;
  fc_real *x = all + 2 * C * rows, *given = x + N * o->p->x.n, *params = given + n_params;
  for (int c = 0; c < C; c++) {
    split(guess, rows, C, c, all + c * rows);
    split(truth, rows, C, c, all + (C + c) * rows);
    field[c]     = all + c * rows;
    field[C + c] = all + (C + c) * rows;
  }
  FC_TRY_TO(done, s, fc_cloud_read_points(o->p->file, sample, x));
  FC_TRY_TO(done, s, fc_cloud_read_params(o->p->file, sample, given));
  for (int q = 0; q < o->p->params.n; q++) params[q] = given[o->p->param_pick[q]];
  if (first) FC_TRY_TO(done, s, fc_cloud_read_cells(o->p->file, sample, cell));
  const fc_cloud_sample out = {.points = N,
                               .x      = x,
                               .field  = field,
                               .params = first ? params : NULL,
                               .cells  = z->cells,
                               .cell   = first ? cell : NULL};
  const int64_t         lo  = fc_cloud_own(o->p->file, fc_cloud_size_of(o->p->file, sample).points).lo;
  s = o->size ? fc_cloud_write_share(o->writer, k, lo, &out) : fc_cloud_write(o->writer, &out);
done:
  free(all);
  free(cell);
  return s;
}

/* ---- pictures ---- */

static fc_status take_shot(fc_points_output *o, int64_t sample, const fc_cloud_size *z, int64_t frame,
                           const fc_real *guess, const fc_real *truth) {
  const size_t len = (size_t)(z->points * o->p->out.n);
  shot        *k   = &o->shots[o->n_shots++];

  k->size       = *z;
  k->sample     = sample;
  k->frame      = frame;
  k->x          = malloc((size_t)(z->points * o->p->x.n) * sizeof *k->x);
  k->guess      = malloc(len * sizeof *k->guess);
  k->truth      = malloc(len * sizeof *k->truth);
  k->difference = malloc(len * sizeof *k->difference);
  k->cell       = malloc((size_t)(z->cells * o->spec.corners + 1) * sizeof *k->cell);
  FC_REQUIRE(k->x && k->guess && k->truth && k->difference && k->cell, FC_E_SYSTEM,
             "no memory for a picture");
  memcpy(k->guess, guess + frame * (int64_t)len, len * sizeof *guess);
  memcpy(k->truth, truth + frame * (int64_t)len, len * sizeof *truth);
  for (size_t i = 0; i < len; i++) k->difference[i] = k->guess[i] - k->truth[i];
  FC_TRY(fc_cloud_read_points(o->p->file, sample, k->x));
  return fc_cloud_read_cells(o->p->file, sample, k->cell);
}

/* of steady problems the first samples, else frames of the first sample from its first to its last */
static fc_status take_shots(fc_points_output *o, int64_t sample, const fc_cloud_size *z, const fc_real *guess,
                            const fc_real *truth) {
  const int64_t n = fc_min64(o->frames, SHOTS);

  if (o->frames == 1) return o->n_shots < SHOTS ? take_shot(o, sample, z, 0, guess, truth) : FC_OK;
  for (int64_t i = 0; o->written == 0 && i < n; i++)
    FC_TRY(take_shot(o, sample, z, i * (o->frames - 1) / (n - 1), guess, truth));
  return FC_OK;
}

fc_status fc_points_output_add(fc_points_output *o, int64_t k, int64_t sample, const fc_real *guess,
                               const fc_real *truth) {
  const fc_cloud_size z = fc_cloud_own_size(o->p->file, sample);

  FC_TRY(write_sample(o, k, sample, &z, guess, truth));
  if (!o->size) FC_TRY(take_shots(o, sample, &z, guess, truth)); /* else no rank has all that they show */
  o->written++;
  return FC_OK;
}

static void name_column(const fc_points_output *o, const shot *k, char *out, size_t size) {
  const char *unit = fc_unit_text(fc_cloud_about(o->p->file)->time_unit);

  if (o->frames > 1)
    snprintf(out, size, "t = %.4g %.20s", o->time[k->frame], unit);
  else
    snprintf(out, size, "sample %lld", (long long)k->sample);
}

static fc_status draw(const fc_points_output *o, int c) {
  const fc_channel *h = &o->p->out.channel[c];
  const int         C = o->p->out.n, n = o->n_shots;
  fc_panel          p[3 * SHOTS] = {{0}};
  fc_scene          scene[SHOTS];
  char              label[SHOTS][48], path[FC_TEXT + FC_NAME + 40], title[FC_TEXT];
  const char       *rows[3] = {"truth", o->run->k.def->name, "difference"}, *cols[SHOTS],
             *unit = fc_unit_text(h->unit), *units[3] = {unit, unit, unit};

  for (int i = 0; i < n; i++) {
    const shot *k       = &o->shots[i];
    scene[i]            = (fc_scene){.n         = k->size.points,
                                     .space     = o->p->x.n,
                                     .up        = o->job->up,
                                     .x         = k->x,
                                     .cells     = k->size.cells,
                                     .corners   = o->spec.corners,
                                     .cell      = k->cell,
                                     .azimuth   = o->job->view[0],
                                     .elevation = o->job->view[1]};
    const fc_real *x[3] = {k->truth, k->guess, k->difference};
    for (int r = 0; r < 3; r++) p[r * n + i] = (fc_panel){.x = x[r] + c, .stride = C, .scene = &scene[i]};
    name_column(o, k, label[i], sizeof label[i]);
    cols[i] = label[i];
  }
  fc_report_colours(p, n);
  snprintf(path, sizeof path, "%s%s.png", o->names.stem, o->name[c]);
  snprintf(title, sizeof title, "%s: %s", o->run->k.def->name, h->name);
  return fc_plot_panels(path, title, 3, n, p, rows, cols, units);
}

fc_status fc_points_output_finish(fc_points_output *o, FILE *report) {
  fc_cloud_writer *w    = o->writer;
  const bool       flat = o->p->x.n < 2 || o->size;

  o->writer   = NULL;
  fc_status s = fc_cloud_writer_finish(w);
  for (int c = 0; c < o->p->out.n && c < PICTURES && !flat && s == FC_OK; c++) s = draw(o, c);
  if (s == FC_OK && !fc_comm_rank(NULL))
    fprintf(report, "\npredictions of %lld sample%s in %s%s%s%s\n", (long long)o->count,
            o->count == 1 ? "" : "s", o->names.file, flat ? "" : ", pictures in ", flat ? "" : o->names.stem,
            flat ? "" : "*.png");
  fc_points_output_abandon(o);
  return s;
}
