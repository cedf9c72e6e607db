#include "pjrt/client.h"

#include <algorithm>

#include "pjrt/stablehlo.h"

namespace aibench::pjrt {
namespace {

int type_of(Element element) {
  switch (element) {
    case Element::kF64: return kF64;
    case Element::kF32: return kF32;
    case Element::kF16: return kF16;
    default: return kBf16;
  }
}

}  // namespace

Status Session::open(const std::string& path, std::unique_ptr<Session>* session) {
  const Plugin* plugin = nullptr;
  Status status = Plugin::open(path, &plugin);
  if (!status.ok()) return status;
  std::unique_ptr<Session> opened(new Session(*plugin));
  status = opened->create();
  if (status.ok()) status = opened->list_devices();
  if (status.ok()) *session = std::move(opened);
  return status;
}

Session::~Session() {
  for (Buffer* buffer : uploads_) destroy(buffer);
  for (Executable* executable : executables_) {
    ExecutableArgs args;
    args.executable = executable;
    static_cast<void>(plugin_.call(kLoadedExecutable_Destroy, &args));
  }
  if (client_ == nullptr) return;
  ClientArgs args;
  args.client = client_;
  static_cast<void>(plugin_.call(kClient_Destroy, &args));
}

Status Session::create() {
  // XLA's GPU plugins take three quarters of the memory unless told otherwise; others refuse options that they do not know.
  static constexpr char kName[] = "preallocate";
  NamedValue preallocate;
  preallocate.size = sizeof preallocate;
  preallocate.name = kName;
  preallocate.name_size = sizeof kName - 1;
  preallocate.type = kBoolValue;
  preallocate.value.flag = false;
  const std::string file = plugin_.path().substr(plugin_.path().rfind('/') + 1);
  ClientCreateArgs args;
  args.options = &preallocate;
  args.option_count = file.rfind("xla_cuda", 0) == 0 || file.rfind("xla_rocm", 0) == 0 ? 1 : 0;
  Status status = plugin_.call(kClient_Create, &args);
  if (!status.ok()) return status;
  client_ = args.client;
  for (const auto& [function, target] : {std::pair{kClient_PlatformName, &platform_}, std::pair{kClient_PlatformVersion, &platform_version_}}) {
    if (!plugin_.has(function)) continue;
    ClientTextArgs text;
    text.client = client_;
    status = plugin_.call(function, &text);
    if (!status.ok()) return status;
    target->assign(text.text, text.text_size);
  }
  return status;
}

Status Session::list_devices() {
  DevicesArgs args;
  args.client = client_;
  Status status = plugin_.call(kClient_AddressableDevices, &args);
  for (std::size_t i = 0; status.ok() && i < args.count; ++i) {
    DeviceInfo info;
    info.device = args.devices[i];
    info.index = static_cast<int>(i);
    DescriptionArgs description;
    description.device = info.device;
    status = plugin_.call(kDevice_GetDescription, &description);
    DeviceIdArgs id;
    DeviceKindArgs kind;
    id.description = kind.description = description.description;
    if (status.ok()) status = plugin_.call(kDeviceDescription_Id, &id);
    if (status.ok()) status = plugin_.call(kDeviceDescription_Kind, &kind);
    if (!status.ok()) break;
    info.id = id.id;
    info.kind.assign(kind.kind, kind.kind_size);
    MemoryStatsArgs memory;
    memory.device = info.device;
    // Many plugins do not implement it: then nothing is known.
    if (plugin_.has(kDevice_MemoryStats) && plugin_.call(kDevice_MemoryStats, &memory).ok()) {
      info.used_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, memory.bytes_in_use));
      if (memory.limit.is_set) info.memory_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, memory.limit.value));
    }
    devices_.push_back(info);
  }
  if (status.ok() && devices_.empty()) {
    return Status::failure("PJRT_NO_DEVICE", plugin_.path() + " lists no device that this process may use",
                           "See whether another process holds it (a TPU serves one), and the vendor's own tool.");
  }
  return status;
}

