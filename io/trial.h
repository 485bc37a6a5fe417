/* io/trial.h - reading a file of others in a child process first. HDF5 1.10 crashes or loops for ever on
   about one of 150 damaged files; the child does so in our place, and what is left of it is a message. */
#ifndef FC_TRIAL_H
#define FC_TRIAL_H
#include "core/base.h"

/* what the child does; what it changes in memory is gone with it, but for *answer */
typedef fc_status fc_trial_work(void *user, int *answer);

/* processor time that reading a file may take: 5 seconds, and one for each megabyte */
int64_t fc_trial_seconds(const char *path);

/* Status, message and answer of work; FC_E_INPUT, and the answer as it was, if it crashes or takes longer.
   answer may be NULL. */
fc_status fc_trial(const char *path, int64_t seconds, fc_trial_work *work, void *user, int *answer);
#endif
