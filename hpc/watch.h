/* hpc/watch.h - a sleeping thread that ends this process when the launcher or another rank of this machine
   has died: a collective with a dead rank would wait until somebody kills it, and without a launcher nobody
   does. Linux from 5.3 on (pidfd); elsewhere nothing is watched and the launcher alone ends the ranks. */
#ifndef FC_WATCH_H
#define FC_WATCH_H
#include "core/base.h"

enum { FC_WATCH_RANKS = 1023 }; /* of one machine; more are not watched */

typedef struct fc_watch_seat { /* what a rank tells the others of its machine */
  int      rank;               /* in the world */
  int      pid, board;         /* descriptor, in that process, of the memory that the first one shares */
  uint64_t inode;              /* of that memory: is it the one that is meant? */
} fc_watch_seat;

void fc_watch_sit(int rank, fc_watch_seat *mine);
/* seat [n] of the ranks of this machine, this one is number me; false: it cannot watch */
bool fc_watch_start(int n, const fc_watch_seat *seat, int me);

/* True for the first rank of this machine that asks: it says why all end, the others keep silent. Always true
   where nothing is watched. */
bool fc_watch_speak(void);
/* this rank ends by itself from here on: nobody is told of it, and it watches no longer */
void fc_watch_leave(void);
/* A launcher that died takes standard error with it: then the line goes to this file, appended. "": nowhere.
 */
void fc_watch_record(const char *path);
/* what to do if a rank dies from now on, one clause; for one thread */
void fc_watch_advise(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A file that is removed if this process is ended by the watch: to be called when it is made, and with false
   when it is complete or gone. Of more than 16 at once some are forgotten. */
void fc_watch_litter(const char *path, bool there);
#endif
