/* hpc/stop.h - when long work has to end before it is done: signals, the time limit of the SLURM job it runs
   in, or a limit of its own. One process has one of each. */
#ifndef FC_STOP_H
#define FC_STOP_H
#include "hpc/comm.h"

/* SIGUSR1 and SIGUSR2, which would end the process, are remembered from here on; to be called early, since
   SLURM may send them while a job still opens its data. */
void fc_stop_listen(void);
/* SIGTERM and SIGINT too, from now on until release, which forgets what came */
void fc_stop_catch(void);
void fc_stop_release(void);
int  fc_stop_signal(void); /* the last one that came, 0: none */
/* For work that does not go on later: FC_STOPPED if a signal came to any rank of the group; left: what there
   is of the work then. */
fc_status fc_stop_check(const fc_comm *ranks, const char *left);

/* a limit in seconds from now on */
void fc_stop_after(double seconds);
/* Asks for the end of the job, where the process runs in one: $SLURM_JOB_END_TIME, else squeue. For one rank;
   takes as long as squeue does. */
void fc_stop_ask_job(void);
/* Seconds until work should have ended, infinity without a limit. A job's limit counts as ten seconds
   shorter. */
double fc_stop_seconds_left(void);
/* Will margin seconds be more than is left? Before it says so of a job, it asks for the limit once more, for
   that may have been raised. */
bool fc_stop_due(double margin);
#endif
