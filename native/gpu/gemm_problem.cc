#include "gpu/gemm_problem.h"

#include <algorithm>
#include <barrier>
#include <cmath>
#include <optional>
#include <thread>

#include "core/available_memory.h"
#include "gemm/random_fill.h"
#include "gpu/affinity.h"
#include "gpu/device_facts.h"
#include "gpu/device_gemm.h"

namespace aibench::gpu {
namespace {

constexpr int kMostHostThreads = 16;

template <typename T>
class GpuGemmProblem final : public Problem {
 public:
  GpuGemmProblem(const GpuGemmOptions& options, const GemmType& type) : options_(options), type_(type) {}

  Status prepare() override {
    Status status = Driver::open(*options_.vendor, options_.driver, &driver_);
    std::shared_ptr<MatmulLibrary> library;
    if (status.ok()) status = MatmulLibrary::open(*driver_, options_.matmul, &library);
    if (status.ok()) status = check_memory(host_bytes(), "the operands of the product and its check, on the host,");
    if (!status.ok()) return status;
    team_.emplace(std::min<int>(kMostHostThreads, static_cast<int>(allowed_cpus().size())));
    fill();
    for (const int device : options_.devices) {
      parts_.push_back(std::make_unique<DeviceGemm<T>>(options_, type_, device));
      if (status = parts_.back()->prepare(driver_, library, operands_); !status.ok()) return status;
    }
    is_ready_ = true;
    return status;
  }

  void run(std::uint64_t iterations) override { static_cast<void>(run_timed(iterations)); }

  // Several devices begin together; the slowest says how long it took.
  double run_timed(std::uint64_t iterations) override {
    seconds_.assign(parts_.size(), 0);
    if (parts_.size() == 1) {
      require(parts_[0]->use());
      seconds_[0] = parts_[0]->run_timed(iterations);
    } else {
      run_together(iterations);
    }
    return *std::max_element(seconds_.begin(), seconds_.end());
  }

  std::vector<double> rank_seconds() const override { return parts_.size() > 1 ? seconds_ : std::vector<double>{}; }

  Verification verify() override {
    Verification worst;
    for (auto& part : parts_) {
      require(part->use());
      const Verification one = part->verify(operands_, *team_);
      if (worst.method.empty() || !one.passed || one.error > worst.error) worst = one;
      if (!one.passed) break;
    }
    return worst;
  }

  bool inject_fault(const std::string& kind) override {
    if (kind != "value" && kind != "stale-tile") return false;
    require(parts_.back()->use());
    parts_.back()->damage(kind, random_bits(options_.seed, 100 + faults_++), team_->size());
    return true;
  }
  const char* fault_kinds() const override { return "value,stale-tile"; }

  Work work() const override {
    const auto count = static_cast<double>(options_.devices.size());
    return {count * 2 * static_cast<double>(options_.m) * static_cast<double>(options_.n) * static_cast<double>(options_.k), 0, 0};
  }

  std::map<std::string, double> ceilings() const override {
    double bound = 0;
    for (const auto& part : parts_) bound += is_ready_ ? part->rate_bound() : 0;
    return {{"device_flops_per_second_bound", bound}};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts;
    if (!is_ready_) return facts;
    std::vector<const DeviceInfo*> devices;
    std::uint64_t samples = 0, disagreements = 0;
    for (const auto& part : parts_) {
      devices.push_back(&part->device());
      samples += part->timer().samples();
      disagreements += part->timer().disagreements();
    }
    device_facts(*driver_, devices, facts);
    parts_.front()->describe(facts);
    facts["timedBatches"] = std::to_string(samples);
    facts["timerDisagreements"] = std::to_string(disagreements);
    return facts;
  }
  int threads() const override { return static_cast<int>(options_.devices.size()); }

