// The seam for allreduce algorithms: one file each, one row in algorithms.inc.
#pragma once
#include <cstddef>

#include "collective/communicator.h"
#include "collective/reduction.h"

namespace aibench {

// One allreduce, the same at every rank: receive[r] = send[0] op ... op send[ranks - 1] for every rank r.
struct AllreduceCall {
  const Reduction& reduction;
  const void* const* send;  // by rank; not changed
  void* const* receive;     // by rank; aligned to 64 bytes; overlaps no other buffer
  std::size_t count;        // elements
  bool streaming;           // the buffers are larger than the caches, and there are stores that go around them

  std::size_t line_elements() const { return kLineBytes / reduction.element_bytes; }
  std::size_t bytes(std::size_t elements) const { return elements * reduction.element_bytes; }
  const char* sent(int rank, std::size_t element) const {
    return static_cast<const char*>(send[rank]) + bytes(element);
  }
  char* received(int rank, std::size_t element) const { return static_cast<char*>(receive[rank]) + bytes(element); }
};

struct AllreduceAlgorithm {
  const char* name;
  // Called by every rank's thread with ranks >= 2 and count >= 1. When it returns, receive[rank] is complete and no
  // other rank still reads send[rank].
  void (*run)(Communicator& communicator, int rank, const AllreduceCall& call);
  // Bytes of each of the two staging areas of a rank.
  std::size_t (*staging_bytes)(int ranks);
  // Bytes that ranks read from or write to other ranks' memory, summed over all ranks, for a message of `bytes`.
  double (*bytes_on_links)(int ranks, double bytes);
};

// The rows of algorithms.inc, ended by nullptr.
const AllreduceAlgorithm* const* allreduce_algorithms();
// nullptr when no row has this name.
const AllreduceAlgorithm* find_allreduce_algorithm(const char* name);
// The row for a message of `bytes` among `ranks`.
const AllreduceAlgorithm& choose_allreduce_algorithm(std::size_t bytes, int ranks);

// Element range `part` of `parts` of [0, count), cut at whole lines so that no line is written by two ranks.
struct ElementRange {
  std::size_t begin;
  std::size_t count;
};
inline ElementRange line_range(std::size_t count, std::size_t line_elements, int part, int parts) {
  const std::size_t lines = (count + line_elements - 1) / line_elements;
  const auto boundary = [&](int p) {
    const std::size_t element = lines * static_cast<std::size_t>(p) / static_cast<std::size_t>(parts) * line_elements;
    return element < count ? element : count;
  };
  return {boundary(part), boundary(part + 1) - boundary(part)};
}

}  // namespace aibench
