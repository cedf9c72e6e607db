// One way to say that something went wrong, without exceptions across thread or C boundaries.
#pragma once
#include <string>
#include <utility>

namespace aibench {

// A failure is a stable code (SCREAMING_SNAKE), one sentence of fact and one hint. An empty code is success.
struct Status {
  std::string code;
  std::string message;
  std::string remedy;
  bool ok() const { return code.empty(); }
  static Status success() { return {}; }
  static Status failure(std::string code, std::string message, std::string remedy = "") {
    return {std::move(code), std::move(message), std::move(remedy)};
  }
};

}  // namespace aibench
