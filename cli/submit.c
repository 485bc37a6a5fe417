/* cli/submit.c - fieldcast submit: a training, or any other command, as a SLURM job. */
#include "cli/submit.h"

#include "cli/train_config.h"
#include "hpc/comm.h"
#include "train/settings.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

fc_status fc_cmd_submit(int argc, char **argv);

enum { OWN = 5, MOST = 40, NAME = 32 };

typedef struct { /* of the command line */
  fc_list     set, sweep, files;
  const char *out;
  bool        dry_run, test_only;
  const char *value[MOST]; /* of each option of the job, or */
  fc_list     lines[MOST]; /* of those that take several */
  char        name[MOST][NAME], help[MOST][128];
  int         n_words; /* behind --: another command than train */
  char      **words;
} request;

/* ---- options ---- */

static void more(FILE *f) {
  fputs("\nThe options from --name on are keys of the section 'job:' in CONFIG too (ntasks_per_node for\n"
        "--ntasks-per-node). The job runs 'fieldcast train CONFIG --out DIR --resume' on all ranks; a sweep "
        "is an\n"
        "array with a folder in DIR for each task. Behind '--' stands any other command, in which a sweep "
        "fills\n"
        "{KEY} in; 'solve .. -o FILE' goes on like a training when its time is up. docs/slurm.md tells the "
        "rest.\n",
        f);
}

static const char *meta_of(const fc_option *o) {
  return o->type == FC_T_INT ? "N" : o->type == FC_T_BOOL ? "true|false" : "TEXT";
}

/* the table of the job as options of the command: '-' for '_' */
static int add_job_options(request *q, fc_arg *args, int n) {
  for (int i = 0; fc_job_options[i].key; i++) {
    const fc_option *o = &fc_job_options[i];
    FC_ASSERT(n < MOST, "the job has too many options");
    snprintf(q->name[i], NAME, "%s", o->key);
    for (char *p = q->name[i]; *p; p++)
      if (*p == '_') *p = '-';
    const bool tell = o->def[0] && strcmp(o->def, "0"), lines = fc_job_takes_lines(o);
    snprintf(q->help[i], sizeof q->help[i], "%s%s%s", o->help, tell ? "; default " : "", tell ? o->def : "");
    args[n++] = (fc_arg){q->name[i],
                         0,
                         lines ? FC_ARG_LIST : FC_ARG_VALUE,
                         lines ? (void *)&q->lines[i] : (void *)&q->value[i],
                         meta_of(o),
                         q->help[i]};
  }
  return n;
}

static fc_status set_option(const request *q, int i, fc_job *job) {
  const fc_list *lines             = &q->lines[i];
  char           text[2 * FC_TEXT] = "", where[NAME + 2];
  size_t         at                = 0;

  if (!q->value[i] && !lines->n) return FC_OK;
  snprintf(where, sizeof where, "--%s", q->name[i]);
  for (int k = 0; k < lines->n && at < sizeof text; k++)
    at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", k ? "\n" : "", lines->v[k]);
  return fc_options_set(fc_job_options, job, fc_job_options[i].key, q->value[i] ? q->value[i] : text, where);
}

static fc_status parse(request *q, int argc, char **argv, bool *done) {
  fc_arg args[MOST] = {
      {"set", 's', FC_ARG_LIST, &q->set, "KEY=VALUE", "overrides the configuration"},
      {"sweep", 0, FC_ARG_LIST, &q->sweep, "KEY=A,B,C",
       "a task for each value, also 1..5; several: all pairs"},
      {"out", 'o', FC_ARG_VALUE, &q->out, "DIR", "run folder; default runs/NAME of the configuration"},
      {"dry-run", 'n', FC_ARG_FLAG, &q->dry_run, NULL, "print the script, submit nothing"},
      {"test-only", 0, FC_ARG_FLAG, &q->test_only, NULL,
       "ask SLURM when the job would start, submit nothing"},
  };
  const int n = add_job_options(q, args, OWN);
  int       own;

  for (own = 0; own < argc && strcmp(argv[own], "--"); own++) {}
  q->words   = argv + own + 1;
  q->n_words = argc - own - 1;
  return fc_args_parse(fc_command_find("submit"), own, argv, n, args, q->n_words > 0 ? 0 : 1, 1, &q->files,
                       more, done);
}

/* ---- configuration ---- */

