#include "gemm/gemm_problem.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "core/thread_team.h"
#include "gemm/any_dtype.h"
#include "gemm/compressed/compressed_engine.h"
#include "gemm/fma_peak.h"
#include "gemm/gemm_engine.h"
#include "gemm/kernel_registry.h"
#include "gemm/operand_bandwidth.h"
#include "gemm/random_fill.h"
#include "gemm/transpose.h"
#include "gemm/verification.h"
#include "memory/last_level_cache.h"

namespace aibench {
namespace {

// Streams of random numbers that belong to one seed.
enum Stream : std::uint64_t { kStreamA = 1, kStreamB, kStreamSigns, kStreamFault, kStreamC, kStreamOrder };

// What C holds before the first run: NaN, or the s32 that no product of int8 reaches.
template <typename C>
C unwritten() {
  return std::is_integral_v<C> ? std::numeric_limits<C>::min() : std::numeric_limits<C>::quiet_NaN();
}

// What C holds before the first run where it is read: of int8, small enough that sums cannot overflow.
template <typename C>
C initial(std::uint64_t seed, std::uint64_t index) {
  if constexpr (std::is_integral_v<C>) return static_cast<C>(random_bits(seed, index) % 2001) - 1000;
  else return random_unit<C>(seed, index);
}

// T is the type of A.
template <typename T>
class GemmProblem final : public Problem {
  using B = WeightOf<T>;
  using C = OutputOf<T>;

 public:
  // `peer` is nullptr for our own kernels. `kernel` gives the FMA ceiling either way.
  GemmProblem(const GemmProblemOptions& options, const Microkernel<T>& kernel, std::shared_ptr<Peer> peer,
              std::unique_ptr<CompressedWeights<T>> weights)
      : options_(options), kernel_(kernel), peer_(std::move(peer)), weights_(std::move(weights)) {}

  Status prepare() override {
    team_.emplace(options_.threads);
    if (weights_ != nullptr) {
      if constexpr (kCompressible<T>) {
        engine_ = std::make_unique<CompressedEngine<T>>(kernel_, *team_, *weights_, options_.n, options_.k);
      }
    } else if (peer_ == nullptr) {
      auto native = std::make_unique<NativeEngine<T>>(kernel_, *team_, options_.m, options_.n, options_.k);
      if (options_.weights == "packed") native->pack_weights(options_.n, options_.k);
      engine_ = std::move(native);
    } else {
      engine_ = std::make_unique<PeerEngine<T>>(peer_, *team_);
    }
    Status status = check_memory(bytes_needed(), title());
    if (status.ok()) status = a_.reserve(size_a() * options_.batch * sizeof(T));
    if (status.ok()) status = b_.reserve(size_b() * options_.batch * sizeof(B));
    if (status.ok()) status = c_.reserve(size_c() * options_.batch * sizeof(C));
    if (status.ok() && options_.beta != 0) status = c0_.reserve(size_c() * options_.batch * sizeof(C));
    if (status.ok()) status = engine_->prepare();
    if (!status.ok()) return status;
    peak_.emplace(kernel_, *team_);
    const ReadKernelRow* read = nullptr;
    if (status = choose_read_kernel("", &read); !status.ok()) return status;
    arrange_batch();
    fill();
    if (status = engine_->take_weights(batch_.first); !status.ok()) return status;
    operands_.emplace(*read, *team_);
    operands_->add(a_.template as<T>(), size_a() * options_.batch * sizeof(T));
    operands_->add(c_.template as<C>(), size_c() * options_.batch * sizeof(C));
    const auto own_weights = engine_->own_weights();
    if (own_weights.empty()) operands_->add(b_.template as<B>(), size_b() * options_.batch * sizeof(B));
    for (const auto& piece : own_weights) operands_->add(piece.begin, piece.bytes);
    huge_page_bytes_ = a_.huge_page_bytes() + b_.huge_page_bytes() + c_.huge_page_bytes();
    return status;
  }

  void run(std::uint64_t iterations) override {
    // A peer that reports a failure leaves C as it was, which the verification finds.
    for (; iterations != 0; --iterations) {
      static_cast<void>(engine_->run(batch_));
      ++runs_;
      if (options_.beta == 1) batch_.first.alpha = -batch_.first.alpha;
    }
  }

