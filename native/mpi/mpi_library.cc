#include "mpi/mpi_library.h"

#include <dlfcn.h>
#include <link.h>

#include <cstdlib>
#include <cstring>

namespace aibench {
namespace {

// mpi.h of MPICH 4.0 (the MPICH ABI initiative: Intel MPI, MVAPICH, Cray MPICH) and of mpi-forum/mpi-abi-stubs.
const MpiConstants kMpichConstants = {0x44000000, 0x4c00080b, 0x4c00040a, 0x4c000439, 0x4c000137, 0x4c00010d,
                                      0x58000003, 0x58000002, 0x58000001, reinterpret_cast<void*>(-1),
                                      reinterpret_cast<void*>(1), -2, 1};
const MpiConstants kMpi5Constants = {0x101, 0x214, 0x210, 0x250, 0x240, 0x247, 0x21, 0x22, 0x23,
                                     reinterpret_cast<void*>(1), nullptr, -1, 1024};

const char* const kOpenMpiNames[] = {"libmpi.so.40"};
const char* const kMpichNames[] = {"libmpi.so.12", "libmpich.so.12"};
const char* const kMpi5Names[] = {"libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi_abi.so"};

class Symbols {
 public:
  explicit Symbols(void* handle) : handle_(handle) {}
  // By the handle only: node exports its own zlib, OpenSSL and more to everyone (trap 6).
  template <typename F>
  void take(F& function, const char* name) {
    function = reinterpret_cast<F>(dlsym(handle_, name));
    if (function == nullptr) missing_ += (missing_.empty() ? "" : ", ") + std::string(name);
  }
  MpiHandle address(const char* name) {
    const auto handle = reinterpret_cast<MpiHandle>(dlsym(handle_, name));
    if (handle == 0) missing_ += (missing_.empty() ? "" : ", ") + std::string(name);
    return handle;
  }
  const std::string& missing() const { return missing_; }

