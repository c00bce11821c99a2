// The SMTP dialogue of the receiving side: commands in, replies and the next step out. It moves no
// bytes; session.cpp does.
#pragma once

#include <string>
#include <vector>

#include "config.hpp"
#include "line_reader.hpp"
#include "smtp_command.hpp"
#include "smtp_reply.hpp"
#include "tls_context.hpp"

namespace gateway {

// Next is what the session does after the reply.
enum class Next {
  read_command,
  start_tls,     // discard what came in clear text, then shake hands
  receive_data,  // read to CRLF.CRLF
  end,           // the client said QUIT
  drop,          // the gateway closes
};

struct Answer {
  Reply reply;
  Next next = Next::read_command;
};

// Transaction is what MAIL and RCPT have said.
struct Transaction {
  std::string sender;
  bool declared_8bit = false;
  bool smtputf8 = false;
  std::uint64_t declared_size = 0;
  std::vector<std::string> recipients;
};

// DataResult is what came of the data, before anything is stored.
struct DataResult {
  bool bare_line_ending = false;
  bool too_large = false;
  bool line_too_long = false;
  bool loops = false;
  bool came_back = false;  // this gateway has had it too often
};

class Dialogue {
 public:
  Dialogue(const Config& config, IpAddress client)
      : config_(config), client_(client), policy_(config.tls.receiving_policy(client)) {}

  Reply greeting() const;

  // on_line answers one command line.
  Answer on_line(const Line& line);

  // tls_started forgets all that was said before (IN-8).
  void tls_started(const TlsFacts& facts);

  // refuse_data is the reply to data that cannot be accepted; code 0 where it can.
  Reply refuse_data(const DataResult& result) const;

  // data_done ends the transaction.
  void data_done() { reset(); }

  // must_use_tls tells whether the session still lacks the TLS that is required.
  bool must_use_tls() const;

  const Transaction& transaction() const { return transaction_; }
  const TlsFacts& tls() const { return tls_; }
  const std::string& helo() const { return helo_; }
  bool extended() const { return extended_; }  // EHLO, not HELO
  const std::string& last_command() const { return last_command_; }
  const std::string& last_recipient() const { return last_recipient_; }

 private:
  enum class State { start, greeted, mail, rcpt };
  struct Row;
  static const Row kTable[];

  Answer dispatch(const Command& command);
  Answer count_errors(Answer answer);
  void reset();

  Answer ehlo(const Command& command);
  Answer helo_command(const Command& command);
  Answer starttls(const Command& command);
  Answer mail(const Command& command);
  Answer rcpt(const Command& command);
  Answer data(const Command& command);
  Answer rset(const Command& command);
  Answer noop(const Command& command);
  Answer vrfy(const Command& command);
  Answer help(const Command& command);
  Answer quit(const Command& command);
  Answer not_implemented(const Command& command);

  Reply read_mail_parameters(const std::vector<std::string>& parameters, Transaction& transaction);
  Reply check_recipient(const std::string& mailbox, bool postmaster) const;

  const Config& config_;
  IpAddress client_;
  ReceivingPolicy policy_;
  State state_ = State::start;
  TlsFacts tls_;
  Transaction transaction_;
  std::string helo_;
  bool extended_ = false;
  std::string last_command_;
  std::string last_recipient_;
  std::uint64_t commands_in_clear_ = 0;
  std::uint64_t bad_commands_ = 0;
  std::uint64_t rejected_ = 0;
};

}  // namespace gateway