  // The bandwidth in every pattern once, and from then on only while it may be what binds.
  void sample_ceilings() override {
    peak_->sample();
    const double memory_flops = operands_->best() * work().flops / work().bytes;
    if (looks_++ < kReadPatterns || memory_flops < 2 * peak_->best()) operands_->sample();
  }
  std::map<std::string, double> ceilings() const override {
    std::map<std::string, double> seen{{"fma_flops_per_second", peak_ ? peak_->best() : 0}};
    if (operands_ && operands_->best() > 0) seen["operand_bytes_per_second"] = operands_->best();
    return seen;
  }

  Verification verify() override {
    Product<T> product{options_.m, options_.n, options_.k, nullptr, options_.k, nullptr, options_.n, nullptr, options_.n};
    expect_after_runs(&product);
    product.products = static_cast<double>(options_.batch);
    Verification worst;
    for (std::size_t i = 0; i < options_.batch; ++i) {
      const GemmArguments<T> g = batch_.at(i);
      std::vector<T> a;
      std::vector<B> b;
      product.a = turned(g.transpose_a, options_.k, options_.m, g.a, &a);
      product.b = turned(g.transpose_b, options_.n, options_.k, g.b, &b);
      product.c = g.c;
      if (options_.beta != 0) product.c0 = c0_.template as<C>() + (g.c - c_.template as<C>());
      const Verification one = verify_product(product, stream(kStreamSigns));
      if (i == 0 || !(one.error <= worst.error)) worst = one;
    }
    return worst;
  }

  const char* fault_kinds() const override { return "flip,value,stale-tile"; }

  // Each kind looks for a place where the damage is at least detectable_change(): a smaller one is not told from
  // rounding by any check of this kind.
  bool inject_fault(const std::string& kind) override {
    if (kind != "flip" && kind != "value" && kind != "stale-tile") return false;
    constexpr int kAttempts = 10000;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::uint64_t place = random_bits(stream(kStreamFault), faults_++);
      const std::size_t i = place % (options_.m * options_.batch);
      const std::size_t j = (place >> 24) % options_.n;
      if (kind == "flip" ? flip(i, j, place >> 48) : kind == "value" ? copy_neighbour(i, j) : zero_tile(i, j)) return true;
    }
    // A product so small in value that none of the attempts reached the size: damage that always does.
    *c_.template as<C>() += static_cast<C>(3 * gain() * static_cast<double>(options_.k + 1));
    return true;
  }

