/* cli/submit.h - what 'fieldcast submit' has settled before SLURM hears of it. */
#ifndef FC_CLI_SUBMIT_H
#define FC_CLI_SUBMIT_H
#include "cli/cli.h"
#include "hpc/job.h"
#include "hpc/sweep.h"

typedef struct fc_submission {
  fc_job      job;
  fc_sweep    sweep;
  fc_job_call call;
  fc_words   *task;            /* [call.tasks] */
  const char *config;          /* NULL: another command than train */
  char        folder[FC_TEXT]; /* of the run, or of the runs of a sweep */
  char        log[2 * FC_TEXT];
  char       *script;
} fc_submission;

/* may the run folder, and those of the tasks, be used? */
fc_status fc_submit_folders(const fc_submission *s);
/* "runs/x/3-lr=0.1": the folder of a task */
void fc_submit_task_folder(const fc_submission *s, int64_t task, char *out, size_t size);
/* asks sbatch whether and when the job could start */
fc_status fc_submit_test(const fc_submission *s);
/* fills the folder and submits; if sbatch refuses, the folder is as before */
fc_status fc_submit_now(const fc_submission *s);
#endif
