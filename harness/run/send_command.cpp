#include <fmt/core.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "catalogue/reader.hpp"
#include "control/remote.hpp"
#include "failure_text.hpp"
#include "judge/judge.hpp"
#include "run/commands.hpp"
#include "run/dialogue.hpp"
#include "run/loaded.hpp"
#include "run/message.hpp"
#include "run/screen.hpp"
#include "run/visit.hpp"

namespace postern {
namespace {

constexpr auto kLimit = std::chrono::seconds(60);                // For one reply.
constexpr std::size_t kLargestMessage = 64UL * 1024UL * 1024UL;  // Octets of a file.

// message_in reads a message from a file; lines that end with LF alone get CRLF.
std::string message_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::invalid_argument(path + " cannot be read");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.size() > kLargestMessage)
    throw std::invalid_argument(
        fmt::format("{} has {} octets, allowed: {}", path, text.size(), kLargestMessage));
  std::string message;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) message += '\r';
    message += text[i];
  }
  if (!message.ends_with("\r\n")) message += "\r\n";
  return message;
}

std::string tls_of(const ConnectionFacts& connection) {
  if (connection.handshake != Handshake::kCompleted)
    return connection.starttls_offered ? "in clear text, though STARTTLS is offered"
                                       : "in clear text";
  return fmt::format("over TLS {} ({}), {}", connection.tls_version, connection.tls_cipher,
                     !connection.asked              ? "no certificate asked for"
                     : connection.certificate_shown ? "a certificate asked for and shown"
                                                    : "a certificate asked for and none shown");
}

// reply_of gives the last reply, and what it answered.
std::string reply_of(const ConnectionFacts& connection) {
  return fmt::format("{}{}{} to {}", connection.last_reply,
                     connection.last_enhanced.empty() ? "" : " ", connection.last_enhanced,
                     connection.last_command);
}

// told says in a sentence how the last connection went.
std::string told(const Observation& seen) {
  if (!seen.harness_error.empty()) return "no connection was made: " + seen.harness_error;
  if (seen.client.empty()) return "no connection was made";
  const ConnectionFacts& last = seen.client.back();
  if (!last.connected)
    return last.ending == Ending::kTimeout ? "no connection was made: nobody answered in time"
                                           : "no connection was made: it was refused";
  const std::string end = last.ended_by == Actor::kGateway
                              ? fmt::format("the connection was ended: {}", word(last.ending))
                          : last.ending == Ending::kTimeout ? "nothing more came in time"
                                                            : "the connection stayed";
  if (last.accepted > 0) return "accepted " + tls_of(last);
  if (last.handshake == Handshake::kFailed)
    return fmt::format("TLS failed ({}); {}", last.tls_error.empty() ? "no reason" : last.tls_error,
                       end);
  if (last.last_reply >= 400 && last.last_command == "STARTTLS")
    return fmt::format("TLS was refused: {}; {}", reply_of(last), end);
  if (last.last_reply >= 400)
    return fmt::format("refused {}: {}; {}", tls_of(last), reply_of(last), end);
  return fmt::format("neither accepted nor refused; {}", end);
}

}  // namespace

int send_command(const CommonOptions& common, const SendOptions& options) {
  Loaded loaded;
  if (!load(common.scenarios, loaded)) return 2;
  const auto& clients = loaded.catalogue->clients;
  const auto client = clients.find(options.client);
  if (client == clients.end()) {
    std::vector<std::string> known;
    for (const auto& [name, peer] : clients) known.push_back(name);
    fmt::print(stderr, "postern: there is no client \"{}\"{}; {} can be named\n", options.client,
               did_you_mean(options.client, known), quoted_list(known));
    return 2;
  }
  for (const std::string& address : {options.from, options.to}) {
    if (address.find_first_of("\r\n") == std::string::npos) continue;
    fmt::print(stderr,
               "postern: found an address with the end of a line in it, allowed: one line\n");
    return 2;
  }
  ByHand with(*loaded.authority);
  Visit visit(with, kLimit);
  Observation& seen = visit.seen;
  seen.sender = options.from;
  seen.recipient = options.to;
  try {
    if (!options.certs.empty()) loaded.authority->read(options.certs);
    visit.scene.gateway = look_up(options.at);
    seen.message = options.message.empty() ? make_message("by-hand", options.from, options.to, 1)
                                           : message_in(options.message);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "postern: {}\n", problem.what());
    return 2;
  }
  const bool six = visit.scene.gateway.address().is_v6();
  const boost::asio::ip::address from =
      six ? boost::asio::ip::address(boost::asio::ip::address_v6::any())
          : boost::asio::ip::address(boost::asio::ip::address_v4::any());
  std::exception_ptr failed;
  boost::asio::co_spawn(with.io, play_client(visit.scene, client->second, from),
                        [&](std::exception_ptr error) {
                          failed = error;
                          with.patience.stop();
                        });
  with.io.run();
  if (failed) std::rethrow_exception(failed);
  if (!options.quiet) {
    reports::CaseResult shown;
    shown.events = dialogue_of(seen, 0);
    fmt::print("{}\n", reports::transcript_text(shown, text_width(STDOUT_FILENO)));
  }
  const reports::Outcome outcome = observe_inbound(seen);
  fmt::print("{}: {}\n", options.client, told(seen));
  fmt::print("outcome: {}\n", outcome.text());
  const bool conversed = !seen.client.empty() && seen.client.back().connected;
  return outcome.word == "accept" ? 0 : conversed ? 1 : 3;
}

}  // namespace postern
