#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "catalogue/story_parts.hpp"
#include "catalogue/story_tls.hpp"

// What the steps of a story make impossible, found before any socket opens.

namespace postern {
namespace {

bool contains_word(const std::vector<std::string>& words, const char* word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// goes_with_pipelining tells whether a client may send on behind this command without its reply
/// (RFC 2920 §3.1).
bool goes_with_pipelining(const std::string& command) {
  return command == "MAIL" || command == "RCPT" || command == "RSET";
}

/// for_each_use calls `use` with every ${name} in `text`.
template <typename Use>
void for_each_use(const std::string& text, Use use) {
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 2)) {
    const std::size_t end = text.find('}', at);
    use(text.substr(at + 2, end == std::string::npos ? end : end - at - 2));
  }
}

}  // namespace

void Lint::opened() {
  over_.clear();
  last_command_.clear();
  owed_ = 1;
  spoken_ = encrypted_ = go_ahead_ = notified_ = false;
}

void Lint::step(pugi::xml_node node, const Step& step) {
  // What is not said or heard on the connection has nothing to do with it.
  if (step.kind == StepKind::kApply || step.kind == StepKind::kMeet ||
      step.kind == StepKind::kAwait)
    return;
  if (step.kind == StepKind::kConnect) {
    finish();
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
  if (!over_.empty()) {
    // After FIN the other direction is still open: replies may come, and the end.
    const bool half_open =
        over_ == "close" && (step.kind == StepKind::kHear || step.kind == StepKind::kEnd ||
                             step.kind == StepKind::kReset || step.kind == StepKind::kHearAlert ||
                             (notified_ && (step.tls.wire || step.how == "fin")));
    const bool told = over_ == "renegotiate" && step.kind == StepKind::kEnd;
    if (!half_open && !told) {
      reader_.complain(
          node, fmt::format("found <{}> after <{}>, allowed: <connect> first", node.name(), over_));
    }
  }
  if (step.kind == StepKind::kHear || step.kind == StepKind::kEnd) unproved_ = {};
  follow(node, step);
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
  for (const std::string& reply : step.replies) go_ahead_ = go_ahead_ || reply[0] == '3';
}

void Lint::said(const Step& step) {
  spoken_ = true;
  last_command_.clear();
  owed_ +=
      std::max<int>(1, static_cast<int>(std::count(step.bytes.begin(), step.bytes.end(), '\n')));
}

void Lint::follow(pugi::xml_node node, const Step& step) {
  switch (step.kind) {
    case StepKind::kStarttls:
      if (encrypted_) {
        reader_.complain(node, "found a second <starttls> on one connection, allowed: one");
      }
      encrypted_ = true;
      break;
    case StepKind::kSay:
      said(step);
      break;
    case StepKind::kHear:
      heard(node, step);
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
      over_ = node.name();
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

namespace {

/// Together looks at all scripts of one story.
class Together {
 public:
  Together(const Reader& reader, const Story& story) : reader_(reader), story_(story) {
    for (const Script& script : story.scripts)
      for (const Step& step : script.steps)
        if (!step.as.empty()) captured_.push_back(step.as);
  }

  void check() {
    for (const Script& script : story_.scripts) {
      std::vector<std::string> meetings;
      for (const Step& step : script.steps) {
        if (step.kind == StepKind::kMeet) meetings.push_back(step.name);
        if (step.kind == StepKind::kMeet) meeting(step);
        for_each_use(step.bytes, [&](const std::string& name) { used(name, step); });
        for_each_use(step.contains, [&](const std::string& name) { used(name, step); });
        for_each_use(step.without, [&](const std::string& name) { used(name, step); });
      }
      orders_.push_back(std::move(meetings));
    }
    for (std::size_t i = 0; i < orders_.size(); ++i)
      for (std::size_t j = i + 1; j < orders_.size(); ++j) same_order(orders_[i], orders_[j], j);
  }

 private:
  void used(const std::string& name, const Step& step) {
    std::vector<std::string> known = {"recipient", "sender", "token"};
    known.insert(known.end(), captured_.begin(), captured_.end());
    if (contains_word(known, name.c_str())) return;
    std::vector<std::string> shown;
    for (const std::string& one : known) shown.push_back("${" + one + "}");
    complain(step, fmt::format("found \"${{{}}}\", allowed: {}{}", name, quoted_list(shown),
                               did_you_mean(name, known)));
  }

  void meeting(const Step& step) {
    std::size_t scripts = 0;
    for (const Script& script : story_.scripts)
      scripts += std::any_of(script.steps.begin(), script.steps.end(), [&](const Step& other) {
        return other.kind == StepKind::kMeet && other.name == step.name;
      });
    if (scripts < 2)
      complain(step, fmt::format("found the meeting \"{}\" in one script only, allowed: in two at "
                                 "least; it would wait for nobody",
                                 step.name));
  }

  /// same_order complains of two scripts that come to their meetings crosswise.
  void same_order(const std::vector<std::string>& one, const std::vector<std::string>& other,
                  std::size_t script) {
    std::vector<std::string> here, there;
    for (const std::string& name : one)
      if (contains_word(other, name.c_str())) here.push_back(name);
    for (const std::string& name : other)
      if (contains_word(one, name.c_str())) there.push_back(name);
    if (here == there) return;
    reader_.complain(reader_.root(),
                     fmt::format("found the meetings {} in one order in one script and in another "
                                 "in the script of line {}, allowed: one order; both would wait",
                                 quoted_list(here), story_.scripts[script].place.line));
  }

  void complain(const Step& step, std::string message) {
    reader_.complain(step.place, std::move(message));
  }

  const Reader& reader_;
  const Story& story_;
  std::vector<std::string> captured_;
  std::vector<std::vector<std::string>> orders_;
};

}  // namespace

void lint_together(const Reader& reader, const Story& story) {
  Together(reader, story).check();
}

}  // namespace postern