  Work work() const override {
    const double m = static_cast<double>(options_.m), n = static_cast<double>(options_.n), k = static_cast<double>(options_.k);
    const auto batch = static_cast<double>(options_.batch);
    const double dense = 2 * m * n * k * batch;
    const double others = (sizeof(T) * m * k + sizeof(C) * m * n * (options_.beta == 0 ? 1 : 2)) * batch;
    if (weights_ != nullptr) return {dense * weights_->density(options_.k, options_.n), others + weights_->bytes(options_.k, options_.n), dense};
    if (options_.weights == "packed") {
      const auto lanes = static_cast<std::size_t>(kernel_.lanes);
      const std::size_t columns = (options_.n + lanes - 1) / lanes * lanes;
      return {dense, others + static_cast<double>(kernel_.steps(options_.k) * columns * sizeof(C)), 0};
    }
    return {dense, others + sizeof(B) * k * n * batch, 0};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts{{"threads", std::to_string(options_.threads)}};
    if (peer_ == nullptr) {
      facts["kernel"] = kernel_.name;
      facts["isa"] = isa_name(kernel_.isa);
    }
    if (engine_ != nullptr) {
      for (auto& [key, value] : engine_->facts()) facts[key] = value;
      facts["bytesAllocated"] = std::to_string(a_.size() + b_.size() + c_.size() + c0_.size() + engine_->workspace_bytes());
      facts["hugePageBytes"] = std::to_string(huge_page_bytes_);
      facts["operandsIn"] = operands_in();
      if (options_.weights == "packed") facts["weights"] = "packed once, before anything was timed";
      if (weights_ != nullptr) {
        facts["weights"] = weights_->description();
        facts["weightBytes"] = std::to_string(static_cast<std::uint64_t>(weights_->bytes(options_.k, options_.n)));
      }
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

  // The smallest level that has room for the share of one thread, by what the machine reports.
  const char* operands_in() const {
    const CacheBudget caches = cache_budget();
    const double share = work().bytes / options_.threads;
    if (share <= static_cast<double>(caches.l1)) return "L1";
    if (share <= static_cast<double>(caches.l2)) return "L2";
    return work().bytes <= static_cast<double>(last_level_cache_bytes()) ? "L3" : "memory";
  }

  double bytes_needed() const {
    constexpr double kAlignment = 4 * (4 << 20);  // what AlignedBuffer adds to each
    const auto batch = static_cast<double>(options_.batch);
    const double operands = static_cast<double>(size_a() * sizeof(T) + size_b() * sizeof(B) + size_c() * sizeof(C) * (options_.beta == 0 ? 1 : 2));
    return operands * batch + static_cast<double>(engine_->workspace_bytes()) + kAlignment * options_.threads;
  }

  std::size_t size_a() const { return options_.m * options_.k; }
  std::size_t size_b() const { return options_.k * options_.n; }
  std::size_t size_c() const { return options_.m * options_.n; }

  // Dense matrices one after the other; scattered: the same places in an order of their own, for each operand.
  void arrange_batch() {
    const bool ta = options_.transpose_a, tb = options_.transpose_b;
    const std::size_t count = options_.batch;
    batch_.first = {options_.m, options_.n, options_.k, static_cast<C>(options_.alpha), a_.template as<T>(), ta ? options_.m : options_.k,
                    b_.template as<B>(), tb ? options_.k : options_.n, static_cast<C>(options_.beta), c_.template as<C>(), options_.n, ta, tb};
    batch_.count = count;
    batch_.stride_a = size_a();
    batch_.stride_b = size_b();
    batch_.stride_c = size_c();
    if (!options_.scattered) return;
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random_bits(stream(kStreamOrder), i) % i]);
    for (std::size_t i = 0; i < count; ++i) {
      as_.push_back(a_.template as<T>() + order[i] * size_a());
      bs_.push_back(b_.template as<B>() + order[count - 1 - i] * size_b());
      cs_.push_back(c_.template as<C>() + order[i] * size_c());
    }
    batch_.a = as_.data();
    batch_.b = bs_.data();
    batch_.c = cs_.data();
  }

  // C after runs_ runs is scale * A B + c0_scale * C0. What one run rounds stands in it once, and shrinks by beta with each further
  // run; with beta = 1 the runs add and subtract the same product, and with -1 they do so by themselves: (c + x) - x then comes back
  // to the same two values (Knuth, TAOCP 4.2.2, theorem D, for one block of k).
  void expect_after_runs(Product<T>* product) const {
    const double alpha = static_cast<double>(static_cast<C>(options_.alpha)), beta = static_cast<double>(static_cast<C>(options_.beta));
    product->gain = gain();
    if (beta == 1 || beta == -1) {
      const bool odd = runs_ % 2 == 1;
      product->scale = odd ? alpha : 0;
      product->c0_scale = odd ? beta : 1;
      return;
    }
    double scale = 0, c0_scale = 1;
    constexpr std::uint64_t kSettled = 100000;  // far beyond where the sum has converged in double
    for (std::uint64_t i = 0; i < std::min(runs_, kSettled); ++i) {
      scale = alpha + beta * scale;
      c0_scale *= beta;
    }
    product->scale = scale;
    product->c0_scale = c0_scale;
  }
  double gain() const {
    const double beta = std::abs(options_.beta), alpha = std::max(1.0, std::abs(options_.alpha));
    if (options_.beta == 0) return std::abs(options_.alpha);
    return beta == 1 ? 2 * alpha : alpha / (1 - beta);
  }

  // An operand as the verification wants it: `copy` where it is stored transposed, rows x columns.
  template <typename E>
  const E* turned(bool transposed, std::size_t rows, std::size_t columns, const E* stored, std::vector<E>* copy) const {
    if (!transposed) return stored;
    copy->resize(rows * columns);
    transpose(rows, columns, stored, columns, copy->data(), rows);
    return copy->data();
  }

