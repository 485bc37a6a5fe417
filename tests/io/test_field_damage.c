/* tests/io/test_field_damage.c - truncated and altered files: an answer in words, never a crash.
   Each damaged file is read in a child process, so that a crash is a failed check and not the end of the
   test. */
#include "tests/check.h"

#include "io/field_writer.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NX = 8, NY = 6, NT = 4, NB = 2, NC = 3 };

/* Under the sanitizer it is our code that is on trial: HDF5 1.10 itself reads a few bytes too many when it
   decodes damaged attributes, and asks for impossible amounts of memory, which malloc refuses. */
const char *__asan_default_options(void);
const char *__asan_default_suppressions(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }
const char *__asan_default_suppressions(void) { return "interceptor_via_lib:libhdf5"; }

static unsigned char *whole;
static long           size;

static void make(bool compress) {
  static const fc_out_field f[2] = {{"p", "Pa", 0}, {"v", "m/s", 1}}, constant = {"mask", "", 0};
  fc_field_spec             s = {.name       = "small",
                                 .ndim       = 2,
                                 .dim        = {NX, NY},
                                 .n_traj     = NB,
                                 .n_steps    = NT,
                                 .spacing    = {1, 1},
                                 .periodic   = {true},
                                 .dt         = 1,
                                 .n_fields   = 2,
                                 .field      = f,
                                 .n_constant = 1,
                                 .constant   = &constant,
                                 .n_params   = 1,
                                 .n_texts    = 1,
                                 .compress   = compress};
  fc_field_writer          *w;
  fc_real                   x[NT * NX * NY * NC];

  s.param[0].name = "nu", s.param[0].value = 1;
  s.text[0].name = "solver", s.text[0].value = "none";
  for (int i = 0; i < FC_COUNT(x); i++) x[i] = (fc_real)(i % 97);
  CHECK_OK(fc_field_writer_create(check_path("small.h5"), &s, &w));
  for (int b = 0; b < NB; b++) {
    CHECK_OK(fc_field_write(w, b, 0, NT, x));
    CHECK_OK(fc_field_write_constant(w, b, x));
  }
  CHECK_OK(fc_field_writer_finish(w));
  FILE *g = fopen(check_path("small.h5"), "rb");
  fseek(g, 0, SEEK_END);
  size  = ftell(g);
  whole = malloc((size_t)size);
  rewind(g);
  CHECK(fread(whole, 1, (size_t)size, g) == (size_t)size);
  fclose(g);
}

/* Everything a program would do with a file. The numbers are exit codes that nothing else has, so that a
   sanitizer's complaint is not mistaken for an answer. */
enum { FINE = 40, IN_WORDS, WITHOUT_WORDS };

static int use(const char *path) {
  fc_field      *f;
  fc_field_stats stats;
  fc_status      s = fc_field_open(path, &f);

  if (s != FC_OK) return fc_error()[0] && s != FC_E_USAGE ? IN_WORDS : WITHOUT_WORDS;
  const fc_field_info *i = fc_field_about(f);
  double               n = i->n_constant, t;
  for (int a = 0; a < i->ndim; a++) n *= (double)i->dim[a];
  s = n < 1e6 ? fc_field_statistics(f, 0, fc_min64(i->n_traj, 4), NULL, NULL, NULL, &stats) : FC_OK;
  if (n < 1e6) {
    fc_real *x = malloc((size_t)(n + 1) * sizeof *x);
    if (fc_field_read_constant(f, 0, NULL, 0, NULL, x) != FC_OK) s = FC_E_INPUT;
    free(x);
  }
  if (fc_field_times(f, 0, 0, 1, &t) != FC_OK) s = FC_E_INPUT;
  fc_field_text(f, "solver");
  fc_field_close(f);
  return s == FC_OK ? FINE : IN_WORDS;
}

static int in_child(const char *path) {
  const pid_t pid = fork();
  int         status;

  if (pid == 0) {
    alarm(60);                /* an endless loop is a failure too */
    signal(SIGSEGV, SIG_DFL); /* sanitizers would make an exit code of it */
#ifndef FC_NO_CLONES          /* sanitizers need terabytes of address space */
    const struct rlimit gib = {(rlim_t)1 << 30, (rlim_t)1 << 30};
    setrlimit(RLIMIT_AS, &gib); /* damaged lengths ask for gigabytes; HDF5 would clear them first */
#endif
    _exit(use(path));
  }
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void put_file(const char *path, const unsigned char *x, long n) {
  FILE *f = fopen(path, "wb");
  CHECK(fwrite(x, 1, (size_t)n, f) == (size_t)n);
  fclose(f);
}

static void truncated(void) {
  const char *path = check_path("cut.h5");
  int         bad  = 0;

  make(true);
  for (long n = 0; n < size; n += n < 64 ? 7 : size / 60) {
    put_file(path, whole, n);
    const int r = in_child(path);
    if (r != IN_WORDS) bad++, fprintf(stderr, "cut at %ld of %ld: %d\n", n, size, r);
  }
  CHECK(bad == 0);
  free(whole);
}

/* HDF5 1.10 itself falls over references into a heap that is otherwise sound (H5HG_read), in about one of 250
   such files; commands therefore look at files in a child process first. Those are signals; a sanitizer that
   finds fault with our code exits with a code of its own. */
enum { FALLS_OF_HDF5 = 2 };

/* Bytes replaced at places from a fixed sequence. Values may change unseen; nothing of ours may crash. */
static void altered(void) {
  const char *path = check_path("altered.h5");
  int         bad = 0, noticed = 0, fallen = 0;
  uint64_t    r = 12345;

  make(false);
  for (int k = 0; k < 300; k++) {
    unsigned char *x = malloc((size_t)size);
    memcpy(x, whole, (size_t)size);
    for (int j = 0; j < 1 + k % 4; j++) {
      r                             = r * 6364136223846793005ULL + 1442695040888963407ULL;
      x[(r >> 33) % (uint64_t)size] = (unsigned char)(r >> 20);
    }
    put_file(path, x, size);
    const int got = in_child(path);
    if (got == -SIGSEGV && fallen < FALLS_OF_HDF5)
      fallen++;
    else if (got != FINE && got != IN_WORDS)
      bad++, fprintf(stderr, "alteration %d: %d\n", k, got);
    noticed += got == IN_WORDS;
    free(x);
  }
  CHECK(bad == 0);
  CHECK(noticed > 10); /* most bytes are values, but headers are hit too */
  free(whole);
}

CHECK_SUITE(field_damage, truncated, altered)