Status Session::compile(const std::string& text, const std::vector<const DeviceInfo*>& devices, Executable** executable) {
  static constexpr char kFormat[] = "mlir";
  Program program;
  program.size = sizeof program;
  program.code = text.data();
  program.code_size = text.size();
  program.format = kFormat;
  program.format_size = sizeof kFormat - 1;
  std::vector<int> ids;
  for (const DeviceInfo* device : devices) ids.push_back(device->id);
  const std::string options = compile_options(ids);
  CompileArgs args;
  args.client = client_;
  args.program = &program;
  args.options = options.data();
  args.options_size = options.size();
  const Status status = plugin_.call(kClient_Compile, &args);
  if (!status.ok()) return status;
  executables_.push_back(args.executable);
  *executable = args.executable;
  return status;
}

Status Session::upload(const void* data, Element element, const std::vector<std::int64_t>& dimensions, const DeviceInfo& device, Buffer** buffer) {
  BufferFromHostArgs args;
  args.client = client_;
  args.data = data;
  args.type = type_of(element);
  args.dimensions = dimensions.data();
  args.dimension_count = dimensions.size();
  args.device = device.device;
  Status status = plugin_.call(kClient_BufferFromHostBuffer, &args);
  if (!status.ok()) return status;
  uploads_.push_back(args.buffer);
  *buffer = args.buffer;
  return await(args.done_with_host);
}

Status Session::download(Buffer* buffer, void* target, std::size_t bytes) {
  ToHostArgs args;
  args.source = buffer;
  args.target = target;
  args.target_size = bytes;
  const Status status = plugin_.call(kBuffer_ToHostBuffer, &args);
  return status.ok() ? await(args.event) : status;
}

Status Session::execute(Executable* executable, const std::vector<std::vector<Buffer*>>& inputs, std::vector<Buffer*>* results,
                        std::vector<Event*>* complete) {
  const std::size_t count = inputs.size();
  results->assign(count, nullptr);
  complete->assign(count, nullptr);
  std::vector<Buffer* const*> arguments(count);
  std::vector<Buffer**> outputs(count);
  for (std::size_t i = 0; i < count; ++i) {
    arguments[i] = inputs[i].data();
    outputs[i] = &(*results)[i];
  }
  // The inputs are used again.
  std::vector<std::int64_t> kept(inputs[0].size());
  for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = static_cast<std::int64_t>(i);
  ExecuteOptions options;
  options.size = sizeof options;
  options.not_donated = kept.data();
  options.not_donated_count = kept.size();
  ExecuteArgs args;
  args.executable = executable;
  args.options = &options;
  args.inputs = arguments.data();
  args.device_count = count;
  args.input_count = kept.size();
  args.outputs = outputs.data();
  args.complete = complete->data();
  const Status status = plugin_.call(kLoadedExecutable_Execute, &args);
  if (!status.ok()) return status;
  for (const Event* event : *complete) {
    if (event == nullptr) {
      return Status::failure("PJRT_FAILED", "PJRT_LoadedExecutable_Execute gave no event: when its work ends is not known",
                             "Nothing can be timed honestly with this plugin.");
    }
  }
  return status;
}

Status Session::await(Event* event) {
  if (event == nullptr) return Status::success();
  EventArgs args;
  args.event = event;
  const Status status = plugin_.call(kEvent_Await, &args);
  EventArgs destroy;
  destroy.event = event;
  static_cast<void>(plugin_.call(kEvent_Destroy, &destroy));
  return status;
}

void Session::destroy(Buffer* buffer) {
  if (buffer == nullptr) return;
  BufferArgs args;
  args.buffer = buffer;
  static_cast<void>(plugin_.call(kBuffer_Destroy, &args));
}

std::map<std::string, std::string> session_facts(const Session& session, const DeviceInfo& device) {
  return {{"device", "pjrt:" + std::to_string(device.index)}, {"deviceName", device.kind},
          {"platform", session.platform()},                   {"platformVersion", session.platform_version()},
          {"library", session.plugin().path()},               {"pjrtVersion", session.plugin().version()}};
}

}  // namespace aibench::pjrt
