/* cli/verify.c - fieldcast verify CASE-DIR...: one line a case. */
#include "train/verify.h"
#include "cli/cli.h"

#include <string.h>

static void describe(FILE *f) {
  fputs(
      "\nA case is a folder with config.json, weights.safetensors and case.h5 made by an official code. "
      "Compared are\n"
      "  output  max|y - ref| / max|ref|\n"
      "  loss    |l - ref| / ref of l = mean(y^2)\n"
      "  grad    worst parameter: max|g - ref| / max(max|ref|, 1e-3 G), G = largest |ref| of all gradients\n"
      "  input   the same over the gradients of the inputs\n"
      "  train   worst of eleven losses along ten steps of AdamW (lr 1e-3, decay 1e-2)\n"
      "each as measured/allowed (config.json of the case). With --domain the ranks share points or grid of "
      "each sample;\ncases that are too small for that are skipped, and said so. Exit code 0 only if all "
      "cases agree, 1 if one "
      "differs,\n"
      "2 if one cannot be read.\n",
      f);
}

static void show(const char *name, const fc_deviation *d) {
  if (d->checked)
    printf("  %s %.1e/%.1e%s", name, d->value, d->tolerance, d->value <= d->tolerance ? "" : " !");
}

static const char *base_name(const char *path) {
  static char text[256];
  size_t      n = strlen(path);

  while (n > 1 && path[n - 1] == '/') n--;
  size_t from = n;
  while (from > 0 && path[from - 1] != '/') from--;
  snprintf(text, sizeof text, "%.*s", (int)(n - from), path + from);
  return text;
}

static void print_report(const char *folder, const fc_verify_report *r) {
  if (r->skipped[0]) {
    printf("skip   %-22s %s %s: %s\n", base_name(folder), r->model, r->variant, r->skipped);
    return;
  }
  printf("%s %-22s %s %s:", r->passed ? "ok    " : "DIFFER", base_name(folder), r->model, r->variant);
  show("output", &r->output);
  show("loss", &r->loss);
  show("grad", &r->grad);
  show("input", &r->grad_input);
  show("train", &r->losses);
  printf("  worst %s of %d\n", r->worst_grad, r->n_gradients);
  fflush(stdout);
}

typedef struct {
  int       skipped, differ, unread;
  fc_status worst;
} tally;

static void verify_one(const char *folder, const fc_process_grid *grid, tally *t) {
  const bool       speaks = !fc_comm_rank(NULL);
  fc_verify_report r;
  const fc_status  s = fc_verify_case(folder, grid, &r);

  if (s != FC_OK) {
    if (speaks) printf("FAILED %-22s %s\n", base_name(folder), fc_error());
    t->worst = s;
    t->unread++;
    return;
  }
  if (speaks) print_report(folder, &r);
  t->skipped += r.skipped[0] != 0;
  t->differ += !r.skipped[0] && !r.passed;
}

static fc_status verify_all(const fc_list *cases, const fc_process_grid *grid) {
  tally t = {0};

  FC_REQUIRE(grid->groups == 1, FC_E_USAGE,
             "%d ranks verify in domains of %d; start as many ranks as --domain says (mpirun -n %d)",
             fc_comm_size(NULL), grid->domain.size, grid->domain.size);
  for (int i = 0; i < cases->n; i++) verify_one(cases->v[i], grid, &t);
  if (t.skipped && !fc_comm_rank(NULL))
    printf("%d of %d cases were skipped: %d ranks cannot share them\n", t.skipped, cases->n,
           grid->domain.size);
  if (t.unread) return fc_fail(t.worst, "%d of %d cases could not be compared", t.unread, cases->n);
  return t.differ ? fc_fail(FC_E_DIFFERS, "%d of %d cases differ", t.differ, cases->n) : FC_OK;
}

fc_status fc_cmd_verify(int argc, char **argv) {
  fc_list         cases;
  int64_t         domain = 1;
  bool            done;
  fc_process_grid grid;

  const fc_arg args[] = {{"domain", 0, FC_ARG_INT, &domain, "D",
                          "ranks that share each case (mpirun -n D fieldcast verify --domain D ..)"}};
  FC_TRY(fc_args_parse(fc_command_find("verify"), argc, argv, 1, args, 1, FC_ARG_REPEAT, &cases, describe,
                       &done));
  if (done) return FC_OK;
  FC_REQUIRE(domain >= 1 && domain <= FC_DOMAIN_MAX, FC_E_USAGE, "--domain %lld: 1 to %d ranks are possible",
             (long long)domain, FC_DOMAIN_MAX);
  FC_TRY(fc_process_grid_create((int)domain, &grid));
  const fc_status s = verify_all(&cases, &grid);
  fc_process_grid_destroy(&grid);
  return s;
}
