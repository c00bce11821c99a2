// The words of the scenario language, all in one table: the loader, the messages, the schema and
// the reference page read it. Its rows make this file, and the functions in it, longer than others
// may be.
#include "catalogue/vocabulary.hpp"

#include <algorithm>

namespace postern {
namespace {

using Type = ValueType;
using Attributes = std::vector<AttributeEntry>;
using Words = std::vector<std::string>;

const Words kVersionWords = {"1.0", "1.1", "1.2", "1.3"};
const Words kYesNo = {"yes", "no"};
const Words kHandshakePoints = {"client-hello", "certificate", "finished"};

/// required and optional write one row of the table.
AttributeEntry required(const char* name, Type type, const char* about, Words words = {}) {
  return {name, type, true, std::move(words), "", about};
}

AttributeEntry optional(const char* name, Type type, const char* about, Words words = {},
                        const char* default_value = "") {
  return {name, type, false, std::move(words), default_value, about};
}

AttributeEntry ref() {
  return required("ref", Type::kRef, "The requirement it comes from.");
}

AttributeEntry when() {
  return required("when", Type::kCondition, "The cases it is for.");
}

/// leg_rule is a <rule> of <inbound> or <outbound>.
ElementEntry leg_rule(const char* parent) {
  return {std::string("rule-") + parent,
          "rule",
          {parent},
          Occurs::kAny,
          Text::kNone,
          {ref(), when(), required("expect", Type::kOutcomes, "The outcome, in full form."),
           optional("letter", Type::kOutcomes, "What meets the letter of the requirement too.", {},
                    "as expect"),
           optional("policy", Type::kOutcomes, "What keeps the policy too.", {}, "as letter"),
           optional("no-control", Type::kText, "Why a negative outcome has no control.")},
          "Decides one leg of the cases for which its condition holds."};
}

const Words kGroups = {"x25519",    "x448",      "secp256r1", "secp384r1",
                       "secp521r1", "ffdhe2048", "ffdhe3072"};

/// handshake_attributes are those that a <starttls> has in either role.
Attributes handshake_attributes(bool client) {
  return {
      client ? optional("certificate", Type::kName, "Identity to show.", {}, "none")
             : optional("certificate", Type::kName, "Identity to show.", {}, "server-good"),
      optional("tls", Type::kWords, "Versions to speak, without a gap.", kVersionWords, "1.3"),
      optional("ciphers", Type::kText, "Cipher suites to allow, as OpenSSL writes lists of them.",
               {}, "OpenSSL's"),
      optional("groups", Type::kWords, "Groups for the key exchange, the best first.", kGroups,
               "OpenSSL's"),
      optional("alpn", Type::kText, "Application protocols to offer (client) or to take (server).",
               {}, "none"),
      client ? optional("resume", Type::kWord,
                        "The session to offer: that of the last ticket of this story, or one that "
                        "the gateway never gave.",
                        {"yes", "made-up"})
             : optional("resume", Type::kWord, "Tickets are issued and accepted.", {"yes"}),
      optional("records", Type::kNumbers,
               "So many bytes go into a TLS record, of the flights in clear text and of the data.",
               {}, "as OpenSSL cuts them"),
      optional("split", Type::kNumbers, "Offsets at which the first flight is cut into writes."),
      optional("may", Type::kWord, "A failing handshake conforms too, and ends the script.",
               {"fail"}),
      optional("must", Type::kWord, "Only a failing handshake conforms.", {"fail"}),
      optional("alert", Type::kAlerts, "The alert with which the gateway must make it fail."),
      optional("version", Type::kWord, "The version that must be agreed on.", {"1.2", "1.3"}),
      optional("cipher", Type::kText, "The suite that must be agreed on, by OpenSSL's name."),
      optional("group", Type::kWord, "The group that must be agreed on.", kGroups),
      optional("resumed", Type::kWord, "Whether the session offered must be resumed.", kYesNo),
      optional("ems", Type::kWord, "Whether TLS 1.2 must have the extended master secret.", kYesNo),
      optional("got-alpn", Type::kText,
               client ? "The application protocol that the gateway must choose, or none."
                      : "The application protocols that the gateway must offer, or none.")};
}

/// handshake is the <starttls> of one role.
ElementEntry handshake(const char* role, Attributes own) {
  const bool client = std::string(role) == "client";
  Attributes attributes = handshake_attributes(client);
  attributes.insert(attributes.end(), own.begin(), own.end());
  return {std::string("starttls-") + role,
          "starttls",
          {role},
          Occurs::kAny,
          Text::kNone,
          std::move(attributes),
          "The TLS handshake; the command and its reply are said and heard before."};
}

Attributes setting_attributes() {
  Attributes attributes;
  for (const Setting& setting : settings()) {
    attributes.push_back({setting.name, setting.values.empty() ? Type::kDelay : Type::kWord, false,
                          setting.values, setting.default_value, setting.label + "."});
  }
  return attributes;
}

Words setting_names() {
  Words names;
  for (const Setting& setting : settings()) names.push_back(setting.name);
  return names;
}

std::vector<ElementEntry> requirement_entries() {
  return {
      {"requirements",
       "requirements",
       {},
       Occurs::kAny,
       Text::kNone,
       {},
       "What a gateway must do. Rules and stories cite these by id."},
      {"requirement",
       "requirement",
       {"requirements"},
       Occurs::kAny,
       Text::kRequired,
       {required("id", Type::kRef, "The id that is cited."),
        required("source", Type::kText, "Where it comes from."),
        required("level", Type::kWord, "How binding it is; decided: our interpretation.",
                 {"MUST", "SHOULD", "decided"})},
       "One requirement in words."},
  };
}

std::vector<ElementEntry> peer_entries() {
  return {
      {"peers",
       "peers",
       {},
       Occurs::kAny,
       Text::kNone,
       {},
       "Fake clients and servers: each holds one normal conversation, but for its deviations."},
      {"peer",
       "peer",
       {"peers"},
       Occurs::kAny,
       Text::kNone,
       {required("role", Type::kWord, "Which side it plays.", {"client", "server"}),
        required("name", Type::kName, "Unique in its role."),
        optional("like", Type::kName, "The peer of this role that it takes everything else from."),
        optional("about", Type::kText, "What it is, in words."),
        optional("certificate", Type::kName, "Identity that it shows.", {}, "none"),
        optional("trust", Type::kName,
                 "Client: the CAs it verifies the gateway's certificate with.", {},
                 "it does not verify"),
        optional("tls", Type::kWords, "TLS versions it speaks, without a gap.", kVersionWords,
                 "1.3"),
        optional(
            "starttls", Type::kWord,
            "Client: whether it upgrades where STARTTLS is offered. Server: whether it offers.",
            {"offered", "never"}, "offered"),
        optional("asks", Type::kWord, "Server: whether it asks for a client certificate.",
                 {"no", "request", "require"}, "no"),
        optional("afterwards", Type::kWord,
                 "Client: after a broken connection it comes back without TLS.", {"clear-again"}),
        optional("control", Type::kName,
                 "The peer that is the same without the fault; its own name: it has none.", {},
                 "client good-cert, server good")},
       "A peer of a matrix."},
      {"deviate",
       "deviate",
       {"peer"},
       Occurs::kAny,
       Text::kNone,
       {required("at", Type::kWord,
                 "Where. client-hello: a server has received one and answered nothing; a client "
                 "was to send its own.",
                 deviation_points()),
        required("do", Type::kWord, "What it does there instead.", deviation_acts()),
        optional("raw", Type::kRaw, "For do=\"say\": the bytes, line end included."),
        optional("alert", Type::kAlerts, "For do=\"alert\": which."),
        optional("when", Type::kCondition, "Only there: phase=clear|tls, connection=N.")},
       "One departure from the normal conversation. It replaces an inherited one at its point."},
  };
}

std::vector<ElementEntry> matrix_entries() {
  Words to_next_hop = disclosure_places();
  to_next_hop.push_back("nothing");
  return {
      {"matrix",
       "matrix",
       {},
       Occurs::kAny,
       Text::kNone,
       {required("name", Type::kName, "First part of its cases' ids.")},
       "Every combination of its axes is a case; each is decided by exactly one rule a leg."},
      {"axis",
       "axis",
       {"matrix"},
       Occurs::kAny,
       Text::kNone,
       {optional("setting", Type::kWord, "The setting that varies.", setting_names()),
        optional("peer", Type::kWord, "The role whose peers vary.", {"client", "server"}),
        required("values", Type::kNames, "The setting's values, or names of peers.")},
       "One dimension: a setting or a peer."},
      {"invalid",
       "invalid",
       {"matrix"},
       Occurs::kAny,
       Text::kNone,
       {ref(), when(), optional("mentions", Type::kText, "Text that its complaint must hold.")},
       "Settings with which a gateway must not start."},
      {"warning",
       "warning",
       {"matrix"},
       Occurs::kAny,
       Text::kNone,
       {ref(), when(), optional("mentions", Type::kText, "Text that the warning must hold.")},
       "Settings of which a gateway must warn on record when it starts."},
      {"inbound",
       "inbound",
       {"matrix"},
       Occurs::kOnce,
       Text::kNone,
       {},
       "Rules for what the client sees. Their keys: receiving settings, client."},
      leg_rule("inbound"),
      {"outbound",
       "outbound",
       {"matrix"},
       Occurs::kOnce,
       Text::kNone,
       {},
       "Rules for what becomes of an accepted message. Their keys: sending settings, server."},
      leg_rule("outbound"),
      {"disclosure",
       "disclosure",
       {"matrix"},
       Occurs::kOnce,
       Text::kNone,
       {},
       "Rules for where an accepted message may be seen. Their keys: sending settings, server."},
      {"rule-disclosure",
       "rule",
       {"disclosure"},
       Occurs::kAny,
       Text::kNone,
       {ref(), when(),
        required("next-hop", Type::kWords, "Where, on the way to its next hop.", to_next_hop),
        optional("letter", Type::kWords, "Where, for gateways that are not held to the form.",
                 to_next_hop, "as next-hop"),
        required("sender", Type::kWords, "Where, for a bounce on the way to its sender.",
                 to_next_hop)},
       "Says where the bytes of an accepted message may be seen."},
  };
}

// applied_settings: no default, since what is not named stays as it is.
std::vector<AttributeEntry> applied_settings() {
  std::vector<AttributeEntry> attributes = setting_attributes();
  for (AttributeEntry& attribute : attributes) attribute.default_value = "it stays";
  attributes.push_back(optional("refused", Type::kWord,
                                "The gateway must refuse them and keep the old ones.", {"yes"}));
  return attributes;
}

std::vector<ElementEntry> story_entries() {
  Words to_next_hop = disclosure_places();
  to_next_hop.push_back("nothing");
  const Words both = {"client", "server"};
  const AttributeEntry peer =
      optional("peer", Type::kName, "A peer of this role that plays instead of steps.");
  return {
      {"story",
       "story",
       {},
       Occurs::kAny,
       Text::kNone,
       {optional("name", Type::kName, "As the file is named.", {}, "the file's name without .xml"),
        ref(), required("why", Type::kText, "Why this dialogue matters."),
        optional("grade", Type::kWord,
                 "To whom it speaks: form, only to gateways that are held to the form.",
                 {"form", "letter"}, "form where its requirement is decided by us, else letter")},
       "One dialogue, line by line, with the client, the server or both."},
      {"story-gateway",
       "gateway",
       {"story"},
       Occurs::kAtMostOnce,
       Text::kNone,
       setting_attributes(),
       "The settings under which the story plays."},
      {"story-axis",
       "axis",
       {"story"},
       Occurs::kAny,
       Text::kNone,
       {optional("setting", Type::kWord, "The setting that varies.", setting_names()),
        optional("name", Type::kName, "What varies otherwise: ${NAME} stands for the value."),
        required("values", Type::kNames, "The values; each makes a case of its own.")},
       "The story is played once for every combination of its axes."},
      {"except",
       "except",
       {"story"},
       Occurs::kAny,
       Text::kNone,
       {when()},
       "Combinations of axes that are left out."},
      {"prefixes",
       "prefixes",
       {},
       Occurs::kAny,
       Text::kNone,
       {},
       "Beginnings of dialogues, for <use> in stories: a <client> or <server> with a name each."},
      {"client",
       "client",
       {"story", "prefixes"},
       Occurs::kAny,
       Text::kNone,
       {peer, optional("name", Type::kName, "What the story calls it; the name of a prefix."),
        optional("from", Type::kWord,
                 "network: its address is in the clients' network, for which the settings "
                 "network-... are made; elsewhere: it is not.",
                 {"network", "elsewhere"}, "network")},
       "What a client does; it begins connected. Several play at once."},
      {"server",
       "server",
       {"story", "prefixes"},
       Occurs::kAny,
       Text::kNone,
       {peer, optional("name", Type::kName, "What the story calls it; the name of a prefix."),
        optional("host", Type::kText, "The name that the gateway's route has for it.", {},
                 "mx.postern.test"),
        optional("level", Type::kWord, "Its next-hop-level.", setting("next-hop-level")->values,
                 "as in <gateway>"),
        optional("address", Type::kText, "The loopback address where it listens.", {},
                 "one of its own")},
       "What a next hop does; it begins with its first connection. Several are routes to one "
       "domain, in the order of preference."},
      {"mailbox",
       "mailbox",
       {"story"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {required("peer", Type::kName, "The server that plays it.")},
       "Where bounces go: the next hop of the sender's domain. Without it the server good plays "
       "it."},
      {"say",
       "say",
       both,
       Occurs::kAny,
       Text::kOptional,
       {optional("raw", Type::kRaw, "Exactly these bytes, in place of the text."),
        optional("file", Type::kFileName, "The bytes of a file beside the story."),
        optional("split", Type::kNumbers, "Offsets at which the bytes are cut into writes."),
        optional("dribble", Type::kCount, "Octets a write.", {}, "all in one"),
        optional("times", Type::kCount, "How often they are written, one behind the other.", {},
                 "1"),
        optional("wire", Type::kWord, "They go onto the connection beneath TLS, as they are.",
                 {"yes"})},
       "Writes one line and CRLF, or raw bytes. ${recipient}, ${sender} and ${token} are the "
       "case's "
       "own."},
      {"hear-client",
       "hear",
       {"client"},
       Occurs::kAny,
       Text::kNone,
       {required("reply", Type::kReplies, "The reply codes that conform."),
        optional("enhanced", Type::kEnhanced, "The enhanced code it must have."),
        optional("offers", Type::kKeywords, "Keywords that an EHLO reply must list."),
        optional("lacks", Type::kKeywords, "Keywords that an EHLO reply must not list."),
        optional("contains", Type::kText, "Text that must be found in it."),
        optional("or", Type::kWord, "That the gateway closes conforms too, and ends the script.",
                 {"end"}),
        optional("capture", Type::kPattern, "A pattern; what its one group finds is kept."),
        optional("as", Type::kName, "The name it is kept under, for ${NAME}.")},
       "Reads one whole reply."},
      {"hear-server",
       "hear",
       {"server"},
       Occurs::kAny,
       Text::kNone,
       {required("command", Type::kVerbs, "The verbs that conform."),
        optional("contains", Type::kText, "Text that the line must have."),
        optional("without", Type::kText, "Text that it must not have."),
        optional("capture", Type::kPattern, "A pattern; what its one group finds is kept."),
        optional("as", Type::kName, "The name it is kept under, for ${NAME}.")},
       "Reads one command."},
      handshake(
          "client",
          {optional("trust", Type::kName, "The CAs to verify the gateway's certificate with.", {},
                    "it does not verify"),
           optional("asked", Type::kWord, "Whether a certificate must be asked for.", kYesNo),
           optional("sni", Type::kText, "The host name to ask for.", {}, "none"),
           optional(
               "early", Type::kRaw,
               "Early data to send behind the ClientHello. If it is accepted, the step fails.")}),
      handshake("server",
                {optional("asks", Type::kWord, "Whether to ask for a certificate.",
                          {"no", "request", "require"}, "no"),
                 optional("shown", Type::kWord, "Whether the gateway must show one.", kYesNo),
                 optional("got-sni", Type::kText, "The host name that it must ask for, or none.")}),
      {"deviate-starttls",
       "deviate",
       {"starttls-client", "starttls-server"},
       Occurs::kAny,
       Text::kNone,
       {required("at", Type::kWord, "Where in the handshake.", kHandshakePoints),
        required("do", Type::kWord, "What is done there instead.", deviation_acts()),
        optional("raw", Type::kRaw, "For do=\"say\": the bytes."),
        optional("alert", Type::kAlerts, "For do=\"alert\": which.")},
       "One departure from the handshake, which cannot succeed then."},
      {"renegotiate",
       "renegotiate",
       both,
       Occurs::kAny,
       Text::kNone,
       {required("must", Type::kWord, "It must be refused; OpenSSL then ends the connection.",
                 {"fail"})},
       "Asks for a second handshake inside TLS 1.2."},
      {"hear-alert",
       "hear-alert",
       both,
       Occurs::kAny,
       Text::kNone,
       {required("alert", Type::kAlerts, "The alerts that conform; fatal: any that is.")},
       "Reads TLS records up to an alert: behind bytes made by hand, or inside TLS."},
      {"deliver",
       "deliver",
       both,
       Occurs::kAny,
       Text::kNone,
       {},
       "Client: MAIL, RCPT, DATA, the message and its 250. Server: takes one message."},
      {"message",
       "message",
       both,
       Occurs::kAny,
       Text::kNone,
       {},
       "After a 354. Client: writes the message and the final dot. Server: reads to the final dot; "
       "a 250 said next takes the message."},
      {"connect",
       "connect",
       both,
       Occurs::kAny,
       Text::kNone,
       {},
       "Client: opens a further connection. Server: waits for a further one."},
      {"close",
       "close",
       both,
       Occurs::kAny,
       Text::kNone,
       {optional("how", Type::kWord, "notify: close_notify alone; fin: FIN alone, under TLS.",
                 {"notify", "fin"}, "both")},
       "Ends the sending side (close_notify first, under TLS)."},
      {"reset", "reset", both, Occurs::kAny, Text::kNone, {}, "Resets the connection."},
      {"end",
       "end",
       both,
       Occurs::kAny,
       Text::kNone,
       {optional("how", Type::kWord,
                 "How it must end. close: FIN, with or without a close_notify; close-notify: with "
                 "one; truncated: without one, under TLS; alert: a fatal alert, then either.",
                 {"close", "close-notify", "truncated", "alert", "reset"}, "close")},
       "The gateway ends the connection and sends nothing more before."},
      {"story-apply",
       "apply",
       {"client"},
       Occurs::kAny,
       Text::kNone,
       applied_settings(),
       "Gives the gateway other settings while it runs, and waits for its answer."},
      {"use",
       "use",
       both,
       Occurs::kAny,
       Text::kNone,
       {required("prefix", Type::kName, "A <client> or <server> of a <prefixes> file.")},
       "The steps of a prefix."},
      {"meet",
       "meet",
       both,
       Occurs::kAny,
       Text::kNone,
       {required("at", Type::kName, "The meeting.")},
       "Waits until every script that names this meeting has come to it."},
      {"await",
       "await",
       both,
       Occurs::kAny,
       Text::kNone,
       {required("event", Type::kWord, "What the gateway's record tells.", event_kinds()),
        optional("count", Type::kCount, "How often at least.", {}, "1")},
       "Waits until the gateway's record tells this of the case."},
      {"silence",
       "silence",
       both,
       Occurs::kAny,
       Text::kNone,
       {},
       "The gateway has sent nothing that was not heard; the <hear> or <end> behind it proves that "
       "nothing was on its way."},
      {"nobody",
       "nobody",
       {"server"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {},
       "No connection ever comes."},
      {"delivered",
       "delivered",
       {"story"},
       Occurs::kAny,
       Text::kNone,
       {optional("contains", Type::kText, "Text that each must have."),
        optional("lacks", Type::kText, "Text that none may have."),
        optional("messages", Type::kCount, "How many the next hop gets.", {}, "1"),
        optional("by-hand", Type::kWord,
                 "It was said line by line: text and envelope are held against this alone.",
                 {"yes"})},
       "What the next hop got."},
      {"bounce",
       "bounce",
       {"story"},
       Occurs::kAny,
       Text::kNone,
       {optional("contains", Type::kText, "Text that it must have."),
        optional("lacks", Type::kText, "Text that it may not have.")},
       "What the sender was told."},
      {"story-record",
       "record",
       {"story"},
       Occurs::kAny,
       Text::kNone,
       {required("event", Type::kWord, "What it tells.", event_kinds()),
        optional("count", Type::kCount, "How often, exactly.", {}, "once or more"),
        optional("contains", Type::kText, "Text that the lines have which count.")},
       "What the gateway's record tells of the case in the end."},
      {"memory",
       "memory",
       {"story"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {required("most", Type::kSize, "What it may have held at most, resident.")},
       "The gateway's memory while the story played; it has a gateway to itself."},
      {"expect",
       "expect",
       {"story"},
       Occurs::kAny,
       Text::kNone,
       {optional("inbound", Type::kOutcomes, "What the client must see in the end."),
        optional("outbound", Type::kOutcomes, "What must become of the message."),
        optional("next-hop", Type::kWords, "Where the message may be seen.", to_next_hop),
        optional("sender", Type::kWords, "Where, for a bounce on the way to its sender.",
                 to_next_hop, "as next-hop, and tls")},
       "Outcomes to be judged beside the steps."},
  };
}

std::vector<ElementEntry> gateway_entries() {
  const Words commands = {"version", "prepare", "start", "queue"};
  return {
      {"gateway",
       "gateway",
       {},
       Occurs::kAny,
       Text::kNone,
       {required("name", Type::kName, "What --gateway names it by."),
        required("about", Type::kText, "What it is, in words."),
        optional("grade", Type::kWord, "The grade to which it is held.",
                 {"form", "letter", "policy"}, "letter"),
        optional("next-hops-at", Type::kText,
                 "One address at which all next hops listen, each at a port of its own, for a "
                 "gateway that knows them by name only. ${route.address} stays each one's own.",
                 {}, "each at its own"),
        optional("at-once", Type::kCount,
                 "How many cases are played at once, for a gateway that takes few connections.", {},
                 "48"),
        optional("next-hops", Type::kWord, "How many its routes can have for one domain.",
                 {"one", "several"}, "several")},
       "How to run a gateway: its files, its commands, and the record it keeps."},
      {"requires",
       "requires",
       {"gateway"},
       Occurs::kAny,
       Text::kNone,
       {required("program", Type::kText,
                 "A program's name, sought in PATH, or its full path, sought below ${packages} "
                 "first.")},
       "A program without which the gateway cannot run."},
      {"package",
       "package",
       {"gateway"},
       Occurs::kAny,
       Text::kNone,
       {required("name", Type::kText, "Its name."),
        optional("kind", Type::kWord, "Whose package it is.", {"debian", "npm"}, "debian"),
        optional("release", Type::kText,
                 "Debian: the release that has it, such as bookworm-backports.", {},
                 "the machine's"),
        optional("version", Type::kText, "npm: its version.")},
       "A package that holds the gateway. In a checkout of Postern scripts/mtas unpacks it, with "
       "what it needs, into ${packages}, and installs nothing."},
      {"overlay",
       "overlay",
       {"gateway"},
       Occurs::kAny,
       Text::kNone,
       {required("on", Type::kText, "A folder of the machine."),
        required("from", Type::kText, "The folder whose files lie over it.")},
       "The gateway alone sees the files of one folder among those of another, read-only. Where "
       "${packages} is empty, what begins with it is left out."},
      {"bind",
       "bind",
       {"gateway"},
       Occurs::kAny,
       Text::kNone,
       {required("on", Type::kText, "A file or folder of the machine."),
        required("from", Type::kText,
                 "The file or folder in its place; a folder is made where it is missing.")},
       "The gateway alone sees a file or folder of its own in the place of the machine's."},
      {"version",
       "version",
       {"gateway"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {},
       "A command that prints the gateway's version."},
      {"prepare",
       "prepare",
       {"gateway"},
       Occurs::kAny,
       Text::kNone,
       {},
       "A command run to its end before the start."},
      {"start",
       "start",
       {"gateway"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {optional("namespace", Type::kWord,
                 "pid: a PID namespace of its own, for programs that make sessions.", {"pid"})},
       "The command that is the gateway; it and <ready>, or <remote>."},
      {"remote",
       "remote",
       {"gateway"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {required("at", Type::kText, "Where it listens: HOST:PORT."),
        required(
            "next-hop", Type::kText,
            "Where Postern plays its next hop, ADDRESS:PORT; all its mail must be sent there."),
        optional(
            "settings", Type::kText,
            "How it is set, as server-level=require client-level=verify; what is not named has "
            "its default.",
            {}, "as <prepare> sets it"),
        optional("domain", Type::kText, "The domain of all senders and recipients.", {},
                 "case.test"),
        optional("budget", Type::kCount, "How many connections a run may make to it.", {},
                 "no limit"),
        optional("pause", Type::kDuration, "The time it is left alone before each case.", {},
                 "100ms"),
        optional("settles", Type::kDuration,
                 "How long it may rest between two attempts to send one message: what it has not "
                 "done by then it has put off.",
                 {}, "2s")},
       "A gateway that is there already. It is not started, not stopped, and keeps no record that "
       "could be read. Its values may hold ${env.NAME} and no other variable."},
      {"queue",
       "queue",
       {"gateway"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {required("line", Type::kPattern, "One line of its output; group recipient."),
        optional("live", Type::kWord,
                 "It can be asked while the gateway runs: what its record calls delivered, "
                 "bounced or discarded is gone from there before it is stopped.",
                 {"yes"})},
       "A command that lists what is still queued, run after the stop."},
      {"arg",
       "arg",
       commands,
       Occurs::kAny,
       Text::kRequired,
       {},
       "The program, then its arguments, one each. No shell reads them."},
      {"file",
       "file",
       {"gateway"},
       Occurs::kAny,
       Text::kOptional,
       {required("name", Type::kFileName, "Relative to ${dir}."),
        optional("mode", Type::kMode, "Its permissions.", {}, "0600")},
       "A file to write before the start. Its first newline and common indentation are removed."},
      {"setting",
       "setting",
       {"gateway"},
       Occurs::kAny,
       Text::kOptional,
       {required("name", Type::kWord, "The setting.", setting_names()),
        optional("is", Type::kText, "The value that this is the text of.", {}, "any"),
        optional("when", Type::kCondition, "Further settings that it depends on.")},
       "What a setting's value means in the gateway's files: the text of ${NAME}."},
      {"cannot",
       "cannot",
       {"gateway"},
       Occurs::kAny,
       Text::kNone,
       {required("when", Type::kCondition, "Settings that it cannot express."),
        required("why", Type::kText, "The reason, for the report.")},
       "Cases that are skipped for this gateway."},
      {"ready",
       "ready",
       {"gateway"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {optional("from", Type::kWord, "Where the ready line comes.", {"stdout", "stderr", "fd"},
                 "stdout"),
        optional("match", Type::kPattern,
                 "The ready line; groups address and port tell where it listens."),
        optional("banner", Type::kWord, "It is ready when its port answers.", {"yes"}),
        optional("within", Type::kDuration, "The time it is given.", {}, "10s")},
       "How to tell that it serves: a line or an answering port."},
      {"stop",
       "stop",
       {"gateway"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {optional("signal", Type::kWord, "What ends it.", {"TERM", "INT", "QUIT", "HUP"}, "TERM"),
        optional("within", Type::kDuration, "The time it is given.", {}, "10s")},
       "How to end it."},
      {"gateway-apply",
       "apply",
       {"gateway"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {required("signal", Type::kWord, "What has it read its files again.",
                 {"HUP", "USR1", "USR2"})},
       "How it takes other settings while it runs; its record answers with settings-applied or "
       "settings-refused."},
      {"hasten",
       "hasten",
       {"gateway"},
       Occurs::kAtMostOnce,
       Text::kNone,
       {optional("second-attempt", Type::kWord,
                 "Whether its configuration brings a second attempt within moments.", kYesNo,
                 "yes")},
       "What its retries can be driven to."},
      {"record",
       "record",
       {"gateway"},
       Occurs::kAny,
       Text::kNone,
       {required("from", Type::kWord, "Where it is read.",
                 {"stdout", "stderr", "fd", "file", "socket"}),
        optional("file", Type::kFileName,
                 "For file, and for socket, which is one of datagrams as of syslog: relative to "
                 "${dir}.")},
       "Where the gateway tells what became of each message."},
      {"event",
       "event",
       {"record"},
       Occurs::kAny,
       Text::kRequired,
       {required("kind", Type::kWord,
                 "What such a line tells; named: only which client, sender or recipient an id "
                 "belongs to.",
                 event_kinds())},
       "A pattern for lines of the record; its named groups are the event's facts."},
  };
}

std::vector<ElementEntry> departure_entries() {
  return {
      {"deviations",
       "deviations",
       {},
       Occurs::kAny,
       Text::kNone,
       {required("gateway", Type::kName, "Whose they are."),
        optional(
            "not-asked", Type::kCount,
            "How many cases of all may be left out for this gateway; with more a run of it fails.",
            {}, "0")},
       "What a gateway is known to do otherwise than the requirements say, each a finding about "
       "it."},
      {"deviation",
       "deviation",
       {"deviations"},
       Occurs::kAny,
       Text::kNone,
       {required("name", Type::kName, "What reports call it."),
        required("cases", Type::kCondition,
                 "The cases in which it happens, as for --filter: in each of them, always."),
        optional("observed", Type::kNames,
                 "Only where the client or the next hop saw one of these outcomes: redirect.", {},
                 "whatever was seen"),
        required("until", Type::kText, "The last day on which it counts: 2027-06-30."),
        required("source", Type::kText, "Where it is told of, or how it was confirmed by hand.")},
       "Its cases are skipped where they fail in just this way. One that passes, fails otherwise, "
       "or "
       "comes after the day is a failure."},
      {"seen",
       "seen",
       {"deviation"},
       Occurs::kAny,
       Text::kRequired,
       {},
       "Each line of the failure holds this text, or that of another <seen>."},
      {"departure-why",
       "why",
       {"deviation"},
       Occurs::kOnce,
       Text::kRequired,
       {},
       "What the gateway does, and what would mend it, for those who make it."},
  };
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> kSettings = {
      {"server-level",
       "Server TLS security level",
       {"none", "attempt", "require"},
       "attempt",
       SettingSide::kReceiving},
      {"client-certificate",
       "Requesting client TLS certificate",
       {"none", "request", "require"},
       "none",
       SettingSide::kReceiving},
      {"client-level",
       "Client TLS security level",
       {"none", "attempt", "require", "verify"},
       "attempt",
       SettingSide::kSending},
      {"clear-fallback-delay",
       "Delay before clear text after failed TLS",
       {},
       "0",
       SettingSide::kSending},
      {"next-hop-level",
       "Client TLS security level for this next hop alone (RFC 3207 §6)",
       {"same", "none", "attempt", "require", "verify"},
       "same",
       SettingSide::kSending,
       true},
      {"network-level",
       "Server TLS security level for the clients' network alone (RFC 3207 §6)",
       {"same", "none", "attempt", "require"},
       "same",
       SettingSide::kReceiving,
       true},
      {"network-certificate",
       "Requesting client TLS certificate for the clients' network alone (RFC 3207 §6)",
       {"same", "none", "request", "require"},
       "same",
       SettingSide::kReceiving,
       true},
      {"next-hop-connections",
       "Connections to a next hop at once; one: what waits for it goes on the same connection",
       {"many", "one"},
       "many",
       SettingSide::kSending,
       true},
      {"sending-certificate",
       "Certificate shown to next hops that ask",
       {"none", "good"},
       "none",
       SettingSide::kSending,
       true},
      {"revocation",
       "Whether certificates are looked up in the revocation list of the CA",
       {"unchecked", "checked"},
       "unchecked",
       SettingSide::kReceiving,
       true},
      {"lifetime",
       "How long a message that cannot be sent on is kept: for days, or, short, for 0.3 s",
       {"long", "short"},
       "long",
       SettingSide::kSending,
       true},
      {"patience",
       "How long it waits for a peer and how much it takes; short: 1.5 s a step, 4 MB a message",
       {"long", "short"},
       "long",
       SettingSide::kReceiving,
       true},
      {"configured",
       "Whether the three levels are configured at all",
       {"yes", "no"},
       "yes",
       SettingSide::kReceiving,
       true},
  };
  return kSettings;
}

const Setting* setting(std::string_view name) {
  for (const Setting& known : settings()) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

Assignment complete(const Assignment& stated) {
  Assignment all;
  for (const Setting& known : settings()) {
    const std::string* value = stated.get(known.name);
    all.set(known.name, value ? *value : known.default_value);
  }
  return all;
}

KnownKeys setting_keys() {
  KnownKeys keys;
  for (const Setting& known : settings()) keys[known.name] = known.values;
  return keys;
}

const AttributeEntry* ElementEntry::attribute(std::string_view attribute_name) const {
  for (const AttributeEntry& entry : attributes) {
    if (entry.name == attribute_name) return &entry;
  }
  return nullptr;
}

namespace {

/// may_depend tells whether an element of a story may be there in some of its variants only.
bool may_depend(const ElementEntry& entry) {
  if (entry.id == "story-axis" || entry.id == "except" || entry.id == "story-gateway") return false;
  return std::any_of(entry.parents.begin(), entry.parents.end(), [](const std::string& parent) {
    return parent == "story" || parent == "client" || parent == "server";
  });
}

}  // namespace

const std::vector<ElementEntry>& elements() {
  static const std::vector<ElementEntry> kElements = [] {
    std::vector<ElementEntry> all;
    for (auto part : {requirement_entries, peer_entries, matrix_entries, story_entries,
                      gateway_entries, departure_entries}) {
      std::vector<ElementEntry> entries = part();
      std::move(entries.begin(), entries.end(), std::back_inserter(all));
    }
    for (ElementEntry& entry : all)
      if (may_depend(entry))
        entry.attributes.push_back(
            optional("when", Type::kCondition, "The variants that it is there for.", {}, "all"));
    return all;
  }();
  return kElements;
}

std::vector<const ElementEntry*> children_of(std::string_view parent) {
  std::vector<const ElementEntry*> children;
  for (const ElementEntry& entry : elements()) {
    const auto& parents = entry.parents;
    const bool stands = parent.empty()
                            ? parents.empty()
                            : std::find(parents.begin(), parents.end(), parent) != parents.end();
    if (stands) children.push_back(&entry);
  }
  return children;
}

const std::vector<std::string>& deviation_points() {
  static const Words kWords = {"greeting",    "ehlo",     "starttls",  "ready", "client-hello",
                               "certificate", "finished", "after-tls", "mail",  "rcpt",
                               "data",        "body",     "dot",       "quit"};
  return kWords;
}

const std::vector<std::string>& deviation_acts() {
  static const Words kWords = {"say", "skip", "close", "reset", "stall", "truncate", "alert"};
  return kWords;
}

const std::vector<std::string>& disclosure_places() {
  static const Words kWords = {"tls", "clear-untried", "clear-unavailable", "clear-later"};
  return kWords;
}

const std::vector<std::string>& event_kinds() {
  static const Words kWords = {"session-start", "session-end",      "accepted",         "delivered",
                               "deferred",      "bounced",          "discarded",        "warning",
                               "rejected",      "settings-applied", "settings-refused", "stopped",
                               "named"};
  return kWords;
}

const std::vector<std::string>& event_groups() {
  static const Words kWords = {"recipient", "sender", "client", "id",    "code",
                               "reason",    "host",   "tls",    "cause", "commits"};
  return kWords;
}

}  // namespace postern
