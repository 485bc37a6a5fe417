/* io/xdmf.h - the light-weight file that lets ParaView open our HDF5 in place. */
#ifndef FC_XDMF_H
#define FC_XDMF_H
#include "io/field_writer.h"

/* Writes the .xmf beside the HDF5 file (out.h5 -> out.xmf): one temporal collection per trajectory (the first
   16), one grid per step, scalars and vectors in place. precision: bytes of a value on disk, 4 or 8. */
fc_status fc_xdmf_write(const char *hdf5_path, const fc_field_spec *spec, int precision);
void      fc_xdmf_path(const char *hdf5_path, char *out, size_t size);
#endif
