// Handles as in Open MPI: addresses of exported objects.
extern "C" {
char ompi_mpi_comm_world[8], ompi_mpi_double[8], ompi_mpi_float[8], ompi_mpi_int32_t[8], ompi_mpi_int8_t[8], ompi_mpi_byte[8];
char ompi_mpi_op_sum[8], ompi_mpi_op_min[8], ompi_mpi_op_max[8];
}
static char pair_type[8], own_op[8];
#define FAKE_HANDLE char*
#define FAKE_WORLD ompi_mpi_comm_world
#define FAKE_DOUBLE ompi_mpi_double
#define FAKE_FLOAT ompi_mpi_float
#define FAKE_INT32 ompi_mpi_int32_t
#define FAKE_INT8 ompi_mpi_int8_t
#define FAKE_BYTE ompi_mpi_byte
#define FAKE_PAIR pair_type
#define FAKE_SUM ompi_mpi_op_sum
#define FAKE_MIN ompi_mpi_op_min
#define FAKE_MAX ompi_mpi_op_max
#define FAKE_OWN_OP own_op
#define FAKE_IN_PLACE reinterpret_cast<const void*>(1)
#define FAKE_STATUS_IGNORE nullptr
#define FAKE_FUNNELED 1
#include "fake_mpi.h"
