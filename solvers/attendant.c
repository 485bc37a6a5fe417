/* solvers/attendant.c */
#include "solvers/attendant.h"

static const fc_attendant *attending;

void fc_attendant_set(const fc_attendant *a) { attending = a; }

const fc_attendant *fc_attendant_get(void) { return attending; }
