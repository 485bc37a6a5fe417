/* hpc/comm.c - Open MPI behind a few functions. */
#include "hpc/comm.h"

#include "hpc/watch.h"

#include <limits.h>
#include <math.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct fc_comm {
  MPI_Comm     comm;
  MPI_Request *request; /* [2 size] of an exchange */
  MPI_Request  pending[FC_COMM_SLOTS];
  int         *count; /* [2 size] of a gathering: lengths, then places */
};

/* seconds that a rank which failed waits for others to agree: they may compute, or wait for it elsewhere */
enum { PATIENCE = 5 };

static bool   started;
static double seconds; /* in collectives */
static bool   echoed;  /* the last failure of this rank was that of another one */
static bool   leaves;  /* this rank is on its way out */
static bool   met;     /* all ranks are */
static bool   alone;   /* this rank failed and the others did not come */

static fc_comm  world;   /* what NULL stands for */
static MPI_Comm leaving; /* for the way out: others may still use the rest */

#ifdef FC_DOUBLE
#define MPI_REAL_ MPI_DOUBLE
#else
#define MPI_REAL_ MPI_FLOAT
#endif

static const fc_comm *group(const fc_comm *c) { return c ? c : &world; }
static MPI_Comm       handle(const fc_comm *c) { return c ? c->comm : MPI_COMM_WORLD; }

/* MPI_Init alone costs a tenth of a second: only where a launcher asks for it */
static bool launched(void) {
  return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK");
}

/* "4", or "4(x2)" for two nodes; 1 if it is not set */
static int64_t number_in(const char *name) {
  const char *text = getenv(name);

  return fc_max64(1, text ? atol(text) : 1);
}

/* A rank that waits for another one keeps its core busy, which suits only ranks that have cores of their own.
   mpirun knows when it starts too many; srun does not, and nobody counts threads. */
static void yield_if_crowded(void) {
  const int64_t ranks =
      fc_max64(number_in("OMPI_COMM_WORLD_LOCAL_SIZE"), number_in("SLURM_STEP_TASKS_PER_NODE"));

  if (ranks * number_in("OMP_NUM_THREADS") > sysconf(_SC_NPROCESSORS_ONLN))
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
}

/* ranks of this machine notice if one of them dies */
static void watch_each_other(void) {
  MPI_Comm      node;
  fc_watch_seat mine, *all;
  int           n, me, good;

  if (MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node)) return;
  MPI_Comm_size(node, &n);
  MPI_Comm_rank(node, &me);
  fc_watch_sit(fc_comm_rank(NULL), &mine);
  all = malloc((size_t)n * sizeof *all);
  if (all) MPI_Allgather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, node);
  good = all && fc_watch_start(n, all, me);
  MPI_Allreduce(MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, node);
  if (!good) fc_watch_leave();
  MPI_Comm_free(&node);
  free(all);
}

/* what messages of a group need, besides its ranks */
static fc_status lists(fc_comm *c) {
  c->request = calloc(2 * (size_t)fc_comm_size(c), sizeof *c->request);
  c->count   = calloc(2 * (size_t)fc_comm_size(c), sizeof *c->count);
  FC_REQUIRE(c->request && c->count, FC_E_SYSTEM, "no memory for a group of ranks");
  return FC_OK;
}

fc_status fc_comm_start(int *argc, char ***argv) {
  int got;

  if (started || !launched()) return FC_OK;
  yield_if_crowded();
  FC_REQUIRE(MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &got) == MPI_SUCCESS &&
                 got >= MPI_THREAD_SERIALIZED,
             FC_E_COMM, "MPI does not start");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  started    = true;
  world.comm = MPI_COMM_WORLD;
  FC_TRY(lists(&world));
  FC_REQUIRE(MPI_Comm_dup(MPI_COMM_WORLD, &leaving) == MPI_SUCCESS, FC_E_COMM, "MPI makes no group of ranks");
  watch_each_other();
  return FC_OK;
}

/* ---- the end ---- */

