// The script that a stand-in library plays: the text file beside it, of its name with ".script" added. One line per key,
// then what successive calls give; the last stays. E<code>: the call fails with that code.
#pragma once
#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace fake {

inline std::mutex lock;
inline std::map<std::string, std::vector<std::string>> script;
inline std::map<std::string, std::size_t> at;

inline void load(void* of) {
  const std::lock_guard<std::mutex> guard(lock);
  Dl_info self;
  dladdr(of, &self);
  std::ifstream file(std::string(self.dli_fname) + ".script");
  script.clear();
  at.clear();
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    for (std::string word; words >> word;) script[key].push_back(word);
  }
}

// The code of the call (0: success); `absent` where the key is not in the script.
inline int play(const std::string& key, double* value, int absent) {
  const std::lock_guard<std::mutex> guard(lock);
  const auto found = script.find(key);
  if (found == script.end()) return absent;
  std::size_t& index = at[key];
  const std::string step = found->second[index];
  if (index + 1 < found->second.size()) ++index;
  if (step[0] == 'E') return static_cast<int>(std::strtol(step.c_str() + 1, nullptr, 0));
  *value = std::atof(step.c_str());
  return 0;
}

// The code of a call that the script makes fail, `fail zesDriverGet:0x70010000`; else 0.
inline int told(const std::string& call) {
  const std::lock_guard<std::mutex> guard(lock);
  const auto orders = script.find("fail");
  if (orders == script.end()) return 0;
  for (const std::string& order : orders->second) {
    if (order.rfind(call + ":", 0) == 0) return static_cast<int>(std::strtol(order.c_str() + call.size() + 1, nullptr, 0));
  }
  return 0;
}
#define FAKE_TOLD(call) \
  if (const int code = fake::told(#call); code != 0) return code

inline double number(const std::string& key, double otherwise) {
  double value = otherwise;
  return play(key, &value, 0) == 0 ? value : otherwise;
}

}  // namespace fake
