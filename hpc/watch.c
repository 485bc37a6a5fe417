/* hpc/watch.c */
#include "hpc/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LITTER = 16, PATH = 4096, TEXT = 1024, PATIENCE = 300 /* milliseconds */ };

typedef struct { /* memory of all ranks of this machine, zeros at first */
  _Atomic int spoken, left[FC_WATCH_RANKS];
} shared_board;

static shared_board    *board; /* NULL: nothing is watched */
static int              me, seats, terminated = -1;
static const int        before_ranks = 2; /* descriptors: SIGTERM, launcher, then the ranks */
static struct pollfd   *watched;
static fc_watch_seat   *seat;
static char             launcher[32];
static char             advice[2][TEXT];
static _Atomic int      advice_now;
static char             record[PATH];
static char             litter[LITTER][PATH];
static _Atomic bool     littered[LITTER];
static struct sigaction default_term;

/* ---- what others call ---- */

bool fc_watch_speak(void) { return !board || !atomic_exchange(&board->spoken, 1); }

void fc_watch_leave(void) {
  if (board) atomic_store(&board->left[me], 1);
}

void fc_watch_advise(const char *fmt, ...) {
  const int next = 1 - atomic_load(&advice_now);
  va_list   ap;

  va_start(ap, fmt);
  vsnprintf(advice[next], TEXT, fmt, ap);
  va_end(ap);
  atomic_store(&advice_now, next);
}

void fc_watch_record(const char *path) { snprintf(record, PATH, "%s", path); }

void fc_watch_litter(const char *path, bool there) {
  for (int i = 0; i < LITTER; i++) {
    const bool taken = atomic_load(&littered[i]);
    if (there ? taken : !taken || strcmp(litter[i], path)) continue;
    if (there && (size_t)snprintf(litter[i], PATH, "%s", path) >= PATH) return;
    atomic_store(&littered[i], there);
    return;
  }
}

static void sweep(void) {
  for (int i = 0; i < LITTER; i++)
    if (atomic_load(&littered[i])) unlink(litter[i]);
}

/* ---- the launcher ---- */

/* name and parent of a process: "PID (NAME) S PARENT .." */
static bool describe(int pid, char name[32], int *parent) {
  char  path[32], line[256] = "";
  FILE *f;

  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  if (!(f = fopen(path, "re"))) return false;
  if (!fgets(line, sizeof line, f)) line[0] = 0;
  fclose(f);
  const char *open = strchr(line, '('), *close = strrchr(line, ')');
  if (!open || !close || sscanf(close + 1, " %*c %d", parent) != 1) return false;
  snprintf(name, 32, "%.*s", (int)(close - open - 1), open + 1);
  return true;
}

static bool launches(const char *name) {
  static const char *const known[] = {"mpirun", "mpiexec", "orterun",   "orted",
                                      "prte",   "prterun", "slurmstepd"};

  for (int i = 0; i < FC_COUNT(known); i++)
    if (!strcmp(name, known[i])) return true;
  return !strcmp(name, "prted");
}

/* a script may stand between the launcher and us; a parent of another name is taken for the launcher */
static int find_launcher(void) {
  char name[32];
  int  pid = getppid(), next;

  if (!describe(pid, launcher, &next)) return -1;
  for (int p = pid; p > 1 && describe(p, name, &next); p = next) {
    if (!launches(name)) continue;
    memcpy(launcher, name, sizeof launcher);
    return p;
  }
  return pid > 1 ? pid : -1;
}

/* Open MPI's segments between ranks of a machine lie in memory; a launcher that was killed leaves them there.
 */
static void sweep_segments(void) {
  char  line[PATH + 128];
  FILE *f = fopen("/proc/self/maps", "re");

  while (f && fgets(line, sizeof line, f)) {
    char *path = strstr(line, "/dev/shm/vader_segment.");
    if (!path) continue;
    path[strcspn(path, " \n")] = 0;
    unlink(path);
  }
  if (f) fclose(f);
}

/* ---- the end ---- */

static void append(const char *path, const char *line, size_t n) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

  if (fd < 0) return;
  if (write(fd, line, n) != (ssize_t)n) unlink(path);
  close(fd);
}

static void say(const char *who, bool heard) {
  const char *what = advice[atomic_load(&advice_now)];
  char        line[2 * TEXT];
  const int   n = snprintf(line, sizeof line, "fieldcast: %s has died, so all ranks end; %s\n", who,
                         *what ? what : "start again");

  if ((write(STDERR_FILENO, line, (size_t)n) != n || !heard) && *record) append(record, line, (size_t)n);
}

