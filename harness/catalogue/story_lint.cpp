#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "catalogue/story_parts.hpp"
#include "catalogue/story_tls.hpp"

// What the steps of a story make impossible, found before any socket opens.

namespace postern {
namespace {

constexpr const char* kFailed = "starttls must=\"fail\"";
// What is longer may get several replies (RFC 5321 §4.5.3.1.4).
constexpr std::size_t kLongestCommand = 512;

/// goes_with_pipelining tells whether a client may send on behind this command without its reply
/// (RFC 2920 §3.1).
bool goes_with_pipelining(const std::string& command) {
  return command == "MAIL" || command == "RCPT" || command == "RSET";
}

bool is_text(const std::string& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) {
    return (c >= ' ' && c < 127) || c == '\r' || c == '\n' || c == '\t';
  });
}

/// are_commands tells whether each line of `bytes` surely is a command that gets one reply.
bool are_commands(const std::string& bytes) {
  if (!is_text(bytes) || !bytes.ends_with("\r\n")) return false;
  std::size_t begin = 0;
  while (begin < bytes.size()) {
    const std::size_t end = bytes.find_first_of("\r\n", begin);
    const std::string line = bytes.substr(begin, end - begin);
    begin = end + 2;
    if (line.empty() || line.size() > kLongestCommand || bytes.compare(end, 2, "\r\n") != 0)
      return false;
    // What stands behind these is no command, or gets no reply.
    std::string verb = line.substr(0, 4);
    for (char& c : verb) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const bool last = begin == bytes.size();
    if (verb == "BDAT" || verb == "AUTH") return false;
    if (!last && (verb == "DATA" || verb == "STAR" || verb == "QUIT")) return false;
  }
  return true;
}

}  // namespace

void Lint::leave(pugi::xml_node node) {
  if (role_ == Role::kClient && over_.empty() && counted_ && owed_ > 0 && last_said_)
    reader_.complain(last_said_,
                     fmt::format("found {} to what is said that nobody hears, allowed: a "
                                 "<hear> for each before the {}",
                                 owed_ == 1 ? "a reply" : fmt::format("{} replies", owed_),
                                 std::string_view(node.name()) == "connect" ? "next connection"
                                                                            : "end of the script"));
}

void Lint::opened() {
  over_.clear();
  last_command_.clear();
  owed_ = 1;
  counted_ = true;
  last_said_ = {};
  spoken_ = encrypted_ = go_ahead_ = notified_ = alerts_ = false;
}

void Lint::step(pugi::xml_node node, const Step& step) {
  // What is not said or heard on the connection has nothing to do with it.
  if (step.kind == StepKind::kApply || step.kind == StepKind::kMeet ||
      step.kind == StepKind::kAwait)
    return;
  if (step.kind == StepKind::kConnect) {
    finish();
    leave(node);
    opened();
    return;
  }
  if (step.kind == StepKind::kSilence) {
    if (role_ == Role::kClient && owed_ > 0)
      reader_.complain(node,
                       "found <silence> where a reply is due, allowed: where every command has its "
                       "reply");
    unproved_ = node;
    return;
  }
  if (!over_.empty() && !goes_on(step))
    reader_.complain(
        node, fmt::format("found <{}> after <{}>, allowed: <connect> first", node.name(), over_));
  if (step.kind == StepKind::kHear || step.kind == StepKind::kEnd) unproved_ = {};
  follow(node, step);
}

// goes_on tells whether a step can stand behind what ended the connection.
bool Lint::goes_on(const Step& step) const {
  if (over_ == "renegotiate") return step.kind == StepKind::kEnd;
  if (over_ == kFailed)
    return step.kind == StepKind::kEnd || step.kind == StepKind::kHearAlert ||
           step.kind == StepKind::kClose || step.kind == StepKind::kReset;
  // After FIN the other direction is still open: replies may come, and the end.
  return over_ == "close" && (step.kind == StepKind::kHear || step.kind == StepKind::kEnd ||
                              step.kind == StepKind::kReset || step.kind == StepKind::kHearAlert ||
                              (notified_ && (step.tls.wire || step.how == "fin")));
}

