// pjrt/pjrt_abi.h held against what xla/pjrt/c/pjrt_c_api.h 0.81 says, recorded here from that header by a compiler, and against the header itself
// where one is found (CMake: AIBENCH_PJRT_INCLUDE, the folder that holds pjrt_c_api.h). A newer one appends only, so that all of this still holds.
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <string_view>

#include "pjrt/pjrt_abi.h"

#ifdef AIBENCH_HAVE_PJRT_H
#include <pjrt_c_api.h>
#endif

#pragma GCC diagnostic ignored "-Winvalid-offsetof"

// SIZE(ours, theirs, PJRT_..._STRUCT_SIZE)   MEMBER(ours, member, theirs, member, offset)
#define AIBENCH_PJRT_RECORDED(SIZE, MEMBER) \
  SIZE(ErrorArgs, PJRT_Error_Destroy_Args, 24) \
  MEMBER(ErrorArgs, error, PJRT_Error_Destroy_Args, error, 16) \
  SIZE(ErrorMessageArgs, PJRT_Error_Message_Args, 40) \
  MEMBER(ErrorMessageArgs, error, PJRT_Error_Message_Args, error, 16) \
  MEMBER(ErrorMessageArgs, message, PJRT_Error_Message_Args, message, 24) \
  MEMBER(ErrorMessageArgs, message_size, PJRT_Error_Message_Args, message_size, 32) \
  SIZE(ErrorCodeArgs, PJRT_Error_GetCode_Args, 28) \
  MEMBER(ErrorCodeArgs, error, PJRT_Error_GetCode_Args, error, 16) \
  MEMBER(ErrorCodeArgs, code, PJRT_Error_GetCode_Args, code, 24) \
  SIZE(InitializeArgs, PJRT_Plugin_Initialize_Args, 16) \
  SIZE(EventArgs, PJRT_Event_Await_Args, 24) \
  MEMBER(EventArgs, event, PJRT_Event_Await_Args, event, 16) \
  SIZE(NamedValue, PJRT_NamedValue, 56) \
  MEMBER(NamedValue, name, PJRT_NamedValue, name, 16) \
  MEMBER(NamedValue, name_size, PJRT_NamedValue, name_size, 24) \
  MEMBER(NamedValue, type, PJRT_NamedValue, type, 32) \
  MEMBER(NamedValue, value, PJRT_NamedValue, string_value, 40) \
  MEMBER(NamedValue, value_size, PJRT_NamedValue, value_size, 48) \
  SIZE(ClientCreateArgs, PJRT_Client_Create_Args, 88) \
  MEMBER(ClientCreateArgs, options, PJRT_Client_Create_Args, create_options, 16) \
  MEMBER(ClientCreateArgs, option_count, PJRT_Client_Create_Args, num_options, 24) \
  MEMBER(ClientCreateArgs, key_value_get, PJRT_Client_Create_Args, kv_get_callback, 32) \
  MEMBER(ClientCreateArgs, key_value_put, PJRT_Client_Create_Args, kv_put_callback, 48) \
  MEMBER(ClientCreateArgs, client, PJRT_Client_Create_Args, client, 64) \
  MEMBER(ClientCreateArgs, key_value_try_get, PJRT_Client_Create_Args, kv_try_get_callback, 72) \
  SIZE(ClientArgs, PJRT_Client_Destroy_Args, 24) \
  MEMBER(ClientArgs, client, PJRT_Client_Destroy_Args, client, 16) \
  SIZE(ClientTextArgs, PJRT_Client_PlatformName_Args, 40) \
  MEMBER(ClientTextArgs, client, PJRT_Client_PlatformName_Args, client, 16) \
  MEMBER(ClientTextArgs, text, PJRT_Client_PlatformName_Args, platform_name, 24) \
  MEMBER(ClientTextArgs, text_size, PJRT_Client_PlatformName_Args, platform_name_size, 32) \
  SIZE(DevicesArgs, PJRT_Client_AddressableDevices_Args, 40) \
  MEMBER(DevicesArgs, client, PJRT_Client_AddressableDevices_Args, client, 16) \
  MEMBER(DevicesArgs, devices, PJRT_Client_AddressableDevices_Args, addressable_devices, 24) \
  MEMBER(DevicesArgs, count, PJRT_Client_AddressableDevices_Args, num_addressable_devices, 32) \
  SIZE(Program, PJRT_Program, 48) \
  MEMBER(Program, code, PJRT_Program, code, 16) \
  MEMBER(Program, code_size, PJRT_Program, code_size, 24) \
  MEMBER(Program, format, PJRT_Program, format, 32) \
  MEMBER(Program, format_size, PJRT_Program, format_size, 40) \
  SIZE(CompileArgs, PJRT_Client_Compile_Args, 56) \
  MEMBER(CompileArgs, client, PJRT_Client_Compile_Args, client, 16) \
  MEMBER(CompileArgs, program, PJRT_Client_Compile_Args, program, 24) \
  MEMBER(CompileArgs, options, PJRT_Client_Compile_Args, compile_options, 32) \
  MEMBER(CompileArgs, options_size, PJRT_Client_Compile_Args, compile_options_size, 40) \
  MEMBER(CompileArgs, executable, PJRT_Client_Compile_Args, executable, 48) \
  SIZE(BufferFromHostArgs, PJRT_Client_BufferFromHostBuffer_Args, 120) \
  MEMBER(BufferFromHostArgs, client, PJRT_Client_BufferFromHostBuffer_Args, client, 16) \
  MEMBER(BufferFromHostArgs, data, PJRT_Client_BufferFromHostBuffer_Args, data, 24) \
  MEMBER(BufferFromHostArgs, type, PJRT_Client_BufferFromHostBuffer_Args, type, 32) \
  MEMBER(BufferFromHostArgs, dimensions, PJRT_Client_BufferFromHostBuffer_Args, dims, 40) \
  MEMBER(BufferFromHostArgs, dimension_count, PJRT_Client_BufferFromHostBuffer_Args, num_dims, 48) \
  MEMBER(BufferFromHostArgs, byte_strides, PJRT_Client_BufferFromHostBuffer_Args, byte_strides, 56) \
  MEMBER(BufferFromHostArgs, byte_stride_count, PJRT_Client_BufferFromHostBuffer_Args, num_byte_strides, 64) \
  MEMBER(BufferFromHostArgs, semantics, PJRT_Client_BufferFromHostBuffer_Args, host_buffer_semantics, 72) \
  MEMBER(BufferFromHostArgs, device, PJRT_Client_BufferFromHostBuffer_Args, device, 80) \
  MEMBER(BufferFromHostArgs, memory, PJRT_Client_BufferFromHostBuffer_Args, memory, 88) \
  MEMBER(BufferFromHostArgs, layout, PJRT_Client_BufferFromHostBuffer_Args, device_layout, 96) \
  MEMBER(BufferFromHostArgs, done_with_host, PJRT_Client_BufferFromHostBuffer_Args, done_with_host_buffer, 104) \
  MEMBER(BufferFromHostArgs, buffer, PJRT_Client_BufferFromHostBuffer_Args, buffer, 112) \
  SIZE(DescriptionArgs, PJRT_Device_GetDescription_Args, 32) \
  MEMBER(DescriptionArgs, device, PJRT_Device_GetDescription_Args, device, 16) \
  MEMBER(DescriptionArgs, description, PJRT_Device_GetDescription_Args, device_description, 24) \
  SIZE(DeviceIdArgs, PJRT_DeviceDescription_Id_Args, 28) \
  MEMBER(DeviceIdArgs, description, PJRT_DeviceDescription_Id_Args, device_description, 16) \
  MEMBER(DeviceIdArgs, id, PJRT_DeviceDescription_Id_Args, id, 24) \
  SIZE(DeviceKindArgs, PJRT_DeviceDescription_Kind_Args, 40) \
  MEMBER(DeviceKindArgs, description, PJRT_DeviceDescription_Kind_Args, device_description, 16) \
  MEMBER(DeviceKindArgs, kind, PJRT_DeviceDescription_Kind_Args, device_kind, 24) \
  MEMBER(DeviceKindArgs, kind_size, PJRT_DeviceDescription_Kind_Args, device_kind_size, 32) \
  SIZE(MemoryStatsArgs, PJRT_Device_MemoryStats_Args, 185) \
  MEMBER(MemoryStatsArgs, device, PJRT_Device_MemoryStats_Args, device, 16) \
  MEMBER(MemoryStatsArgs, bytes_in_use, PJRT_Device_MemoryStats_Args, bytes_in_use, 24) \
  MEMBER(MemoryStatsArgs, peak_in_use, PJRT_Device_MemoryStats_Args, peak_bytes_in_use, 32) \
  MEMBER(MemoryStatsArgs, allocations, PJRT_Device_MemoryStats_Args, num_allocs, 48) \
  MEMBER(MemoryStatsArgs, largest_allocation, PJRT_Device_MemoryStats_Args, largest_alloc_size, 64) \
  MEMBER(MemoryStatsArgs, limit, PJRT_Device_MemoryStats_Args, bytes_limit, 80) \
  MEMBER(MemoryStatsArgs, reserved, PJRT_Device_MemoryStats_Args, bytes_reserved, 96) \
  MEMBER(MemoryStatsArgs, peak_reserved, PJRT_Device_MemoryStats_Args, peak_bytes_reserved, 112) \
  MEMBER(MemoryStatsArgs, reservable_limit, PJRT_Device_MemoryStats_Args, bytes_reservable_limit, 128) \
  MEMBER(MemoryStatsArgs, largest_free, PJRT_Device_MemoryStats_Args, largest_free_block_bytes, 144) \
  MEMBER(MemoryStatsArgs, pool, PJRT_Device_MemoryStats_Args, pool_bytes, 160) \
  MEMBER(MemoryStatsArgs, peak_pool, PJRT_Device_MemoryStats_Args, peak_pool_bytes, 176) \
  SIZE(ExecuteOptions, PJRT_ExecuteOptions, 112) \
  MEMBER(ExecuteOptions, send_callbacks, PJRT_ExecuteOptions, send_callbacks, 16) \
  MEMBER(ExecuteOptions, receive_callbacks, PJRT_ExecuteOptions, recv_callbacks, 24) \
  MEMBER(ExecuteOptions, send_count, PJRT_ExecuteOptions, num_send_ops, 32) \
  MEMBER(ExecuteOptions, receive_count, PJRT_ExecuteOptions, num_recv_ops, 40) \
  MEMBER(ExecuteOptions, launch_id, PJRT_ExecuteOptions, launch_id, 48) \
  MEMBER(ExecuteOptions, not_donated, PJRT_ExecuteOptions, non_donatable_input_indices, 56) \
  MEMBER(ExecuteOptions, not_donated_count, PJRT_ExecuteOptions, num_non_donatable_input_indices, 64) \
  MEMBER(ExecuteOptions, context, PJRT_ExecuteOptions, context, 72) \
  MEMBER(ExecuteOptions, call_location, PJRT_ExecuteOptions, call_location, 80) \
  MEMBER(ExecuteOptions, task_count, PJRT_ExecuteOptions, num_tasks, 88) \
  MEMBER(ExecuteOptions, task_ids, PJRT_ExecuteOptions, task_ids, 96) \
  MEMBER(ExecuteOptions, incarnation_ids, PJRT_ExecuteOptions, incarnation_ids, 104) \
  SIZE(ExecuteArgs, PJRT_LoadedExecutable_Execute_Args, 80) \
  MEMBER(ExecuteArgs, executable, PJRT_LoadedExecutable_Execute_Args, executable, 16) \
  MEMBER(ExecuteArgs, options, PJRT_LoadedExecutable_Execute_Args, options, 24) \
  MEMBER(ExecuteArgs, inputs, PJRT_LoadedExecutable_Execute_Args, argument_lists, 32) \
  MEMBER(ExecuteArgs, device_count, PJRT_LoadedExecutable_Execute_Args, num_devices, 40) \
  MEMBER(ExecuteArgs, input_count, PJRT_LoadedExecutable_Execute_Args, num_args, 48) \
  MEMBER(ExecuteArgs, outputs, PJRT_LoadedExecutable_Execute_Args, output_lists, 56) \
  MEMBER(ExecuteArgs, complete, PJRT_LoadedExecutable_Execute_Args, device_complete_events, 64) \
  MEMBER(ExecuteArgs, device, PJRT_LoadedExecutable_Execute_Args, execute_device, 72) \
  SIZE(ExecutableArgs, PJRT_LoadedExecutable_Destroy_Args, 24) \
  MEMBER(ExecutableArgs, executable, PJRT_LoadedExecutable_Destroy_Args, executable, 16) \
  SIZE(BufferArgs, PJRT_Buffer_Destroy_Args, 24) \
  MEMBER(BufferArgs, buffer, PJRT_Buffer_Destroy_Args, buffer, 16) \
  SIZE(ToHostArgs, PJRT_Buffer_ToHostBuffer_Args, 56) \
  MEMBER(ToHostArgs, source, PJRT_Buffer_ToHostBuffer_Args, src, 16) \
  MEMBER(ToHostArgs, layout, PJRT_Buffer_ToHostBuffer_Args, host_layout, 24) \
  MEMBER(ToHostArgs, target, PJRT_Buffer_ToHostBuffer_Args, dst, 32) \
  MEMBER(ToHostArgs, target_size, PJRT_Buffer_ToHostBuffer_Args, dst_size, 40) \
  MEMBER(ToHostArgs, event, PJRT_Buffer_ToHostBuffer_Args, event, 48)