static _Noreturn void end(const char *who, bool heard) {
  fc_watch_leave();
  if (fc_watch_speak()) say(who, heard);
  sweep();
  _exit(fc_exit_code(FC_E_COMM));
}

static _Noreturn void end_without_launcher(void) {
  char who[96];

  snprintf(who, sizeof who, "%s, which started the ranks,", launcher);
  sweep_segments();
  end(who, false);
}

/* A rank that ended by its own word has said what there is to say. */
static void look_at_rank(int i) {
  char who[96];

  watched[before_ranks + i].fd = -1;
  if (atomic_load(&board->left[i])) return;
  snprintf(who, sizeof who, "rank %d (process %d on this machine)", seat[i].rank, seat[i].pid);
  end(who, true);
}

static void look(void) {
  for (int i = 0; i < seats; i++)
    if (watched[before_ranks + i].revents) look_at_rank(i);
  if (watched[1].revents) end_without_launcher();
}

/* A launcher that has seen a rank die sends SIGTERM to the others at once: they look first. */
static _Noreturn void obey(void) {
  watched[0].fd = -1;
  while (poll(watched, (nfds_t)(before_ranks + seats), PATIENCE) > 0) look();
  fc_watch_leave();
  sweep();
  sigaction(SIGTERM, &default_term, NULL);
  kill(getpid(), SIGTERM);
  for (;;) pause();
}

static void *keep_watch(void *unused) {
  (void)unused;
  for (;;) {
    if (poll(watched, (nfds_t)(before_ranks + seats), -1) < 0) continue;
    if (atomic_load(&board->left[me])) return NULL;
    look();
    if (watched[0].revents) obey();
  }
}

/* ---- the start ---- */

static void on_term(int number) {
  const uint64_t one  = 1;
  const int      keep = errno;

  (void)number;
  if (write(terminated, &one, sizeof one) < 0) errno = keep;
  errno = keep;
}

static int open_process(int pid) { return pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1; }

void fc_watch_sit(int rank, fc_watch_seat *mine) {
  struct stat st;

  *mine = (fc_watch_seat){.rank = rank, .pid = getpid(), .board = memfd_create("fieldcast", MFD_CLOEXEC)};
  if (mine->board >= 0 && !ftruncate(mine->board, sizeof *board) && !fstat(mine->board, &st))
    mine->inode = st.st_ino;
}

/* the memory of the first rank; under this number another process may hide if ranks have name spaces of
   their own */
static shared_board *map_board(const fc_watch_seat *first) {
  char        path[64];
  struct stat st;

  snprintf(path, sizeof path, "/proc/%d/fd/%d", first->pid, first->board);
  const int  fd   = open(path, O_RDWR | O_CLOEXEC);
  const bool same = fd >= 0 && !fstat(fd, &st) && first->inode && st.st_ino == first->inode;
  void      *p    = same ? mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  if (fd >= 0) close(fd);
  return p == MAP_FAILED ? NULL : p;
}

static void open_all(void) {
  for (int i = 0; i < before_ranks + seats; i++) watched[i] = (struct pollfd){-1, POLLIN, 0};
  watched[0].fd = terminated = eventfd(0, EFD_CLOEXEC);
  watched[1].fd              = open_process(find_launcher());
  for (int i = 0; i < seats; i++)
    if (i != me) watched[before_ranks + i].fd = open_process(seat[i].pid);
}

/* signals are for the other threads */
static bool start_thread(void) {
  sigset_t  all, old;
  pthread_t thread;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  const bool ok = !pthread_create(&thread, NULL, keep_watch, NULL);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (ok) pthread_detach(thread);
  return ok;
}

bool fc_watch_start(int n, const fc_watch_seat *all, int number) {
  struct sigaction a;

  me      = number;
  seats   = n;
  seat    = malloc((size_t)n * sizeof *seat);
  watched = malloc((size_t)(before_ranks + n) * sizeof *watched);
  if (seat && watched && n <= FC_WATCH_RANKS) board = map_board(&all[0]);
  if (!board) return false;
  memcpy(seat, all, (size_t)n * sizeof *seat);
  open_all();
  if (watched[1].fd < 0 || terminated < 0 || !start_thread()) return false;
  memset(&a, 0, sizeof a);
  a.sa_handler = on_term;
  a.sa_flags   = SA_RESTART;
  sigaction(SIGTERM, &a, &default_term);
  return true;
}
