#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "condition.hpp"
#include "located_xml.hpp"

// How a gateway under test is run: files, commands, the record it keeps. No gateway is known to the
// harness in any other way.
//
// Text in <file>, <setting> and command arguments may hold ${…}:
//   ${dir}                     the instance's own directory
//   ${packages}                where its packages were unpacked; empty if they were not
//   ${listen.address}, ${listen.port}
//   ${certificate.NAME}, ${key.NAME}, ${trust.NAME}, ${crl.NAME}   paths of PEM files, written into
//   ${dir}
//   ${SETTING}                 the text of the matching <setting>; ${value} in it is the value
//   ${route.domain}, ${route.host}, ${route.address}, ${route.port}
//                              a line that holds one of these is written once for each route
//   ${program.postern-gateway} the program beside postern
//   ${env.NAME}                an environment variable

namespace postern {

/// FileTemplate is one file to write into the instance's directory before the start.
struct FileTemplate {
  std::string name;  ///< Relative to ${dir}.
  unsigned mode = 0600;
  std::string text;
  Place place;
};

/// SettingText is what a setting's value means in this gateway's configuration.
struct SettingText {
  std::string name;
  std::string value;  ///< Empty: any value.
  Condition when;     ///< Further settings it depends on.
  std::string text;
  Place place;
};

/// Cannot is a combination of settings this gateway cannot express.
struct Cannot {
  Condition when;
  std::string why;
  Place place;
};

/// Command is a program with its arguments, started without a shell.
struct Command {
  std::vector<std::string> arguments;
  Place place;
};

/// Source is where a record or ready line is read from.
enum class Source { kStdout, kStderr, kFd, kFile, kSocket };

/// Ready tells when the gateway serves: a line that matches, or an answering port.
struct Ready {
  enum class How { kLine, kBanner };
  How how = How::kLine;
  Source from = Source::kStdout;
  std::string pattern;  ///< RE2; groups `address` and `port` override the listening address.
  std::chrono::milliseconds within{10000};
  Place place;
};

/// RecordPattern turns one line of the gateway's record into an event. Groups it may name:
/// recipient, sender, client (IP address), id, code (enhanced), reason, host, tls, cause, commits.
struct RecordPattern {
  std::string event;  ///< session-start, session-end, accepted, delivered, deferred, bounced,
                      ///< discarded, warning, rejected, settings-applied, settings-refused,
                      ///< stopped
  std::string pattern;
  Place place;
};

struct Record {
  Source from = Source::kStdout;
  std::string file;  ///< For Source::kFile and kSocket, relative to ${dir}.
  std::vector<RecordPattern> patterns;
  Place place;
};

/// Package holds the gateway or a part of it: what scripts/mtas unpacks.
struct Package {
  std::string name;
  std::string kind = "debian";  ///< Or npm.
  std::string release;          ///< Debian: where the machine's own release has it not.
  std::string version;          ///< npm: must be given.
};

/// Mount is a part of the machine that only this gateway sees so.
struct Mount {
  enum class Kind {
    kOverlay,  ///< The files of `from` lie over those of `on`, read-only.
    kBind,     ///< `from` stands in the place of `on`.
  };
  Kind kind = Kind::kBind;
  std::string on;    ///< An absolute path.
  std::string from;  ///< With ${…}.
  Place place;
};

/// QueueListing is a command that lists what is still queued, one line a recipient, run after the
/// gateway has stopped, and where it is live before that, too.
struct QueueListing {
  Command command;
  std::string pattern;  ///< RE2 with group `recipient`.
  bool live = false;    ///< It can be asked while the gateway runs.
};

/// Remote is a gateway that is there already: Postern neither starts nor stops it, and sees nothing
/// of it but what it does on the wire.
struct Remote {
  std::string at;        ///< HOST:PORT, with ${env.NAME}.
  std::string next_hop;  ///< ADDRESS:PORT where its next hop is played, with ${env.NAME}.
  std::string settings;  ///< How it is set, as a condition, with ${env.NAME}; empty: by <prepare>.
  std::string domain;    ///< That of every sender and recipient, with ${env.NAME}.
  std::size_t budget = 0;                   ///< Connections to it in one run; 0: no limit.
  std::chrono::milliseconds pause{0};       ///< Before each case.
  std::chrono::milliseconds settles{2000};  ///< How long it may rest between two attempts.
  Place place;
};

struct GatewayFile {
  std::string name;
  std::string about;
  std::string grade = "letter";  ///< To which grade it is held: form, letter, policy.
  std::string next_hops_at;      ///< Where all next hops listen; empty: each at its own address.
  std::size_t at_once = 0;       ///< How many cases are played at once; 0: as many as usual.
  Command version;               ///< Prints the version; may be empty.
  std::vector<std::string> requires_programs;
  std::vector<Package> packages;
  std::vector<Mount> mounts;  ///< In the order in which they are made.
  std::vector<FileTemplate> files;
  std::vector<SettingText> settings;
  std::vector<Cannot> cannot;
  std::vector<Command> prepare;  ///< Run to their end before the start.
  std::optional<Remote> remote;  ///< In the place of `start` and `ready`.
  Command start;
  bool several_next_hops = true;   ///< Its routes can have more than one for a domain.
  bool own_pid_namespace = false;  ///< For programs that make sessions of their own.
  Ready ready;
  std::string stop_signal = "TERM";
  std::chrono::milliseconds stop_within{10000};
  std::string apply_signal;    ///< Has it read its files again; empty: it cannot while it runs.
  bool second_attempt = true;  ///< false: it can be driven to one attempt only.
  std::vector<Record> records;
  std::vector<QueueListing> queue;  ///< At most one.
  Place place;
};

}  // namespace postern
