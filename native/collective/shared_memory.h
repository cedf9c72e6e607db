// The memory that the ranks of one group meet in: anonymous for threads, POSIX shared memory for processes.
#pragma once
#include <cstddef>

#include "core/status.h"

namespace aibench {

class SharedMemory {
 public:
  SharedMemory() = default;
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // Maps `bytes`, zeroed and not yet touched, aligned to 2 MiB. With `between_processes` it is a POSIX shared memory
  // object whose name is removed before it gets a size: processes forked later inherit the mapping at the same address,
  // and whatever dies, nothing stays in /dev/shm. Fails with OUT_OF_MEMORY, SHARED_MEMORY_FULL or
  // SHARED_MEMORY_REFUSED.
  Status map(std::size_t bytes, bool between_processes);
  char* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  void* mapping_ = nullptr;
  std::size_t mapping_size_ = 0;
};

}  // namespace aibench
