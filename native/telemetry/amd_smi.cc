// AMD SMI (libamd_smi): amdsmi_get_energy_count, an accumulator with the resolution that it is to be multiplied by, in
// microjoules (15.259 nominally). Signatures from amdsmi.h of ROCm 6.x; none of them holds a structure but amdsmi_bdf_t, which is
// one 64-bit number: function in its lowest 3 bits, then 5 of the device, 8 of the bus, 48 of the domain.
#include <cstdio>
#include <vector>

#include "telemetry/energy_library_vendors.h"

namespace aibench {
namespace {

using Status = std::int32_t;
using Handle = void*;
constexpr std::uint64_t kInitGpus = 1u << 1;  // AMDSMI_INIT_AMD_GPUS
constexpr std::uint32_t kMostHandles = 256;

class AmdSmi final : public EnergyLibrary {
 public:
  explicit AmdSmi(DynamicLibrary library) : library_(std::move(library)) {}
  ~AmdSmi() override {
    if (initialised_) shut_down_();
  }

  bool start(std::string* call, std::int32_t* code) {
    const auto take = [&](auto* target, const char* symbol) {
      *target = library_.function<std::remove_pointer_t<decltype(target)>>(symbol);
      if (*target == nullptr) *call = symbol;
      return *target != nullptr;
    };
    *code = -1;
    if (!take(&init_, "amdsmi_init") || !take(&shut_down_, "amdsmi_shut_down") ||
        !take(&sockets_, "amdsmi_get_socket_handles") || !take(&processors_, "amdsmi_get_processor_handles") ||
        !take(&energy_, "amdsmi_get_energy_count")) {
      return false;
    }
    // Since ROCm 5.7; without it energies are there, and not joined to a case's GPU.
    place_ = library_.function<decltype(place_)>("amdsmi_get_gpu_device_bdf");
    *call = "amdsmi_init";
    if ((*code = init_(kInitGpus)) != 0) return false;
    initialised_ = true;
    *call = "amdsmi_get_socket_handles";
    std::uint32_t count = 0;
    if ((*code = sockets_(&count, nullptr)) != 0) return false;
    std::vector<Handle> sockets(count < kMostHandles ? count : kMostHandles);
    count = static_cast<std::uint32_t>(sockets.size());
    if (count > 0 && (*code = sockets_(&count, sockets.data())) != 0) return false;
    *call = "amdsmi_get_processor_handles";
    for (std::uint32_t i = 0; i < count && i < sockets.size(); ++i) {
      std::uint32_t inside = 0;
      if ((*code = processors_(sockets[i], &inside, nullptr)) != 0) return false;
      std::vector<Handle> handles(inside < kMostHandles ? inside : kMostHandles);
      inside = static_cast<std::uint32_t>(handles.size());
      if (inside > 0 && (*code = processors_(sockets[i], &inside, handles.data())) != 0) return false;
      handles_.insert(handles_.end(), handles.begin(), handles.begin() + (inside < handles.size() ? inside : handles.size()));
    }
    return true;
  }

  std::size_t devices() const override { return handles_.size(); }

  std::string pci(std::size_t device) const override {
    std::uint64_t bdf = 0;
    if (place_ == nullptr || place_(handles_[device], &bdf) != 0) return {};
    // Of the upper bits newer versions use some for the number of a partition: a domain has 16 bits here.
    char text[32];
    std::snprintf(text, sizeof text, "%04x:%02x:%02x.%x", static_cast<unsigned>(bdf >> 16 & 0xffff), static_cast<unsigned>(bdf >> 8 & 0xff),
                  static_cast<unsigned>(bdf >> 3 & 0x1f), static_cast<unsigned>(bdf & 7));
    return text;
  }

  std::int32_t read(std::size_t device, double* joules) override {
    std::uint64_t accumulator = 0, timestamp = 0;
    float resolution = 0;
    const Status status = energy_(handles_[device], &accumulator, &resolution, &timestamp);
    if (status == 0) *joules = static_cast<double>(accumulator) * static_cast<double>(resolution) * 1e-6;
    return status;
  }

 private:
  DynamicLibrary library_;
  Status (*init_)(std::uint64_t flags) = nullptr;
  Status (*shut_down_)() = nullptr;
  Status (*sockets_)(std::uint32_t* count, Handle* sockets) = nullptr;
  Status (*processors_)(Handle socket, std::uint32_t* count, Handle* processors) = nullptr;
  Status (*energy_)(Handle processor, std::uint64_t* accumulator, float* resolution, std::uint64_t* nanoseconds) = nullptr;
  Status (*place_)(Handle processor, std::uint64_t* bdf) = nullptr;
  std::vector<Handle> handles_;
  bool initialised_ = false;
};

}  // namespace

std::shared_ptr<EnergyLibrary> start_amd_smi(DynamicLibrary library, std::string* call, std::int32_t* code) {
  auto self = std::make_shared<AmdSmi>(std::move(library));
  return self->start(call, code) ? self : nullptr;
}

}  // namespace aibench
