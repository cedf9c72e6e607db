#include "core/aligned_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <utility>

namespace aibench {
namespace {
constexpr std::size_t kHugePage = std::size_t{2} << 20;
}

AlignedBuffer::~AlignedBuffer() { release(); }

AlignedBuffer::AlignedBuffer(AlignedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapping_size_(std::exchange(other.mapping_size_, 0)) {}

AlignedBuffer& AlignedBuffer::operator=(AlignedBuffer&& other) noexcept {
  if (this != &other) {
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    mapping_ = std::exchange(other.mapping_, nullptr);
    mapping_size_ = std::exchange(other.mapping_size_, 0);
  }
  return *this;
}

Status AlignedBuffer::reserve(std::size_t bytes) {
  release();
  const std::size_t rounded = (bytes + kHugePage - 1) & ~(kHugePage - 1);
  if (rounded < bytes || rounded + kHugePage < rounded) {
    return Status::failure("OUT_OF_MEMORY", "the requested size does not fit in an address", "Choose a smaller size.");
  }
  const std::size_t mapped = rounded + kHugePage;
  void* mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    return Status::failure("OUT_OF_MEMORY",
                           "the operating system refused " + std::to_string(bytes) + " bytes of memory",
                           "Choose a smaller size or free memory on this machine.");
  }
  mapping_ = mapping;
  mapping_size_ = mapped;
  data_ = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(mapping) + kHugePage - 1) & ~(kHugePage - 1));
  size_ = bytes;
#ifdef MADV_HUGEPAGE
  madvise(data_, rounded, MADV_HUGEPAGE);  // a hint: without huge pages everything still works
#endif
  return Status::success();
}

Status AlignedBuffer::allocate(std::size_t bytes) {
  Status status = reserve(bytes);
  if (!status.ok()) return status;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  for (std::size_t offset = 0; offset < bytes; offset += page) {
    static_cast<volatile char*>(data_)[offset] = 0;
  }
  return Status::success();
}

void AlignedBuffer::release() {
  if (mapping_ != nullptr) munmap(mapping_, mapping_size_);
  data_ = mapping_ = nullptr;
  size_ = mapping_size_ = 0;
}

std::size_t AlignedBuffer::huge_page_bytes() const {
  std::size_t total = 0;
#ifdef __linux__
  std::FILE* maps = std::fopen("/proc/self/smaps", "re");
  if (maps == nullptr) return 0;
  const auto begin = reinterpret_cast<std::uintptr_t>(mapping_);
  const auto end = begin + mapping_size_;
  bool inside = false;
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    unsigned long first = 0, last = 0, kib = 0;
    if (std::sscanf(line, "%lx-%lx ", &first, &last) == 2) {
      inside = first < end && last > begin;
    } else if (inside && std::sscanf(line, "AnonHugePages: %lu kB", &kib) == 1) {
      total += std::size_t{kib} << 10;
    }
  }
  std::fclose(maps);
  if (total > mapping_size_) total = mapping_size_;  // the kernel merges neighbouring mappings into one line
#endif
  return total;
}

}  // namespace aibench
