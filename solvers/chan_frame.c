/* solvers/chan_frame.c */
#include "solvers/chan_frame.h"

#include "core/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- points ---- */

int64_t fc_chan_frame_points(const fc_chan_config *c) {
  return c->points == FC_CHAN_AT_NODES ? c->ny / c->y_stride + 1 : c->ny;
}

void fc_chan_frame_y(const fc_chan_config *c, double *y) {
  const int64_t n = fc_chan_frame_points(c);

  if (c->points == FC_CHAN_AT_NODES) {
    fc_chan_nodes(c->map, c->stretch, n - 1, y); /* maps depend on j/n alone */
    return;
  }
  fc_chan_nodes(c->map, c->stretch, n, y);
  for (int64_t j = 0; j < n; j++) y[j] = (y[j] + y[j + 1]) / 2;
}

void fc_chan_frame_share(const fc_chan_config *c, int64_t *lo, int64_t *n) {
  int64_t hi;

  fc_comm_block(NULL, c->nx_keep, lo, &hi);
  *n = hi - *lo;
}

/* ---- memory ---- */

static int64_t padded(int64_t n) { return (n + 7) / 8 * 8; }

static int64_t lay_out(const fc_chan *s, fc_chan_frame *f, double *block) {
  int64_t at = 0;

#define TAKE(p, size) ((p) = block ? block + at : NULL, at += padded(size))
  TAKE(f->y, f->Y + 1);
  for (int a = 0; a < 3; a++) {
    TAKE(f->column[a], s->k_n * f->Y * f->Z);
    TAKE(f->plane[a], f->y_n * s->nkx * f->Z);
    TAKE(f->point[a], f->y_n * f->X * f->Z);
    TAKE(f->line[a], f->x_n * f->Y * f->Z);
  }
#undef TAKE
  return at;
}

/* ---- stencils along y ---- */

/* Where values are known, walls included: at cells (-1: the wall), at faces, at the points of a frame. */
typedef struct {
  int64_t n, *entry;
  double *x;
} places;

static void add_place(places *p, double x, int64_t entry) {
  p->x[p->n]       = x;
  p->entry[p->n++] = entry;
}

static void known(const fc_chan *s, const fc_chan_frame *f, int which, places *p) {
  const fc_chan_grid *g     = s->grid;
  const bool          nodes = which == 2 && f->points == FC_CHAN_AT_NODES;
  const int64_t       n     = which == 2 ? f->Y : g->n;
  const double       *x     = which == 0 ? g->c : which == 1 ? g->y : f->y;

  p->n = 0;
  if (which != 1 && !nodes) add_place(p, 0, -1);
  for (int64_t j = 0; j < n; j++) add_place(p, x[j], which == 1 && j == 0 ? -1 : j);
  if (!nodes) add_place(p, 2, -1);
}

static void find_stencils(const places *p, int64_t n, const double *x, fc_chan_stencil *out) {
  for (int64_t j = 0; j < n; j++) {
    int64_t first;
    fc_chan_cubic(p->n, p->x, x[j], &first, out[j].w);
    for (int i = 0; i < 4; i++) out[j].entry[i] = p->entry[first + i];
  }
}

static fc_status fill_stencils(const fc_chan *s, fc_chan_frame *f) {
  const int64_t n = s->grid->n, most = fc_max64(n, f->Y) + 2;
  places        p  = {.entry = calloc((size_t)most, sizeof *p.entry), .x = calloc((size_t)most, sizeof *p.x)};
  bool          ok = p.entry && p.x;

  for (int i = 0; i < 4; i++) {
    f->stencil[i] = calloc((size_t)(i < 2 ? f->Y : n), sizeof *f->stencil[i]);
    ok            = ok && f->stencil[i];
  }
  for (int i = 0; i < 4 && ok; i++) {
    known(s, f, fc_min64(i, 2), &p);
    find_stencils(&p, i < 2 ? f->Y : n, i < 2 ? f->y : i == 2 ? s->grid->c : s->grid->y, f->stencil[i]);
  }
  free(p.entry);
  free(p.x);
  return ok ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for frames");
}