/* patience in seconds; with infinity a rank that dies meanwhile is the watch's business */
static bool wait_for(MPI_Request *r, double patience) {
  const double until = MPI_Wtime() + patience;
  int          done  = 0;

  while (MPI_Test(r, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && !done && MPI_Wtime() < until)
    nanosleep(&(struct timespec){0, 200000}, NULL);
  return done;
}

/* What a rank says on its way out, the smallest counts: who prints, those that know the cause first; exit
   code of a failure. */
static void vote_of(fc_status s, int vote[2]) {
  const int  rank    = fc_comm_rank(NULL);
  const bool orderly = s == FC_OK || s == FC_STOPPED || s == FC_E_DIFFERS;

  vote[0] =
      orderly ? rank ? INT_MAX : INT_MAX - 1 : rank + (echoed || s == FC_E_COMM ? fc_comm_size(NULL) : 0);
  vote[1] = s == FC_OK ? INT_MAX : fc_exit_code(s);
}

bool fc_comm_meet(fc_status s, int *code) {
  static int         vote[2]; /* a sum that nobody joins is never finished */
  static MPI_Request r;
  const bool         orderly  = s == FC_OK || s == FC_STOPPED || s == FC_E_DIFFERS;
  const double       patience = orderly ? INFINITY : echoed || s == FC_E_COMM ? 6 : 3;

  *code  = fc_exit_code(s);
  leaves = true;
  if (!started) return true;
  vote_of(s, vote);
  const int first = vote[0];
  if (!alone)
    met = !MPI_Iallreduce(MPI_IN_PLACE, vote, 2, MPI_INT, MPI_MIN, leaving, &r) && wait_for(&r, patience);
  fc_watch_leave();
  if (!met) return fc_watch_speak();
  if (vote[1] != INT_MAX) *code = vote[1];
  return vote[0] == first;
}

void fc_comm_stop(int code) {
  int unused;

  if (!started) return;
  if (!leaves) fc_comm_meet(code ? FC_E_DIFFERS : FC_OK, &unused);
  if (!met) MPI_Abort(MPI_COMM_WORLD, code);
  MPI_Comm_free(&leaving);
  MPI_Finalize();
  started = false;
}

int fc_comm_rank(const fc_comm *c) {
  int r = 0;

  if (started) MPI_Comm_rank(handle(c), &r);
  return r;
}

int fc_comm_size(const fc_comm *c) {
  int n = 1;

  if (started) MPI_Comm_size(handle(c), &n);
  return n;
}

void fc_comm_block(const fc_comm *c, int64_t n, int64_t *lo, int64_t *hi) {
  const int64_t r = fc_comm_rank(c), p = fc_comm_size(c);

  *lo = n * r / p;
  *hi = n * (r + 1) / p;
}

/* ---- groups ---- */

fc_status fc_comm_split(const fc_comm *c, int colour, fc_comm **out) {
  fc_comm *made = calloc(1, sizeof *made);

  FC_REQUIRE(made, FC_E_SYSTEM, "no memory for a group of ranks");
  if (started) {
    FC_REQUIRE(MPI_Comm_split(handle(c), colour, fc_comm_rank(c), &made->comm) == MPI_SUCCESS, FC_E_COMM,
               "the ranks cannot be divided into groups");
    MPI_Comm_set_errhandler(made->comm, MPI_ERRORS_RETURN);
  }
  *out = made;
  return started ? lists(made) : FC_OK;
}

void fc_comm_free(fc_comm *c) {
  if (!c) return;
  if (started && !alone) MPI_Comm_free(&c->comm);
  free(c->request);
  free(c->count);
  free(c);
}

/* ---- collectives ---- */

double fc_comm_seconds(void) { return seconds; }

static fc_status ended(double since, int code, const char *what) {
  seconds += MPI_Wtime() - since;
  FC_REQUIRE(code == MPI_SUCCESS, FC_E_COMM, "%s failed; another rank may have died", what);
  return FC_OK;
}

/* MPI counts are int: long arrays go in pieces */
static fc_status reduce(const fc_comm *c, void *x, int64_t n, MPI_Datatype type, size_t size, MPI_Op op) {
  const int64_t piece = INT_MAX / 2;

  if (!started || fc_comm_size(c) == 1) return FC_OK;
  for (int64_t at = 0; at < n; at += piece) {
    const double since = MPI_Wtime();
    FC_TRY(ended(since,
                 MPI_Allreduce(MPI_IN_PLACE, (char *)x + (size_t)at * size, (int)fc_min64(piece, n - at),
                               type, op, handle(c)),
                 "the sum over ranks"));
  }
  return FC_OK;
}

fc_status fc_comm_sum(const fc_comm *c, fc_real *x, int64_t n) {
  return reduce(c, x, n, MPI_REAL_, sizeof *x, MPI_SUM);
}
fc_status fc_comm_sum_double(const fc_comm *c, double *x, int64_t n) {
  return reduce(c, x, n, MPI_DOUBLE, sizeof *x, MPI_SUM);
}
fc_status fc_comm_max(const fc_comm *c, fc_real *x, int64_t n) {
  return reduce(c, x, n, MPI_REAL_, sizeof *x, MPI_MAX);
}
fc_status fc_comm_max_double(const fc_comm *c, double *x, int64_t n) {
  return reduce(c, x, n, MPI_DOUBLE, sizeof *x, MPI_MAX);
}

fc_status fc_comm_sum_start(const fc_comm *c, fc_real *x, int64_t n, int slot) {
  const double since = MPI_Wtime();

  FC_ASSERT(slot < FC_COMM_SLOTS && n <= INT_MAX, "a sum of %lld numbers in slot %d", (long long)n, slot);
  return ended(
      since,
      MPI_Iallreduce(MPI_IN_PLACE, x, (int)n, MPI_REAL_, MPI_SUM, c->comm, (MPI_Request *)&c->pending[slot]),
      "the sum over ranks");
}

bool fc_comm_sum_poll(const fc_comm *c, int n) {
  const double since = MPI_Wtime();
  int          done  = 1;

  if (n) MPI_Testall(n, (MPI_Request *)c->pending, &done, MPI_STATUSES_IGNORE);
  seconds += MPI_Wtime() - since;
  return done != 0;
}

fc_status fc_comm_sum_finish(const fc_comm *c, int n) {
  const double since = MPI_Wtime();

  if (alone) return FC_E_COMM; /* what went wrong has been said */
  return ended(since, MPI_Waitall(n, (MPI_Request *)c->pending, MPI_STATUSES_IGNORE), "the sum over ranks");
}

static int64_t total(const int64_t *n, int size) {
  int64_t sum = 0;

  for (int r = 0; r < size; r++) sum += n[r];
  return sum;
}

/* Only ranks that have something for each other talk: a halo is two messages, however many ranks there are.
 */
static fc_status exchange(const fc_comm *c, const char *send, const int64_t *n_send, char *recv,
                          const int64_t *n_recv, MPI_Datatype type, size_t size) {
  const int me = fc_comm_rank(c), ranks = fc_comm_size(c);
  int       k = 0, code = MPI_SUCCESS;

  const double since = started ? MPI_Wtime() : 0;
  char *const  own   = recv + (size_t)total(n_recv, me) * size;
  for (int r = 0; r < ranks; recv += (size_t)n_recv[r++] * size) {
    FC_REQUIRE(n_recv[r] <= INT_MAX && n_send[r] <= INT_MAX, FC_E_COMM,
               "%lld numbers are too many for one message; use more ranks",
               (long long)fc_max64(n_recv[r], n_send[r]));
    if (r == me || !n_recv[r] || code) continue;
    code = MPI_Irecv(recv, (int)n_recv[r], type, r, 0, handle(c), &group(c)->request[k++]);
  }
  for (int r = 0; r < ranks; send += (size_t)n_send[r++] * size) {
    if (r == me) memcpy(own, send, (size_t)n_send[r] * size);
    if (r == me || !n_send[r] || code) continue;
    code = MPI_Isend(send, (int)n_send[r], type, r, 0, handle(c), &group(c)->request[k++]);
  }
  if (!started) return FC_OK;
  const int waited = MPI_Waitall(k, group(c)->request, MPI_STATUSES_IGNORE);
  return ended(since, code ? code : waited, "an exchange between ranks");
}

fc_status fc_comm_exchange(const fc_comm *c, const fc_real *send, const int64_t *n_send, fc_real *recv,
                           const int64_t *n_recv) {
  return exchange(c, (const char *)send, n_send, (char *)recv, n_recv, MPI_REAL_, sizeof *send);
}
fc_status fc_comm_exchange_double(const fc_comm *c, const double *send, const int64_t *n_send, double *recv,
                                  const int64_t *n_recv) {
  return exchange(c, (const char *)send, n_send, (char *)recv, n_recv, MPI_DOUBLE, sizeof *send);
}

/* what of each part lies between `from` and `end`, which are no further apart than MPI can count */
static fc_status gather_between(const fc_comm *c, fc_real *x, const int64_t *border, int64_t from,
                                int64_t end) {
  const int    size  = fc_comm_size(c);
  int *const   count = group(c)->count;
  const double since = MPI_Wtime();

  for (int r = 0; r < size; r++) {
    const int64_t lo = fc_min64(end, fc_max64(from, border[r]));
    count[r]         = (int)(fc_max64(lo, fc_min64(end, border[r + 1])) - lo);
    count[size + r]  = (int)(lo - from);
  }
  return ended(
      since, MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_REAL_, x + from, count, count + size, MPI_REAL_, handle(c)),
      "gathering from all ranks");
}

