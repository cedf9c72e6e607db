#include "device/product_problem.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/aligned_buffer.h"
#include "core/available_memory.h"
#include "device/element.h"
#include "gemm/random_fill.h"
#include "gemm/verification.h"

namespace aibench {
namespace {

// Streams of random numbers that belong to one seed.
enum Stream : std::uint64_t { kStreamA = 1, kStreamB, kStreamSigns, kStreamFault };

class ProductProblem final : public Problem {
 public:
  ProductProblem(const ProductOptions& options, Element element, std::unique_ptr<DeviceProduct> product)
      : options_(options), element_(element), product_(std::move(product)) {}

  Status prepare() override {
    const std::size_t m = options_.m, n = options_.n, k = options_.k, bytes = element_bytes(element_);
    Status status = check_memory(work().bytes, "gemm " + options_.dtype + ", which keeps copies on the host");
    if (status.ok()) status = a_.reserve(m * k * bytes);
    if (status.ok()) status = b_.reserve(k * n * bytes);
    if (status.ok()) status = c_.reserve(m * n * bytes);
    if (!status.ok()) return status;
    fill(a_, m * k, stream(kStreamA));
    fill(b_, k * n, stream(kStreamB));
    return product_->prepare(a_.as<void>(), b_.as<void>());
  }

  void run(std::uint64_t iterations) override {
    const Status status = product_->run(iterations);
    if (!status.ok()) throw ProblemFailure(status);
    on_host_ = false;
  }

  std::map<std::string, double> measure_ceilings() override { return product_->measure_ceilings(); }

  Verification verify() override {
    fetch();
    if (element_ == Element::kF64) return verify_product<double>(view<double>(a_, b_, c_), stream(kStreamSigns));
    if (element_ == Element::kF32) return verify_product<float>(view<float>(a_, b_, c_), stream(kStreamSigns));
    // Every f16 and bf16 is a float. The check's error is in units of float's round-off; here it counts in those of the dtype.
    const std::vector<float> a = widened(a_), b = widened(b_), c = widened(c_);
    Verification result = verify_product<float>({options_.m, options_.n, options_.k, a.data(), options_.k, b.data(), options_.n, c.data(), options_.n},
                                                stream(kStreamSigns));
    result.error /= coarseness();
    result.tolerance = kGemmTolerance;
    result.passed = result.error <= result.tolerance;
    return result;
  }

  const char* fault_kinds() const override { return "value,sign,stale-tile"; }

  // Damages what was fetched: the next verify() looks at that, and the next run() replaces it.
  bool inject_fault(const std::string& kind) override {
    if (kind != "value" && kind != "sign" && kind != "stale-tile") return false;
    fetch();
    const std::size_t m = options_.m, n = options_.n;
    const double enough = coarseness() * (element_ == Element::kF64 ? detectable_change<double>(m, n, options_.k)
                                                                    : detectable_change<float>(m, n, options_.k));
    constexpr int kAttempts = 10000;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const std::uint64_t place = random_bits(stream(kStreamFault), faults_++);
      const std::size_t i = place % m, j = (place >> 24) % n;
      const double old = at(i, j);
      const double damaged = kind == "value" ? at(i, (j + 1) % n) : kind == "sign" ? -old : 0;
      if (std::abs(damaged - old) < enough) continue;
      const std::size_t side = kind == "stale-tile" ? 8 : 1;
      for (std::size_t r = i; r < std::min(m, i + side); ++r) {
        for (std::size_t s = j; s < std::min(n, j + side); ++s) store_element(element_, c_.as<void>(), r * n + s, damaged);
      }
      return true;
    }
    store_element(element_, c_.as<void>(), 0, 3 * static_cast<double>(options_.k));
    return true;
  }

  Work work() const override {
    const auto m = static_cast<double>(options_.m), n = static_cast<double>(options_.n), k = static_cast<double>(options_.k);
    return {2 * m * n * k, static_cast<double>(element_bytes(element_)) * (m * k + k * n + m * n), 0};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts = product_->facts();
    facts["timedBy"] = "host clock, until the device has ended";
    return facts;
  }

  int threads() const override { return 1; }

 private:
  std::uint64_t stream(Stream which) const { return random_bits(options_.seed, which); }
  double coarseness() const { return element_unit(element_) / (element_ == Element::kF64 ? 0x1p-53 : 0x1p-24); }
  double at(std::size_t i, std::size_t j) const { return load_element(element_, c_.as<void>(), i * options_.n + j); }

  void fill(AlignedBuffer& buffer, std::size_t count, std::uint64_t seed) {
    for (std::size_t i = 0; i < count; ++i) {
      const double value = element_ == Element::kF64 ? random_unit<double>(seed, i) : random_unit<float>(seed, i);
      store_element(element_, buffer.as<void>(), i, value);
    }
  }

  // What the device holds, unless it has been damaged here. Filled with NaN first: what the device does not deliver is not a product.
  void fetch() {
    if (on_host_) return;
    std::fill_n(c_.as<unsigned char>(), c_.size(), static_cast<unsigned char>(0xff));
    const Status status = product_->read_result(c_.as<void>());
    if (!status.ok()) throw ProblemFailure(status);
    on_host_ = true;
  }

  template <typename T>
  Product<T> view(const AlignedBuffer& a, const AlignedBuffer& b, const AlignedBuffer& c) const {
    return {options_.m, options_.n, options_.k, a.as<T>(), options_.k, b.as<T>(), options_.n, c.as<T>(), options_.n};
  }

  std::vector<float> widened(const AlignedBuffer& buffer) const {
    std::vector<float> values(buffer.size() / element_bytes(element_));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(load_element(element_, buffer.as<void>(), i));
    return values;
  }

  const ProductOptions options_;
  const Element element_;
  const std::unique_ptr<DeviceProduct> product_;
  AlignedBuffer a_, b_, c_;
  bool on_host_ = false;
  std::uint64_t faults_ = 0;
};

}  // namespace

Status make_product_problem(const ProductOptions& options, std::unique_ptr<DeviceProduct> product, std::unique_ptr<Problem>* problem) {
  Element element;
  if (!parse_element(options.dtype, &element)) {
    return Status::failure("DTYPE_UNKNOWN", "no device product in the dtype \"" + options.dtype + "\"", "Choose f64, f32, f16 or bf16.");
  }
  *problem = std::make_unique<ProductProblem>(options, element, std::move(product));
  return Status::success();
}

}  // namespace aibench
