#include "catalogue/skeleton.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "catalogue/gaps.hpp"
#include "xml_text.hpp"

namespace postern {
namespace {

constexpr const char* kDeclaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

std::string attribute(std::string_view name, std::string_view value) {
  std::string text;
  reports::append_xml_attribute(text, name, value);
  return text;
}

/// in_a_comment gives `text` without what no comment may hold.
std::string in_a_comment(std::string text) {
  for (std::size_t at = 0; (at = text.find("--", at)) != std::string::npos;)
    text.insert(at + 1, " ");
  return text;
}

/// lines_of_a_message hand one message in, in clear text.
std::string lines_of_a_message() {
  return "    <hear reply=\"220\"/>\n"
         "    <say>EHLO client.postern.test</say>\n"
         "    <hear reply=\"250\"/>\n"
         "    <deliver/>\n"
         "    <say>QUIT</say>\n"
         "    <hear reply=\"221\"/>\n"
         "    <end/>\n";
}

/// client_lines hands one message in.
std::string client_lines(bool tls, const std::string& version) {
  std::string text =
      "  <client>\n"
      "    <hear reply=\"220\"/>\n"
      "    <say>EHLO client.postern.test</say>\n"
      "    <hear reply=\"250\" offers=\"STARTTLS\"/>\n";
  if (tls)
    text += fmt::format(
        "    <say>STARTTLS</say>\n"
        "    <hear reply=\"220\"/>\n"
        "    <starttls tls=\"{}\"/>\n"
        "    <say>EHLO client.postern.test</say>\n"
        "    <hear reply=\"250\" lacks=\"STARTTLS\"/>\n",
        version);
  return text +
         "    <deliver/>\n"
         "    <say>QUIT</say>\n"
         "    <hear reply=\"221\"/>\n"
         "    <end/>\n"
         "  </client>\n"
         "  <server peer=\"good\"/>\n";
}

/// server_lines take one message.
std::string server_lines(bool tls, const std::string& version) {
  std::string text =
      "  <client peer=\"plain\"/>\n"
      "  <server>\n"
      "    <say>220 server.postern.test ESMTP</say>\n"
      "    <hear command=\"EHLO\"/>\n";
  if (tls)
    text += fmt::format(
        "    <say raw=\"250-server.postern.test\\r\\n250 STARTTLS\\r\\n\"/>\n"
        "    <hear command=\"STARTTLS\"/>\n"
        "    <say>220 2.0.0 Ready to start TLS</say>\n"
        "    <starttls tls=\"{}\" certificate=\"server-good\"/>\n"
        "    <hear command=\"EHLO\"/>\n",
        version);
  return text +
         "    <say>250 server.postern.test</say>\n"
         "    <deliver/>\n"
         "    <hear command=\"QUIT\"/>\n"
         "    <say>221 2.0.0 Good-bye</say>\n"
         "    <end/>\n"
         "  </server>\n";
}

}  // namespace

std::string story_text(const StorySkeleton& story) {
  const std::string version = story.version == TlsVersion::k12 ? "1.2" : "1.3";
  std::string text = kDeclaration;
  if (!story.note.empty()) text += "<!-- " + in_a_comment(story.note) + " -->\n";
  text += "<story" + attribute("ref", story.ref) + attribute("why", story.why) + ">\n";
  const bool client = story.side == Role::kClient;
  text += client ? "  <gateway server-level=\"attempt\"/>\n"
                 : "  <gateway client-level=\"attempt\"/>\n";
  text += client ? client_lines(story.tls, version) : server_lines(story.tls, version);
  if (client) {
    text += fmt::format(
        "  <expect inbound=\"accept tls={}\" outbound=\"redirect tls=yes\" next-hop=\"tls\"/>\n",
        story.tls ? "yes" : "no");
  } else {
    text += fmt::format("  <expect outbound=\"redirect tls={}\" next-hop=\"{}\"/>\n",
                        story.tls ? "yes" : "no", story.tls ? "tls" : "clear-unavailable");
  }
  return text + "</story>\n";
}

std::string settings_story_text(const std::string& ref, const std::string& why,
                                const std::vector<std::string>& settings) {
  std::string text = kDeclaration;
  text += "<story" + attribute("ref", ref) + attribute("why", why) + ">\n  <gateway";
  for (const std::string& one : settings)
    text += attribute(one.substr(0, one.find('=')), one.substr(one.find('=') + 1));
  return text +
         "/>\n"
         "  <client>\n"
         "    <hear reply=\"220\"/>\n"
         "    <say>EHLO client.postern.test</say>\n"
         "    <hear reply=\"250\"/>\n"
         "    <say>QUIT</say>\n"
         "    <hear reply=\"221\"/>\n"
         "    <end/>\n"
         "  </client>\n"
         "</story>\n";
}

std::string peer_text(const PeerSkeleton& peer) {
  const bool client = peer.role == Role::kClient;
  std::string text = "<peers>\n  <peer" + attribute("role", client ? "client" : "server") +
                     attribute("name", peer.name) +
                     attribute("like", client ? "good-cert" : "good");
  if (!peer.certificate.empty()) text += attribute("certificate", peer.certificate);
  if (peer.point.empty())
    return text + attribute("about", "shows the certificate " + peer.certificate) +
           "/>\n</peers>\n";
  text += attribute("about", "at " + peer.point + ": " + peer.act) + ">\n";
  const char* bytes = client ? "NONSENSE\\r\\n" : "451 4.3.0 Not now\\r\\n";
  text += "    <deviate" + attribute("at", peer.point) + attribute("do", peer.act) +
          (peer.act == "say" ? attribute("raw", bytes) : "") +
          (peer.act == "alert" ? attribute("alert", "internal_error") : "") + "/>\n";
  return text + "  </peer>\n</peers>\n";
}

namespace {

/// LevelRule is what a sending level means for a message to the good server.
struct LevelRule {
  const char* level;
  const char* ref;
  const char* expect;
  const char* disclosure_ref;
  const char* places;
};
constexpr LevelRule kLevelRules[] = {
    {"none", "OUT-1", "redirect tls=no", "LEAK-1", "clear-untried"},
    {"attempt", "OUT-2", "redirect tls=yes", "LEAK-2", "tls"},
    {"require", "OUT-3", "redirect tls=yes", "LEAK-3", "tls"},
    {"verify", "OUT-4", "redirect tls=yes", "LEAK-4", "tls"},
};

std::string client_matrix(const std::string& name, const std::string& level) {
  // Under require alone a certificate can be demanded.
  const bool demands = level == "require";
  return fmt::format(
      "<matrix name=\"{0}\">\n"
      "  <axis setting=\"server-level\" values=\"{1}\"/>\n"
      "  <axis setting=\"client-certificate\" values=\"{2}\"/>\n"
      "  <axis peer=\"client\" values=\"good-cert {0}\"/>\n"
      "  <axis peer=\"server\" values=\"good\"/>\n\n"
      "  <inbound>\n"
      "    <rule ref=\"IN-7\" when=\"client=good-cert\" expect=\"accept tls={3}\"/>\n"
      "    <rule ref=\"IN-7\" when=\"client={0}\" expect=\"drop | refuse | broken\"/>\n"
      "  </inbound>\n\n"
      "  <outbound>\n"
      "    <rule ref=\"OUT-2\" when=\"server=good\" expect=\"redirect tls=yes\"/>\n"
      "  </outbound>\n\n"
      "  <disclosure>\n"
      "    <rule ref=\"LEAK-2\" when=\"server=good\" next-hop=\"tls\" sender=\"tls\"/>\n"
      "  </disclosure>\n"
      "</matrix>\n",
      name, level, demands ? "require" : "none", level == "none" ? "no" : "yes");
}

std::string server_matrix(const PeerSkeleton& peer, const std::vector<std::string>& levels) {
  std::string words, outbound, disclosure;
  for (const LevelRule& one : kLevelRules) {
    if (std::find(levels.begin(), levels.end(), one.level) == levels.end()) continue;
    words += (words.empty() ? "" : " ") + std::string(one.level);
    outbound += fmt::format(
        "    <rule ref=\"{0}\" when=\"client-level={1} server=good\" expect=\"{2}\"/>\n"
        "    <rule ref=\"{3}\" when=\"client-level={1} server={4}\" expect=\"{5}\"/>\n",
        one.ref, one.level, one.expect, peer.hold ? "OUT-9" : "OUT-6", peer.name,
        peer.hold ? "hold" : one.expect);
    disclosure += fmt::format(
        "    <rule ref=\"{0}\" when=\"client-level={1}\" next-hop=\"{2}\" sender=\"{2}\"/>\n",
        one.disclosure_ref, one.level, one.places);
  }
  return fmt::format(
      "<matrix name=\"{0}\">\n"
      "  <axis setting=\"client-level\" values=\"{1}\"/>\n"
      "  <axis peer=\"client\" values=\"plain\"/>\n"
      "  <axis peer=\"server\" values=\"good {0}\"/>\n\n"
      "  <inbound>\n"
      "    <rule ref=\"IN-2\" when=\"client=plain\" expect=\"accept tls=no\"/>\n"
      "  </inbound>\n\n"
      "  <outbound>\n{2}  </outbound>\n\n"
      "  <disclosure>\n{3}  </disclosure>\n"
      "</matrix>\n",
      peer.name, words, outbound, disclosure);
}

}  // namespace

std::string matrix_text(const PeerSkeleton& peer) {
  const std::string& level = peer.level;
  if (peer.role == Role::kClient)
    return client_matrix(peer.name, level.empty() ? "require" : level);
  return server_matrix(peer, level.empty() ? std::vector<std::string>{"require", "verify"}
                                           : std::vector<std::string>{level});
}

std::string fault_story_text(const std::string& ref, const std::string& why,
                             const std::string& point, const std::string& act) {
  struct Part {
    std::string_view point;
    const char* lines;
  };
  static const Part kParts[] = {
      {"greeting", "    <hear reply=\"220\"/>\n"},
      {"ehlo", "    <say>EHLO client.postern.test</say>\n    <hear reply=\"250\"/>\n"},
      {"starttls", "    <say>STARTTLS</say>\n    <hear reply=\"220\"/>\n    <starttls/>\n"},
      {"after-tls", "    <say>EHLO client.postern.test</say>\n    <hear reply=\"250\"/>\n"},
      {"mail", "    <say>MAIL FROM:&lt;${sender}&gt;</say>\n    <hear reply=\"250\"/>\n"},
      {"rcpt", "    <say>RCPT TO:&lt;${recipient}&gt;</say>\n    <hear reply=\"250\"/>\n"},
      {"data", "    <say>DATA</say>\n    <hear reply=\"354\"/>\n"},
      {"body", "    <say raw=\"Subject: ${token}\\r\\n\\r\\nhalf of it\\r\\n\"/>\n"},
  };
  // Within the first flights of a handshake no more was said than STARTTLS.
  const bool hello = point == "ready" || point == "client-hello";
  const bool quit = point == "quit", says = act == "say";
  const auto* const here =
      std::find_if(std::begin(kParts), std::end(kParts), [&](const Part& part) {
        return part.point == (hello ? "after-tls" : quit ? "mail" : point);
      });
  if (point == "greeting" || (here == std::end(kParts) && point != "dot")) return "";
  if (!says && act != "close" && act != "reset") return "";
  if (says && (hello || point == "body" || point == "dot")) return "";
  std::string text = kDeclaration;
  text += "<story" + attribute("ref", ref) + attribute("why", why) +
          ">\n  <gateway server-level=\"attempt\"/>\n  <client>\n";
  for (const Part* part = std::begin(kParts); part != here; ++part) {
    const std::string_view at = part->point;
    if (at == "starttls" && hello) text += "    <say>STARTTLS</say>\n    <hear reply=\"220\"/>\n";
    if ((at != "starttls" && at != "after-tls") || (at == "starttls" && point == "after-tls"))
      text += part->lines;
  }
  if (quit) text += "    <deliver/>\n";
  if (says) text += "    <say>NONSENSE</say>\n    <hear reply=\"500\"/>\n";
  text += act == "reset" ? "    <reset/>\n" : "    <close/>\n    <end/>\n";
  if (!quit) text += "    <connect/>\n" + lines_of_a_message();
  return text +
         "  </client>\n  <server peer=\"good\"/>\n"
         "  <expect outbound=\"redirect tls=yes\" next-hop=\"tls\"/>\n</story>\n";
}

std::string folder_for(const Catalogue& catalogue, const std::string& ref, Role side) {
  std::map<std::string, int> folders;
  for (const auto& story : catalogue.stories)
    if (story->ref == ref) ++folders[topic_of(*story)];
  folders.erase("");
  std::string best = side == Role::kClient ? "starttls" : "sending";
  int most = 0;
  for (const auto& [folder, count] : folders) {
    if (count <= most) continue;
    best = folder;
    most = count;
  }
  return best;
}

}  // namespace postern
