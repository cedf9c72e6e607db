#include "collective/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

namespace aibench {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

Status refused(const std::string& what) {
  return Status::failure("SHARED_MEMORY_REFUSED", "POSIX shared memory cannot be had: " + what + ": " + std::strerror(errno),
                         "Mount a tmpfs on /dev/shm that this user may write, or use the threads backend.");
}

// A file of /dev/shm that never has a name. Where the system has no such files (before Linux 3.11, or none there), one that loses its
// name at once. -1 where neither can be had.
int open_without_name() {
#ifdef O_TMPFILE
  const int unnamed = open("/dev/shm", O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (unnamed >= 0) return unnamed;
#endif
  static std::atomic<unsigned> serial{0};
  const std::string name = "/aibench-" + std::to_string(getpid()) + "-" + std::to_string(serial++);
  const int file = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) shm_unlink(name.c_str());
  return file;
}

// A descriptor of a nameless object of `bytes`, or -1 and the reason.
int open_nameless(std::size_t bytes, Status* status) {
  const int file = open_without_name();
  if (file < 0) {
    *status = refused("shm_open");
    return -1;
  }
  // A tmpfs gives out pages as they are touched and kills with SIGBUS when it has none left, so its room is looked at
  // first (containers often get 64 MiB).
  struct statvfs room;
  if (fstatvfs(file, &room) == 0) {
    const double available = static_cast<double>(room.f_bavail) * static_cast<double>(room.f_frsize);
    if (room.f_blocks > 0 && available < static_cast<double>(bytes)) {
      *status = Status::failure("SHARED_MEMORY_FULL",
                                "/dev/shm has room for " + std::to_string(static_cast<std::uint64_t>(available)) +
                                    " bytes; these ranks need " + std::to_string(bytes),
                                "Give it more (docker run --shm-size, or remount), choose a smaller message, or use the "
                                "threads backend.");
      close(file);
      return -1;
    }
  }
  if (ftruncate(file, static_cast<off_t>(bytes)) != 0) {
    *status = refused("ftruncate");
    close(file);
    return -1;
  }
  return file;
}

}  // namespace

SharedMemory::~SharedMemory() {
  if (mapping_ != nullptr) munmap(mapping_, mapping_size_);
}

Status SharedMemory::map(std::size_t bytes, bool between_processes) {
  const std::size_t rounded = (bytes + kHugePage - 1) & ~(kHugePage - 1);
  // Address space first, so that the memory can be placed on a boundary of 2 MiB in it.
  mapping_size_ = rounded + kHugePage;
  void* reserved = mmap(nullptr, mapping_size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  const auto out_of_memory = [&] {
    return Status::failure("OUT_OF_MEMORY", "the operating system refused " + std::to_string(bytes) + " bytes of memory",
                           "Choose a smaller size or free memory on this machine.");
  };
  if (reserved == MAP_FAILED) return out_of_memory();
  mapping_ = reserved;
  auto* aligned = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(reserved) + kHugePage - 1) & ~(kHugePage - 1));
  void* mapped = MAP_FAILED;
  if (between_processes) {
    Status status;
    const int file = open_nameless(rounded, &status);
    if (file < 0) return status;
    mapped = mmap(aligned, rounded, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
    close(file);
  } else {
    mapped = mmap(aligned, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
  if (mapped == MAP_FAILED) return out_of_memory();
#ifdef MADV_HUGEPAGE
  madvise(aligned, rounded, MADV_HUGEPAGE);  // a hint; for shared memory it works where shmem_enabled says "advise"
#endif
  data_ = aligned;
  size_ = rounded;
  return Status::success();
}

}  // namespace aibench
