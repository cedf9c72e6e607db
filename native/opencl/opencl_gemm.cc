#include "opencl/opencl_gemm.h"

#include <utility>

#include "device/element.h"
#include "opencl/clblast.h"
#include "opencl/fma_probe.h"

namespace aibench::opencl {
namespace {

class ClblastProduct final : public DeviceProduct {
 public:
  ClblastProduct(const ProductOptions& options, const Clblast& clblast, std::unique_ptr<Session> session)
      : clblast_(clblast), session_(std::move(session)), probe_(*session_, options.dtype), arguments_{options.dtype, options.m, options.n, options.k, nullptr, nullptr, nullptr} {}

  Status prepare(const void* a, const void* b) override {
    Element element;
    parse_element(arguments_.dtype, &element);
    const std::size_t bytes = element_bytes(element);
    const std::size_t a_bytes = arguments_.m * arguments_.k * bytes, b_bytes = arguments_.k * arguments_.n * bytes;
    Status status = session_->allocate(a_bytes, &arguments_.a);
    if (status.ok()) status = session_->allocate(b_bytes, &arguments_.b);
    if (status.ok()) status = session_->allocate(c_bytes(bytes), &arguments_.c);
    if (status.ok()) status = clblast_.workspace_bytes(arguments_, *session_, &workspace_bytes_);
    if (status.ok() && workspace_bytes_ > 0) status = session_->allocate(workspace_bytes_, &workspace_);
    if (status.ok()) status = session_->write(arguments_.a, 0, a, a_bytes);
    if (status.ok()) status = session_->write(arguments_.b, 0, b, b_bytes);
    // NaN: an element that is not written, or a C that is read although beta is 0, does not go unnoticed.
    const std::vector<unsigned char> unwritten(c_bytes(bytes), 0xff);
    if (status.ok()) status = session_->write(arguments_.c, 0, unwritten.data(), unwritten.size());
    c_bytes_ = unwritten.size();
    return status;
  }

  Status run(std::uint64_t iterations) override {
    Status status = Status::success();
    for (; status.ok() && iterations != 0; --iterations) status = clblast_.enqueue(arguments_, workspace_, *session_);
    const Status finished = session_->finish();
    return status.ok() ? finished : status;
  }

  Status read_result(void* c) override { return session_->read(arguments_.c, 0, c, c_bytes_); }

  std::map<std::string, double> measure_ceilings() override {
    double rate = 0;
    const Status status = probe_.measure(&rate);
    if (!status.ok()) no_limit_ = "the probe of multiply-adds failed: " + status.message;
    return status.ok() ? std::map<std::string, double>{{"device_fma_flops_per_second", rate}} : std::map<std::string, double>{};
  }

  std::map<std::string, std::string> facts() const override {
    std::map<std::string, std::string> facts = session_->facts();
    if (!no_limit_.empty()) facts["noLimit"] = no_limit_;
    facts["library"] = clblast_.path();
    facts["libraryVersion"] = clblast_.version();
    facts["workspaceBytes"] = std::to_string(workspace_bytes_);
    return facts;
  }

 private:
  std::size_t c_bytes(std::size_t element) const { return arguments_.m * arguments_.n * element; }

  const Clblast& clblast_;
  const std::unique_ptr<Session> session_;
  FmaProbe probe_;
  std::string no_limit_;
  ClblastArguments arguments_;
  Memory workspace_ = nullptr;
  std::size_t workspace_bytes_ = 0, c_bytes_ = 0;
};

Status check_dtype(const std::string& dtype, const DeviceInfo& device) {
  if (dtype != "f32" && dtype != "f64" && dtype != "f16")
    return Status::failure("DTYPE_UNSUPPORTED", "CLBlast has no product in " + dtype, "Choose f32, f64 or f16.");
  if ((dtype == "f16" && !device.f16) || (dtype == "f64" && !device.f64))
    return Status::failure("DTYPE_UNSUPPORTED", device.name + " does not compute in " + dtype + ": its driver lacks cl_khr_fp" + (dtype == "f16" ? "16" : "64"),
                           "Choose f32.");
  if (!device.compiler)
    return Status::failure("DEVICE_UNSUPPORTED", device.name + " has no compiler for OpenCL C, which CLBlast needs", "Choose another device.");
  return Status::success();
}

}  // namespace

Status create_gemm(const GemmOptions& options, std::unique_ptr<Problem>* problem) {
  const OpenclLibrary* library = nullptr;
  const Clblast* clblast = nullptr;
  DeviceInfo device;
  Status status = OpenclLibrary::open(options.libraries.opencl, &library);
  if (status.ok()) status = Clblast::open(options.libraries.clblast, &clblast);
  if (status.ok()) status = choose_device(*library, options.device, &device);
  if (status.ok()) status = check_dtype(options.product.dtype, device);
  if (!status.ok()) return status;
  auto session = std::make_unique<Session>(*library, device);
  status = session->open();
  if (!status.ok()) return status;
  return make_product_problem(options.product, std::make_unique<ClblastProduct>(options.product, *clblast, std::move(session)), problem);
}

}  // namespace aibench::opencl
