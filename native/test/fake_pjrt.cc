// A stand-in for a PJRT plugin whose devices are memory of the host. It reads the texts that aibench sends and truly computes them: dot_general of
// two matrices, and all_reduce by add over the replicas. Work is done when somebody waits for it. It keeps the header's rules: arguments that are
// shorter than it knows are refused. FAKE_PJRT says what goes wrong (fake_words.h; a call that fails gives the error object with a message), and:
//   major=0 minor=81 functions=118  the version that it claims, and how many functions its table has
//   null=<function>     a function that is not there       devices=2 memory=<bytes>
//   slow=0.02           seconds that each execution takes  noevents=1   it gives no event for an execution
//   wrong=product|skip|unwritten    one element that is not right, a replica left out of a sum, a result that is never computed
#include <cstdio>
#include <functional>
#include <regex>
#include <set>
#include <vector>

#include "device/element.h"
#include "fake_words.h"
#include "pjrt/pjrt_abi.h"

namespace aibench::pjrt {

struct Error {
  std::string message;
  int code = 3;
};
struct Event {
  std::function<void()> work;
};
struct Client {
  int unused;
};
struct Device {
  int id;
};
struct Buffer {
  Element element;
  std::vector<std::int64_t> dimensions;
  std::vector<unsigned char> data;
  std::function<void()> pending;  // computes data
  std::size_t count() const {
    std::size_t product = 1;
    for (const std::int64_t dimension : dimensions) product *= static_cast<std::size_t>(dimension);
    return product;
  }
};
struct Executable {
  bool is_product;
  Element element;
  std::size_t m, n, k, count, replicas;
  std::vector<int> devices;
};

}  // namespace aibench::pjrt

namespace {

using namespace aibench;
using namespace aibench::pjrt;

struct Start {
  Start() { fake::variable = "FAKE_PJRT"; }
} start;

Error* error(std::string message, int code = 3) { return new Error{std::move(message), code}; }

template <typename Args>
Error* check(const char* call, const Args* args) {
  if (const int code = fake::trouble(call); code != 0)
    // Plugins do not repeat the code in the message.
    return error(code == 8 ? "the fake is full" : "the fake was told to fail with " + std::to_string(code), code);
  if (args->size < struct_size<Args>())
    return error("INVALID_ARGUMENT: Unexpected " + std::string(call) + "_Args size: expected " + std::to_string(struct_size<Args>()) + ", got " +
                 std::to_string(args->size));
  return nullptr;
}
#define CHECK(name)                                            \
  if (Error* const wrong = check(name, args); wrong != nullptr) \
  return wrong

std::vector<Device> devices;

void settle(Buffer* buffer) {
  if (!buffer->pending) return;
  auto work = std::move(buffer->pending);
  buffer->pending = nullptr;
  work();
}

bool parse(const std::string& text, Executable* program) {
  std::smatch m;
  static const std::regex product(R"(main\(%a: tensor<(\d+)x(\d+)x(\w+)>, %b: tensor<(\d+)x(\d+)x(\w+)>\) -> tensor<(\d+)x(\d+)x(\w+)>)");
  static const std::regex reduce(R"(main\(%x: tensor<(\d+)x(\w+)>\) -> tensor<(\d+)x(\w+)>)");
  static const std::regex group(R"(replica_groups = dense<\[\[([\d, ]+)\]\]> : tensor<1x(\d+)xi64>)");
  if (std::regex_search(text, m, product)) {
    program->is_product = true;
    program->m = std::stoul(m[1]);
    program->k = std::stoul(m[2]);
    program->n = std::stoul(m[5]);
    const bool exact = m[3] == "f32" || m[3] == "f64";
    return m[4] == m[2] && m[7] == m[1] && m[8] == m[5] && m[3] == m[6] && m[3] == m[9] && parse_element(m[3], &program->element) &&
           text.find("stablehlo.dot_general %a, %b, contracting_dims = [1] x [0]") != std::string::npos &&
           (text.find("precision = [HIGHEST, HIGHEST]") != std::string::npos) == exact;
  }
  if (!std::regex_search(text, m, reduce)) return false;
  program->is_product = false;
  program->count = std::stoul(m[1]);
  if (m[1] != m[3] || m[2] != m[4] || !parse_element(m[2], &program->element)) return false;
  std::smatch g;
  if (!std::regex_search(text, g, group) || text.find("\"stablehlo.all_reduce\"") == std::string::npos || text.find("stablehlo.add") == std::string::npos)
    return false;
  program->replicas = std::stoul(g[2]);
  return text.find("mhlo.num_replicas = " + std::string(g[2]) + " : i32") != std::string::npos;
}

// Field 3 (build options), in it 4 (replicas) and 9 (assignment), in that 3 (computation), in that 1 (device ids): see stablehlo.h.
struct Reader {
  const unsigned char* at;
  const unsigned char* end;
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; at < end; shift += 7) {
      value |= std::uint64_t(*at & 0x7f) << shift;
      if ((*at++ & 0x80) == 0) break;
    }
    return value;
  }
  // The bytes of that field, or nothing.
  Reader field(std::uint64_t wanted, std::uint64_t* number = nullptr) const {
    Reader r = *this;
    while (r.at < r.end) {
      const std::uint64_t tag = r.varint();
      const std::uint64_t value = r.varint();
      if ((tag & 7) == 2) {
        if (tag >> 3 == wanted) return {r.at, r.at + value};
        r.at += value;
      } else if (tag >> 3 == wanted && number != nullptr) {
        *number = value;
      }
    }
    return {nullptr, nullptr};
  }
};

