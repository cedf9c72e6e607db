// Handles as in MPICH's mpi.h: 32-bit ints.
#define FAKE_HANDLE int
#define FAKE_WORLD 0x44000000
#define FAKE_DOUBLE 0x4c00080b
#define FAKE_FLOAT 0x4c00040a
#define FAKE_INT32 0x4c000439
#define FAKE_INT8 0x4c000137
#define FAKE_BYTE 0x4c00010d
#define FAKE_PAIR 0x0c000001
#define FAKE_SUM 0x58000003
#define FAKE_MIN 0x58000002
#define FAKE_MAX 0x58000001
#define FAKE_OWN_OP static_cast<int>(0x98000000)
#define FAKE_IN_PLACE reinterpret_cast<const void*>(-1)
#define FAKE_STATUS_IGNORE reinterpret_cast<void*>(1)
#define FAKE_FUNNELED 1
#include "fake_mpi.h"
