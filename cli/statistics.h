/* cli/statistics.h - statistics as tables on the screen. */
#ifndef FC_CLI_STATISTICS_H
#define FC_CLI_STATISTICS_H
#include "cli/cli.h"

#include "io/statistics.h"

void fc_statistics_print(const fc_statistics *s, FILE *f);
/* s against the reference r; returns how many quantities they have in common */
int fc_statistics_print_errors(const fc_statistics *s, const fc_statistics *r, const char *name, FILE *f);
/* the same as rows of a table with commas: reference,quantity,axis,points,error,by_rows,interval,verdict */
void fc_statistics_write_errors(const fc_statistics *s, const fc_statistics *r, const char *name, FILE *f);
#endif
