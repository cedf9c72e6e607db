#include <optional>
#include <utility>

#include "pjrt/in_flight.h"
#include "pjrt/pjrt_problems.h"
#include "pjrt/stablehlo.h"

namespace aibench::pjrt {
namespace {

class PjrtProduct final : public DeviceProduct {
 public:
  PjrtProduct(GemmOptions options, Element element, std::unique_ptr<Session> session, const DeviceInfo& device)
      : options_(std::move(options)), element_(element), session_(std::move(session)), device_(device) {}

  Status prepare(const void* a, const void* b) override {
    const auto& [dtype, m, n, k, seed] = options_.product;
    Status status = check_size();
    Executable* program = nullptr;
    if (status.ok()) status = session_->compile(product_program(element_, m, n, k), {&device_}, &program);
    std::vector<Buffer*> inputs(2);
    const auto size = [](std::size_t value) { return static_cast<std::int64_t>(value); };
    if (status.ok()) status = session_->upload(a, element_, {size(m), size(k)}, device_, &inputs[0]);
    if (status.ok()) status = session_->upload(b, element_, {size(k), size(n)}, device_, &inputs[1]);
    if (status.ok()) runs_.emplace(*session_, program, std::vector<std::vector<Buffer*>>{inputs});
    return status;
  }

  Status run(std::uint64_t iterations) override { return runs_->run(iterations); }

  Status read_result(void* c) override {
    const std::size_t bytes = options_.product.m * options_.product.n * element_bytes(element_);
    return session_->download(runs_->results().at(0), c, bytes);
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts = session_facts(*session_, device_);
    facts["noLimit"] = "PJRT tells neither a device's units nor their clock, and what its compiler makes of a product is what is measured here";
    return facts;
  }

 private:
  Status check_size() const {
    const auto& [dtype, m, n, k, seed] = options_.product;
    // Some results are in flight beside the operands.
    const double needed = static_cast<double>(element_bytes(element_)) * (static_cast<double>(m) * k + static_cast<double>(k) * n + 5.0 * m * n);
    if (device_.memory_bytes != 0 && needed + static_cast<double>(device_.used_bytes) > static_cast<double>(device_.memory_bytes)) {
      return Status::failure("OUT_OF_MEMORY", "the operands and results need " + std::to_string(needed / 0x1p30) + " GiB; the device has " +
                                                  std::to_string(static_cast<double>(device_.memory_bytes) / 0x1p30) + " GiB",
                             "Choose a smaller size.");
    }
    return Status::success();
  }

  const GemmOptions options_;
  const Element element_;
  const std::unique_ptr<Session> session_;
  const DeviceInfo& device_;
  std::optional<InFlight> runs_;  // ends before the session
};

}  // namespace

Status create_gemm(const GemmOptions& options, std::unique_ptr<Problem>* problem) {
  Element element;
  if (!parse_element(options.product.dtype, &element)) return make_product_problem(options.product, nullptr, problem);
  std::unique_ptr<Session> session;
  const Status status = Session::open(options.plugin, &session);
  if (!status.ok()) return status;
  const std::size_t count = session->devices().size();
  const std::size_t wanted = options.device < 0 ? 0 : static_cast<std::size_t>(options.device);
  if (wanted >= count) {
    return Status::failure("DEVICE_UNKNOWN", "there is no pjrt:" + std::to_string(wanted) + ": the plugin lists " + std::to_string(count) + ", from 0",
                           "See `aibench list devices`.");
  }
  const DeviceInfo& device = session->devices()[wanted];
  return make_product_problem(options.product, std::make_unique<PjrtProduct>(options, element, std::move(session), device), problem);
}

}  // namespace aibench::pjrt
