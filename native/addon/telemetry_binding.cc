// probeNvml, createSampler.
#include <map>
#include <tuple>

#include "addon/bindings.h"
#include "addon/options.h"
#include "telemetry/energy_library.h"
#include "telemetry/nvml.h"
#include "telemetry/sampler.h"

namespace aibench::addon {
namespace {

constexpr double kMinPeriodSeconds = 1e-4;
constexpr double kMaxPeriodSeconds = 86400;
constexpr double kMaxCapacity = 1 << 24;
constexpr double kMaxDevice = 1 << 16;

Status bad_channels(const std::string& wanted) {
  return Status::failure("BAD_OPTION", "createSampler wants " + wanted, "See src/native/types.ts.");
}

Status read_strings(const Napi::Value& value, const char* what, std::vector<std::string>* strings) {
  const Status bad = Status::failure("BAD_OPTION", std::string(what) + " is an array of strings", "See src/native/types.ts.");
  if (!value.IsArray()) return bad;
  const auto array = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value item = array.Get(i);
    if (!item.IsString()) return bad;
    strings->push_back(item.As<Napi::String>().Utf8Value());
  }
  return Status::success();
}

// A SamplerChannel of src/native/types.ts.
struct ChannelRequest {
  enum Kind { kFile, kProduct, kNvml, kPerf, kEnergyLibrary };
  ChannelOptions options;
  double period_seconds = 1;
  Kind kind = kFile;
  std::string path;
  std::string other_path;  // of a product
  TextRule rule;
  int device = 0;
  NvmlQuantity quantity = NvmlQuantity::kEnergy;
  PerfEvent event;
  EnergyVendor vendor = EnergyVendor::kAmdSmi;
  std::vector<std::string> libraries;  // of the vendor
};

// Common to a channel and to probePerfEvent.
PerfEvent read_event(OptionReader& read) {
  constexpr double kLargestExact = 9007199254740992;  // 2^53: configs of power counters are event numbers
  PerfEvent event;
  event.type = static_cast<std::uint32_t>(read.integer("pmu", 0, 0xffffffff));
  event.config = static_cast<std::uint64_t>(read.integer("config", 0, kLargestExact));
  event.cpu = static_cast<int>(read.integer("cpu", 0, kMaxDevice));
  return event;
}

Status read_vendor(const std::string& name, EnergyVendor* vendor) {
  return parse_energy_vendor(name, vendor) ? Status::success() : bad_channels("amdsmi or levelzero instead of \"" + name + "\"");
}

Status read_rule(OptionReader& read, const std::string& type, TextRule* rule) {
  if (type == "file" || type == "loadavg") {
    rule->kind = TextRule::kLeadingNumber;
    return read.status();
  }
  if (type == "procStatLine" || type == "keyedFile") {
    rule->kind = TextRule::kKeyed;
    rule->key = read.text("key");
    return read.status();
  }
  if (type != "procStat") return bad_channels("a known channel type instead of \"" + type + "\"");
  static const std::map<std::string, CpuTimeField> kFields = {
      {"user", CpuTimeField::kUser},     {"system", CpuTimeField::kSystem}, {"idle", CpuTimeField::kIdle},
      {"iowait", CpuTimeField::kIowait}, {"steal", CpuTimeField::kSteal},   {"total", CpuTimeField::kTotal}};
  const std::string name = read.text("field");
  const auto field = kFields.find(name);
  if (read.status().ok() && field == kFields.end()) {
    return bad_channels("a known procStat field instead of \"" + name + "\"");
  }
  rule->kind = TextRule::kCpuTime;
  if (field != kFields.end()) rule->field = field->second;
  return read.status();
}

Status read_channel(const Napi::Value& value, ChannelRequest* channel) {
  if (!value.IsObject()) return bad_channels("channels that are objects");
  OptionReader read(value, "createSampler");
  channel->options.id = read.text("id");
  channel->options.scale = read.number("scale", -1e300, 1e300);
  channel->period_seconds = read.number("periodSeconds", kMinPeriodSeconds, kMaxPeriodSeconds);
  channel->options.capacity = static_cast<std::size_t>(read.integer("capacity", 1, kMaxCapacity));
  if (!read.status().ok()) return read.status();

  OptionReader source(value.As<Napi::Object>().Get("read"), "createSampler");
  const std::string type = source.text("type");
  if (!source.status().ok()) return source.status();
  if (type == "perf") {
    channel->kind = ChannelRequest::kPerf;
    channel->event = read_event(source);
    return source.status();
  }
  if (type == "energyLibrary") {
    channel->kind = ChannelRequest::kEnergyLibrary;
    channel->device = static_cast<int>(source.integer("device", 0, kMaxDevice));
    const std::string vendor = source.text("vendor");
    if (!source.status().ok()) return source.status();
    const Napi::Value libraries = value.As<Napi::Object>().Get("read").As<Napi::Object>().Get("libraries");
    if (Status status = read_strings(libraries, "libraries", &channel->libraries); !status.ok()) return status;
    return read_vendor(vendor, &channel->vendor);
  }
  if (type != "nvml") {
    channel->path = source.text("path");
    if (type == "product") {
      channel->kind = ChannelRequest::kProduct;
      channel->other_path = source.text("otherPath");
      return source.status();
    }
    return source.status().ok() ? read_rule(source, type, &channel->rule) : source.status();
  }
  channel->kind = ChannelRequest::kNvml;
  channel->device = static_cast<int>(source.integer("device", 0, kMaxDevice));
  const std::string quantity = source.text("quantity");
  if (source.status().ok() && !parse_nvml_quantity(quantity, &channel->quantity)) {
    return bad_channels("a known NVML quantity instead of \"" + quantity + "\"");
  }
  return source.status();
}

// Vendors' libraries are opened once per sampler.
class OpenLibraries {
 public:
  std::unique_ptr<Sensor> sensor(const ChannelRequest& channel) {
    const auto [found, is_new] = opened_.try_emplace({channel.vendor, channel.libraries});
    if (is_new) found->second.library = open_energy_library(channel.vendor, channel.libraries, &found->second.absence);
    return make_energy_library_sensor(found->second.library, channel.vendor, found->second.absence.code,
                                      static_cast<std::size_t>(channel.device));
  }

