/* solvers/chan_frame.h - frames of a channel: velocity [X, Y, Z, 3] in lines of x, from the state (the
   spectrum is cut in x and z; cubic polynomials bring u, w, v to the same points in y) and back. Points of y
   are the middles of cells, or the nodes of the map with both walls, of which every y_stride-th may be kept.
 */
#ifndef FC_CHAN_FRAME_H
#define FC_CHAN_FRAME_H
#include "solvers/chan.h"
#include "solvers/fft2.h"
#include "solvers/turn.h"

typedef struct fc_chan_stencil { /* value = sum_i w[i] value[first + i], -1 meaning a wall */
  int64_t entry[4];
  double  w[4];
} fc_chan_stencil;

typedef struct fc_chan_frame {
  int64_t X, Y, Z, x_lo, x_n; /* points kept; lines of this rank */
  int     points;             /* fc_chan_points */
  int64_t y_lo, y_n;          /* planes of this rank */
  double *y;                  /* [Y] */
  /* frame from cells and from faces [Y]; cells and faces from a frame [ny] */
  fc_chan_stencil *stencil[4];
  fc_fft2         *fft;
  fc_turn         *modes, *lines;
  double          *column[3], *plane[3], *point[3], *line[3]; /* a frame on its way */
  double          *block;
} fc_chan_frame;

int64_t fc_chan_frame_points(const fc_chan_config *c);       /* Y */
void    fc_chan_frame_y(const fc_chan_config *c, double *y); /* [Y], with room for one more */
void    fc_chan_frame_share(const fc_chan_config *c, int64_t *lo, int64_t *n); /* lines of x of this rank */

/* What is kept and where, of the flow s: points, nx_keep, nz_keep, y_stride. Collective; FC_E_SYSTEM: no
 * memory. */
fc_status fc_chan_frame_create(const fc_chan *s, const fc_chan_config *kept, fc_chan_frame **out);
/* f->point[a]: planes [y_n, X, Z] of u, v, w, the first half of what follows */
void fc_chan_frame_planes(fc_chan *s, fc_chan_frame *f);
void fc_chan_frame_destroy(fc_chan_frame *f);
/* x[x_n, Y, Z, 3]. Collective; a message that fails is kept in s->status. */
void fc_chan_frame_values(fc_chan *s, fc_chan_frame *f, fc_real *x);
/* The state from the whole x[X, Y, Z, 3], which all ranks have, on the state's own grid (nothing cut, every
   node), made free of divergence. Collective. */
void fc_chan_frame_set(fc_chan *s, fc_chan_frame *f, const fc_real *x);
#endif
