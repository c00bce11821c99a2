#include "judge/words.hpp"

#include <fmt/format.h>

namespace postern {
namespace {

const std::string* word_for(const std::string& name, const Observation& observation) {
  if (name == "recipient") return &observation.recipient;
  if (name == "sender") return &observation.sender;
  if (name == "token") return &observation.token;
  const auto found = observation.captured.find(name);
  return found == observation.captured.end() ? nullptr : &found->second;
}

}  // namespace

Filled filled(const std::string& text, const Observation& observation) {
  Filled result;
  std::size_t done = 0;
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", done)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) break;
    const std::string name = text.substr(at + 2, end - at - 2);
    const std::string* word = word_for(name, observation);
    if (word == nullptr && result.unset.empty()) result.unset = name;
    result.text += text.substr(done, at - done);
    result.text += word != nullptr ? *word : text.substr(at, end + 1 - at);
    done = end + 1;
  }
  result.text += text.substr(done);
  return result;
}

std::string never_set(const std::string& place, const std::string& name) {
  return fmt::format("{}: the story is wrong: nothing has set ${{{}}} when it is needed", place,
                     name);
}

}  // namespace postern
