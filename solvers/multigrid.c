/* solvers/multigrid.c - the hierarchy: grids, interpolation, coarse matrices. */
#include "solvers/multigrid.h"

#include "solvers/fft2.h"

#include <stdlib.h>
#include <string.h>

/* neighbours of a coarse point on the finer grid, in the order of fc_mg_level.p */
enum { N, S, W, E, NW, NE, SW, SE };
static const int row[8] = {-1, 1, 0, 0, -1, -1, 1, 1}, col[8] = {0, 0, -1, 1, -1, 1, -1, 1};

/* ---- memory ---- */

static int64_t padded(int64_t nx, int64_t ny) { return ((nx + 2) * (ny + 2) + 7) / 8 * 8; }

/* every second point, the first one included */
static int64_t half(int64_t n) { return (n + 1) / 2; }

static int64_t doubles(int64_t nx, int64_t ny) {
  int64_t n = 3 * padded(nx, ny);

  for (bool first = true;; first = false, nx = half(nx), ny = half(ny)) {
    n += (first ? 9 : 17) * padded(nx, ny);
    if (nx == 1 && ny == 1) return n;
  }
}

int64_t fc_multigrid_bytes(int64_t nx, int64_t ny) { return doubles(nx, ny) * (int64_t)sizeof(double); }

static double *carve(double **block, const fc_mg_level *l) {
  double *p = *block;

  *block += padded(l->nx, l->ny);
  return p;
}

static void place(fc_mg_level *l, int64_t nx, int64_t ny, bool finest, double **block) {
  double **const array[9] = {&l->c, &l->inv, &l->e, &l->s, &l->se, &l->sw, &l->u, &l->b, &l->r};

  *l = (fc_mg_level){.nx = nx, .ny = ny, .ld = ny + 2};
  for (int a = 0; a < 9; a++) *array[a] = carve(block, l);
  for (int a = 0; !finest && a < 8; a++) l->p[a] = carve(block, l);
}

fc_status fc_multigrid_create(int64_t nx, int64_t ny, fc_multigrid **out) {
  fc_multigrid *m = calloc(1, sizeof *m);

  *out = NULL;
  if (m) m->block = fc_fft2_alloc(doubles(nx, ny));
  if (!m || !m->block) {
    free(m);
    return fc_fail(FC_E_SYSTEM, "no memory for a linear system on %lld x %lld points: %.0f MB", (long long)nx,
                   (long long)ny, (double)fc_multigrid_bytes(nx, ny) / 1e6);
  }
  double *at = m->block;
  for (bool more = true; more && m->levels < FC_MG_LEVELS; nx = half(nx), ny = half(ny)) {
    more = nx > 1 || ny > 1;
    place(&m->level[m->levels], nx, ny, m->levels == 0, &at);
    m->levels++;
  }
  m->x = carve(&at, &m->level[0]);
  m->r = carve(&at, &m->level[0]);
  m->d = carve(&at, &m->level[0]);
  *out = m;
  return FC_OK;
}

void fc_multigrid_destroy(fc_multigrid *m) {
  if (!m) return;
  free(m->block);
  free(m);
}

/* ---- interpolation ---- */

static int64_t at(const fc_mg_level *l, int64_t i, int64_t j) { return (i + 1) * l->ld + j + 1; }

/* links of point k to its neighbours, in the order N .. SE */
static void links(const fc_mg_level *l, int64_t k, double out[8]) {
  out[N]  = l->s[k - l->ld];
  out[S]  = l->s[k];
  out[W]  = l->e[k - 1];
  out[E]  = l->e[k];
  out[NW] = l->se[k - l->ld - 1];
  out[NE] = l->sw[k - l->ld + 1];
  out[SW] = l->sw[k];
  out[SE] = l->se[k];
}

/* What the diagonal has beyond the links: the links to the border. */
static double to_border(const fc_mg_level *l, int64_t k, const double q[8]) {
  double sum = l->c[k];

  for (int a = 0; a < 8; a++) sum -= q[a];
  return sum > 0 ? sum : 0;
}

/* A point between two coarse ones in its row: its stencil summed over columns. Along the first and last row
   the border lies across, so its link says nothing about the change along the row. */
static void between_columns(const fc_mg_level *l, int64_t i, int64_t j, double *w, double *e) {
  const int64_t k = at(l, i, j);
  double        q[8];

  links(l, k, q);
  const double left = q[NW] + q[W] + q[SW], right = q[NE] + q[E] + q[SE];
  const double border = i == 0 || i == l->nx - 1 ? 0 : to_border(l, k, q), all = left + right + border;
  *w = all > 0 ? left / all : 0;
  *e = all > 0 ? right / all : 0;
}

static void between_rows(const fc_mg_level *l, int64_t i, int64_t j, double *n, double *s) {
  const int64_t k = at(l, i, j);
  double        q[8];

  links(l, k, q);
  const double up = q[NW] + q[N] + q[NE], down = q[SW] + q[S] + q[SE];
  const double border = j == 0 || j == l->ny - 1 ? 0 : to_border(l, k, q), all = up + down + border;
  *n = all > 0 ? up / all : 0;
  *s = all > 0 ? down / all : 0;
}

