// The queue's SQLite file: statements and rows. Only the storage thread touches it once the
// gateway runs.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "message.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace gateway {

// DatabaseError says what SQLite could not do.
struct DatabaseError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Database holds messages, their recipients and their bodies. Small bodies stand in the row of
// their message, large ones in chunk rows that count only once the message is marked complete.
// All functions throw DatabaseError.
class Database {
 public:
  // The constructor opens a file, under `write` makes it where it is missing, and converts one that
  // an earlier version has left. Under `read`, and where a later version has used it, that is an
  // error.
  enum class Mode { write, read };
  Database(const std::string& file, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void begin();
  void commit();
  void rollback();

  // insert adds a complete message with its recipients.
  void insert(const Envelope& envelope, std::string_view body);

  // insert_incomplete adds the row of a message whose chunks follow, complete adds its recipients
  // and makes it count.
  void insert_incomplete(std::uint64_t id);
  void append_chunk(std::uint64_t id, std::uint64_t sequence, std::string_view bytes);
  void complete(const Envelope& envelope);

  // remove deletes a message with all that belongs to it.
  void remove(std::uint64_t id);

  // remove_recipient deletes one, defer_recipient notes a failed attempt.
  void remove_recipient(std::uint64_t id, std::uint64_t number);
  void defer_recipient(std::uint64_t id, const Recipient& recipient);

  // remove_incomplete deletes messages that were being received when the gateway ended.
  void remove_incomplete();

  // messages lists all complete messages in the order of their ids.
  std::vector<Envelope> messages();

  // body_piece returns piece number `sequence` of a body; empty behind the last one.
  std::string body_piece(std::uint64_t id, std::uint64_t sequence);

 private:
  class Statement;
  Statement prepare(const char* sql);
  void execute(const char* sql);
  int ask(const char* sql);
  void adopt(const std::string& file, Mode mode);
  void insert_recipients(const Envelope& envelope);
  [[noreturn]] void fail(const char* what);

  sqlite3* handle_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

}  // namespace gateway
