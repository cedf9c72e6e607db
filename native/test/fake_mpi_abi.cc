// Handles as in the mpi.h of MPI-5's ABI: pointers that hold small numbers.
#include <cstdint>
#define FAKE_HANDLE std::uintptr_t
#define FAKE_WORLD 0x101u
#define FAKE_DOUBLE 0x214u
#define FAKE_FLOAT 0x210u
#define FAKE_INT32 0x250u
#define FAKE_INT8 0x240u
#define FAKE_BYTE 0x247u
#define FAKE_PAIR 0x5000u
#define FAKE_SUM 0x21u
#define FAKE_MIN 0x22u
#define FAKE_MAX 0x23u
#define FAKE_OWN_OP 0x5001u
#define FAKE_IN_PLACE reinterpret_cast<const void*>(1)
#define FAKE_STATUS_IGNORE nullptr
#define FAKE_FUNNELED 1024
#include "fake_mpi.h"