  // Every element is written first by a thread that will read it, so that its page lies near that thread: a member fills
  // what the grid gives it of C, and a share of the rows of A and the columns of B that it multiplies; of a batch, whole products.
  void fill() {
    const Gemm<T> layout(kernel_, *team_, options_.m, options_.n, options_.k);
    const auto members = static_cast<std::size_t>(options_.threads);
    team_->run([&](int member) {
      for (std::size_t p = 0; p < options_.batch; ++p) {
        if (options_.batch == 1) fill_part(0, layout.part_of(member, options_.m, options_.n));
        else if (p * members / options_.batch == static_cast<std::size_t>(member)) fill_part(p, {0, options_.m, 0, options_.n});
      }
    });
  }

  void fill_part(std::size_t product, const typename Gemm<T>::Part& part) {
    const std::size_t m = options_.m, n = options_.n, k = options_.k;
    const std::size_t row_end = part.row + part.rows, column_end = part.column + part.columns;
    // The first part of a row of parts fills A, the first of a column of parts fills B.
    if (part.column == 0) {
      T* a = a_.template as<T>();
      const std::size_t from = product * size_a();
      if (options_.transpose_a) fill_rectangle(a, stream(kStreamA), from, m, 0, k, part.row, row_end);
      else fill_rectangle(a, stream(kStreamA), from, k, part.row, row_end, 0, k);
    }
    if (part.row == 0 && part.rows != 0) {
      B* b = b_.template as<B>();
      const std::size_t from = product * size_b();
      if (options_.transpose_b) fill_rectangle(b, stream(kStreamB), from, k, part.column, column_end, 0, k);
      else fill_rectangle(b, stream(kStreamB), from, n, 0, k, part.column, column_end);
    }
    C* c = c_.template as<C>() + product * size_c();
    for (std::size_t i = part.row; i < row_end; ++i) {
      for (std::size_t j = part.column; j < column_end; ++j) {
        // An element that no kernel writes, or a kernel that reads C although beta is 0, does not go unnoticed.
        c[i * n + j] = options_.beta == 0 ? unwritten<C>() : initial<C>(stream(kStreamC), product * size_c() + i * n + j);
        if (options_.beta != 0) c0_.template as<C>()[product * size_c() + i * n + j] = c[i * n + j];
      }
    }
  }

  template <typename E>
  static void fill_rectangle(E* to, std::uint64_t seed, std::size_t from, std::size_t width, std::size_t row, std::size_t row_end,
                             std::size_t column, std::size_t column_end) {
    for (std::size_t i = row; i < row_end; ++i) {
      for (std::size_t j = column; j < column_end; ++j) to[from + i * width + j] = random_element<E>(seed, from + i * width + j);
    }
  }

  C& element(std::size_t i, std::size_t j) { return c_.template as<C>()[i * options_.n + j]; }

  bool replace_if_detectable(C& place, C value) {
    const double change = std::abs(static_cast<double>(value) - static_cast<double>(place));
    const double least = detectable_change<T>(options_.m, options_.n, options_.k, static_cast<double>(options_.batch));
    if (change < least * gain() * (options_.beta == 0 ? 1 : 2)) return false;
    place = value;
    return true;
  }

  // One of the bits from the highest of the mantissa to the highest of the exponent; any bit of an integer.
  bool flip(std::size_t i, std::size_t j, std::uint64_t which) {
    using Bits = std::conditional_t<sizeof(C) == 4, std::uint32_t, std::uint64_t>;
    constexpr int kLowest = std::is_integral_v<C> ? 0 : std::numeric_limits<C>::digits - 2;
    constexpr int kChoices = static_cast<int>(8 * sizeof(C)) - 1 - kLowest;
    Bits bits;
    std::memcpy(&bits, &element(i, j), sizeof bits);
    bits ^= Bits{1} << (kLowest + static_cast<int>(which % kChoices));
    C damaged;
    std::memcpy(&damaged, &bits, sizeof bits);
    return replace_if_detectable(element(i, j), damaged);
  }

  // The right neighbour's value, the lower one's in a single column, 0 in a single element.
  bool copy_neighbour(std::size_t i, std::size_t j) {
    C value = 0;
    if (options_.n > 1) {
      value = element(i, (j + 1) % options_.n);
    } else if (options_.m * options_.batch > 1) {
      value = element((i + 1) % (options_.m * options_.batch), j);
    }
    return replace_if_detectable(element(i, j), value);
  }

