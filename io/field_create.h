/* io/field_create.h - private to io/field_writer.c and io/field_create.c: what a new file
   holds before the first frame. */
#ifndef FC_FIELD_CREATE_H
#define FC_FIELD_CREATE_H
#include "io/field_writer.h"
#include "io/hdf5_util.h"

/* FC_E_USAGE in words if the specification cannot become a file */
fc_status fc_field_spec_check(const fc_field_spec *s);
/* groups, attributes, coordinates, boundary conditions, parameters; false if the disk refuses */
bool fc_field_write_skeleton(hid_t file, const fc_field_spec *s);
/* the data set of one field, [traj][time if not constant][x..][components], filled with NaN; negative:
 * refused */
hid_t fc_field_create_set(hid_t file, const fc_field_spec *s, const fc_out_field *field, bool constant);
/* where the numbers of such a data set lie in a file that has it in one piece, of this size and type;
 * negative: it has not */
int64_t fc_field_find_set(hid_t file, const fc_field_spec *s, const fc_out_field *field, bool constant);
#endif
