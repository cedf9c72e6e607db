#include <limits>

#include "telemetry/nvml.h"

namespace aibench {
namespace {

class NvmlSensor final : public Sensor {
 public:
  NvmlSensor(std::shared_ptr<Nvml> nvml, nvml::Return absence, int device, NvmlQuantity quantity)
      : nvml_(std::move(nvml)), absence_(absence), device_(device), quantity_(quantity) {}

  // A look at PCIe takes 20 ms: on a thread of its own it keeps no energy counter waiting.
  const char* group() const override {
    return quantity_ == NvmlQuantity::kPcieTx || quantity_ == NvmlQuantity::kPcieRx ? "nvml-pcie" : "nvml";
  }

  void read(std::vector<Outcome>* outcomes) override {
    double value = 0;
    const nvml::Return code = nvml_ ? nvml_->read(device_, quantity_, &value) : absence_;
    Outcome outcome;
    outcome.value = code == nvml::kSuccess ? value : std::numeric_limits<double>::quiet_NaN();
    if (code != nvml::kSuccess) outcome.failure = {ReadFailure::kNvml, code};
    for (Outcome& each : *outcomes) each = outcome;
  }

 private:
  std::shared_ptr<Nvml> nvml_;
  nvml::Return absence_;
  int device_;
  NvmlQuantity quantity_;
};

}  // namespace

std::unique_ptr<Sensor> make_nvml_sensor(std::shared_ptr<Nvml> nvml, nvml::Return absence, int device,
                                         NvmlQuantity quantity) {
  return std::make_unique<NvmlSensor>(std::move(nvml), absence, device, quantity);
}

}  // namespace aibench