/* A point amid four coarse ones: its own equation with b = 0, the neighbours between interpolated already. */
static void amid(const fc_mg_level *l, fc_mg_level *c, int64_t i, int64_t j) {
  const int64_t k = at(l, i, j), nw = at(c, i / 2, j / 2), ne = nw + 1, sw = nw + c->ld, se = sw + 1;
  double        q[8];

  links(l, k, q);
  for (int a = 0; a < 8; a++) q[a] *= l->inv[k];
  c->p[SE][nw] = q[NW] + q[N] * c->p[E][nw] + q[W] * c->p[S][nw];
  c->p[SW][ne] = q[NE] + q[N] * c->p[W][ne] + q[E] * c->p[S][ne];
  c->p[NE][sw] = q[SW] + q[S] * c->p[E][sw] + q[W] * c->p[N][sw];
  c->p[NW][se] = q[SE] + q[S] * c->p[W][se] + q[E] * c->p[N][se];
}

/* Where there is no coarse neighbour the array has its border: what is written there meets zeros only. */
static void interpolation(const fc_mg_level *l, fc_mg_level *c) {
  for (int64_t i = 0; i < l->nx; i += 2)
    for (int64_t j = 1; j < l->ny; j += 2) {
      const int64_t k = at(c, i / 2, j / 2);
      between_columns(l, i, j, &c->p[E][k], &c->p[W][k + 1]);
    }
  for (int64_t i = 1; i < l->nx; i += 2)
    for (int64_t j = 0; j < l->ny; j += 2) {
      const int64_t k = at(c, i / 2, j / 2);
      between_rows(l, i, j, &c->p[S][k], &c->p[N][k + c->ld]);
    }
  for (int64_t i = 1; i < l->nx; i += 2)
    for (int64_t j = 1; j < l->ny; j += 2) amid(l, c, i, j);
}

/* ---- coarse matrices ---- */

/* weights of coarse point k on the 3 x 3 fine points around it */
static void weights(const fc_mg_level *c, int64_t k, double w[3][3]) {
  w[1][1] = 1;
  for (int a = 0; a < 8; a++) w[1 + row[a]][1 + col[a]] = c->p[a][k];
}

/* v = A P delta_k on the 5 x 5 fine points around coarse point (i, j) */
static void spread(const fc_mg_level *l, const fc_mg_level *c, int64_t i, int64_t j, double v[5][5]) {
  double w[3][3], q[8];

  memset(v, 0, 25 * sizeof(double));
  weights(c, at(c, i, j), w);
  for (int a = 0; a < 3; a++)
    for (int b = 0; b < 3; b++) {
      const int64_t y = 2 * i + a - 1, x = 2 * j + b - 1;
      if (y < 0 || x < 0 || y >= l->nx || x >= l->ny) continue;
      links(l, at(l, y, x), q);
      v[a + 1][b + 1] += w[a][b] * l->c[at(l, y, x)];
      for (int d = 0; d < 8; d++) v[a + 1 + row[d]][b + 1 + col[d]] -= w[a][b] * q[d];
    }
}

/* (P^T v) at coarse point (i + di, j + dj) */
static double gather(const fc_mg_level *c, int64_t k, int di, int dj, double v[5][5]) {
  double w[3][3], sum = 0;

  weights(c, k + di * c->ld + dj, w);
  for (int a = 0; a < 3; a++)
    for (int b = 0; b < 3; b++) {
      const int y = 2 * di + a + 1, x = 2 * dj + b + 1;
      if (y < 5 && x >= 0 && x < 5) sum += w[a][b] * v[y][x];
    }
  return sum;
}

static void coarse_matrix(const fc_mg_level *l, fc_mg_level *c) {
  double v[5][5];

  for (int64_t i = 0; i < c->nx; i++)
    for (int64_t j = 0; j < c->ny; j++) {
      const int64_t k    = at(c, i, j);
      const bool    down = i + 1 < c->nx, right = j + 1 < c->ny;
      spread(l, c, i, j, v);
      c->c[k]   = gather(c, k, 0, 0, v);
      c->inv[k] = 1 / c->c[k];
      c->e[k]   = right ? -gather(c, k, 0, 1, v) : 0;
      c->s[k]   = down ? -gather(c, k, 1, 0, v) : 0;
      c->se[k]  = down && right ? -gather(c, k, 1, 1, v) : 0;
      c->sw[k]  = down && j > 0 ? -gather(c, k, 1, -1, v) : 0;
    }
}

void fc_multigrid_set(fc_multigrid *m, const double *down, const double *right) {
  fc_mg_level  *l  = &m->level[0];
  const int64_t nx = l->nx, ny = l->ny;

  for (int64_t i = 0; i < nx; i++)
    for (int64_t j = 0; j < ny; j++) {
      const int64_t k = at(l, i, j);
      const double *d = down + i * ny + j, *r = right + i * (ny + 1) + j;
      l->c[k]   = d[0] + d[ny] + r[0] + r[1];
      l->inv[k] = 1 / l->c[k];
      l->s[k]   = i + 1 < nx ? d[ny] : 0;
      l->e[k]   = j + 1 < ny ? r[1] : 0;
    }
  for (int k = 1; k < m->levels; k++) {
    interpolation(&m->level[k - 1], &m->level[k]);
    coarse_matrix(&m->level[k - 1], &m->level[k]);
  }
}