void compute_product(const Executable& program, Buffer* a, Buffer* b, Buffer* c) {
  fake::wait_seconds(fake::number("slow", 0));
  if (fake::word("wrong", "") == "unwritten") return;
  const auto& [is_product, element, m, n, k, count, replicas, ids] = program;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::size_t l = 0; l < k; ++l) sum += load_element(element, a->data.data(), i * k + l) * load_element(element, b->data.data(), l * n + j);
      store_element(element, c->data.data(), i * n + j, sum);
    }
  }
  if (fake::word("wrong", "") == "product") store_element(element, c->data.data(), m * n / 2, 3.0 * static_cast<double>(k));
}

void compute_sum(const Executable& program, const std::vector<Buffer*>& inputs, Buffer* result) {
  fake::wait_seconds(fake::number("slow", 0));
  const std::size_t ranks = inputs.size() - (fake::word("wrong", "") == "skip" ? 1 : 0);
  for (std::size_t i = 0; i < program.count; ++i) {
    double sum = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) sum += load_element(program.element, inputs[rank]->data.data(), i);
    store_element(program.element, result->data.data(), i, sum);
  }
}

void error_destroy(ErrorArgs* args) { delete args->error; }
void error_message(ErrorMessageArgs* args) {
  args->message = args->error->message.data();
  args->message_size = args->error->message.size();
}
Error* error_code(ErrorCodeArgs* args) {
  CHECK("PJRT_Error_GetCode");
  args->code = args->error->code;
  return nullptr;
}
Error* initialize(InitializeArgs* args) {
  CHECK("PJRT_Plugin_Initialize");
  return nullptr;
}
Error* event_destroy(EventArgs* args) {
  CHECK("PJRT_Event_Destroy");
  delete args->event;
  return nullptr;
}
Error* event_await(EventArgs* args) {
  CHECK("PJRT_Event_Await");
  if (args->event->work) args->event->work();
  return nullptr;
}
Error* client_create(ClientCreateArgs* args) {
  CHECK("PJRT_Client_Create");
  if (args->option_count != 0) return error("INVALID_ARGUMENT: the fake knows no options");
  devices.clear();
  for (int i = 0; i < static_cast<int>(fake::number("devices", 1)); ++i) devices.push_back({100 + i});
  args->client = new Client{};
  return nullptr;
}
Error* client_destroy(ClientArgs* args) {
  CHECK("PJRT_Client_Destroy");
  delete args->client;
  return nullptr;
}
Error* platform_name(ClientTextArgs* args) {
  CHECK("PJRT_Client_PlatformName");
  args->text = "fake and more";
  args->text_size = 4;  // not terminated by a zero
  return nullptr;
}
Error* platform_version(ClientTextArgs* args) {
  CHECK("PJRT_Client_PlatformVersion");
  args->text = "fake 1.2";
  args->text_size = 8;
  return nullptr;
}
Error* addressable_devices(DevicesArgs* args) {
  CHECK("PJRT_Client_AddressableDevices");
  static std::vector<Device*> list;
  list.clear();
  for (Device& device : devices) list.push_back(&device);
  args->devices = list.data();
  args->count = list.size();
  return nullptr;
}
Error* get_description(DescriptionArgs* args) {
  CHECK("PJRT_Device_GetDescription");
  args->description = reinterpret_cast<DeviceDescription*>(args->device);
  return nullptr;
}
Error* device_id(DeviceIdArgs* args) {
  CHECK("PJRT_DeviceDescription_Id");
  args->id = reinterpret_cast<Device*>(args->description)->id;
  return nullptr;
}
Error* device_kind(DeviceKindArgs* args) {
  CHECK("PJRT_DeviceDescription_Kind");
  args->kind = "Fake TPU v9";
  args->kind_size = 11;
  return nullptr;
}
Error* memory_stats(MemoryStatsArgs* args) {
  CHECK("PJRT_Device_MemoryStats");
  args->bytes_in_use = 1000;
  args->limit = {static_cast<std::int64_t>(fake::number("memory", 1e9)), true};
  return nullptr;
}
Error* compile(CompileArgs* args) {
  CHECK("PJRT_Client_Compile");
  if (args->program->size < sizeof(Program) || std::string(args->program->format, args->program->format_size) != "mlir")
    return error("INVALID_ARGUMENT: the fake takes MLIR");
  auto program = std::make_unique<Executable>();
  if (!parse(std::string(args->program->code, args->program->code_size), program.get())) return error("INVALID_ARGUMENT: the fake cannot read the program");
  const auto* bytes = reinterpret_cast<const unsigned char*>(args->options);
  std::uint64_t replicas = 0, ordinal = 0;
  const Reader build = Reader{bytes, bytes + args->options_size}.field(3);
  static_cast<void>(build.field(4, &replicas));
  static_cast<void>(build.field(1, &ordinal));
  Reader ids = build.field(9).field(3).field(1);
  while (ids.at < ids.end) program->devices.push_back(static_cast<int>(ids.varint()));
  if (program->devices.size() != replicas || ordinal != ~std::uint64_t{0} || (!program->is_product && program->replicas != replicas))
    return error("INVALID_ARGUMENT: the devices do not fit the replicas");
  args->executable = program.release();
  return nullptr;
}
Error* executable_destroy(ExecutableArgs* args) {
  CHECK("PJRT_LoadedExecutable_Destroy");
  delete args->executable;
  return nullptr;
}
Error* from_host(BufferFromHostArgs* args) {
  CHECK("PJRT_Client_BufferFromHostBuffer");
  const Element element = args->type == kF64 ? Element::kF64 : args->type == kF32 ? Element::kF32 : args->type == kF16 ? Element::kF16 : Element::kBf16;
  auto* buffer = new Buffer{element, {args->dimensions, args->dimensions + args->dimension_count}, {}, nullptr};
  // The copy happens later: whoever frees the host's data before the event has ended sends rubbish.
  buffer->data.resize(buffer->count() * element_bytes(element));
  args->done_with_host = new Event{[buffer, from = args->data] { std::memcpy(buffer->data.data(), from, buffer->data.size()); }};
  args->buffer = buffer;
  return nullptr;
}
Error* execute(ExecuteArgs* args) {
  CHECK("PJRT_LoadedExecutable_Execute");
  const Executable& program = *args->executable;
  if (args->options->size < sizeof(ExecuteOptions)) return error("INVALID_ARGUMENT: the options are too short");
  if (args->device_count != program.devices.size() || args->input_count != (program.is_product ? 2 : 1))
    return error("INVALID_ARGUMENT: so many devices or arguments do not fit the program");
  std::vector<Buffer*> first;
  for (std::size_t d = 0; d < args->device_count; ++d) first.push_back(args->inputs[d][0]);
  for (std::size_t d = 0; d < args->device_count; ++d) {
    auto* result = new Buffer{program.element, {}, {}, nullptr};
    if (program.is_product) result->dimensions = {static_cast<std::int64_t>(program.m), static_cast<std::int64_t>(program.n)};
    else result->dimensions = first[d]->dimensions;
    result->data.assign(result->count() * element_bytes(program.element), 0);
    if (program.is_product) {
      Buffer *a = args->inputs[d][0], *b = args->inputs[d][1];
      result->pending = [&program, a, b, result] { compute_product(program, a, b, result); };
    } else {
      result->pending = [&program, first, result] { compute_sum(program, first, result); };
    }
    args->outputs[d][0] = result;
    args->complete[d] = fake::number("noevents", 0) != 0 ? nullptr : new Event{[result] { settle(result); }};
  }
  return nullptr;
}
Error* buffer_destroy(BufferArgs* args) {
  CHECK("PJRT_Buffer_Destroy");
  delete args->buffer;
  return nullptr;
}
Error* to_host(ToHostArgs* args) {
  CHECK("PJRT_Buffer_ToHostBuffer");
  if (args->target_size < args->source->data.size()) return error("INVALID_ARGUMENT: the target is too small");
  args->event = new Event{[from = args->source, to = args->target] {
    settle(from);
    std::memcpy(to, from->data.data(), from->data.size());
  }};
  return nullptr;
}