  // The tile of the kernel around (i, j) as a launch that skipped it would leave it.
  bool zero_tile(std::size_t i, std::size_t j) {
    const auto rows = static_cast<std::size_t>(kernel_.rows), columns = static_cast<std::size_t>(kernel_.columns());
    const std::size_t i0 = i / rows * rows, j0 = j / columns * columns;
    const std::size_t i1 = std::min(i0 + rows, options_.m * options_.batch), j1 = std::min(j0 + columns, options_.n);
    bool detectable = false;
    for (std::size_t r = i0; r < i1; ++r) {
      for (std::size_t s = j0; s < j1; ++s) detectable = replace_if_detectable(element(r, s), C{0}) || detectable;
    }
    if (!detectable) return false;
    for (std::size_t r = i0; r < i1; ++r) std::fill(&element(r, j0), &element(r, j0) + (j1 - j0), C{0});
    return true;
  }

  const GemmProblemOptions options_;
  const Microkernel<T>& kernel_;
  const std::shared_ptr<Peer> peer_;
  const std::unique_ptr<CompressedWeights<T>> weights_;
  std::optional<ThreadTeam> team_;
  std::unique_ptr<GemmEngine<T>> engine_;
  std::optional<FmaPeak<T>> peak_;
  std::optional<OperandBandwidth> operands_;
  int looks_ = 0;
  AlignedBuffer a_, b_, c_;
  AlignedBuffer c0_;  // what C held before the first run, where beta is not 0
  GemmBatch<T> batch_;
  std::vector<const T*> as_;
  std::vector<const B*> bs_;
  std::vector<C*> cs_;
  std::uint64_t runs_ = 0;
  std::size_t huge_page_bytes_ = 0;
  std::uint64_t faults_ = 0;
};

Status check_dtype(const PeerInfo& peer, const std::string& dtype) {
  std::string known;
  for (const std::string& name : peer.dtypes) {
    if (name == dtype) return Status::success();
    known += (known.empty() ? "" : ", ") + name;
  }
  return Status::failure("DTYPE_UNSUPPORTED", "the backend " + peer.name + " is driven for " + known + " only, not for " + dtype,
                         "Choose one of: " + known + ".");
}

template <typename T>
Status create(const GemmProblemOptions& options, std::unique_ptr<Problem>* problem) {
  if (std::is_integral_v<T> && options.k >= kMaxIntegerDepth) {
    return Status::failure("BAD_OPTION", "k is " + std::to_string(options.k) + ", at which sums of int8 products can overflow s32",
                           "Choose k below " + std::to_string(kMaxIntegerDepth) + ".");
  }
  const Microkernel<T>* kernel = nullptr;
  std::shared_ptr<Peer> peer;
  Status status = choose_microkernel<T>(options.isa, &kernel);
  if (status.ok() && !options.backend.empty() && options.backend != "native") {
    status = open_peer(options.backend, &peer);
    if (status.ok()) status = check_dtype(peer->info(), options.dtype);
  }
  std::unique_ptr<CompressedWeights<T>> weights;
  if (status.ok() && !options.weights.empty() && options.weights != "dense") {
    if constexpr (kCompressible<T>) {
      status = make_compressed_weights(options.weights, *kernel, options.threads, &weights);
    } else {
      status = Status::failure("DTYPE_UNSUPPORTED", "compressed weights are there for f32, bf16 and s8 only, not for " + options.dtype, "Choose one of: f32, bf16, s8.");
    }
    if (status.ok() && peer != nullptr) {
      status = Status::failure("BAD_OPTION", "compressed weights are multiplied by our own kernels only", "Choose the backend native.");
    }
  }
  if (status.ok()) *problem = std::make_unique<GemmProblem<T>>(options, *kernel, std::move(peer), std::move(weights));
  return status;
}

}  // namespace

Status create_gemm_problem(const GemmProblemOptions& options, std::unique_ptr<Problem>* problem) {
  return for_dtype("gemm", options.dtype, [&]<typename T>(T*) { return create<T>(options, problem); });
}

}  // namespace aibench
