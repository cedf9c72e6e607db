#include "gemm/gemm_problem.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "core/thread_team.h"
#include "gemm/gemm.h"
#include "gemm/kernel_registry.h"
#include "gemm/random_fill.h"
#include "gemm/verification.h"

namespace aibench {
namespace {

// Streams of random numbers that belong to one seed.
enum Stream : std::uint64_t { kStreamA = 1, kStreamB, kStreamSigns, kStreamFault };

template <typename T>
class GemmProblem final : public Problem {
 public:
  GemmProblem(const GemmProblemOptions& options, const Microkernel<T>& kernel)
      : options_(options), kernel_(kernel) {}

  Status prepare() override {
    team_.emplace(options_.threads);
    team_->bind_caller();
    gemm_.emplace(kernel_, *team_, options_.m, options_.n, options_.k);
    Status status = check_memory(bytes_needed(), title());
    if (status.ok()) status = a_.allocate(options_.m * options_.k * sizeof(T));
    if (status.ok()) status = b_.allocate(options_.k * options_.n * sizeof(T));
    if (status.ok()) status = c_.allocate(options_.m * options_.n * sizeof(T));
    if (status.ok()) status = gemm_->allocate();
    if (!status.ok()) return status;
    fill(a_, kStreamA);
    fill(b_, kStreamB);
    // NaN in C: an element that no kernel writes, or a kernel that reads C although beta is 0, does not go unnoticed.
    T* c = c_.template as<T>();
    std::fill(c, c + options_.m * options_.n, std::numeric_limits<T>::quiet_NaN());
    huge_page_bytes_ = a_.huge_page_bytes() + b_.huge_page_bytes() + c_.huge_page_bytes();
    return status;
  }

  void run(std::uint64_t iterations) override {
    const GemmArguments<T> arguments{options_.m, options_.n, options_.k, T{1},      a_.template as<T>(), options_.k,
                                     b_.template as<T>(), options_.n, T{0}, c_.template as<T>(), options_.n};
    for (; iterations != 0; --iterations) gemm_->run(arguments);
  }

  Verification verify() override {
    const Product<T> product{options_.m, options_.n, options_.k, a_.template as<T>(), options_.k,
                             b_.template as<T>(), options_.n, c_.template as<T>(), options_.n};
    return verify_product(product, stream(kStreamSigns));
  }

  const char* fault_kinds() const override { return "flip,value,stale-tile"; }

  // Each kind looks for a place where the damage is at least detectable_change(): a smaller one is not told from
  // rounding by any check of this kind.
  bool inject_fault(const std::string& kind) override {
    if (kind != "flip" && kind != "value" && kind != "stale-tile") return false;
    constexpr int kAttempts = 10000;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::uint64_t place = random_bits(stream(kStreamFault), faults_++);
      const std::size_t i = place % options_.m;
      const std::size_t j = (place >> 24) % options_.n;
      if (kind == "flip" ? flip(i, j, place >> 48) : kind == "value" ? copy_neighbour(i, j) : zero_tile(i, j)) return true;
    }
    // A product so small in value that none of the attempts reached the size: damage that always does.
    *c_.template as<T>() = T{3} * static_cast<T>(options_.k);
    return true;
  }

  Work work() const override {
    const double m = static_cast<double>(options_.m), n = static_cast<double>(options_.n), k = static_cast<double>(options_.k);
    return {2 * m * n * k, sizeof(T) * (m * k + k * n + m * n), 0};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts{{"kernel", kernel_.name},
                                             {"isa", isa_name(kernel_.isa)},
                                             {"threads", std::to_string(options_.threads)}};
    if (gemm_) {
      const Blocking blocking = gemm_->limits();
      facts["mc"] = std::to_string(blocking.mc);
      facts["kc"] = std::to_string(blocking.kc);
      facts["nc"] = std::to_string(blocking.nc);
      facts["bytesAllocated"] = std::to_string(a_.size() + b_.size() + c_.size() + gemm_->workspace_bytes());
      facts["hugePageBytes"] = std::to_string(huge_page_bytes_);
    }
    return facts;
  }

  int threads() const override { return options_.threads; }

 private:
  std::uint64_t stream(Stream which) const { return random_bits(options_.seed, which); }

