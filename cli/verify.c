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
      "each as measured/allowed (config.json of the case). Exit code 0 only if all cases agree, 1 if one "
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
  printf("%s %-22s %s %s:", r->passed ? "ok    " : "DIFFER", base_name(folder), r->model, r->variant);
  show("output", &r->output);
  show("loss", &r->loss);
  show("grad", &r->grad);
  show("input", &r->grad_input);
  show("train", &r->losses);
  printf("  worst %s of %d\n", r->worst_grad, r->n_gradients);
  fflush(stdout);
}

fc_status fc_cmd_verify(int argc, char **argv) {
  fc_list   cases;
  bool      done;
  int       unread = 0, differ = 0;
  fc_status worst = FC_OK;

  FC_TRY(fc_args_parse(fc_command_find("verify"), argc, argv, 0, NULL, 1, FC_ARG_REPEAT, &cases, describe,
                       &done));
  if (done) return FC_OK;
  for (int i = 0; i < cases.n; i++) {
    fc_verify_report r;
    const fc_status  s = fc_verify_case(cases.v[i], &r);
    if (s != FC_OK) {
      printf("FAILED %-22s %s\n", base_name(cases.v[i]), fc_error());
      worst = s;
      unread++;
      continue;
    }
    print_report(cases.v[i], &r);
    differ += !r.passed;
  }
  if (unread) return fc_fail(worst, "%d of %d cases could not be compared", unread, cases.n);
  return differ ? fc_fail(FC_E_DIFFERS, "%d of %d cases differ", differ, cases.n) : FC_OK;
}
