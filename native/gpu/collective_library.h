// NCCL or RCCL, opened at run time: both export the same nccl* names with the same numbers (nccl.h).
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/dynamic_library.h"
#include "core/status.h"
#include "gpu/driver.h"

namespace aibench::gpu {

using Communicator = void*;
// ncclUniqueId: passed by value.
struct UniqueId {
  char bytes[128];
};

struct CollectiveCalls {
  int (*version)(int*) = nullptr;
  int (*init_all)(Communicator*, int count, const int* devices) = nullptr;
  int (*unique_id)(UniqueId*) = nullptr;
  int (*init_rank)(Communicator*, int ranks, UniqueId, int rank) = nullptr;
  int (*destroy)(Communicator) = nullptr;
  int (*group_begin)() = nullptr;
  int (*group_end)() = nullptr;
  int (*all_reduce)(DevicePointer send, DevicePointer receive, std::size_t count, int type, int op, Communicator, Stream) = nullptr;
  int (*reduce_scatter)(DevicePointer send, DevicePointer receive, std::size_t count, int type, int op, Communicator, Stream) = nullptr;
  int (*all_gather)(DevicePointer send, DevicePointer receive, std::size_t count, int type, Communicator, Stream) = nullptr;
  int (*broadcast)(DevicePointer send, DevicePointer receive, std::size_t count, int type, int root, Communicator, Stream) = nullptr;
  int (*send)(DevicePointer, std::size_t count, int type, int peer, Communicator, Stream) = nullptr;
  int (*receive)(DevicePointer, std::size_t count, int type, int peer, Communicator, Stream) = nullptr;
  const char* (*error_text)(int) = nullptr;
};

class CollectiveLibrary {
 public:
  // Opens the first of `libraries` that loads. Fails with LIBRARY_ABSENT, LIBRARY_BROKEN or LIBRARY_UNSUPPORTED.
  static Status open(const Driver& driver, const std::vector<std::string>& libraries, std::shared_ptr<CollectiveLibrary>* library);
  const CollectiveCalls& call() const { return calls_; }
  const std::string& path() const { return library_.path(); }
  const std::string& version() const { return version_; }  // 2.21.5
  Status check(const char* name, int result) const;

 private:
  DynamicLibrary library_;
  CollectiveCalls calls_;
  std::string version_;
};

}  // namespace aibench::gpu
