/* solvers/chan_grid.h - the direction between the walls of a channel 0 <= y <= 2. The walls are faces of
   cells; u, w and pressure sit at the middle of the cells, v on the faces:
     y[0..n] faces (nodes of the map), c[j] = (y[j] + y[j+1])/2, dc[j] = y[j+1] - y[j],
     df[f] = c[f] - c[f-1], half a cell at the walls. */
#ifndef FC_CHAN_GRID_H
#define FC_CHAN_GRID_H
#include "core/base.h"

typedef enum { FC_CHAN_UNIFORM, FC_CHAN_TANH, FC_CHAN_CHEBYSHEV, FC_CHAN_ARCTAN } fc_chan_map;

typedef struct fc_chan_grid {
  int64_t n;
  double *y, *c, *dc, *df;
  /* second differences: (lower[j], upper[j]) at cells with walls at half a cell, at faces 1..n-1, and at
     cells without flux through the walls (pressure) */
  double *lower[3], *upper[3];
  double *block;
} fc_chan_grid;

enum { FC_CHAN_CELLS, FC_CHAN_FACES, FC_CHAN_PRESSURE };

/* y[n + 1] with e = j/n:
     uniform    2 e
     tanh       1 + tanh(s (2 e - 1))/tanh s
     chebyshev  1 - cos(pi e)
     arctan     1 + 2/pi arctan(r tan(pi (e - 1/2))), r^2 = 1 + 1/(alpha beta), alpha beta =
                (sqrt(pi^2 beta^2 + 1) - 1)/2, beta = s: the map of Laizet and Lamballais, J. Comput. Phys.
   228 (2009), section 2.2, with both walls refined, in the shape its terms reduce to */
void fc_chan_nodes(int map, double s, int64_t n, double *y);

fc_status fc_chan_grid_create(int map, double s, int64_t n, fc_chan_grid **out); /* FC_E_SYSTEM: no memory */
void      fc_chan_grid_destroy(fc_chan_grid *g);

/* Weights of the cubic through the four points of x[n] (ascending, n >= 4) around t: f(t) = sum_i w[i]
   f(x[first
   + i]). */
void fc_chan_cubic(int64_t n, const double *x, double t, int64_t *first, double w[4]);
#endif