namespace {

using namespace aibench::pjrt;

// The functions of the table, in its order.
constexpr std::string_view kOrder[] = {
    "Error_Destroy", "Error_Message", "Error_GetCode", "Plugin_Initialize", "Plugin_Attributes", "Event_Destroy", "Event_IsReady",
    "Event_Error", "Event_Await", "Event_OnReady", "Client_Create", "Client_Destroy", "Client_PlatformName", "Client_ProcessIndex",
    "Client_PlatformVersion", "Client_Devices", "Client_AddressableDevices", "Client_LookupDevice", "Client_LookupAddressableDevice",
    "Client_AddressableMemories", "Client_Compile", "Client_DefaultDeviceAssignment", "Client_BufferFromHostBuffer",
    "DeviceDescription_Id", "DeviceDescription_ProcessIndex", "DeviceDescription_Attributes", "DeviceDescription_Kind",
    "DeviceDescription_DebugString", "DeviceDescription_ToString", "Device_GetDescription", "Device_IsAddressable",
    "Device_LocalHardwareId", "Device_AddressableMemories", "Device_DefaultMemory", "Device_MemoryStats", "Memory_Id", "Memory_Kind",
    "Memory_DebugString", "Memory_ToString", "Memory_AddressableByDevices", "Executable_Destroy", "Executable_Name",
    "Executable_NumReplicas", "Executable_NumPartitions", "Executable_NumOutputs", "Executable_SizeOfGeneratedCodeInBytes",
    "Executable_GetCostAnalysis", "Executable_OutputMemoryKinds", "Executable_OptimizedProgram", "Executable_Serialize",
    "LoadedExecutable_Destroy", "LoadedExecutable_GetExecutable", "LoadedExecutable_AddressableDevices", "LoadedExecutable_Delete",
    "LoadedExecutable_IsDeleted", "LoadedExecutable_Execute", "Executable_DeserializeAndLoad", "LoadedExecutable_Fingerprint",
    "Buffer_Destroy", "Buffer_ElementType", "Buffer_Dimensions", "Buffer_UnpaddedDimensions", "Buffer_DynamicDimensionIndices",
    "Buffer_GetMemoryLayout", "Buffer_OnDeviceSizeInBytes", "Buffer_Device", "Buffer_Memory", "Buffer_Delete", "Buffer_IsDeleted",
    "Buffer_CopyToDevice", "Buffer_ToHostBuffer", "Buffer_IsOnCpu", "Buffer_ReadyEvent", "Buffer_UnsafePointer",
    "Buffer_IncreaseExternalReferenceCount", "Buffer_DecreaseExternalReferenceCount", "Buffer_OpaqueDeviceMemoryDataPointer",
    "CopyToDeviceStream_Destroy", "CopyToDeviceStream_AddChunk", "CopyToDeviceStream_TotalBytes", "CopyToDeviceStream_GranuleSize",
    "CopyToDeviceStream_CurrentBytes", "TopologyDescription_Create", "TopologyDescription_Destroy", "TopologyDescription_PlatformName",
    "TopologyDescription_PlatformVersion", "TopologyDescription_GetDeviceDescriptions", "TopologyDescription_Serialize",
    "TopologyDescription_Attributes", "Compile", "Executable_OutputElementTypes", "Executable_OutputDimensions", "Buffer_CopyToMemory",
    "Client_CreateViewOfDeviceBuffer", "Executable_Fingerprint", "Client_TopologyDescription", "Executable_GetCompiledMemoryStats",
    "Memory_Kind_Id", "ExecuteContext_Create", "ExecuteContext_Destroy", "Buffer_CopyRawToHost",
    "AsyncHostToDeviceTransferManager_Destroy", "AsyncHostToDeviceTransferManager_TransferData",
    "Client_CreateBuffersForAsyncHostToDevice", "AsyncHostToDeviceTransferManager_RetrieveBuffer",
    "AsyncHostToDeviceTransferManager_Device", "AsyncHostToDeviceTransferManager_BufferCount",
    "AsyncHostToDeviceTransferManager_BufferSize", "AsyncHostToDeviceTransferManager_SetBufferError",
    "AsyncHostToDeviceTransferManager_AddMetadata", "Client_DmaMap", "Client_DmaUnmap", "Client_CreateUninitializedBuffer",
    "Client_UpdateGlobalProcessInfo", "TopologyDescription_Deserialize", "Client_CreateAliasBuffer", "Client_FulfillAliasBuffer",
    "LoadedExecutable_GetDeviceAssignment"};

#define AIBENCH_SIZE(ours, theirs, size) static_assert(struct_size<ours>() == (size), #theirs);
#define AIBENCH_MEMBER(ours, member, theirs, their_member, offset) static_assert(offsetof(ours, member) == (offset), #theirs "." #their_member);
AIBENCH_PJRT_RECORDED(AIBENCH_SIZE, AIBENCH_MEMBER)
#undef AIBENCH_SIZE
#undef AIBENCH_MEMBER
#define AIBENCH_ROW(name, place) static_assert(kOrder[place] == #name);
AIBENCH_PJRT_FUNCTIONS(AIBENCH_ROW)
#undef AIBENCH_ROW
static_assert(offsetof(Api, version) == 16 && offsetof(Version, major) == 16 && offsetof(Version, minor) == 20);

#ifdef AIBENCH_HAVE_PJRT_H
#define AIBENCH_SIZE(ours, theirs, size) static_assert(theirs##_STRUCT_SIZE >= (size), #theirs);
#define AIBENCH_MEMBER(ours, member, theirs, their_member, offset) static_assert(offsetof(theirs, their_member) == (offset), #theirs "." #their_member);
AIBENCH_PJRT_RECORDED(AIBENCH_SIZE, AIBENCH_MEMBER)
#define AIBENCH_ROW(name, place) static_assert(offsetof(PJRT_Api, PJRT_##name) == offsetof(Api, functions) + (place) * sizeof(void*), #name);
AIBENCH_PJRT_FUNCTIONS(AIBENCH_ROW)
#undef AIBENCH_ROW
static_assert(offsetof(PJRT_Api, pjrt_api_version) == 16 && offsetof(PJRT_Api_Version, major_version) == 16 && PJRT_API_MAJOR == kMajor);
static_assert(kF16 == PJRT_Buffer_Type_F16 && kF32 == PJRT_Buffer_Type_F32 && kF64 == PJRT_Buffer_Type_F64 && kBf16 == PJRT_Buffer_Type_BF16);
static_assert(kResourceExhausted == PJRT_Error_Code_RESOURCE_EXHAUSTED && kUnimplemented == PJRT_Error_Code_UNIMPLEMENTED);
static_assert(kImmutableUntilTransferCompletes == PJRT_HostBufferSemantics_kImmutableUntilTransferCompletes && kBoolValue == PJRT_NamedValue_kBool);
constexpr const char* kHeader = ", and with pjrt_c_api.h";
#else
constexpr const char* kHeader = "; pjrt_c_api.h is not on this machine";
#endif

}  // namespace

int main() {
  std::printf("compared with what %zu functions of PJRT 0.81 were recorded as%s\n", std::size(kOrder), kHeader);
  return 0;
}