 private:
  struct Opened {
    std::shared_ptr<EnergyLibrary> library;
    EnergyAbsence absence;
  };
  std::map<std::pair<EnergyVendor, std::vector<std::string>>, Opened> opened_;
};

// Channels that read the same file at the same pace share one read, and so one time stamp.
std::vector<SamplerTask> make_tasks(const std::vector<ChannelRequest>& channels, const std::shared_ptr<Nvml>& nvml,
                                    nvml::Return absence) {
  std::vector<SamplerTask> tasks;
  OpenLibraries libraries;
  std::map<std::tuple<std::string, double>, std::vector<const ChannelRequest*>> files;
  for (const ChannelRequest& channel : channels) {
    SamplerTask task;
    switch (channel.kind) {
      case ChannelRequest::kFile: files[{channel.path, channel.period_seconds}].push_back(&channel); continue;
      case ChannelRequest::kProduct: task.sensor = make_product_sensor(channel.path, channel.other_path); break;
      case ChannelRequest::kNvml:
        task.sensor = make_nvml_sensor(nvml, absence, channel.device, channel.quantity);
        break;
      case ChannelRequest::kPerf: task.sensor = make_perf_sensor(channel.event); break;
      case ChannelRequest::kEnergyLibrary: task.sensor = libraries.sensor(channel); break;
    }
    task.channels = {channel.options};
    task.period_seconds = channel.period_seconds;
    tasks.push_back(std::move(task));
  }
  for (const auto& [key, readers] : files) {
    SamplerTask task;
    std::vector<TextRule> rules;
    for (const ChannelRequest* channel : readers) {
      rules.push_back(channel->rule);
      task.channels.push_back(channel->options);
    }
    task.sensor = make_file_sensor(std::get<0>(key), std::move(rules));
    task.period_seconds = std::get<1>(key);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

Napi::Value drain(Napi::Env env, Sampler& sampler) {
  Napi::Object result = Napi::Object::New(env);
  for (const ChannelReadings& channel : sampler.drain()) {
    Napi::Float64Array times = Napi::Float64Array::New(env, channel.readings.size());
    Napi::Float64Array values = Napi::Float64Array::New(env, channel.readings.size());
    for (std::size_t i = 0; i < channel.readings.size(); ++i) {
      times[i] = channel.readings[i].time_seconds;
      values[i] = channel.readings[i].value;
    }
    Napi::Object readings = Napi::Object::New(env);
    readings.Set("timeSeconds", times);
    readings.Set("values", values);
    result.Set(channel.id, readings);
  }
  return result;
}

Napi::Value stats(Napi::Env env, const Sampler& sampler) {
  const SamplerStats stats = sampler.stats();
  Napi::Array channels = Napi::Array::New(env, stats.channels.size());
  for (std::size_t i = 0; i < stats.channels.size(); ++i) {
    const ChannelStats& from = stats.channels[i];
    Napi::Object channel = Napi::Object::New(env);
    channel.Set("id", from.id);
    channel.Set("reads", static_cast<double>(from.reads));
    channel.Set("failures", static_cast<double>(from.failures));
    channel.Set("lost", static_cast<double>(from.lost));
    channel.Set("lastError", from.last_error);
    channels.Set(static_cast<std::uint32_t>(i), channel);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("channels", channels);
  result.Set("overruns", static_cast<double>(stats.overruns));
  result.Set("cpuSeconds", stats.cpu_seconds);
  return result;
}

Status read_sampler(const Napi::CallbackInfo& info, std::shared_ptr<Sampler>* sampler) {
  if (info.Length() < 2 || !info[0].IsArray()) return bad_channels("an array of channels and an array of libraries");
  std::vector<std::string> libraries;
  if (Status status = read_strings(info[1], "nvmlLibraries", &libraries); !status.ok()) return status;
  const auto array = info[0].As<Napi::Array>();
  std::vector<ChannelRequest> channels(array.Length());
  std::map<std::string, int> seen;
  bool needs_nvml = false;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    if (Status status = read_channel(array.Get(i), &channels[i]); !status.ok()) return status;
    if (seen[channels[i].options.id]++ > 0) {
      return bad_channels("channel ids that differ; \"" + channels[i].options.id + "\" comes twice");
    }
    needs_nvml = needs_nvml || channels[i].kind == ChannelRequest::kNvml;
  }
  NvmlAbsence absence;
  const std::shared_ptr<Nvml> nvml = needs_nvml ? Nvml::open(libraries, &absence) : nullptr;
  *sampler = std::make_shared<Sampler>(make_tasks(channels, nvml, absence.code));
  return Status::success();
}

// The methods share the sampler; when JavaScript has let go of all of them its threads are stopped.
Napi::Value create_sampler(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::shared_ptr<Sampler> sampler;
  if (const Status status = read_sampler(info, &sampler); !status.ok()) {
    to_error(env, status).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  Napi::Object object = Napi::Object::New(env);
  const auto method = [&](const char* name, auto call) { object.Set(name, Napi::Function::New(env, call, name)); };
  method("start", [sampler](const Napi::CallbackInfo& call) {
    const Status status = sampler->start();
    if (!status.ok()) to_error(call.Env(), status).ThrowAsJavaScriptException();
  });
  method("drain", [sampler](const Napi::CallbackInfo& call) { return drain(call.Env(), *sampler); });
  method("stats", [sampler](const Napi::CallbackInfo& call) { return stats(call.Env(), *sampler); });
  method("stop", [sampler](const Napi::CallbackInfo&) { sampler->stop(); });
  return object;
}

Napi::Value device_value(Napi::Env env, const NvmlDeviceInfo& info) {
  Napi::Object device = Napi::Object::New(env);
  device.Set("index", info.index);
  device.Set("name", info.name);
  device.Set("uuid", info.uuid);
  device.Set("memoryBytes", info.memory_bytes);
  device.Set("memoryUsedBytes", info.memory_used_bytes);
  Napi::Object quantities = Napi::Object::New(env);
  for (int i = 0; i < kNvmlQuantities; ++i) {
    const NvmlQuantityState& from = info.quantities[static_cast<std::size_t>(i)];
    Napi::Object state = Napi::Object::New(env);
    state.Set("ok", Napi::Boolean::New(env, from.ok));
    state.Set("reason", from.reason);
    quantities.Set(nvml_quantity_name(static_cast<NvmlQuantity>(i)), state);
  }
  device.Set("quantities", quantities);
  device.Set("powerLimitWatts", info.power_limit_watts);
  device.Set("migEnabled", Napi::Boolean::New(env, info.mig_enabled));
  device.Set("vgpu", Napi::Boolean::New(env, info.is_vgpu));
  if (info.compute_major > 0) {
    device.Set("computeCapability", std::to_string(info.compute_major) + "." + std::to_string(info.compute_minor));
  }
  return device;
}

Napi::Value probe_nvml(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<std::string> libraries;
  if (const Status status = read_strings(info[0], "probeNvml's argument", &libraries); !status.ok()) {
    to_error(env, status).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  Napi::Object result = Napi::Object::New(env);
  NvmlAbsence absence;
  const std::shared_ptr<Nvml> nvml = Nvml::open(libraries, &absence);
  if (nvml == nullptr) {
    result.Set("status", absence.status);
    result.Set("reason", absence.reason);
    result.Set("remedy", absence.remedy);
    return result;
  }
  result.Set("status", "ok");
  result.Set("library", nvml->library());
  result.Set("driverVersion", nvml->driver_version());
  Napi::Array devices = Napi::Array::New(env);
  for (const NvmlDeviceInfo& device : nvml->devices()) devices.Set(devices.Length(), device_value(env, device));
  result.Set("devices", devices);
  return result;
}

Napi::Value probe_perf(const Napi::CallbackInfo& info) {
  OptionReader read(info[0], "probePerfEvent");
  const PerfEvent event = read_event(read);
  if (!read.status().ok()) {
    to_error(info.Env(), read.status()).ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  const ReadFailure failure = probe_perf_event(event);
  return Napi::String::New(info.Env(), failure.kind == ReadFailure::kNone ? "" : errno_name(failure.code));
}

Napi::Value probe_energy_library(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::vector<std::string> libraries;
  EnergyVendor vendor = EnergyVendor::kAmdSmi;
  Status status = read_vendor(info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "", &vendor);
  if (status.ok()) status = read_strings(info[1], "probeEnergyLibrary's second argument", &libraries);
  if (!status.ok()) {
    to_error(env, status).ThrowAsJavaScriptException();
    return env.Undefined();
  }
  Napi::Object result = Napi::Object::New(env);
  EnergyAbsence absence;
  const std::shared_ptr<EnergyLibrary> library = open_energy_library(vendor, libraries, &absence);
  if (library == nullptr) {
    result.Set("status", absence.status);
    result.Set("reason", absence.reason);
    result.Set("remedy", absence.remedy);
    return result;
  }
  result.Set("status", "ok");
  Napi::Array devices = Napi::Array::New(env, library->devices());
  for (std::size_t i = 0; i < library->devices(); ++i) {
    double joules = 0;
    const std::int32_t code = library->read(i, &joules);
    Napi::Object device = Napi::Object::New(env);
    device.Set("ok", Napi::Boolean::New(env, code == 0));
    device.Set("reason", code == 0 ? std::string() : energy_error_name(vendor, code));
    device.Set("joules", code == 0 ? joules : 0.0);
    device.Set("pci", library->pci(i));
    devices.Set(static_cast<std::uint32_t>(i), device);
  }
  result.Set("devices", devices);
  return result;
}

}  // namespace

void export_telemetry(Napi::Env env, Napi::Object exports) {
  exports.Set("probePerfEvent", Napi::Function::New(env, probe_perf, "probePerfEvent"));
  exports.Set("probeEnergyLibrary", Napi::Function::New(env, probe_energy_library, "probeEnergyLibrary"));
  exports.Set("probeNvml", Napi::Function::New(env, probe_nvml, "probeNvml"));
  exports.Set("createSampler", Napi::Function::New(env, create_sampler, "createSampler"));
}

}  // namespace aibench::addon
