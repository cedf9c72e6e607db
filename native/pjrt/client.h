// A client of a plugin: its devices, and programs and buffers on them. Everything is freed with the client.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "device/element.h"
#include "pjrt/plugin.h"

namespace aibench::pjrt {

struct DeviceInfo {
  Device* device = nullptr;
  int index = 0;  // among those that this process may use
  int id = 0;     // the plugin's
  std::string kind;
  std::uint64_t memory_bytes = 0;  // the most that a user may take; 0 where the plugin does not say
  std::uint64_t used_bytes = 0;
};

class Session {
 public:
  // Opens the plugin at that path as well.
  static Status open(const std::string& path, std::unique_ptr<Session>* session);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Plugin& plugin() const { return plugin_; }
  const std::string& platform() const { return platform_; }
  const std::string& platform_version() const { return platform_version_; }
  const std::vector<DeviceInfo>& devices() const { return devices_; }

  // Compiles StableHLO text for these devices, one replica each.
  Status compile(const std::string& text, const std::vector<const DeviceInfo*>& devices, Executable** executable);
  // Copies dense, row-major data to the device and waits for it.
  Status upload(const void* data, Element element, const std::vector<std::int64_t>& dimensions, const DeviceInfo& device, Buffer** buffer);
  // Copies a result of `bytes` back and waits for it; a plugin that lays it out otherwise converts it.
  Status download(Buffer* buffer, void* target, std::size_t bytes);
  // Starts a program with one list of inputs and one result per device. `complete` gets an event per device, ready when that device has ended.
  Status execute(Executable* executable, const std::vector<std::vector<Buffer*>>& inputs, std::vector<Buffer*>* results, std::vector<Event*>* complete);
  // Waits, and frees the event.
  Status await(Event* event);
  void destroy(Buffer* buffer);

 private:
  explicit Session(const Plugin& plugin) : plugin_(plugin) {}
  Status create();
  Status list_devices();

  const Plugin& plugin_;
  Client* client_ = nullptr;
  std::string platform_, platform_version_;
  std::vector<DeviceInfo> devices_;
  std::vector<Executable*> executables_;
  std::vector<Buffer*> uploads_;
};

// For the record.
std::map<std::string, std::string> session_facts(const Session& session, const DeviceInfo& device);

}  // namespace aibench::pjrt
