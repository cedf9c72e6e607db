#include "core/available_memory.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace aibench {
namespace {

constexpr std::uint64_t kUnlimited = UINT64_MAX;

std::uint64_t mem_available(const std::string& proc_root) {
  std::ifstream file(proc_root + "/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::uint64_t kib = 0;
    if (std::sscanf(line.c_str(), "MemAvailable: %" SCNu64 " kB", &kib) == 1) return kib << 10;
  }
  return kUnlimited;
}

// A number of bytes; unlimited for "max", v1's huge default, or an absent file.
std::uint64_t read_limit(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  if (!(file >> text) || text == "max") return kUnlimited;
  const std::uint64_t value = std::strtoull(text.c_str(), nullptr, 10);
  return value >= (std::uint64_t{1} << 60) ? kUnlimited : value;
}

std::uint64_t keyed_value(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == key) return value;
  }
  return 0;
}

// What one cgroup leaves. Inactive page cache counts as used there but is given up on demand.
std::uint64_t cgroup_room(const std::string& folder, const char* limit_file, const char* usage_file, const char* cache_key) {
  const std::uint64_t limit = read_limit(folder + limit_file);
  if (limit == kUnlimited) return kUnlimited;
  const std::uint64_t usage = read_limit(folder + usage_file);
  const std::uint64_t reclaimable = keyed_value(folder + "/memory.stat", cache_key);
  const std::uint64_t used = usage == kUnlimited ? 0 : usage - std::min(usage, reclaimable);
  return limit - std::min(limit, used);
}

// The tightest of a cgroup and its parents; `path` starts with a slash. Inside a container the path may not exist
// below the mount, whose root is then the container's own cgroup: walking up to "" covers that.
std::uint64_t tightest_room(const std::string& mount, std::string path, const char* limit_file, const char* usage_file,
                            const char* cache_key) {
  std::uint64_t room = kUnlimited;
  for (;;) {
    if (path == "/") path.clear();
    room = std::min(room, cgroup_room(mount + path, limit_file, usage_file, cache_key));
    if (path.empty()) return room;
    path.resize(path.rfind('/'));
  }
}

}  // namespace

std::uint64_t available_memory_bytes(const std::string& proc_root, const std::string& sys_root) {
  std::uint64_t room = mem_available(proc_root);
  std::ifstream file(proc_root + "/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || second + 1 >= line.size() || line[second + 1] != '/') continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      room = std::min(room, tightest_room(sys_root + "/fs/cgroup", path, "/memory.max", "/memory.current", "inactive_file"));
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      room = std::min(room, tightest_room(sys_root + "/fs/cgroup/memory", path, "/memory.limit_in_bytes",
                                          "/memory.usage_in_bytes", "total_inactive_file"));
    }
  }
  return room == kUnlimited ? 0 : room;
}

Status check_memory(double bytes, const std::string& what) {
  const auto room = static_cast<double>(available_memory_bytes());
  if (room == 0 || bytes <= 0.98 * room) return Status::success();
  char text[160];
  std::snprintf(text, sizeof text, " needs %.0f bytes (%.2f GiB) of memory and %.0f bytes (%.2f GiB) are available", bytes,
                bytes / (1 << 30), room, room / (1 << 30));
  return Status::failure("OUT_OF_MEMORY", what + text, "Choose a smaller size or free memory on this machine.");
}

}  // namespace aibench
