// The other side of the roofline, sampled: how fast a team reads the very operands of a product, from wherever they lie.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/clock.h"
#include "core/thread_team.h"
#include "memory/read_sweep.h"

namespace aibench {

class OperandBandwidth {
 public:
  // `kernel` and `team` have to outlive this object.
  OperandBandwidth(const ReadKernelRow& kernel, ThreadTeam& team)
      : kernel_(kernel), team_(team), checks_(static_cast<std::size_t>(team.size()) * kStride) {}

  // An operand, of which whole lines are read; one of less than 4 KiB is left out, since it weighs nothing.
  void add(const void* begin, std::size_t bytes) {
    const std::size_t skip = (64 - reinterpret_cast<std::uintptr_t>(begin) % 64) % 64;
    if (bytes >= 4096) pieces_.push_back({static_cast<const char*>(begin) + skip, bytes - skip});
  }
  bool empty() const { return pieces_.empty(); }

  // Every thread reads its contiguous share of every operand, in the next of the patterns and, every second time, in the best so far: where others
  // use the memory too it is quick for moments only, and the product had as many chances to meet them. A first pass brings the lines
  // to where they will be read; where they are read within a millisecond more passes follow, of which the best counts.
  // Seconds: two to five passes over the operands.
  void sample() {
    const int pattern = looks_ >= kReadPatterns && looks_ % 2 == 0 ? best_pattern_ : looks_ % kReadPatterns;
    ++looks_;
    double seconds = pass(pattern, 1);
    for (int i = 0; i < 3 && seconds < 1e-3; ++i) {
      const int passes = static_cast<int>(std::clamp(30e-6 / seconds, 1.0, 1000.0));
      seconds = std::min(seconds, pass(pattern, passes));
    }
  }

  // Bytes per second; 0 before the first sample.
  double best() const { return best_; }

 private:
  struct Piece {
    const char* begin;
    std::size_t bytes;
  };

  double pass(int pattern, int passes) {
    const auto members = static_cast<std::size_t>(team_.size());
    std::vector<std::size_t>& read = bytes_read_;
    read.assign(members * kStride, 0);
    const double begin = monotonic_seconds();
    team_.run([&](int member) {
      const auto i = static_cast<std::size_t>(member);
      std::uint64_t check = 0;
      std::size_t total = 0;
      for (int p = 0; p < passes; ++p) {
        for (const Piece& piece : pieces_) {
          const std::size_t lines = piece.bytes / 64, from = lines * i / members, to = lines * (i + 1) / members;
          std::size_t bytes = 0;
          check ^= read_sweep(kernel_, pattern, piece.begin + from * 64, (to - from) * 64, &bytes);
          total += bytes;
        }
      }
      checks_[i * kStride] = check;
      read[i * kStride] = total;
    });
    const double seconds = monotonic_seconds() - begin;
    double bytes = 0;
    for (std::size_t i = 0; i < members; ++i) bytes += static_cast<double>(read[i * kStride]);
    if (bytes / seconds > best_) {
      best_ = bytes / seconds;
      best_pattern_ = pattern;
    }
    return seconds / passes;
  }

  static constexpr std::size_t kStride = 16;  // two lines between the threads' results
  const ReadKernelRow& kernel_;
  ThreadTeam& team_;
  std::vector<Piece> pieces_;
  std::vector<std::uint64_t> checks_;
  std::vector<std::size_t> bytes_read_;
  int looks_ = 0, best_pattern_ = 0;
  double best_ = 0;
};

}  // namespace aibench