void Lint::finish() {
  if (!unproved_) return;
  reader_.complain(unproved_,
                   "found <silence> that nothing follows, allowed: one with a <hear> or <end> "
                   "behind it, which proves it");
  unproved_ = {};
}

void Lint::heard(pugi::xml_node node, const Step& step) {
  if (role_ == Role::kServer) {
    if (!spoken_)
      reader_.complain(node,
                       "found <hear> on a connection where nothing was said, allowed: a greeting "
                       "first; both sides would wait");
    if (!last_command_.empty() && !goes_with_pipelining(last_command_))
      reader_.complain(node, fmt::format("found <hear> where {} has no reply yet, allowed: <say> "
                                         "first; both sides would wait",
                                         last_command_));
    alerts_ = alerts_ || std::count(step.commands.begin(), step.commands.end(), "STARTTLS") > 0;
    last_command_ = step.commands.empty() ? "" : step.commands.front();
    spoken_ = true;
    return;
  }
  // RFC 5321 §3.8: a server that gives up says 421 unasked.
  const bool unasked = step.replies == std::vector<std::string>{"421"};
  if (owed_ <= 0 && !unasked)
    reader_.complain(node,
                     "found <hear> where every command has its reply, allowed: <say> first; both "
                     "sides would wait");
  --owed_;
  counted_ =
      counted_ && !step.or_end && !std::count(step.replies.begin(), step.replies.end(), "421");
  for (const std::string& reply : step.replies) go_ahead_ = go_ahead_ || reply[0] == '3';
}

void Lint::said(pugi::xml_node node, const Step& step) {
  spoken_ = true;
  last_command_.clear();
  const int lines = static_cast<int>(std::count(step.bytes.begin(), step.bytes.end(), '\n'));
  owed_ += std::max<int>(1, lines);
  alerts_ = alerts_ || !is_text(step.bytes) || !step.bytes.ends_with("\r\n") ||
            step.bytes.find("STARTTLS") != std::string::npos;
  counted_ =
      counted_ && !go_ahead_ && !step.tls.wire && step.times == 1 && are_commands(step.bytes);
  last_said_ = node;
}

void Lint::follow(pugi::xml_node node, const Step& step) {
  switch (step.kind) {
    case StepKind::kStarttls:
      if (encrypted_) {
        reader_.complain(node, "found a second <starttls> on one connection, allowed: one");
      }
      encrypted_ = alerts_ = true;
      if (step.tls.must_fail) over_ = kFailed;
      counted_ = counted_ && owed_ == 0 && step.tls.early.empty();
      break;
    case StepKind::kSay:
      said(node, step);
      break;
    case StepKind::kHear:
      heard(node, step);
      break;
    case StepKind::kHearAlert:
      if (!alerts_)
        reader_.complain(node,
                         "found <hear-alert> where the gateway speaks no TLS, allowed: behind "
                         "<starttls>, STARTTLS or bytes that are no text");
      counted_ = false;
      break;
    case StepKind::kDeliver:
      spoken_ = true;
      last_command_.clear();
      break;
    case StepKind::kMessage:
      if (role_ == Role::kServer) {
        last_command_ = "the message";
        break;
      }
      if (!go_ahead_) {
        reader_.complain(node,
                         "found <message> before any <hear reply=\"354\"> on this "
                         "connection, allowed: only after one");
      }
      go_ahead_ = false;
      ++owed_;
      break;
    case StepKind::kClose:
      notified_ = ends_half(step);
      if (over_.empty()) over_ = node.name();
      break;
    case StepKind::kRenegotiate:
    case StepKind::kReset:
    case StepKind::kEnd:
    case StepKind::kNobody:
      over_ = node.name();
      break;
    default:
      break;
  }
}

}  // namespace postern