static fc_status check_ranks(const fc_settings *s, int64_t ranks) {
  const int64_t domain = s->train.domain;

  FC_REQUIRE(ranks % domain == 0, FC_E_USAGE, "train.domain = %lld does not divide the %lld ranks of the job",
             (long long)domain, (long long)ranks);
  FC_REQUIRE(s->train.batch >= ranks / domain, FC_E_USAGE,
             "train.batch = %lld is less than one for each of %lld %s; raise it, or lower job.ntasks",
             (long long)s->train.batch, (long long)(ranks / domain), domain > 1 ? "domains" : "ranks");
  return FC_OK;
}

/* the file, --set, the values of one task: as train will see them; then the options of the job */
static fc_status bind(const request *q, const fc_sweep *sweep, int64_t task, fc_settings *s) {
  const fc_model_def *def;
  fc_config          *c;
  char                text[2 * FC_TEXT];
  void               *args = NULL;

  FC_TRY(fc_load_config(q->files.v[0], &q->set, &c));
  fc_status st = FC_OK;
  for (int a = 0; a < sweep->n && st == FC_OK; a++) {
    snprintf(text, sizeof text, "%s=%s", sweep->axis[a].key, fc_sweep_value(sweep, task, a));
    st = fc_config_set(c, text);
  }
  if (st == FC_OK) st = fc_settings_bind(c, false, s, &def, &args);
  fc_config_destroy(c);
  free(args);
  return st;
}

/* a file without a model holds nothing but a job */
static fc_status bind_job_alone(const request *q, fc_job *job) {
  const fc_section section = {"job", fc_job_options, job};
  fc_config       *c;

  fc_options_defaults(fc_job_options, job);
  if (!q->files.n) return FC_OK;
  FC_TRY(fc_load_config(q->files.v[0], &q->set, &c));
  const fc_status s = fc_config_bind(c, 1, &section, fc_config_get(c, "model") != NULL);
  fc_config_destroy(c);
  return s;
}

/* a solver that writes a file keeps its state beside it */
static bool goes_on(const request *q) {
  bool writes = false;

  for (int i = 1; i < q->n_words; i++)
    writes |= !strncmp(q->words[i], "-o", 2) || !strncmp(q->words[i], "--output", 8);
  return q->n_words > 0 && !strcmp(q->words[0], "solve") && writes;
}

static fc_status job_of(const request *q, const fc_job *from, fc_job *job) {
  *job = *from;
  for (int i = 0; fc_job_options[i].key; i++) FC_TRY(set_option(q, i, job));
  return fc_job_check(job, q->n_words <= 0 || goes_on(q));
}

static fc_status settle_training(const request *q, fc_submission *s) {
  fc_settings  *set   = calloc(1, sizeof *set);
  fc_job        first = {0};
  const int64_t tasks = fc_sweep_tasks(&s->sweep);
  fc_status     st    = FC_OK;

  FC_REQUIRE(set, FC_E_SYSTEM, "no memory for a configuration");
  for (int64_t i = 0; i < fc_max64(1, tasks) && st == FC_OK; i++) {
    st = bind(q, &s->sweep, i, set);
    if (st == FC_OK && !i) st = job_of(q, &set->job, &s->job), first = set->job;
    if (st == FC_OK && memcmp(&first, &set->job, sizeof first))
      st = fc_fail(FC_E_USAGE, "--sweep changes the job itself (job.*), which all tasks share");
    if (st == FC_OK) st = check_ranks(set, fc_job_ranks(&s->job));
  }
  free(set);
  return st;
}

static fc_status settle_command(const request *q, fc_submission *s) {
  fc_job job;

  FC_REQUIRE(!q->out, FC_E_USAGE, "--out is for trainings; give the command behind '--' its own -o");
  FC_REQUIRE(strcmp(q->words[0], "train") && strcmp(q->words[0], "submit"), FC_E_USAGE,
             "'fieldcast submit CONFIG' submits a training; other commands stand behind '--'");
  FC_REQUIRE(fc_command_find(q->words[0]), FC_E_USAGE,
             "there is no command '%s'; 'fieldcast --help' lists them", q->words[0]);
  FC_TRY(bind_job_alone(q, &job));
  return job_of(q, &job, &s->job);
}

/* ---- what the job runs ---- */

static fc_status add_words(fc_words *w, int n, const char *const *text) {
  for (int i = 0; i < n; i++) FC_TRY(fc_words_add(w, text[i]));
  return FC_OK;
}

static fc_status training_words(const request *q, fc_submission *s) {
  char  config[FC_TEXT + 16];
  char *w[] = {"train", config, "--resume"};

  snprintf(config, sizeof config, "%s/job.yaml", s->folder);
  if (q->dry_run) w[1] = (char *)q->files.v[0]; /* nothing is copied */
  FC_TRY(add_words(&s->call.words, FC_COUNT(w), (const char *const *)w));
  for (int i = 0; i < q->set.n; i++)
    FC_TRY(add_words(&s->call.words, 2, (const char *const[]){"--set", q->set.v[i]}));
  if (!s->call.tasks) FC_TRY(add_words(&s->call.words, 2, (const char *const[]){"--out", s->folder}));
  return FC_OK;
}

