/* hpc/job.h - a SLURM job: its options (the section 'job' of a configuration), and the script that sbatch
   gets. The library of SLURM is not linked: scripts are text, and sbatch, scontrol and squeue are called. */
#ifndef FC_JOB_H
#define FC_JOB_H
#include "core/options.h"

typedef struct fc_job {
  char    name[FC_TEXT], time[FC_TEXT], partition[FC_TEXT], account[FC_TEXT], qos[FC_TEXT];
  char    constraint[FC_TEXT], reservation[FC_TEXT], mem[FC_TEXT], mem_per_cpu[FC_TEXT];
  char    mail_type[FC_TEXT], mail_user[FC_TEXT], log[FC_TEXT], mpi[FC_TEXT], program[FC_TEXT];
  char    extra[FC_TEXT], setup[FC_TEXT]; /* several lines each */
  int64_t nodes, ntasks, ntasks_per_node, cpus_per_task, array_limit, signal, restarts;
  bool    requeue;
} fc_job;

extern const fc_option fc_job_options[];

/* several lines may be given to this option, one by one */
bool fc_job_takes_lines(const fc_option *o);

/* Formats and counts that SLURM would refuse, or worse, accept: FC_E_USAGE. signals: job.signal will be asked
   for. */
fc_status fc_job_check(const fc_job *j, bool signals);
int64_t   fc_job_ranks(const fc_job *j); /* ntasks, or what nodes and ntasks_per_node make */

/* "90" (minutes), "5:00", "1:30:00", "2-12", "2-12:30", "2-12:30:00" to seconds; "UNLIMITED" to infinity.
   What sbatch takes for --time, and what squeue prints. False: none of these. */
bool fc_job_seconds(const char *text, double *seconds);

typedef struct fc_words { /* arguments of a program; owned copies */
  int    n, room;
  char **v;
} fc_words;

fc_status fc_words_add(fc_words *w, const char *text);
void      fc_words_free(fc_words *w);
/* text as one word of a POSIX shell: as it is if nothing in it means anything there, else in quotes */
void fc_shell_word(const char *text, FILE *f);

typedef struct fc_job_call { /* what the job runs */
  const char     *command;   /* the command line that made the script, one line of it */
  const char     *log;       /* %a stands for the number of a task */
  fc_words        words;     /* arguments of the program that all tasks share */
  int64_t         tasks;     /* of an array; 0: no array */
  const fc_words *task;      /* [tasks] their own arguments, after the shared ones */
  bool            continues; /* exit code 85 means that the work goes on when the job runs again */
} fc_job_call;

/* FC_E_USAGE where a text cannot be written into a line of a script */
fc_status fc_job_script(const fc_job *j, const fc_job_call *call, FILE *f);
#endif
