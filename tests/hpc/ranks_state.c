/* tests/hpc/ranks_state.c - run on 1 to 4 ranks: one file of the numbers of all ranks, and what ranks hear of
   each other without waiting. */
#include "hpc/comm.h"
#include "hpc/tally.h"
#include "io/file.h"
#include "io/state_file.h"
#include "tests/check.h"

#include <unistd.h>

static const char text[] = "solver=none\nn=3\n";

/* rank r has r + 1 numbers, or none; the file is that of rank 0's folder */
static fc_status write_file(const char *path, bool some, fc_status mine) {
  const int me = fc_comm_rank(NULL);
  double    x[8];

  for (int i = 0; i <= me; i++) x[i] = me + i / 16.0;
  return fc_state_file_write(path, text, some ? me + 1 : 0, x, mine);
}

static const char *shared_path(const char *name) {
  static char path[4096];

  snprintf(path, sizeof path, "%s", check_path(name));
  CHECK_OK(fc_comm_broadcast(NULL, path, sizeof path, 0));
  return path;
}

static void round_trip(void) {
  const char    *path = shared_path("a.state");
  const int      n    = fc_comm_size(NULL);
  fc_state_file *f;

  CHECK_OK(write_file(path, true, FC_OK));
  CHECK_OK(fc_state_file_open(path, &f));
  CHECK(!strcmp(fc_state_file_text(f), text));
  CHECK(fc_state_file_ranks(f) == n);
  for (int r = n - 1; r >= 0; r--) {
    double x[8];
    CHECK(fc_state_file_size(f, r) == r + 1);
    CHECK_OK(fc_state_file_read(f, r, x));
    for (int i = 0; i <= r; i++) CHECK(x[i] == r + i / 16.0);
  }
  fc_state_file_close(f);
  CHECK_OK(fc_comm_agree(NULL, FC_OK));
}

/* every byte that means something is told from another one */
static void damage(void) {
  const char    *path = shared_path("b.state");
  fc_state_file *f;
  double         x[8];

  CHECK_OK(write_file(path, true, FC_OK));
  for (int64_t at = 0; !fc_comm_rank(NULL) && at < 4104; at += at < 100 ? 1 : 4) {
    const int64_t head = 24 + (int64_t)sizeof text - 1 + 16 * fc_comm_size(NULL) + 8;
    if (at >= head && at < 4096) continue; /* filling */
    FILE     *k = fopen(path, "r+b");
    const int c = (fseek(k, (long)at, SEEK_SET), fgetc(k));
    fseek(k, (long)at, SEEK_SET);
    fputc(c ^ 4, k);
    fclose(k);
    fc_status s = fc_state_file_open(path, &f);
    if (s == FC_OK) s = fc_state_file_read(f, 0, x), fc_state_file_close(f);
    CHECK(s == FC_E_INPUT);
    k = fopen(path, "r+b");
    fseek(k, (long)at, SEEK_SET);
    fputc(c, k);
    fclose(k);
  }
  CHECK_OK(fc_comm_agree(NULL, FC_OK));
  if (!fc_comm_rank(NULL)) {
    CHECK(!truncate(path, 4096));
    CHECK(fc_state_file_open(path, &f) == FC_E_INPUT);
    CHECK(fc_state_file_open("/nowhere/x.state", &f) == FC_E_INPUT);
  }
  CHECK_OK(fc_comm_agree(NULL, FC_OK));
}

/* the file is as it was, on all ranks */
static void one_fails(void) {
  const char    *path = shared_path("c.state");
  const bool     last = fc_comm_rank(NULL) == fc_comm_size(NULL) - 1;
  fc_state_file *f;

  CHECK_OK(write_file(path, true, FC_OK));
  CHECK(write_file(path, false, last ? fc_fail(FC_E_SYSTEM, "on purpose") : FC_OK) == FC_E_SYSTEM);
  CHECK_OK(fc_state_file_open(path, &f));
  CHECK(fc_state_file_size(f, 0) == 1);
  fc_state_file_close(f);
  CHECK(fc_state_file_write("/nowhere/x.state", text, 0, NULL, FC_OK) == FC_E_SYSTEM);
}

/* ranks look as often as they like: all get the same rounds */
static void rounds(void) {
  const int me = fc_comm_rank(NULL), n = fc_comm_size(NULL);
  fc_tally *t;

  CHECK_OK(fc_tally_create(&t));
  for (int round = 0; round < 20; round++) {
    const double mine[FC_TALLY] = {1, me, round};
    double       sum[FC_TALLY];
    bool         complete = false;
    for (int look = 0; look < 5 * (me + 1) && !complete; look++)
      CHECK_OK(fc_tally_look(t, mine, sum, &complete));
    CHECK(complete || fc_tally_open(t));
    if (!complete) CHECK_OK(fc_tally_wait(t, sum));
    CHECK(sum[0] == n && sum[1] == n * (n - 1) / 2 && sum[2] == n * round);
  }
  fc_tally_destroy(t);
}

int main(int argc, char **argv) {
  static const check_case cases[] = {round_trip, damage, one_fails, rounds};

  if (fc_comm_start(&argc, &argv) != FC_OK) return 2;
  const int failed = check_run("state", FC_COUNT(cases), cases, "round_trip, damage, one_fails, rounds");
  fc_comm_stop(failed);
  return failed;
}