static fc_status training_task(const fc_submission *s, int64_t task, fc_words *w) {
  char text[FC_TEXT + 320];

  fc_submit_task_folder(s, task, text, sizeof text);
  FC_TRY(add_words(w, 2, (const char *const[]){"--out", text}));
  for (int a = 0; a < s->sweep.n; a++) {
    snprintf(text, sizeof text, "%s=%s", s->sweep.axis[a].key, fc_sweep_value(&s->sweep, task, a));
    FC_TRY(add_words(w, 2, (const char *const[]){"--set", text}));
  }
  return FC_OK;
}

/* the axis whose {KEY} stands at text, -1: none */
static int placeholder(const fc_sweep *s, const char *text, size_t *length) {
  for (int a = 0; a < s->n; a++) {
    const size_t n = strlen(s->axis[a].key);
    if (text[0] != '{' || strncmp(text + 1, s->axis[a].key, n) || text[n + 1] != '}') continue;
    *length = n + 2;
    return a;
  }
  return -1;
}

/* one word of a command with the values of a task for each {KEY} */
static fc_status filled(const fc_sweep *s, int64_t task, const char *word, fc_words *out) {
  char   text[4096];
  size_t at = 0, length;

  for (; *word && at < sizeof text; word += length) {
    length      = 1;
    const int a = placeholder(s, word, &length);
    at += (size_t)(a < 0 ? snprintf(text + at, sizeof text - at, "%c", *word)
                         : snprintf(text + at, sizeof text - at, "%s", fc_sweep_value(s, task, a)));
  }
  FC_REQUIRE(at < sizeof text, FC_E_USAGE, "an argument of the job is longer than %zu bytes",
             sizeof text - 1);
  text[at] = 0;
  return fc_words_add(out, text);
}

static fc_status every_key_is_used(const request *q, const fc_sweep *s) {
  for (int a = 0; a < s->n; a++) {
    char key[FC_WORD + 3];
    bool used = false;
    snprintf(key, sizeof key, "{%s}", s->axis[a].key);
    for (int i = 0; i < q->n_words; i++) used = used || strstr(q->words[i], key);
    FC_REQUIRE(used, FC_E_USAGE, "--sweep %s: the command has no %s where its values could stand",
               s->axis[a].key, key);
  }
  return FC_OK;
}

/* --resume stands right behind the command: later words may be a preset or values */
static fc_status command_words(const request *q, fc_submission *s) {
  FC_TRY(every_key_is_used(q, &s->sweep));
  if (goes_on(q)) FC_TRY(add_words(&s->call.words, 2, (const char *const[]){q->words[0], "--resume"}));
  if (s->call.tasks) return FC_OK;
  const int first = goes_on(q) ? 1 : 0;
  return add_words(&s->call.words, q->n_words - first, (const char *const *)(void *)(q->words + first));
}

static fc_status tasks(const request *q, fc_submission *s) {
  s->task = calloc((size_t)s->call.tasks + 1, sizeof *s->task);
  FC_REQUIRE(s->task, FC_E_SYSTEM, "no memory for the tasks of a sweep");
  s->call.task = s->task;
  for (int64_t i = 0; i < s->call.tasks; i++) {
    if (s->config) FC_TRY(training_task(s, i, &s->task[i]));
    for (int w = goes_on(q) ? 1 : 0; !s->config && w < q->n_words; w++)
      FC_TRY(filled(&s->sweep, i, q->words[w], &s->task[i]));
  }
  return FC_OK;
}

/* ---- names ---- */

static void name_job(const request *q, fc_submission *s) {
  const char *slash = strrchr(s->folder, '/');

  if (!s->job.name[0])
    snprintf(s->job.name, sizeof s->job.name, "%s", s->config ? slash ? slash + 1 : s->folder : q->words[0]);
}

/* In the name of a log, % begins a pattern. */
static void name_log(fc_submission *s) {
  const int digits = snprintf(NULL, 0, "%lld", (long long)fc_max64(0, s->call.tasks - 1));
  size_t    at     = 0;

  if (s->job.log[0]) {
    snprintf(s->log, sizeof s->log, "%s", s->job.log);
    return;
  }
  for (const char *p = s->config ? s->folder : s->job.name; *p; p++)
    at += (size_t)snprintf(s->log + at, sizeof s->log - at, *p == '%' ? "%%%%" : "%c", *p);
  if (!s->config)
    snprintf(s->log + at, sizeof s->log - at, s->call.tasks ? "-%%A_%%a.log" : "-%%j.log");
  else if (s->call.tasks)
    snprintf(s->log + at, sizeof s->log - at, "/slurm-%%%da.log", digits);
  else
    snprintf(s->log + at, sizeof s->log - at, "/slurm.log");
}

