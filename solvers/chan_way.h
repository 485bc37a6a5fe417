/* solvers/chan_way.h - the way of a channel's fields between ranks: velocities from those who have a wave
   number kx for all y to those who have planes y, products back. What stays with a rank is not copied, and
   messages are read where they arrive: readers find their rows by tables of pointers, which never change. */
#ifndef FC_CHAN_WAY_H
#define FC_CHAN_WAY_H
#include "solvers/chan_fft.h"

struct fc_chan;
enum { FC_CHAN_PRODUCTS = 5, FC_CHAN_HALO = 2 };

typedef struct fc_chan_way {
  int64_t first, planes; /* planes y that this rank gets velocities of: its own and HALO more at both sides */
  const double **velocity[3]; /* [nkx] row of kx in plane `first`; planes follow a row apart */
  const double **term;        /* [PRODUCTS, ny] row of this rank's first kx at y; kx follow a row apart */
  double        *send, *arrived[2]; /* velocities, products */
  int64_t       *count;             /* to and from each rank, for both */
} fc_chan_way;

/* s complete but for this: s->way. FC_E_SYSTEM: no memory. */
fc_status fc_chan_way_create(struct fc_chan *s);
void      fc_chan_way_destroy(fc_chan_way *w);       /* NULL is fine */
int64_t   fc_chan_way_size(const struct fc_chan *s); /* doubles of messages */

/* Collective; failures go to s->status. */
void fc_chan_spread(struct fc_chan *s); /* velocities of the state to the planes */
void fc_chan_return(struct fc_chan *s); /* products to the wave numbers */

/* where product a of plane y goes: rows[nkx], those for other ranks in their messages */
void         fc_chan_product_rows(const struct fc_chan *s, int a, int64_t y, double **rows);
fc_chan_rows fc_chan_velocity(const struct fc_chan *s, int a, int64_t y); /* field a in plane y, spread */
#endif