struct Table {
  Api head;
  void* more[200];
};

}  // namespace

extern "C" const void* GetPjrtApi() {
  static Table table;
  const auto functions = static_cast<std::size_t>(fake::number("functions", 118));
  table.head = {offsetof(Api, functions) + functions * sizeof(void*), nullptr,
                {24, nullptr, static_cast<int>(fake::number("major", 0)), static_cast<int>(fake::number("minor", 81))}, {nullptr}};
  void** slots = table.head.functions;
  const auto set = [&](const char* name, Function place, auto* function) {
    slots[place] = fake::word("null", "") == name ? nullptr : reinterpret_cast<void*>(function);
  };
  set("PJRT_Error_Destroy", kError_Destroy, error_destroy);
  set("PJRT_Error_Message", kError_Message, error_message);
  set("PJRT_Error_GetCode", kError_GetCode, error_code);
  set("PJRT_Plugin_Initialize", kPlugin_Initialize, initialize);
  set("PJRT_Event_Destroy", kEvent_Destroy, event_destroy);
  set("PJRT_Event_Await", kEvent_Await, event_await);
  set("PJRT_Client_Create", kClient_Create, client_create);
  set("PJRT_Client_Destroy", kClient_Destroy, client_destroy);
  set("PJRT_Client_PlatformName", kClient_PlatformName, platform_name);
  set("PJRT_Client_PlatformVersion", kClient_PlatformVersion, platform_version);
  set("PJRT_Client_AddressableDevices", kClient_AddressableDevices, addressable_devices);
  set("PJRT_Client_Compile", kClient_Compile, compile);
  set("PJRT_Client_BufferFromHostBuffer", kClient_BufferFromHostBuffer, from_host);
  set("PJRT_DeviceDescription_Id", kDeviceDescription_Id, device_id);
  set("PJRT_DeviceDescription_Kind", kDeviceDescription_Kind, device_kind);
  set("PJRT_Device_GetDescription", kDevice_GetDescription, get_description);
  set("PJRT_Device_MemoryStats", kDevice_MemoryStats, memory_stats);
  set("PJRT_LoadedExecutable_Destroy", kLoadedExecutable_Destroy, executable_destroy);
  set("PJRT_LoadedExecutable_Execute", kLoadedExecutable_Execute, execute);
  set("PJRT_Buffer_Destroy", kBuffer_Destroy, buffer_destroy);
  set("PJRT_Buffer_ToHostBuffer", kBuffer_ToHostBuffer, to_host);
  return &table;
}
