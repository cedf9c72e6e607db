#include "collective/algorithm.h"

#include <cstdint>
#include <cstring>

namespace aibench {

#define AIBENCH_COLLECTIVE_ALGORITHM(row) extern const CollectiveAlgorithm k##row;
#include "collective/algorithms.inc"
#undef AIBENCH_COLLECTIVE_ALGORITHM

namespace {

constexpr const char* kNames[kCollectives] = {"allreduce", "reduce-scatter", "all-gather", "broadcast", "all-to-all",
                                             "shift", "ping-pong"};

bool in_blocks(Collective kind) {
  return kind == Collective::kReduceScatter || kind == Collective::kAllGather || kind == Collective::kAllToAll;
}

}  // namespace

const char* collective_name(Collective kind) { return kNames[static_cast<int>(kind)]; }

bool parse_collective(const std::string& name, Collective* kind) {
  for (int i = 0; i < kCollectives; ++i) {
    if (name != kNames[i]) continue;
    *kind = static_cast<Collective>(i);
    return true;
  }
  return false;
}

std::size_t send_elements(Collective kind, std::size_t count, int ranks) {
  return kind == Collective::kAllGather ? count / static_cast<std::size_t>(ranks) : count;
}

std::size_t receive_elements(Collective kind, std::size_t count, int ranks) {
  return kind == Collective::kReduceScatter ? count / static_cast<std::size_t>(ranks) : count;
}

std::size_t whole_blocks(Collective kind, std::size_t count, int ranks) {
  return in_blocks(kind) ? count - count % static_cast<std::size_t>(ranks) : count;
}

const CollectiveAlgorithm* const* collective_algorithms() {
  static const CollectiveAlgorithm* const kRows[] = {
#define AIBENCH_COLLECTIVE_ALGORITHM(row) &k##row,
#include "collective/algorithms.inc"
#undef AIBENCH_COLLECTIVE_ALGORITHM
      nullptr};
  return kRows;
}

const CollectiveAlgorithm* find_collective_algorithm(Collective kind, const std::string& name) {
  for (const CollectiveAlgorithm* const* row = collective_algorithms(); *row != nullptr; ++row) {
    if ((*row)->kind == kind && name == (*row)->name) return *row;
  }
  return nullptr;
}

Reduction::Reduce reducer(const CollectiveCall& call, const void* out) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(out) % kLineBytes == 0;
  return call.streaming && aligned && call.reduction.reduce_streaming != nullptr ? call.reduction.reduce_streaming
                                                                                 : call.reduction.reduce;
}

void copy_elements(const CollectiveCall& call, void* out, const void* in, std::size_t count, bool streaming) {
  if (out == in) return;  // in place
  const bool aligned = reinterpret_cast<std::uintptr_t>(out) % kLineBytes == 0;
  if (streaming && aligned && call.reduction.copy_streaming != nullptr) {
    call.reduction.copy_streaming(out, in, call.bytes(count));
  } else {
    std::memcpy(out, in, call.bytes(count));
  }
}

}  // namespace aibench