 private:
  void run_together(std::uint64_t iterations) {
    std::vector<Status> failures(parts_.size());
    std::barrier start(static_cast<std::ptrdiff_t>(parts_.size()));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      threads.emplace_back([&, i] {
        static_cast<void>(bind_to_numa_node(parts_[i]->device().numa_node));
        failures[i] = parts_[i]->use();
        start.arrive_and_wait();
        if (!failures[i].ok()) return;
        try {
          seconds_[i] = parts_[i]->run_timed(iterations);
        } catch (const ProblemFailure& failure) {
          failures[i] = failure.status;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (failures[i].ok()) continue;
      failures[i].message = "GPU " + std::to_string(options_.devices[i]) + ": " + failures[i].message;
      throw ProblemFailure(failures[i]);
    }
  }

  // A, B, their encoded forms, D and what the check keeps of A.
  double host_bytes() const {
    const auto m = static_cast<double>(options_.m), n = static_cast<double>(options_.n), k = static_cast<double>(options_.k);
    return (has_block_scales(type_) ? 3 : 2) * (m * k + n * k) * sizeof(T) + m * n * static_cast<double>(element_bytes(type_.d)) + 64e6;
  }

  void fill() {
    const auto members = static_cast<std::size_t>(team_->size());
    const std::size_t block = block_elements(type_);
    const auto make = [&](std::vector<T>& values, std::size_t rows, int type, std::uint64_t stream, std::uint64_t scale_stream) {
      values.resize(rows * options_.k);
      const int on_device = data_type(type);
      const std::uint64_t scales = random_bits(options_.seed, scale_stream);
      const std::uint64_t seed = random_bits(options_.seed, stream);
      team_->run([&](int member) {
        const std::size_t begin = rows * static_cast<std::size_t>(member) / members, end = rows * (static_cast<std::size_t>(member) + 1) / members;
        for (std::size_t i = begin * options_.k; i < end * options_.k; ++i) {
          const T value = random_unit<T>(seed, i);
          if constexpr (sizeof(T) == 8) values[i] = value;
          else if (block == 0) values[i] = round_to(type_, on_device, value);
          else values[i] = round_to(type_, type, value * element_range(type_)) * block_scale(type_, scales, i / options_.k, i % options_.k / block);
        }
      });
    };
    make(operands_.a, options_.m, type_.a, 1, kScalesOfA);
    make(operands_.b, options_.n, type_.b, 2, kScalesOfB);
  }

  // The device is not open yet; its kind of fp8 is the same for all GPUs of a machine.
  int data_type(int type) const {
    if (options_.vendor->vendor != Vendor::kRocm) return type;
    DeviceInfo info;
    if (!describe_device(*driver_, options_.devices.front(), &info).ok()) return type;
    return data_type_on(options_.vendor->vendor, info.major, info.minor, type);
  }

  const GpuGemmOptions options_;
  const GemmType& type_;
  std::shared_ptr<Driver> driver_;
  std::optional<ThreadTeam> team_;
  HostOperands<T> operands_;
  std::vector<std::unique_ptr<DeviceGemm<T>>> parts_;
  std::vector<double> seconds_;
  std::uint64_t faults_ = 0;
  bool is_ready_ = false;
};

}  // namespace

Status create_gpu_gemm(const GpuGemmOptions& options, std::unique_ptr<Problem>* problem) {
  const GemmType* type = find_gemm_type(options.dtype);
  if (type == nullptr) {
    return Status::failure("DTYPE_UNKNOWN", "gpu-gemm has no dtype \"" + options.dtype + "\"", "Choose one of: " + gemm_type_names() + ".");
  }
  if (options.devices.empty()) return Status::failure("BAD_OPTION", "gpu-gemm wants at least one device", "See src/native/types.ts.");
  if (type->needs_transposed && !options.transposed) {
    return Status::failure("BAD_OPTION", options.dtype + " products need the layout tn", "Leave layout out, or write layout: tn.");
  }
  if (options.m % type->multiple != 0 || options.n % type->multiple != 0 || options.k % type->multiple != 0) {
    return Status::failure("BAD_OPTION", options.dtype + " products need m, n and k that are multiples of " + std::to_string(type->multiple),
                           "Choose such a shape.");
  }
  if (type->sum == Sum::kF64) {
    *problem = std::make_unique<GpuGemmProblem<double>>(options, *type);
  } else {
    *problem = std::make_unique<GpuGemmProblem<float>>(options, *type);
  }
  return Status::success();
}

}  // namespace aibench::gpu