fc_status fc_comm_gather(const fc_comm *c, fc_real *x, const int64_t *border) {
  const int     size  = fc_comm_size(c);
  const int64_t piece = INT_MAX / 2;

  if (!started || size == 1) return FC_OK;
  for (int64_t at = border[0]; at < border[size]; at += piece)
    FC_TRY(gather_between(c, x, border, at, fc_min64(border[size], at + piece)));
  return FC_OK;
}

fc_status fc_comm_broadcast(const fc_comm *c, void *x, int64_t bytes, int root) {
  if (!started) return FC_OK;
  FC_REQUIRE(bytes <= INT_MAX, FC_E_COMM, "a broadcast of %lld bytes is too long", (long long)bytes);
  FC_REQUIRE(MPI_Bcast(x, (int)bytes, MPI_BYTE, root, handle(c)) == MPI_SUCCESS, FC_E_COMM,
             "the broadcast failed");
  return FC_OK;
}

fc_status fc_comm_agree(const fc_comm *c, fc_status mine) {
  static int         worst; /* outlives a rank's patience */
  static MPI_Request r;

  if (!started || alone) return mine;
  worst = (int)mine;
  if (MPI_Iallreduce(MPI_IN_PLACE, &worst, 1, MPI_INT, MPI_MAX, handle(c), &r) != MPI_SUCCESS ||
      (mine == FC_OK && MPI_Wait(&r, MPI_STATUS_IGNORE) != MPI_SUCCESS))
    return fc_fail(FC_E_COMM, "the ranks cannot agree; another rank may have died");
  if (mine != FC_OK) alone = !wait_for(&r, PATIENCE);
  echoed = !alone && mine == FC_OK && worst != FC_OK;
  if (echoed) return fc_fail((fc_status)worst, "another rank failed: %s", fc_status_text((fc_status)worst));
  return mine;
}

bool fc_comm_alone(void) { return alone; }

bool fc_comm_any(const fc_comm *c, bool mine) {
  int any = mine;

  if (started) MPI_Allreduce(MPI_IN_PLACE, &any, 1, MPI_INT, MPI_MAX, handle(c));
  return any != 0;
}

fc_status fc_comm_sum_on_node(double *x, int n, int *ranks) {
  MPI_Comm node;

  *ranks = 1;
  if (!started) return FC_OK;
  FC_REQUIRE(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node) ==
                 MPI_SUCCESS,
             FC_E_COMM, "the ranks of this machine cannot find each other");
  MPI_Comm_size(node, ranks);
  const int code = MPI_Allreduce(MPI_IN_PLACE, x, n, MPI_DOUBLE, MPI_SUM, node);
  MPI_Comm_free(&node);
  FC_REQUIRE(code == MPI_SUCCESS, FC_E_COMM, "the ranks of this machine cannot talk to each other");
  return FC_OK;
}
