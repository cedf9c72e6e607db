// An MPI library opened at run time, without its headers: the calls that aibench makes, and the handles of the three ABIs in
// the field. A handle is passed as std::uintptr_t: on x86-64 and AArch64 an int parameter takes the low half of the
// register, so one prototype serves libraries whose handles are ints and those whose handles are pointers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"

namespace aibench {

using MpiHandle = std::uintptr_t;

enum class MpiAbi { kOpenMpi, kMpich, kMpi5, kSockets };  // kSockets: no MPI (socket_job.h), coordination only
const char* mpi_abi_name(MpiAbi abi);

// Constants that an ABI fixes; those of Open MPI are addresses in the library.
struct MpiConstants {
  MpiHandle world;
  MpiHandle f64, f32, s32, s8, byte;
  MpiHandle sum, min, max;
  void* in_place;
  void* status_ignore;
  int any_source;
  int thread_funneled;
};

struct MpiLibrary {
  MpiAbi abi;
  std::string path;
  std::string version;  // first line of MPI_Get_library_version
  MpiConstants is;

  int (*Init_thread)(int*, char***, int, int*);
  int (*Finalize)();
  int (*Abort)(MpiHandle, int);
  int (*Comm_rank)(MpiHandle, int*);
  int (*Comm_size)(MpiHandle, int*);
  int (*Comm_split)(MpiHandle, int, int, MpiHandle*);
  int (*Get_library_version)(char*, int*);
  int (*Get_processor_name)(char*, int*);
  int (*Barrier)(MpiHandle);
  int (*Send)(const void*, int, MpiHandle, int, int, MpiHandle);
  int (*Recv)(void*, int, MpiHandle, int, int, MpiHandle, void*);
  int (*Iprobe)(int, int, MpiHandle, int*, void*);
  int (*Sendrecv)(const void*, int, MpiHandle, int, int, void*, int, MpiHandle, int, int, MpiHandle, void*);
  int (*Gather)(const void*, int, MpiHandle, void*, int, MpiHandle, int, MpiHandle);
  int (*Allgather)(const void*, int, MpiHandle, void*, int, MpiHandle, MpiHandle);
  int (*Bcast)(void*, int, MpiHandle, int, MpiHandle);
  int (*Allreduce)(const void*, void*, int, MpiHandle, MpiHandle, MpiHandle);
  int (*Reduce_scatter_block)(const void*, void*, int, MpiHandle, MpiHandle, MpiHandle);
  int (*Alltoall)(const void*, int, MpiHandle, void*, int, MpiHandle, MpiHandle);
  int (*Type_contiguous)(int, MpiHandle, MpiHandle*);
  int (*Type_commit)(MpiHandle*);
  int (*Op_create)(void (*)(void*, void*, int*, void*), int, MpiHandle*);
  std::string (*lost)();  // which rank has left, in words, where the table can tell; else null
};

// What the launcher has put into the environment.
struct MpiLaunch {
  bool present = false;
  std::string launcher;  // "Open MPI", "Hydra (MPICH, Intel MPI)", "Slurm"
  int rank = -1;
  int size = -1;
};
// `get` is getenv, another in tests.
MpiLaunch mpi_launch(const char* (*get)(const char*));

// Names to try, in order: `named` (AIBENCH_MPI_LIB) alone when it is not empty, else by the launcher.
std::vector<std::string> mpi_library_names(const std::string& named, const MpiLaunch& launch);

// Opens the first library that loads and finds its symbols; once per process, since MPI cannot be initialised twice.
// Before that UCX's memory hooks are switched off, which rewrite mmap under V8's feet (docs/collectives.md, trap 2).
// `scope` is local (or empty) or global. Fails with MPI_ABSENT, MPI_BROKEN or MPI_INCOMPLETE.
Status open_mpi_library(const std::vector<std::string>& names, const std::string& scope, const MpiLibrary** library);

}  // namespace aibench