 private:
  void* handle_;
  std::string missing_;
};

MpiConstants open_mpi_constants(Symbols& symbols) {
  MpiConstants is = {};
  is.world = symbols.address("ompi_mpi_comm_world");
  is.f64 = symbols.address("ompi_mpi_double");
  is.f32 = symbols.address("ompi_mpi_float");
  is.s32 = symbols.address("ompi_mpi_int32_t");
  is.s8 = symbols.address("ompi_mpi_int8_t");
  is.byte = symbols.address("ompi_mpi_byte");
  is.sum = symbols.address("ompi_mpi_op_sum");
  is.min = symbols.address("ompi_mpi_op_min");
  is.max = symbols.address("ompi_mpi_op_max");
  is.in_place = reinterpret_cast<void*>(1);
  is.status_ignore = nullptr;
  is.any_source = -1;
  is.thread_funneled = 1;
  return is;
}

Status resolve(void* handle, const std::string& name, MpiLibrary* mpi) {
  Symbols symbols(handle);
  if (name.find("mpi_abi") != std::string::npos) {
    mpi->abi = MpiAbi::kMpi5;
    mpi->is = kMpi5Constants;
  } else if (dlsym(handle, "ompi_mpi_comm_world") != nullptr) {
    mpi->abi = MpiAbi::kOpenMpi;
    mpi->is = open_mpi_constants(symbols);
  } else {
    mpi->abi = MpiAbi::kMpich;
    mpi->is = kMpichConstants;
  }
#define AIBENCH_MPI_CALL(call) symbols.take(mpi->call, "MPI_" #call)
  AIBENCH_MPI_CALL(Init_thread);
  AIBENCH_MPI_CALL(Finalize);
  AIBENCH_MPI_CALL(Abort);
  AIBENCH_MPI_CALL(Comm_rank);
  AIBENCH_MPI_CALL(Comm_size);
  AIBENCH_MPI_CALL(Comm_split);
  AIBENCH_MPI_CALL(Get_library_version);
  AIBENCH_MPI_CALL(Get_processor_name);
  AIBENCH_MPI_CALL(Barrier);
  AIBENCH_MPI_CALL(Send);
  AIBENCH_MPI_CALL(Recv);
  AIBENCH_MPI_CALL(Iprobe);
  AIBENCH_MPI_CALL(Sendrecv);
  AIBENCH_MPI_CALL(Gather);
  AIBENCH_MPI_CALL(Allgather);
  AIBENCH_MPI_CALL(Bcast);
  AIBENCH_MPI_CALL(Allreduce);
  AIBENCH_MPI_CALL(Reduce_scatter_block);
  AIBENCH_MPI_CALL(Alltoall);
  AIBENCH_MPI_CALL(Type_contiguous);
  AIBENCH_MPI_CALL(Type_commit);
  AIBENCH_MPI_CALL(Op_create);
#undef AIBENCH_MPI_CALL
  if (!symbols.missing().empty()) {
    return Status::failure("MPI_INCOMPLETE", name + " is not an MPI library that aibench can use; it lacks " + symbols.missing(),
                           "Name another with AIBENCH_MPI_LIB.");
  }
  char version[16384] = {};  // MPI_MAX_LIBRARY_VERSION_STRING is at most 8192
  int length = 0;
  mpi->Get_library_version(version, &length);  // may be called before MPI_Init
  version[sizeof version - 1] = '\0';
  mpi->version.assign(version, std::strcspn(version, "\n"));
  link_map* map = nullptr;
  mpi->path = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr ? map->l_name : name;
  return Status::success();
}

int whole_number(const char* text) { return text == nullptr || *text == '\0' ? -1 : std::atoi(text); }

}  // namespace

const char* mpi_abi_name(MpiAbi abi) {
  return abi == MpiAbi::kOpenMpi ? "Open MPI" : abi == MpiAbi::kMpich ? "MPICH" : abi == MpiAbi::kSockets ? "none (job file)" : "MPI-5";
}

MpiLaunch mpi_launch(const char* (*get)(const char*)) {
  struct Source {
    const char* launcher;
    const char* rank;
    const char* size;
  };
  constexpr Source kSources[] = {{"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                 {"Hydra", "PMI_RANK", "PMI_SIZE"},
                                 {"Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}};
  MpiLaunch launch;
  for (const Source& source : kSources) {
    const int rank = whole_number(get(source.rank)), size = whole_number(get(source.size));
    if (rank < 0 || size < 1) continue;
    // Slurm sets its variables in the batch script too, where there is no MPI.
    if (std::strcmp(source.launcher, "Slurm") == 0 && size < 2) continue;
    launch = {true, source.launcher, rank, size};
    break;
  }
  return launch;
}

std::vector<std::string> mpi_library_names(const std::string& named, const MpiLaunch& launch) {
  if (!named.empty()) return {named};
  std::vector<std::string> names;
  const auto add = [&](const auto& more) { names.insert(names.end(), std::begin(more), std::end(more)); };
  // The library must be that of the launcher: with another each rank would be alone in a world of its own (trap 3).
  if (launch.launcher == "Open MPI") {
    add(kOpenMpiNames);
  } else if (launch.launcher == "Hydra") {
    add(kMpichNames);
  } else {
    add(kOpenMpiNames);
    add(kMpichNames);
  }
  add(kMpi5Names);
  return names;
}

Status open_mpi_library(const std::vector<std::string>& names, const std::string& scope, const MpiLibrary** library) {
  static MpiLibrary opened;  // never closed: MPI's threads and exit handlers stay
  static bool is_open = false;
  if (is_open) {
    *library = &opened;
    return Status::success();
  }
  setenv("UCX_MEM_EVENTS", "n", 0);
  setenv("UCX_ERROR_SIGNALS", "", 0);
  // RTLD_DEEPBIND would let a library's own OpenSSL win over Node's, but frees memory with another allocator than took it: both
  // Open MPI and MPICH die with "free(): invalid pointer" under Node.
  if (scope != "" && scope != "local" && scope != "global") {
    return Status::failure("BAD_OPTION", "AIBENCH_MPI_SCOPE is \"" + scope + "\"", "Use local or global, or leave it unset.");
  }
  const int flags = RTLD_NOW | (scope == "global" ? RTLD_GLOBAL : RTLD_LOCAL);
  std::string tried, broken;
  for (const std::string& name : names) {
    void* handle = dlopen(name.c_str(), flags);
    if (handle != nullptr) {
      if (Status status = resolve(handle, name, &opened); !status.ok()) return status;
      is_open = true;
      *library = &opened;
      return Status::success();
    }
    const char* text = dlerror();
    const std::string reason = text == nullptr ? "" : text;
    const bool absent = reason.rfind(name + ":", 0) == 0 && reason.find("No such file") != std::string::npos;
    if (!absent && broken.empty()) broken = reason;
    tried += (tried.empty() ? "" : ", ") + name;
  }
  if (!broken.empty()) {
    return Status::failure("MPI_BROKEN", "an MPI library is there but does not load: " + broken,
                           "Repair it, or name another with AIBENCH_MPI_LIB; AIBENCH_MPI_SCOPE=global helps with old ones.");
  }
  return Status::failure("MPI_ABSENT", "no MPI library was found under the names " + tried,
                         "Install Open MPI or MPICH, or name the library with AIBENCH_MPI_LIB=/path/to/libmpi.so.");
}

}  // namespace aibench
