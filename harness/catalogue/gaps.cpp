#include "catalogue/gaps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "catalogue/citations.hpp"
#include "catalogue/vocabulary.hpp"

namespace postern {
namespace {

constexpr Role kRoles[] = {Role::kClient, Role::kServer};

const char* role_word(Role role) {
  return role == Role::kClient ? "client" : "server";
}

void add_requirements(const Catalogue& catalogue, std::vector<Gap>& gaps) {
  const auto cited = citations(catalogue);
  for (const Requirement* one : in_order(catalogue))
    if (!cited.at(one->id).any())
      gaps.push_back({"requirement/" + one->id, "no case cites it: " + one->text});
}

/// add_settings goes through all combinations of the settings that have a list of values. One in
/// force through a default counts.
void add_settings(const Catalogue& catalogue, std::vector<Gap>& gaps) {
  std::vector<const Setting*> listed;
  for (const Setting& one : settings())
    if (!one.values.empty() && !one.extra) listed.push_back(&one);
  const auto name = [&](const Assignment& all) {
    Assignment some;
    for (const Setting* one : listed) some.set(one->name, *all.get(one->name));
    return some.text();
  };
  std::set<std::string> known;
  for (const MatrixCase& one : catalogue.matrix_cases) known.insert(name(complete(one.settings)));
  for (const InvalidCase& one : catalogue.invalid_cases) known.insert(name(complete(one.settings)));
  for (const auto& one : catalogue.stories) known.insert(name(complete(one->settings)));
  const std::function<void(const Assignment&, std::size_t)> enumerate =
      [&](const Assignment& chosen, std::size_t at) {
        if (at == listed.size()) {
          if (known.count(chosen.text()) == 0)
            gaps.push_back({"settings/" + chosen.text(), "no case has these settings"});
          return;
        }
        for (const std::string& value : listed[at]->values) {
          Assignment next = chosen;
          next.set(listed[at]->name, value);
          enumerate(next, at + 1);
        }
      };
  enumerate({}, 0);
}

/// on_axes gives the peers of a role that stand on an axis of a matrix or play in a story.
std::vector<const Peer*> on_axes(const Catalogue& catalogue, Role role) {
  std::set<std::string> names;
  const auto kind = role == Role::kClient ? Axis::Kind::kClient : Axis::Kind::kServer;
  for (const auto& matrix : catalogue.matrices)
    for (const Axis& axis : matrix->axes)
      if (axis.kind == kind) names.insert(axis.values.begin(), axis.values.end());
  for (const auto& story : catalogue.stories)
    for (const Script& script : story->scripts)
      if (script.role == role && !script.peer.empty()) names.insert(script.peer);
  const auto& peers = role == Role::kClient ? catalogue.clients : catalogue.servers;
  std::vector<const Peer*> found;
  for (const std::string& name : names)
    if (const auto peer = peers.find(name); peer != peers.end()) found.push_back(&peer->second);
  return found;
}

void add_certificates(const Catalogue& catalogue, const std::vector<std::string>& certificates,
                      std::vector<Gap>& gaps) {
  std::set<std::string> shown = {"gateway"};
  for (const Role role : kRoles)
    for (const Peer* peer : on_axes(catalogue, role)) shown.insert(peer->certificate);
  for (const auto& story : catalogue.stories)
    for (const Script& script : story->scripts)
      for (const Step& step : script.steps) shown.insert(step.tls.certificate);
  for (const std::string& name : certificates)
    if (shown.count(name) == 0)
      gaps.push_back({"certificate/" + name,
                      "no peer of a matrix and no step of a story shows this certificate"});
}

/// Fault is what a peer does at a point in place of what is due.
struct Fault {
  Role role = Role::kClient;
  Point at = Point::kGreeting;
  Act act = Act::kSay;