  std::string title() const {
    return std::string("gemm ") + options_.dtype + " " + std::to_string(options_.m) + "x" + std::to_string(options_.n) + "x" +
           std::to_string(options_.k);
  }

  double bytes_needed() const {
    constexpr double kAlignment = 4 * (4 << 20);  // what AlignedBuffer adds to each
    return work().bytes + static_cast<double>(gemm_->workspace_bytes()) + kAlignment * options_.threads;
  }

  void fill(AlignedBuffer& buffer, Stream which) {
    const std::uint64_t seed = stream(which);
    T* data = buffer.as<T>();
    const std::size_t count = buffer.size() / sizeof(T);
    const auto members = static_cast<std::size_t>(team_->size());
    team_->run([=](int member) {
      const std::size_t end = count * (static_cast<std::size_t>(member) + 1) / members;
      for (std::size_t i = count * static_cast<std::size_t>(member) / members; i < end; ++i) {
        data[i] = random_unit<T>(seed, i);
      }
    });
  }

  T& element(std::size_t i, std::size_t j) { return c_.template as<T>()[i * options_.n + j]; }

  bool replace_if_detectable(T& place, T value) {
    const double change = std::abs(static_cast<double>(value) - static_cast<double>(place));
    if (change < detectable_change<T>(options_.m, options_.n, options_.k)) return false;
    place = value;
    return true;
  }

  // One of the bits from the highest of the mantissa to the highest of the exponent.
  bool flip(std::size_t i, std::size_t j, std::uint64_t which) {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    constexpr int kMantissa = std::numeric_limits<T>::digits - 1;
    constexpr int kChoices = static_cast<int>(8 * sizeof(T)) - kMantissa;
    Bits bits;
    std::memcpy(&bits, &element(i, j), sizeof bits);
    bits ^= Bits{1} << (kMantissa - 1 + static_cast<int>(which % kChoices));
    T damaged;
    std::memcpy(&damaged, &bits, sizeof bits);
    return replace_if_detectable(element(i, j), damaged);
  }

  // The right neighbour's value, the lower one's in a single column, 0 in a single element.
  bool copy_neighbour(std::size_t i, std::size_t j) {
    T value = 0;
    if (options_.n > 1) {
      value = element(i, (j + 1) % options_.n);
    } else if (options_.m > 1) {
      value = element((i + 1) % options_.m, j);
    }
    return replace_if_detectable(element(i, j), value);
  }

  // The tile of the kernel around (i, j) as a launch that skipped it would leave it.
  bool zero_tile(std::size_t i, std::size_t j) {
    const auto rows = static_cast<std::size_t>(kernel_.rows), columns = static_cast<std::size_t>(kernel_.columns());
    const std::size_t i0 = i / rows * rows, j0 = j / columns * columns;
    const std::size_t i1 = std::min(i0 + rows, options_.m), j1 = std::min(j0 + columns, options_.n);
    bool detectable = false;
    for (std::size_t r = i0; r < i1; ++r) {
      for (std::size_t s = j0; s < j1; ++s) detectable = replace_if_detectable(element(r, s), T{0}) || detectable;
    }
    if (!detectable) return false;
    for (std::size_t r = i0; r < i1; ++r) std::fill(&element(r, j0), &element(r, j0) + (j1 - j0), T{0});
    return true;
  }

  const GemmProblemOptions options_;
  const Microkernel<T>& kernel_;
  std::optional<ThreadTeam> team_;
  std::optional<Gemm<T>> gemm_;
  AlignedBuffer a_, b_, c_;
  std::size_t huge_page_bytes_ = 0;
  std::uint64_t faults_ = 0;
};

template <typename T>
Status create(const GemmProblemOptions& options, std::unique_ptr<Problem>* problem) {
  const Microkernel<T>* kernel = nullptr;
  Status status = choose_microkernel<T>(options.isa, &kernel);
  if (status.ok()) *problem = std::make_unique<GemmProblem<T>>(options, *kernel);
  return status;
}

}  // namespace

Status create_gemm_problem(const GemmProblemOptions& options, std::unique_ptr<Problem>* problem) {
  if (options.dtype == "f32") return create<float>(options, problem);
  if (options.dtype == "f64") return create<double>(options, problem);
  return Status::failure("DTYPE_UNKNOWN", "gemm has no kernel for the dtype \"" + options.dtype + "\"",
                         "Choose f32 or f64.");
}

}  // namespace aibench
