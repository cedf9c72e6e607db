// The part of PJRT's C interface that is used here: layouts, positions and numbers of xla/pjrt/c/pjrt_c_api.h 0.81 (The OpenXLA Authors,
// Apache-2.0, https://github.com/openxla/xla), read in the copy of gomlx/gopjrt cbc5202. The rules of that header:
//   - the major version must be equal; minor versions only append, to the table of functions and to the arguments;
//   - every argument begins with its own size, up to the end of its last member and not padded, and the head of a list of extensions;
//   - a function is there if its place lies within the table's size and is not null.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aibench::pjrt {

constexpr int kMajor = 0;
// 0.33 and 0.81 agree on all that is used.
constexpr int kLeastMinor = 33;

struct Version {
  std::size_t struct_size;
  void* extensions;
  int major, minor;
};

struct Api {
  std::size_t struct_size;
  void* extensions;
  Version version;
  void* functions[1];  // as many as struct_size says
};

// Places in the table of functions.
#define AIBENCH_PJRT_FUNCTIONS(ROW)                                                                                                   \
  ROW(Error_Destroy, 0) ROW(Error_Message, 1) ROW(Error_GetCode, 2) ROW(Plugin_Initialize, 3) ROW(Event_Destroy, 5) ROW(Event_Await, 8) ROW(Client_Create, 10)        \
  ROW(Client_Destroy, 11) ROW(Client_PlatformName, 12) ROW(Client_PlatformVersion, 14) ROW(Client_AddressableDevices, 16)            \
  ROW(Client_Compile, 20) ROW(Client_BufferFromHostBuffer, 22) ROW(DeviceDescription_Id, 23) ROW(DeviceDescription_Kind, 26)         \
  ROW(Device_GetDescription, 29) ROW(Device_MemoryStats, 34) ROW(LoadedExecutable_Destroy, 50) ROW(LoadedExecutable_Execute, 55)     \
  ROW(Buffer_Destroy, 58) ROW(Buffer_ToHostBuffer, 70)
enum Function : int {
#define AIBENCH_ROW(name, place) k##name = place,
  AIBENCH_PJRT_FUNCTIONS(AIBENCH_ROW)
#undef AIBENCH_ROW
};

constexpr int kF16 = 10, kF32 = 11, kF64 = 12, kBf16 = 13;  // PJRT_Buffer_Type
constexpr int kImmutableUntilTransferCompletes = 1;        // PJRT_HostBufferSemantics
constexpr int kBoolValue = 4;                              // PJRT_NamedValue_Type
constexpr int kResourceExhausted = 8, kUnimplemented = 12;  // PJRT_Error_Code

// Opaque.
struct Error;
struct Event;
struct Client;
struct Device;
struct DeviceDescription;
struct Executable;
struct Buffer;

// What every argument begins with; `size` is set by Plugin::call.
struct Head {
  std::size_t size = 0;
  void* extensions = nullptr;
};

