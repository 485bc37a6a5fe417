/* tests/io/test_file.c */
#include "io/file.h"
#include "tests/check.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_text(const char *path, const char *text) {
  FILE *f;

  CHECK_OK(fc_file_begin(path, &f));
  fputs(text, f);
  CHECK_OK(fc_file_commit(path, f));
}

static bool holds(const char *path, const char *text) {
  char *got = NULL;

  CHECK_OK(fc_file_read(path, 1000, &got, NULL));
  const bool same = got && !strcmp(got, text);
  free(got);
  return same;
}

static void replaced_in_one_piece(void) {
  const char *path = check_path("a.txt"), *tmp = check_path("a.txt.tmp");
  FILE       *f;

  write_text(path, "old");
  CHECK_OK(fc_file_begin(path, &f));
  fputs("new", f);
  fflush(f);
  CHECK(fc_file_exists(tmp) && holds(path, "old")); /* nobody sees a half-written file */
  CHECK_OK(fc_file_commit(path, f));
  CHECK(!fc_file_exists(tmp) && holds(path, "new"));
  CHECK_OK(fc_file_begin(path, &f));
  fputs("never", f);
  fc_file_abandon(path, f);
  CHECK(!fc_file_exists(tmp) && holds(path, "new"));
  fc_file_abandon(path, NULL);
}

/* /dev/full accepts no byte: short texts fail in fflush, long ones before */
static void full_disk(void) {
  const char *path = check_path("b.txt"), *tmp = check_path("b.txt.tmp");

  write_text(path, "old");
  for (int i = 0; i < 2; i++) {
    write_text(tmp, "half");
    FILE *f = fopen("/dev/full", "w");
    if (!f) return;
    for (int k = 0; k < (i ? 100000 : 1); k++) fputs("text", f);
    CHECK_FAILS(fc_file_commit(path, f), FC_E_SYSTEM, "b.txt: writing failed");
    CHECK(holds(path, "old") && !fc_file_exists(tmp));
  }
}

/* a limit on the size of files is a disk that gets full at a chosen byte */
static void full_in_the_middle(void) {
  const char   *path = check_path("c.txt"), *tmp = check_path("c.txt.tmp");
  struct rlimit old;
  FILE         *f;

  write_text(path, "old");
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &old);
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){10000, old.rlim_max});
  CHECK_OK(fc_file_begin(path, &f));
  for (int i = 0; i < 9999; i++) fputs("text", f);
  CHECK_FAILS(fc_file_commit(path, f), FC_E_SYSTEM, "writing failed");
  setrlimit(RLIMIT_FSIZE, &old);
  CHECK(holds(path, "old") && !fc_file_exists(tmp));
}

static void wrong_places(void) {
  FILE *f;
  char  long_name[5000];

  CHECK_FAILS(fc_file_begin("/no/such/folder/x", &f), FC_E_SYSTEM,
              "/no/such/folder/x.tmp: cannot write here");
  CHECK_FAILS(fc_file_begin(check_path("."), &f), FC_E_SYSTEM, "it is a folder");
  CHECK_FAILS(fc_file_begin("/dev/null", &f), FC_E_SYSTEM, "not a plain file");
  CHECK_FAILS(fc_file_begin("", &f), FC_E_USAGE, "not a name");
  memset(long_name, 'a', sizeof long_name);
  long_name[sizeof long_name - 1] = 0;
  CHECK_FAILS(fc_file_begin(long_name, &f), FC_E_USAGE, "not a name");
  CHECK_FAILS(fc_make_folder(long_name), FC_E_USAGE, "not a name");
  CHECK_FAILS(fc_file_replace(check_path("none.tmp"), check_path("none")), FC_E_SYSTEM, "writing failed");
}

static void replacing(void) {
  const char *a = check_path("made elsewhere"), *b = check_path("d");

  write_text(a, "new");
  write_text(b, "old");
  CHECK_OK(fc_file_replace(a, b));
  CHECK(holds(b, "new") && !fc_file_exists(a));
  write_text(a, "newer");
  CHECK_FAILS(fc_file_replace(a, check_path(".")), FC_E_SYSTEM, "it is a folder");
  CHECK(!fc_file_exists(a));
}

static void folders(void) {
  struct stat st;
  const char *deep = check_path("x/y//z/");

  CHECK_OK(fc_make_folder(deep));
  CHECK_OK(fc_make_folder(deep));
  CHECK(stat(check_path("x/y/z"), &st) == 0 && S_ISDIR(st.st_mode));
  write_text(check_path("x/file"), "");
  CHECK_FAILS(fc_make_folder(check_path("x/file/y")), FC_E_SYSTEM,
              "x/file: cannot make the folder: a file of this name");
  CHECK_OK(fc_make_folder("/"));
}

static void reading(void) {
  const char *path = check_path("e");
  char       *text;
  size_t      n;
  FILE       *f = fopen(path, "w");

  for (int i = 0; i < 100000; i++) fputc(i % 7 ? 'x' : 0, f);
  fclose(f);
  CHECK_OK(fc_file_read(path, 100000, &text, &n));
  CHECK(n == 100000 && text[100000] == 0 && text[7] == 0 && text[99999] == 'x');
  free(text);
  CHECK_FAILS(fc_file_read(path, 99999, &text, &n), FC_E_INPUT, "larger than 99999 bytes");
  CHECK(text == NULL);
  CHECK_FAILS(fc_file_read(check_path("none"), 10, &text, &n), FC_E_INPUT, "cannot be opened: No such file");
  CHECK_FAILS(fc_file_read("/", 10, &text, &n), FC_E_INPUT, "/: cannot be");
  CHECK_FAILS(fc_file_read("/dev/zero", 1000000, &text, &n), FC_E_INPUT, "larger than");
}

CHECK_SUITE(file, replaced_in_one_piece, full_disk, full_in_the_middle, wrong_places, replacing, folders,
            reading)
