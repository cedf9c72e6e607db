#include <algorithm>
#include <optional>
#include <utility>

#include "gemm/random_fill.h"
#include "pjrt/in_flight.h"
#include "pjrt/pjrt_problems.h"
#include "pjrt/stablehlo.h"

namespace aibench::pjrt {
namespace {

class AllReduce final : public Problem {
 public:
  AllReduce(AllReduceOptions options, Element element, std::unique_ptr<Session> session)
      : options_(std::move(options)), element_(element), count_(std::max<std::uint64_t>(1, options_.bytes / element_bytes(element))),
        session_(std::move(session)), ranks_(session_->devices().size()) {}

  Status prepare() override {
    std::vector<const DeviceInfo*> devices;
    std::vector<std::vector<Buffer*>> inputs;
    std::vector<unsigned char> data(count_ * element_bytes(element_));
    for (const DeviceInfo& device : session_->devices()) {
      for (std::uint64_t i = 0; i < count_; ++i) store_element(element_, data.data(), i, input(devices.size(), i));
      devices.push_back(&device);
      inputs.emplace_back(1);
      const Status status = session_->upload(data.data(), element_, {static_cast<std::int64_t>(count_)}, device, &inputs.back()[0]);
      if (!status.ok()) return status;
    }
    Executable* program = nullptr;
    const Status status = session_->compile(all_reduce_program(element_, count_, ranks_), devices, &program);
    if (status.ok()) runs_.emplace(*session_, program, std::move(inputs));
    return status;
  }

  void run(std::uint64_t iterations) override {
    const Status status = runs_->run(iterations);
    if (!status.ok()) throw ProblemFailure(status);
    damaged_.clear();
  }

  Verification verify() override {
    double wrong = 0;
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      const std::vector<unsigned char> data = rank == 0 && !damaged_.empty() ? damaged_ : fetch(rank);
      for (std::uint64_t i = 0; i < count_; ++i) wrong += load_element(element_, data.data(), i) == expected(i) ? 0 : 1;
    }
    return {"bit for bit", wrong == 0, wrong, 0};
  }

  const char* fault_kinds() const override { return "value,skipped-rank"; }

  bool inject_fault(const std::string& kind) override {
    if (kind != "value" && kind != "skipped-rank") return false;
    damaged_ = fetch(0);
    if (kind == "value") {
      store_element(element_, damaged_.data(), count_ / 2, expected(count_ / 2) + 1);
    } else {
      for (std::uint64_t i = 0; i < count_; ++i) store_element(element_, damaged_.data(), i, expected(i) - input(ranks_ - 1, i));
    }
    return true;
  }

  Work work() const override { return {0, static_cast<double>(count_ * element_bytes(element_)), 0}; }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts = session_facts(*session_, session_->devices()[0]);
    facts["device"] = "pjrt:all";
    facts["ranks"] = std::to_string(ranks_);
    // What a link carries per byte of the vector, as nccl-tests counts (docs/collectives.md).
    facts["busFactor"] = std::to_string(2.0 * static_cast<double>(ranks_ - 1) / static_cast<double>(ranks_));
    facts["noLimit"] = "PJRT tells nothing of the links between devices";
    facts["timedBy"] = "host clock, until every device has ended";
    return facts;
  }

  int threads() const override { return 1; }

 private:
  // Whole, from 1 to 4: sums over up to 64 devices are exact in every dtype, bf16 with its 8 bits too.
  double input(std::size_t rank, std::uint64_t i) const {
    return 1 + static_cast<double>(random_bits(options_.seed + rank, i) % 4);
  }
  double expected(std::uint64_t i) const {
    double sum = 0;
    for (std::size_t rank = 0; rank < ranks_; ++rank) sum += input(rank, i);
    return sum;
  }

  std::vector<unsigned char> fetch(std::size_t rank) {
    std::vector<unsigned char> data(count_ * element_bytes(element_), 0xff);
    const Status status = session_->download(runs_->results().at(rank), data.data(), data.size());
    if (!status.ok()) throw ProblemFailure(status);
    return data;
  }

  const AllReduceOptions options_;
  const Element element_;
  const std::uint64_t count_;
  const std::unique_ptr<Session> session_;
  const std::size_t ranks_;
  std::optional<InFlight> runs_;  // ends before the session
  std::vector<unsigned char> damaged_;
};

}  // namespace

Status create_all_reduce(const AllReduceOptions& options, std::unique_ptr<Problem>* problem) {
  Element element;
  if (!parse_element(options.dtype, &element)) {
    return Status::failure("DTYPE_UNKNOWN", "no all-reduce in the dtype \"" + options.dtype + "\"", "Choose f64, f32, f16 or bf16.");
  }
  std::unique_ptr<Session> session;
  const Status status = Session::open(options.plugin, &session);
  if (!status.ok()) return status;
  if (session->devices().size() < 2) {
    return Status::failure("DEVICE_UNSUPPORTED", "an all-reduce needs two devices; " + session->platform() + " lists one here",
                           "Run it on a machine with several, and let the process see them all.");
  }
  *problem = std::make_unique<AllReduce>(options, element, std::move(session));
  return status;
}

}  // namespace aibench::pjrt
