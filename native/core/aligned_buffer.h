// Memory for operands: aligned to 2 MiB and on huge pages where they are free, so that the TLB is not what is measured.
#pragma once
#include <cstddef>

#include "core/status.h"

namespace aibench {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  ~AlignedBuffer();
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;

  // Zeroed, every page touched by the calling thread. Fails with OUT_OF_MEMORY; an earlier content is gone either way.
  Status allocate(std::size_t bytes);
  // The same with no page touched: each lies near the thread that writes it first.
  Status reserve(std::size_t bytes);
  void release();
  std::size_t size() const { return size_; }
  // How much of it lies on transparent huge pages now, bytes; 0 where the system does not say. Reads /proc: not for a
  // timed region.
  std::size_t huge_page_bytes() const;
  template <typename T>
  T* as() { return static_cast<T*>(data_); }
  template <typename T>
  const T* as() const { return static_cast<const T*>(data_); }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
  void* mapping_ = nullptr;
  std::size_t mapping_size_ = 0;
};

}  // namespace aibench