fc_status fc_chan_frame_create(const fc_chan *s, const fc_chan_config *kept, fc_chan_frame **out) {
  fc_chan_frame *f = calloc(1, sizeof *f);
  fc_status      status;
  int64_t        hi;

  *out = NULL;
  FC_REQUIRE(f, FC_E_SYSTEM, "no memory for frames");
  f->X = kept->nx_keep, f->Y = fc_chan_frame_points(kept), f->Z = kept->nz_keep, f->points = kept->points;
  fc_comm_block(s->comm, f->X, &f->x_lo, &hi);
  f->x_n = hi - f->x_lo;
  fc_comm_block(s->comm, f->Y, &f->y_lo, &hi);
  f->y_n   = hi - f->y_lo;
  f->block = fc_fft2_alloc(lay_out(s, f, NULL));
  status   = f->block ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for frames");
  if (status == FC_OK) {
    lay_out(s, f, f->block);
    fc_chan_frame_y(kept, f->y);
    status = fill_stencils(s, f);
  }
  if (status == FC_OK) status = fc_fft2_create(f->X, f->Z, s->c.fft, &f->fft);
  if (status == FC_OK) status = fc_turn_create(s->comm, s->nkx, f->Y, f->Z, 3, &f->modes);
  if (status == FC_OK) status = fc_turn_create(s->comm, f->Y, f->X, f->Z, 3, &f->lines);
  if (status != FC_OK) {
    fc_chan_frame_destroy(f);
    return status;
  }
  *out = f;
  return FC_OK;
}

void fc_chan_frame_destroy(fc_chan_frame *f) {
  if (!f) return;
  for (int i = 0; i < 4; i++) free(f->stencil[i]);
  fc_turn_destroy(f->modes);
  fc_turn_destroy(f->lines);
  fc_fft2_destroy(f->fft);
  free(f->block);
  free(f);
}

/* ---- from the state ---- */

/* rows (re[lanes], im[lanes]) of a column at other points; rows in and out are that far apart */
static void resample(const fc_chan_stencil *s, int64_t n, int64_t lanes, const double *in, int64_t row_in,
                     double *out, int64_t row_out) {
  const int64_t half_in = row_in / 2, half_out = row_out / 2;

  for (int64_t j = 0; j < n; j++, out += row_out) {
    memset(out, 0, (size_t)row_out * sizeof *out);
    for (int i = 0; i < 4; i++) {
      if (s[j].entry[i] < 0) continue;
      const double *row = in + s[j].entry[i] * row_in, w = s[j].w[i];
      for (int64_t l = 0; l < lanes; l++) {
        out[l] += w * row[l];
        out[half_out + l] += w * row[half_in + l];
      }
    }
  }
}

static void columns_to_points(const fc_chan *s, fc_chan_frame *f) {
  const int64_t block = s->grid->n * s->row;

  FC_FOR_ROWS(i, s->k_n, 3 * block)
  for (int a = 0; a < 3; a++)
    resample(f->stencil[a == FC_CHAN_V], f->Y, f->Z / 2, s->state[a] + i * block, s->row,
             f->column[a] + i * f->Y * f->Z, f->Z);
}

/* row of the spectrum of X lines for entry i of the modes, or -1 if it is cut */
static int64_t row_of(const fc_chan *s, const fc_chan_frame *f, int64_t i) {
  const int64_t m = i <= s->nkx / 2 ? i : i - s->nkx;

  return llabs(m) < f->X / 2 ? (m + f->X) % f->X : -1;
}

static void plane_to_points(const fc_chan *s, const fc_chan_frame *f, const double *modes, double *hat,
                            double *x) {
  const int64_t lanes = f->Z / 2, width = 2 * (lanes + 1);

  memset(hat, 0, (size_t)(f->X * width) * sizeof *hat);
  for (int64_t i = 0; i < s->nkx; i++) {
    const int64_t r   = row_of(s, f, i);
    const double *row = modes + i * f->Z;
    for (int64_t l = 0; l < lanes && r >= 0; l++) {
      hat[r * width + 2 * l]     = row[l];
      hat[r * width + 2 * l + 1] = row[lanes + l];
    }
  }
  fc_fft2_inverse(f->fft, hat, x);
}

