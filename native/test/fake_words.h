// What a stand-in library is told in an environment variable, words with spaces between: `fail=clFinish:-5,clFlush:-5 hang=clGetPlatformIDs`.
//   fail=<call>:<code>   that call returns that code       hang=<call>   that call never returns
//   crash=<call>         that call ends the process        after=<n>     all three begin with call number n + 1 of that name
#pragma once
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

// Unnamed: two copies of a library in one process share nothing.
namespace fake {
namespace {

[[maybe_unused]] const char* variable = "";  // the library names its own

[[maybe_unused]] std::string word(const char* key, const char* otherwise) {
  const char* all = std::getenv(variable);
  const std::string text = std::string(" ") + (all == nullptr ? "" : all) + " ";
  const std::size_t at = text.find(std::string(" ") + key + "=");
  if (at == std::string::npos) return otherwise;
  const std::size_t begin = at + std::strlen(key) + 2;
  return text.substr(begin, text.find(' ', begin) - begin);
}

[[maybe_unused]] double number(const char* key, double otherwise) {
  const std::string text = word(key, "");
  return text.empty() ? otherwise : std::atof(text.c_str());
}

[[maybe_unused]] bool listed(const char* key, const char* call, int* value = nullptr) {
  const std::string list = "," + word(key, "") + ",";
  const std::string name = call;
  if (list.find("," + name + ",") != std::string::npos) return true;
  const std::size_t at = list.find("," + name + ":");
  if (at == std::string::npos) return false;
  if (value != nullptr) *value = std::atoi(list.c_str() + at + name.size() + 2);
  return true;
}

// Does what the words say of this call; the code that it must return.
[[maybe_unused]] int trouble(const char* call) {
  static std::map<std::string, double> seen;
  if (seen[call]++ < number("after", 0)) return 0;
  if (listed("hang", call)) {
    for (;;) pause();
  }
  if (listed("crash", call)) abort();
  int code = 0;
  listed("fail", call, &code);
  return code;
}

[[maybe_unused]] void wait_seconds(double seconds) {
  if (seconds > 0) usleep(static_cast<useconds_t>(seconds * 1e6));
}

}  // namespace
}  // namespace fake
