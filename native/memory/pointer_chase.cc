#include "memory/pointer_chase.h"

#include <utility>

#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "core/cpu_features.h"
#include "memory/counter_random.h"

namespace aibench {
namespace {

constexpr std::uint64_t kLoadsPerIteration = 16384;
constexpr int kUnroll = 32;
static_assert(kLoadsPerIteration % kUnroll == 0);

// One cache line. Only `next` is touched in the timed loop.
struct Link {
  Link* next;
  std::uint64_t ordinal;  // place in the cycle, counted from the first node; known from the permutation alone
};

std::size_t line_bytes() {
  for (const CpuCache& cache : cpu_caches()) {
    if (cache.level == 1 && cache.type == "data" && cache.line_bytes >= 32 && cache.line_bytes <= 512 &&
        (cache.line_bytes & (cache.line_bytes - 1)) == 0) {
      return static_cast<std::size_t>(cache.line_bytes);
    }
  }
  return 64;
}

class PointerChaseProblem final : public Problem {
 public:
  PointerChaseProblem(const PointerChaseOptions& options, std::size_t line)
      : line_(line), nodes_(options.bytes / line), seed_(options.seed) {}

  Status prepare() override {
    const double bytes = static_cast<double>(nodes_) * static_cast<double>(line_);
    if (Status status = check_memory(bytes, "a pointer chase"); !status.ok()) return status;
    if (Status status = memory_.allocate(nodes_ * line_); !status.ok()) return status;
    for (std::size_t i = 0; i < nodes_; ++i) node(i)->next = node(i);
    // Sattolo's algorithm (1986): a permutation that is one cycle over all nodes.
    for (std::size_t i = nodes_ - 1; i > 0; --i) {
      std::swap(node(i)->next, node(random_below(random_bits(seed_, 0, i), i))->next);
    }
    Link* link = node(0);
    for (std::size_t ordinal = 0; ordinal < nodes_; ++ordinal, link = link->next) link->ordinal = ordinal;
    cursor_ = node(0);
    loads_ = 0;
    huge_page_bytes_ = memory_.huge_page_bytes();
    return Status::success();
  }

  void run(std::uint64_t iterations) override {
    const Link* link = cursor_;
    for (std::uint64_t n = iterations * (kLoadsPerIteration / kUnroll); n > 0; --n) {
#pragma GCC unroll 32
      for (int i = 0; i < kUnroll; ++i) link = link->next;
    }
    cursor_ = link;
    loads_ += iterations * kLoadsPerIteration;
  }

  // The cycle must visit every node once, in the order that it was made in, and the chase must stand where that many
  // loads lead. error counts wrong links, and one more for a wrong final position.
  Verification verify() override {
    std::uint64_t wrong = 0;
    for (std::size_t i = 0; i < nodes_; ++i) {
      const Link* next = node(i)->next;
      if (!is_node(next) || next->ordinal != (node(i)->ordinal + 1) % nodes_) ++wrong;
    }
    if (!is_node(cursor_) || cursor_->ordinal != loads_ % nodes_) ++wrong;
    Verification v;
    v.method = "every link of the cycle, and the final position";
    v.error = static_cast<double>(wrong);
    v.tolerance = 0;
    v.passed = v.error <= v.tolerance;
    return v;
  }

  // A damaged link still points at a node, so that a later run() stays inside the buffer.
  bool inject_fault(const std::string& kind) override {
    const std::uint64_t random = random_bits(seed_, 1000, ++faults_);
    Link* link = node(random_below(random, nodes_));
    if (kind == "flip") {
      std::size_t target;
      std::uint64_t bit = random;
      do {
        target = index_of(link->next) ^ (std::size_t{1} << (bit++ & 31));
      } while (target >= nodes_);
      link->next = node(target);
    } else if (kind == "stale") {
      cursor_ = node_at((cursor_->ordinal + nodes_ - 1) % nodes_);  // the position one load earlier
    } else if (kind == "skipped-node") {
      link->next = link->next->next;
    } else {
      return false;
    }
    return true;
  }
  const char* fault_kinds() const override { return "flip,stale,skipped-node"; }

  Work work() const override { return {0, 0, static_cast<double>(kLoadsPerIteration)}; }
  std::map<std::string, std::string> facts() const override {
    return {{"kernel", "pointer-chase"},
            {"nodes", std::to_string(nodes_)},
            {"nodeBytes", std::to_string(line_)},
            {"bytesAllocated", std::to_string(nodes_ * line_)},
            {"hugePageBytes", std::to_string(huge_page_bytes_)},
            {"permutation", "one random cycle (Sattolo)"}};
  }
  int threads() const override { return 1; }

 private:
  Link* node(std::size_t i) { return reinterpret_cast<Link*>(memory_.as<char>() + i * line_); }
  std::size_t index_of(const Link* link) const {
    return static_cast<std::size_t>(reinterpret_cast<const char*>(link) - memory_.as<char>()) / line_;
  }
  bool is_node(const Link* link) const {
    const auto offset = reinterpret_cast<std::uintptr_t>(link) - reinterpret_cast<std::uintptr_t>(memory_.as<char>());
    return offset < nodes_ * line_ && offset % line_ == 0;
  }
  const Link* node_at(std::uint64_t ordinal) {
    std::size_t i = 0;
    while (i + 1 < nodes_ && node(i)->ordinal != ordinal) ++i;
    return node(i);
  }

  const std::size_t line_;
  const std::size_t nodes_;
  const std::uint64_t seed_;
  AlignedBuffer memory_;
  const Link* cursor_ = nullptr;
  std::uint64_t loads_ = 0;
  std::size_t huge_page_bytes_ = 0;
  std::uint64_t faults_ = 0;
};

}  // namespace

Status make_pointer_chase(const PointerChaseOptions& options, std::unique_ptr<Problem>* problem) {
  const std::size_t line = line_bytes();
  if (options.bytes / line < 2) {
    return Status::failure("BAD_OPTION",
                           "a pointer chase over " + std::to_string(options.bytes) + " bytes has fewer than two nodes",
                           "Choose at least " + std::to_string(2 * line) + " bytes.");
  }
  *problem = std::make_unique<PointerChaseProblem>(options, line);
  return Status::success();
}

}  // namespace aibench