struct ErrorArgs : Head {
  Error* error = nullptr;
};
struct ErrorMessageArgs : Head {
  const Error* error = nullptr;
  const char* message = nullptr;
  std::size_t message_size = 0;
};
struct ErrorCodeArgs : Head {
  const Error* error = nullptr;
  int code = 0;  // out
};
struct InitializeArgs : Head {};
struct EventArgs : Head {
  Event* event = nullptr;
};
struct NamedValue : Head {
  const char* name = nullptr;
  std::size_t name_size = 0;
  int type = 0;
  union {
    const char* text;
    std::int64_t integer;
    bool flag;
  } value = {nullptr};
  std::size_t value_size = 1;
};
struct ClientCreateArgs : Head {
  const NamedValue* options = nullptr;
  std::size_t option_count = 0;
  void* key_value_get[2] = {};
  void* key_value_put[2] = {};
  Client* client = nullptr;  // out
  void* key_value_try_get[2] = {};
};
struct ClientArgs : Head {
  Client* client = nullptr;
};
struct ClientTextArgs : Head {
  Client* client = nullptr;
  const char* text = nullptr;  // out
  std::size_t text_size = 0;   // out
};
struct DevicesArgs : Head {
  Client* client = nullptr;
  Device* const* devices = nullptr;  // out
  std::size_t count = 0;             // out
};
struct Program : Head {
  const char* code = nullptr;
  std::size_t code_size = 0;
  const char* format = nullptr;
  std::size_t format_size = 0;
};
struct CompileArgs : Head {
  Client* client = nullptr;
  const Program* program = nullptr;
  const char* options = nullptr;
  std::size_t options_size = 0;
  Executable* executable = nullptr;  // out
};
struct BufferFromHostArgs : Head {
  Client* client = nullptr;
  const void* data = nullptr;
  int type = 0;
  const std::int64_t* dimensions = nullptr;
  std::size_t dimension_count = 0;
  const std::int64_t* byte_strides = nullptr;
  std::size_t byte_stride_count = 0;
  int semantics = kImmutableUntilTransferCompletes;
  Device* device = nullptr;
  void* memory = nullptr;
  void* layout = nullptr;
  Event* done_with_host = nullptr;  // out
  Buffer* buffer = nullptr;         // out
};
struct DescriptionArgs : Head {
  Device* device = nullptr;
  DeviceDescription* description = nullptr;  // out
};
struct DeviceIdArgs : Head {
  DeviceDescription* description = nullptr;
  int id = 0;  // out
};
struct DeviceKindArgs : Head {
  DeviceDescription* description = nullptr;
  const char* kind = nullptr;  // out
  std::size_t kind_size = 0;   // out
};
struct OptionalCount {
  std::int64_t value = 0;
  bool is_set = false;
};
struct MemoryStatsArgs : Head {
  Device* device = nullptr;
  std::int64_t bytes_in_use = 0;
  OptionalCount peak_in_use, allocations, largest_allocation, limit, reserved, peak_reserved, reservable_limit, largest_free, pool, peak_pool;
};
struct ExecuteOptions : Head {
  void* send_callbacks = nullptr;
  void* receive_callbacks = nullptr;
  std::size_t send_count = 0, receive_count = 0;
  int launch_id = 0;
  const std::int64_t* not_donated = nullptr;
  std::size_t not_donated_count = 0;
  void* context = nullptr;
  const char* call_location = nullptr;
  std::size_t task_count = 0;
  int* task_ids = nullptr;
  std::int64_t* incarnation_ids = nullptr;
};
struct ExecuteArgs : Head {
  Executable* executable = nullptr;
  ExecuteOptions* options = nullptr;
  Buffer* const* const* inputs = nullptr;  // by device, by argument
  std::size_t device_count = 0, input_count = 0;
  Buffer** const* outputs = nullptr;  // by device, by result
  Event** complete = nullptr;         // by device
  Device* device = nullptr;
};
struct ExecutableArgs : Head {
  Executable* executable = nullptr;
};
struct BufferArgs : Head {
  Buffer* buffer = nullptr;
};
struct ToHostArgs : Head {
  Buffer* source = nullptr;
  void* layout = nullptr;
  void* target = nullptr;
  std::size_t target_size = 0;
  Event* event = nullptr;  // out
};

// The sizes that the header's PJRT_..._STRUCT_SIZE gives, where they differ from sizeof: the last member is smaller than a pointer.
template <typename Args>
constexpr std::size_t struct_size() { return sizeof(Args); }
template <>
constexpr std::size_t struct_size<ErrorCodeArgs>() { return 28; }
template <>
constexpr std::size_t struct_size<DeviceIdArgs>() { return 28; }
template <>
constexpr std::size_t struct_size<MemoryStatsArgs>() { return 185; }

static_assert(sizeof(void*) == 8 && offsetof(Api, functions) == 40);
static_assert(sizeof(NamedValue) == 56 && sizeof(ClientCreateArgs) == 88 && sizeof(Program) == 48 && sizeof(CompileArgs) == 56);
static_assert(sizeof(BufferFromHostArgs) == 120 && sizeof(ExecuteOptions) == 112 && sizeof(ExecuteArgs) == 80 && sizeof(ToHostArgs) == 56);
static_assert(sizeof(MemoryStatsArgs) == 192);

}  // namespace aibench::pjrt
