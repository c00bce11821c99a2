// The journal: one JSON object a line, what any observer needs to know a message's fate. Every
// event and field is described in docs/gateway.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "values.hpp"

namespace gateway {

// JournalLine is one event under construction. Fields stand in the order in which they are added,
// which is the same for every line of an event, so that a regular expression can match it.
class JournalLine {
 public:
  explicit JournalLine(std::string_view event);

  JournalLine& add(std::string_view key, std::string_view value);
  JournalLine& add(std::string_view key, std::uint64_t value);

  // text is the finished line with its newline. The time is that of its writing, so that the times
  // of a journal never run backwards.
  std::string text(TimePoint time) const;

 private:
  std::string text_;
};

// json_string quotes `value`. Octets that are not UTF-8 are written as \xFF with the backslash
// escaped, so that a line is always valid JSON.
std::string json_string(std::string_view value);

// Journal collects lines and writes them with one write(2) a batch. One thread uses it.
class Journal {
 public:
  // The constructor appends to `path`, or writes to stdout where it is empty. It throws
  // std::runtime_error when the file cannot be opened.
  explicit Journal(const std::string& path);
  ~Journal();

  // check throws where the constructor would, and makes nothing.
  static void check(const std::string& path);

  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // add keeps a line until the next flush.
  void add(const JournalLine& line);

  // flush writes what is kept. A reader that went away loses lines, never the gateway.
  void flush();

  // set_scheduler sets what is called when a first line waits: it arranges for a flush soon.
  void set_scheduler(std::function<void()> schedule) { schedule_ = std::move(schedule); }

 private:
  int descriptor_;
  bool owned_;
  std::string pending_;
  std::function<void()> schedule_;
};

}  // namespace gateway
