#include "pjrt/plugin.h"

#include <map>
#include <mutex>

namespace aibench::pjrt {
namespace {

struct FunctionRow {
  Function function;
  const char* name;
};
constexpr FunctionRow kFunctions[] = {
#define AIBENCH_ROW(name, place) {k##name, "PJRT_" #name},
    AIBENCH_PJRT_FUNCTIONS(AIBENCH_ROW)
#undef AIBENCH_ROW
};

// What the record is poorer without, and nothing else.
bool is_optional(Function function) { return function == kDevice_MemoryStats || function == kClient_PlatformVersion || function == kError_GetCode; }

const char* name_of(Function function) {
  for (const FunctionRow& row : kFunctions) {
    if (row.function == function) return row.name;
  }
  return "PJRT";
}

constexpr const char* kRemedy = "Name the plugin of this machine's device with AIBENCH_PJRT_PLUGIN; one that is newer or older may do.";

}  // namespace

Status Plugin::open(const std::string& path, const Plugin** plugin) {
  static std::mutex mutex;
  static auto* opened = new std::map<std::string, std::unique_ptr<Plugin>>();
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Plugin>& entry = (*opened)[path];
  if (entry == nullptr) {
    auto fresh = std::make_unique<Plugin>();
    Status status = fresh->load(path);
    if (!status.ok()) {
      if (status.remedy.empty()) status.remedy = kRemedy;
      return status;
    }
    entry = std::move(fresh);
  }
  *plugin = entry.get();
  return Status::success();
}

Status Plugin::load(const std::string& path) {
  Status status = file_.open({path});
  if (!status.ok()) return status;
  const auto get = file_.function<const Api* (*)()>("GetPjrtApi");
  if (get == nullptr) return Status::failure("LIBRARY_UNSUPPORTED", path + " has no GetPjrtApi: it is no PJRT plugin");
  api_ = get();
  if (api_ == nullptr || api_->struct_size < offsetof(Api, functions)) {
    return Status::failure("LIBRARY_BROKEN", path + ": GetPjrtApi gives no table of functions");
  }
  if (api_->version.major != kMajor || api_->version.minor < kLeastMinor) {
    return Status::failure("LIBRARY_UNSUPPORTED", path + " speaks PJRT " + version() + "; aibench speaks " + std::to_string(kMajor) + "." +
                                                      std::to_string(kLeastMinor) + " and later minor versions");
  }
  for (const FunctionRow& row : kFunctions) {
    if (!has(row.function) && !is_optional(row.function)) {
      return Status::failure("LIBRARY_UNSUPPORTED", path + ", PJRT " + version() + ", has no " + row.name);
    }
  }
  InitializeArgs args;
  return call(kPlugin_Initialize, &args);
}

std::string Plugin::version() const { return std::to_string(api_->version.major) + "." + std::to_string(api_->version.minor); }

bool Plugin::has(Function function) const {
  const std::size_t end = offsetof(Api, functions) + (static_cast<std::size_t>(function) + 1) * sizeof(void*);
  return end <= api_->struct_size && api_->functions[function] != nullptr;
}

Status Plugin::status_of(Error* error, Function function) const {
  if (error == nullptr) return Status::success();
  ErrorMessageArgs message;
  message.error = error;
  message.size = struct_size<ErrorMessageArgs>();
  reinterpret_cast<void (*)(ErrorMessageArgs*)>(api_->functions[kError_Message])(&message);
  constexpr std::size_t kMost = 400;  // some plugins put stack traces into it
  const std::string text = message.message == nullptr ? "no message" : std::string(message.message, std::min(message.message_size, kMost));
  const int code = code_of(error);
  destroy(error);
  const bool exhausted = code == kResourceExhausted || text.find("RESOURCE_EXHAUSTED") != std::string::npos || text.find("ut of memory") != std::string::npos;
  const std::string said = std::string(name_of(function)) + " failed: " + text + (code == 0 ? "" : " (PJRT's code " + std::to_string(code) + ")");
  if (exhausted) return Status::failure("OUT_OF_MEMORY", said, "Choose a smaller size, or end what else uses the device.");
  if (function == kClient_Compile && code == kUnimplemented) {
    return Status::failure("DTYPE_UNSUPPORTED", said, "This device or this version of the plugin lacks the dtype or the operation; choose another dtype.");
  }
  return Status::failure("PJRT_FAILED", said, "The plugin's own log may say more.");
}

// 0 where the plugin does not say.
int Plugin::code_of(const Error* error) const {
  if (!has(kError_GetCode)) return 0;
  ErrorCodeArgs args;
  args.error = error;
  args.size = struct_size<ErrorCodeArgs>();
  Error* const own = reinterpret_cast<Error* (*)(ErrorCodeArgs*)>(api_->functions[kError_GetCode])(&args);
  if (own == nullptr) return args.code;
  destroy(own);
  return 0;
}

void Plugin::destroy(Error* error) const {
  ErrorArgs args;
  args.error = error;
  args.size = struct_size<ErrorArgs>();
  reinterpret_cast<void (*)(ErrorArgs*)>(api_->functions[kError_Destroy])(&args);
}

}  // namespace aibench::pjrt
