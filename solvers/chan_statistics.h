/* solvers/chan_statistics.h - statistics of a channel while it runs (solvers/profiles.h): every so often the
   velocity at the middles of the cells, with all its modes, no file of frames in between. */
#ifndef FC_CHAN_STATISTICS_H
#define FC_CHAN_STATISTICS_H
#include "solvers/chan_frame.h"

typedef struct fc_chan_statistics fc_chan_statistics;

/* c->statistics, stats_from, stats_every of the configuration. All functions are collective and take NULL.
   FC_E_SYSTEM: no memory. */
fc_status fc_chan_statistics_create(const fc_chan *s, fc_chan_statistics **out);
void      fc_chan_statistics_destroy(fc_chan_statistics *t);
void      fc_chan_statistics_begin(fc_chan_statistics *t);       /* a trajectory */
void fc_chan_statistics_look(fc_chan_statistics *t, fc_chan *s); /* after a step: a sample if it is time */
/* writes the file, once all is done. FC_E_USAGE: there was no sample */
fc_status fc_chan_statistics_write(const fc_chan_statistics *t);

int64_t fc_chan_statistics_kept(const fc_chan_statistics *t); /* doubles, for restarts */
void    fc_chan_statistics_keep(const fc_chan_statistics *t, double *x);
void    fc_chan_statistics_restore(fc_chan_statistics *t, const double *x);
#endif