static fc_status name_program(fc_job *job) {
  char          path[PATH_MAX];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

  if (job->program[0]) return FC_OK;
  FC_REQUIRE(n > 0 && n < FC_TEXT, FC_E_USAGE, "the path of this program is too long; --program names it");
  path[n] = 0;
  memcpy(job->program, path, (size_t)n + 1);
  return FC_OK;
}

static fc_status name_folder(const request *q, fc_submission *s) {
  size_t n;

  if (!s->config) return FC_OK;
  fc_default_folder(s->config, s->folder, sizeof s->folder);
  FC_REQUIRE(!q->out || (q->out[0] && strlen(q->out) < FC_TEXT - 1), FC_E_USAGE,
             "--out: a name of 1 to %d bytes is wanted", FC_TEXT - 2);
  if (q->out) snprintf(s->folder, sizeof s->folder, "%s", q->out);
  for (n = strlen(s->folder); n > 1 && s->folder[n - 1] == '/';) s->folder[--n] = 0;
  return FC_OK;
}

/* ---- the command ---- */

static fc_status settle(const request *q, fc_submission *s) {
  for (int i = 0; i < q->sweep.n; i++) FC_TRY(fc_sweep_add(&s->sweep, q->sweep.v[i]));
  s->call.tasks = fc_sweep_tasks(&s->sweep);
  s->config     = q->n_words > 0 ? NULL : q->files.v[0];
  FC_TRY(name_folder(q, s));
  FC_TRY(s->config ? settle_training(q, s) : settle_command(q, s));
  FC_TRY(fc_submit_folders(s));
  name_job(q, s);
  name_log(s);
  FC_TRY(name_program(&s->job));
  FC_TRY(s->config ? training_words(q, s) : command_words(q, s));
  FC_TRY(tasks(q, s));
  s->call.log       = s->log;
  s->call.continues = s->config || goes_on(q);
  return FC_OK;
}

static fc_status write_script(fc_submission *s) {
  size_t bytes;
  FILE  *f = open_memstream(&s->script, &bytes);

  FC_REQUIRE(f, FC_E_SYSTEM, "no memory for the script of a job");
  const fc_status st = fc_job_script(&s->job, &s->call, f);
  FC_REQUIRE(!fclose(f), FC_E_SYSTEM, "no memory for the script of a job");
  return st;
}

static fc_status print(const fc_submission *s) {
  fputs(s->script, stdout);
  if (s->config && fc_verbosity)
    fprintf(stderr, "the folder of its log has to be there before it is submitted: mkdir -p %s\n", s->folder);
  return FC_OK;
}

static char *command_line(int argc, char **argv) {
  char  *text = NULL;
  size_t bytes;
  FILE  *f = open_memstream(&text, &bytes);

  if (!f) return NULL;
  fputs("fieldcast", f);
  for (int i = 0; i < argc; i++) fputc(' ', f), fc_shell_word(argv[i], f);
  return fclose(f) ? NULL : text;
}

static void release(request *q, fc_submission *s, char *command) {
  for (int64_t i = 0; s && s->task && i < s->call.tasks; i++) fc_words_free(&s->task[i]);
  if (s) {
    fc_words_free(&s->call.words);
    fc_sweep_free(&s->sweep);
    free(s->task);
    free(s->script);
  }
  free(s);
  free(q);
  free(command);
}

fc_status fc_cmd_submit(int argc, char **argv) {
  request       *q       = calloc(1, sizeof *q);
  fc_submission *s       = calloc(1, sizeof *s);
  char          *command = command_line(argc, argv); /* before getopt reorders it */
  bool           done    = false;
  fc_status      st      = q && s && command ? FC_OK : fc_fail(FC_E_SYSTEM, "no memory for a job");

  if (st == FC_OK && fc_comm_size(NULL) > 1)
    st = fc_fail(FC_E_USAGE, "submit is one process; the job it submits has ranks");
  if (st == FC_OK) st = parse(q, argc, argv, &done);
  if (st == FC_OK && !done) {
    s->call.command = command;
    st              = settle(q, s);
    if (st == FC_OK) st = write_script(s);
    if (st == FC_OK) st = q->dry_run ? print(s) : q->test_only ? fc_submit_test(s) : fc_submit_now(s);
  }
  release(q, s, command);
  return st;
}
