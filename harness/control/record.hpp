#pragma once

#include <re2/re2.h>
#include <re2/set.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalogue/gateway_file.hpp"

// The record a gateway keeps, line by line, turned into events by the patterns of its file.

namespace postern {

/// RecordEvent is one thing the gateway says it did.
struct RecordEvent {
  std::string kind;  ///< As in RecordPattern::event: "accepted", "delivered", "session-end" …
  std::map<std::string, std::string> fields;  ///< Named groups that took part in the match.
  std::string line;                           ///< The whole line, as written.
  std::chrono::steady_clock::time_point at;   ///< When the line was read.
};

/// LineSplitter cuts a stream of bytes into lines. A line longer than kLongest is cut there: its
/// head is handed on and the rest of it dropped.
class LineSplitter {
 public:
  static constexpr std::size_t kLongest = 64 * 1024;

  /// feed hands every line completed by `bytes` to `on_line`, without its "\n" or "\r\n".
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line);

  /// finish hands on a last line that has no end.
  void finish(const std::function<void(std::string_view)>& on_line);

 private:
  void add(std::string_view piece);

  std::string partial_;
};

/// RecordReader turns the lines of one <record> into events. The first pattern in the order of the
/// file that matches a line decides; a line that none matches says nothing. Compiled once, used on
/// one thread.
class RecordReader {
 public:
  /// RecordReader compiles the patterns. Throws std::invalid_argument with the pattern's place and
  /// RE2's reason (the catalogue has checked them before).
  explicit RecordReader(const std::vector<RecordPattern>& patterns);

  /// read gives the event of `line`; false if no pattern matches.
  bool read(std::string_view line, RecordEvent& event) const;

 private:
  struct Pattern {
    std::string event;
    std::unique_ptr<RE2> expression;
    std::vector<std::pair<std::string, int>> groups;
  };
  std::vector<Pattern> patterns_;
  std::unique_ptr<RE2::Set> prefilter_;
};

/// Correlation tells recipients and clients from ids. Some gateways name the recipient on one line
/// and only their own id of the message (Postfix: the queue id) on others; or the client where its
/// session begins, and only their id of the session where it ends (OpenSMTPD).
class Correlation {
 public:
  /// complete hands `event` on. If it has an id and no recipient, it is handed on once for each
  /// recipient known for that id from earlier events, with the field set; if none is known, with
  /// the client that is. A sender known for the id is filled in likewise.
  void complete(RecordEvent event, const std::function<void(const RecordEvent&)>& on_event);

 private:
  struct Known {
    std::vector<std::string> recipients;
    std::string sender, client;
  };
  std::unordered_map<std::string, Known> by_id_;
};

}  // namespace postern
