// The seam for collective algorithms: one file per idea, one row in algorithms.inc.
#pragma once
#include <cstddef>
#include <string>

#include "collective/communicator.h"
#include "collective/reduction.h"

namespace aibench {

// The last two are what collectives are made of and what alpha-beta models are fitted to: every rank sends to its right
// neighbour at once; rank 0 sends to rank 1, which sends back when it has the whole message (one iteration is both ways).
enum class Collective { kAllreduce, kReduceScatter, kAllGather, kBroadcast, kAllToAll, kShift, kPingPong };
inline constexpr int kCollectives = 7;
inline constexpr int kMaxRanks = 1024;
const char* collective_name(Collective kind);
// False when the name is none of the seven.
bool parse_collective(const std::string& name, Collective* kind);
inline bool reduces(Collective kind) { return kind == Collective::kAllreduce || kind == Collective::kReduceScatter; }

// How many elements of `count` lie in a rank's input and output. As in nccl-tests `count` is that of the larger vector;
// reduce-scatter, all-gather and all-to-all divide it into one block per rank.
std::size_t send_elements(Collective kind, std::size_t count, int ranks);
std::size_t receive_elements(Collective kind, std::size_t count, int ranks);
// `count` rounded down to what divides into blocks.
std::size_t whole_blocks(Collective kind, std::size_t count, int ranks);

// One collective, the same at every rank. Ranks that cannot see each other's buffers have only their own entries in
// `send` and `receive`.
struct CollectiveCall {
  const Reduction& reduction;  // where nothing is reduced, only its element_bytes and copy_streaming count
  const void* const* send;     // by rank; not changed, except in place
  void* const* receive;        // by rank; aligned to 64 bytes; overlaps another buffer only in place
  std::size_t count;           // elements, see send_elements; whole blocks
  bool streaming;              // the buffers are larger than the caches, and there are stores that go around them

  std::size_t line_elements() const { return kLineBytes / reduction.element_bytes; }
  std::size_t bytes(std::size_t elements) const { return elements * reduction.element_bytes; }
  const char* sent(int rank, std::size_t element) const {
    return static_cast<const char*>(send[rank]) + bytes(element);
  }
  char* received(int rank, std::size_t element) const { return static_cast<char*>(receive[rank]) + bytes(element); }
};

struct CollectiveAlgorithm {
  Collective kind;
  const char* name;
  // It reads and writes other ranks' buffers, so ranks must see them.
  bool shared_buffers;
  // Called by every rank with ranks >= 2 and count >= 1. When it returns, receive[rank] is complete and no other rank
  // still reads send[rank].
  void (*run)(Communicator& communicator, int rank, const CollectiveCall& call);
  // Bytes of each of the two staging areas of a rank.
  std::size_t (*staging_bytes)(int ranks);
  // Bytes that ranks read from or write to other ranks' memory, summed over all ranks, for a message of `bytes` among
  // ranks in `domains` groups that share a last-level cache.
  double (*bytes_on_links)(int ranks, int domains, double bytes);
};

// The rows of algorithms.inc, ended by nullptr.
const CollectiveAlgorithm* const* collective_algorithms();
// nullptr when no row has this name.
const CollectiveAlgorithm* find_collective_algorithm(Collective kind, const std::string& name);
// The row for a message of `bytes` among `ranks`, by what was measured (choice.cc). `oversubscribed`: a wait costs a context switch.
const CollectiveAlgorithm& choose_collective_algorithm(Collective kind, std::size_t bytes, int ranks,
                                                       bool shared_buffers, bool oversubscribed = false);

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

// The reduction for `out`: around the caches where the call asks for it and `out` is aligned for it.
Reduction::Reduce reducer(const CollectiveCall& call, const void* out);
// Copies elements; with `streaming` around the caches, for which `out` must be aligned to 64 bytes (it is checked).
void copy_elements(const CollectiveCall& call, void* out, const void* in, std::size_t count, bool streaming);

}  // namespace aibench