/* a plane of scratch of task t that is not part of the transforms' own, which holds zeros */
static double *scratch_of(const fc_chan *s, int64_t t) {
  return s->planes + t * s->plane_size + fc_chan_fft_scratch(s->fft);
}

static void planes_to_points(const fc_chan *s, const fc_chan_frame *f) {
  FC_FOR_TASKS(t, s->tasks, INT64_MAX)
  for (int64_t j = f->y_n * t / s->tasks; j < f->y_n * (t + 1) / s->tasks; j++)
    for (int a = 0; a < 3; a++)
      plane_to_points(s, f, f->plane[a] + j * s->nkx * f->Z, scratch_of(s, t), f->point[a] + j * f->X * f->Z);
}

void fc_chan_frame_planes(fc_chan *s, fc_chan_frame *f) {
  columns_to_points(s, f);
  if (s->status == FC_OK) s->status = fc_turn_there(f->modes, 3, f->column, f->plane);
  planes_to_points(s, f);
}

void fc_chan_frame_values(fc_chan *s, fc_chan_frame *f, fc_real *x) {
  fc_chan_frame_planes(s, f);
  if (s->status == FC_OK) s->status = fc_turn_there(f->lines, 3, f->point, f->line);
  FC_FOR_ROWS(i, f->x_n * f->Y, 3 * f->Z)
  for (int64_t l = 0; l < f->Z; l++)
    for (int a = 0; a < 3; a++) x[3 * (i * f->Z + l) + a] = (fc_real)f->line[a][i * f->Z + l];
}

/* ---- into the state ---- */

static void plane_to_modes(const fc_chan *s, const fc_chan_frame *f, double *x, double *hat, double *modes) {
  const int64_t lanes = f->Z / 2, width = 2 * (lanes + 1);
  const double  scale = 1 / (double)(f->X * f->Z);

  fc_fft2_forward(f->fft, x, hat);
  for (int64_t i = 0; i < s->nkx; i++) {
    const double *from = hat + row_of(s, f, i) * width;
    double       *row  = modes + i * f->Z;
    for (int64_t l = 0; l < lanes; l++) {
      row[l]         = scale * from[2 * l];
      row[lanes + l] = scale * from[2 * l + 1];
    }
  }
}

static void points_to_planes(const fc_chan *s, const fc_chan_frame *f, const fc_real *x) {
  FC_FOR_TASKS(t, s->tasks, INT64_MAX)
  for (int64_t j = f->y_n * t / s->tasks; j < f->y_n * (t + 1) / s->tasks; j++)
    for (int a = 0; a < 3; a++) {
      double *point = f->point[a] + j * f->X * f->Z;
      for (int64_t i = 0; i < f->X; i++)
        for (int64_t l = 0; l < f->Z; l++)
          point[i * f->Z + l] = (double)x[3 * ((i * f->Y + f->y_lo + j) * f->Z + l) + a];
      plane_to_modes(s, f, point, scratch_of(s, t), f->plane[a] + j * s->nkx * f->Z);
    }
}

void fc_chan_frame_set(fc_chan *s, fc_chan_frame *f, const fc_real *x) {
  const int64_t block = s->grid->n * s->row;

  points_to_planes(s, f, x);
  if (s->status == FC_OK) s->status = fc_turn_back(f->modes, 3, f->plane, f->column);
  FC_FOR_ROWS(i, s->k_n, 3 * block)
  for (int a = 0; a < 3; a++) {
    double *to = s->state[a] + i * block;
    resample(f->stencil[2 + (a == FC_CHAN_V)], s->grid->n, f->Z / 2, f->column[a] + i * f->Y * f->Z, f->Z, to,
             s->row);
    if (a == FC_CHAN_V) memset(to, 0, (size_t)s->row * sizeof *to); /* the wall */
  }
  fc_chan_settle(s);
}