  bool operator<(const Fault& other) const {
    return std::tie(role, at, act) < std::tie(other.role, other.at, other.act);
  }
};

/// point_of gives the point that a command, or the reply to it, stands for; `here` where it stands
/// for none.
Point point_of(std::string_view verb, bool in_tls, Point here) {
  if (verb == "EHLO" || verb == "HELO") return in_tls ? Point::kAfterTls : Point::kEhlo;
  if (verb == "STARTTLS") return Point::kStarttls;
  if (verb == "MAIL") return Point::kMail;
  if (verb == "RCPT") return Point::kRcpt;
  if (verb == "DATA") return Point::kData;
  if (verb == "QUIT") return Point::kQuit;
  return here;
}

std::string verb_in(const std::string& bytes) {
  std::string verb = bytes.substr(0, bytes.find_first_of(" \r\n"));
  std::transform(verb.begin(), verb.end(), verb.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return verb;
}

/// is_due tells whether a server's `bytes` are a reply that takes the command at `point`.
bool is_due(const std::string& bytes, Point point) {
  const bool greets = point == Point::kEhlo || point == Point::kAfterTls;
  if (bytes.find("\r\n") + 2 != bytes.size() && !greets) return false;
  const char* due = point == Point::kData ? "354" : point == Point::kGreeting ? "220" : "2";
  return bytes.starts_with(due) && (point != Point::kStarttls || bytes.starts_with("220"));
}

/// due_after gives the points that a client may be at once the reply to `point` was heard. In clear
/// text either STARTTLS or MAIL may follow EHLO.
std::vector<Point> due_after(Point point, bool in_tls) {
  switch (point) {
    case Point::kGreeting:
      return {Point::kEhlo};
    case Point::kEhlo:
      return {Point::kStarttls, Point::kMail};
    case Point::kStarttls:
      return in_tls ? std::vector{Point::kAfterTls}
                    : std::vector{Point::kReady, Point::kClientHello};
    case Point::kAfterTls:
      return {Point::kMail};
    case Point::kMail:
      return {Point::kRcpt};
    case Point::kRcpt:
      return {Point::kData};
    case Point::kData:
      return {Point::kBody};
    case Point::kBody:
    case Point::kDot:
      return {Point::kQuit};
    default:
      return {point};
  }
}

/// ClientReading goes along a client's script and knows what would be due.
class ClientReading {
 public:
  explicit ClientReading(std::set<Fault>& done) : done_(done) {}

  void take(const Step& step) {
    switch (step.kind) {
      case StepKind::kConnect:
        in_tls_ = false;
        answers_ = true;
        here_ = Point::kGreeting;
        due_ = {Point::kGreeting};
        break;
      case StepKind::kHear:
        if (answers_) due_ = due_after(here_, in_tls_);
        break;
      case StepKind::kStarttls:
        for (const Deviation& one : step.tls.deviations)
          done_.insert({Role::kClient, one.at, one.act});
        in_tls_ = true;
        due_ = due_after(Point::kStarttls, true);
        break;
      case StepKind::kSay:
        say(step.bytes);
        break;
      case StepKind::kDeliver:
      case StepKind::kMessage:
        here_ = Point::kDot;
        due_ = {Point::kQuit};
        break;
      case StepKind::kClose:
        does(Act::kClose);
        break;
      case StepKind::kReset:
        does(Act::kReset);
        break;
      default:
        break;
    }
  }

 private:
  void does(Act act) {
    for (const Point point : due_) done_.insert({Role::kClient, point, act});
  }

  /// say takes for wrong what is not one whole line, and a command out of its turn that no other
  /// may come at any time.
  void say(const std::string& bytes) {
    static const std::set<std::string> kAnyTime = {"NOOP", "RSET", "VRFY", "EXPN", "HELP", "QUIT"};
    if (std::count(due_.begin(), due_.end(), Point::kBody) > 0 ||
        std::count(due_.begin(), due_.end(), Point::kDot) > 0) {
      answers_ = bytes.ends_with(".\r\n");
      here_ = Point::kDot;
      if (bytes.find("\r\n") + 2 != bytes.size())
        done_.insert({Role::kClient, Point::kBody, Act::kSay});
      due_ = {Point::kDot, Point::kBody};
      return;
    }
    const std::string verb = verb_in(bytes);
    const Point meant = point_of(verb, in_tls_, Point::kFinished);
    const bool whole = bytes.find("\r\n") + 2 == bytes.size();
    const bool in_turn = std::count(due_.begin(), due_.end(), meant) > 0;
    if (!whole || (!in_turn && kAnyTime.count(verb) == 0)) does(Act::kSay);
    answers_ = in_turn;
    if (!in_turn) return;
    here_ = meant;
    due_ = {meant};
  }

  std::set<Fault>& done_;
  bool in_tls_ = false;
  bool answers_ = true;  ///< The next reply is to a command that was due.
  Point here_ = Point::kGreeting;
  std::vector<Point> due_ = {Point::kGreeting};
};

/// add_faults_of reads off a script what its peer does wrong, and where.
void add_faults_of(const Script& script, std::set<Fault>& done) {
  if (script.role == Role::kClient) {
    ClientReading reading(done);
    for (const Step& step : script.steps) reading.take(step);
    return;
  }
  bool in_tls = false;
  Point here = Point::kGreeting;
  for (const Step& step : script.steps) {
    if (step.kind == StepKind::kConnect) in_tls = false;
    if (step.kind == StepKind::kConnect) here = Point::kGreeting;
    if (step.kind == StepKind::kStarttls) in_tls = true;
    for (const Deviation& one : step.tls.deviations) done.insert({Role::kServer, one.at, one.act});
    if (step.kind == StepKind::kHear) here = point_of(step.commands.front(), in_tls, here);
    if (step.kind == StepKind::kDeliver || step.kind == StepKind::kMessage) here = Point::kDot;
    if (step.kind == StepKind::kSay && !is_due(step.bytes, here))
      done.insert({Role::kServer, here, Act::kSay});
    if (step.kind == StepKind::kClose) done.insert({Role::kServer, here, Act::kClose});
    if (step.kind == StepKind::kReset) done.insert({Role::kServer, here, Act::kReset});
  }
}

/// may_be tells whether a fault makes sense and can be judged: a client has nothing due before it
/// is greeted; what it says in place of the dot is text of its message; and of a client that resets
/// within a handshake nothing more is seen. A server says nothing at the points that are not its,
/// and one that leaves a reply out stalls. Half a flight needs one that is in clear text.
bool may_be(const Fault& fault) {
  const bool client = fault.role == Role::kClient;
  if (fault.act == Act::kTruncate || fault.act == Act::kAlert)
    return fault.at == Point::kClientHello || (client && fault.at == Point::kCertificate);
  if (fault.act == Act::kSkip)
    return client && (fault.at == Point::kEhlo || fault.at == Point::kAfterTls ||
                      fault.at == Point::kMail || fault.at == Point::kRcpt);
  switch (fault.at) {
    case Point::kGreeting:
      return !client || fault.act == Act::kSay;
    case Point::kReady:
      return fault.act != Act::kSay;
    case Point::kCertificate:
      return !client || fault.act != Act::kReset;
    case Point::kFinished:
      return fault.act == Act::kClose || fault.act == Act::kStall ||
             (!client && fault.act == Act::kReset);
    case Point::kBody:
      return client || fault.act != Act::kSay;
    case Point::kDot:
      return !client || fault.act != Act::kSay;
    default:
      return true;
  }
}

/// Played tells under which levels, of the leg that it is on, a fault is played.
using Played = std::map<Fault, std::set<std::string>>;

const Setting& level_of(Role role) {
  return *setting(role == Role::kClient ? "server-level" : "client-level");
}

void play_peer(const Catalogue& catalogue, Role role, const std::string& name,
               const std::string& level, Played& played) {
  const auto& peers = role == Role::kClient ? catalogue.clients : catalogue.servers;
  const auto peer = peers.find(name);
  if (peer == peers.end()) return;
  for (const Deviation& one : peer->second.deviations)
    played[{role, one.at, one.act}].insert(level);
}

Played played_faults(const Catalogue& catalogue) {
  Played played;
  const auto under = [](const Assignment& settings, Role role) {
    const std::string* stated = settings.get(level_of(role).name);
    return stated == nullptr ? level_of(role).default_value : *stated;
  };
  for (const MatrixCase& one : catalogue.matrix_cases) {
    play_peer(catalogue, Role::kClient, one.client, under(one.settings, Role::kClient), played);
    if (one.outbound != nullptr)
      play_peer(catalogue, Role::kServer, one.server, under(one.settings, Role::kServer), played);
  }
  for (const auto& story : catalogue.stories)
    for (const Script& script : story->scripts) {
      const bool own = !script.level.empty() && script.level != "same";
      const std::string level = own ? script.level : under(story->settings, script.role);
      play_peer(catalogue, script.role, script.peer, level, played);
      std::set<Fault> done;
      add_faults_of(script, done);
      for (const Fault& fault : done) played[fault].insert(level);
    }
  return played;
}

/// occurs tells whether a conversation comes to a point at all: without TLS there is no handshake.
bool occurs(Point point, const std::string& level) {
  return level != "none" || point < Point::kStarttls || point > Point::kAfterTls;
}

const char* in_words(Act act) {
  switch (act) {
    case Act::kSay:
      return "says what is not due";
    case Act::kSkip:
      return "leaves out what is due";
    case Act::kClose:
      return "closes";
    case Act::kReset:
      return "resets the connection";
    case Act::kStall:
      return "stalls";
    case Act::kTruncate:
      return "closes in the middle of its flight";
    case Act::kAlert:
      break;
  }
  return "sends an alert";
}

/// add_fault gives one gap where nobody plays `fault`, else one for each level without it.
void add_fault(const Fault& fault, const Played& played, std::vector<Gap>& gaps) {
  const std::string& at = deviation_points()[static_cast<std::size_t>(fault.at)];
  const std::string& does = deviation_acts()[static_cast<std::size_t>(fault.act)];
  const std::string id = fmt::format("fault/{}/{}/{}", role_word(fault.role), at, does);
  const std::string what =
      fmt::format("no {} {} at {}", role_word(fault.role), in_words(fault.act), at);
  const auto known = played.find(fault);
  if (known == played.end()) {
    gaps.push_back({id, what});
    return;
  }
  const Setting& leg = level_of(fault.role);
  for (const std::string& level : leg.values)
    if (occurs(fault.at, level) && known->second.count(level) == 0)
      gaps.push_back({id + "/" + level, fmt::format("{} under {} {}", what, leg.name, level)});
}

void add_faults(const Catalogue& catalogue, std::vector<Gap>& gaps) {
  const Played played = played_faults(catalogue);
  for (const Role role : kRoles)
    for (std::size_t point = 0; point < deviation_points().size(); ++point)
      for (std::size_t act = 0; act < deviation_acts().size(); ++act) {
        const Fault fault{role, static_cast<Point>(point), static_cast<Act>(act)};
        if (may_be(fault)) add_fault(fault, played, gaps);
      }
}

/// speaks gives how a story's own lines travel: "clear", and the newest version of its handshakes.
std::set<std::string> speaks(const Story& story) {
  std::set<std::string> ways;
  for (const Script& script : story.scripts) {
    bool tls = false;
    for (const Step& step : script.steps) {
      if (step.kind != StepKind::kStarttls || step.tls.versions.empty()) continue;
      tls = true;
      if (step.tls.versions.back() >= TlsVersion::k12)
        ways.insert(step.tls.versions.back() == TlsVersion::k12 ? "tls-1.2" : "tls-1.3");
    }
    if (!tls && !script.steps.empty()) ways.insert("clear");
  }
  return ways;
}

void add_topics(const Catalogue& catalogue, std::vector<Gap>& gaps) {
  std::map<std::string, std::set<std::string>> topics;
  for (const auto& story : catalogue.stories)
    if (const std::string topic = topic_of(*story); !topic.empty())
      topics[topic].merge(speaks(*story));
  for (const auto& [topic, ways] : topics)
    for (const char* way : {"clear", "tls-1.2", "tls-1.3"})
      if (ways.count(way) == 0)
        gaps.push_back({fmt::format("story/{}/{}", topic, way),
                        fmt::format("no story of {} goes on {}", topic,
                                    way == std::string_view("clear")
                                        ? "in clear text"
                                        : fmt::format("inside TLS {}", way + 4))});
}

}  // namespace

std::string topic_of(const Story& story) {
  const std::filesystem::path folder = std::filesystem::path(story.place.file).parent_path();
  return folder.parent_path().filename() == "stories" ? folder.filename().string() : "";
}

std::vector<Gap> find_gaps(const Catalogue& catalogue,
                           const std::vector<std::string>& certificates) {
  std::vector<Gap> gaps;
  add_requirements(catalogue, gaps);
  add_settings(catalogue, gaps);
  add_certificates(catalogue, certificates, gaps);
  add_faults(catalogue, gaps);
  add_topics(catalogue, gaps);
  return gaps;
}

std::vector<Gap> uncaught_faults(std::string_view report) {
  std::vector<Gap> gaps;
  for (const std::string_view line : split(report, '\n')) {
    // | `name` | what it is | cells of matrices | stories |
    if (!line.starts_with("| `")) continue;
    const auto columns = split(line, '|');
    if (columns.size() < 6) continue;
    const auto text = [&](std::size_t column) {
      std::string joined;
      for (const std::string& word : strings_of(columns[column]))
        joined += (joined.empty() ? "" : " ") + word;
      return joined;
    };
    if (text(columns.size() - 3) != "0" || !text(columns.size() - 2).empty()) continue;
    std::string name = text(1);
    name.erase(std::remove(name.begin(), name.end(), '`'), name.end());
    gaps.push_back({"uncaught/" + name, "no scenario catches this faulty gateway: " + text(2)});
  }
  return gaps;
}

}  // namespace postern
