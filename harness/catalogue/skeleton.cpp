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
          (peer.act == "say" ? attribute("raw", bytes) : "") + "/>\n";
  return text + "  </peer>\n</peers>\n";
}

std::string matrix_text(const PeerSkeleton& peer) {
  const std::string& name = peer.name;
  if (peer.role == Role::kClient)
    return fmt::format(
        "<matrix name=\"{0}\">\n"
        "  <axis setting=\"server-level\" values=\"require\"/>\n"
        "  <axis setting=\"client-certificate\" values=\"require\"/>\n"
        "  <axis peer=\"client\" values=\"good-cert {0}\"/>\n"
        "  <axis peer=\"server\" values=\"good\"/>\n\n"
        "  <inbound>\n"
        "    <rule ref=\"IN-7\" when=\"client=good-cert\" expect=\"accept tls=yes\"/>\n"
        "    <rule ref=\"IN-7\" when=\"client={0}\" expect=\"drop | refuse | broken\"/>\n"
        "  </inbound>\n\n"
        "  <outbound>\n"
        "    <rule ref=\"OUT-2\" when=\"server=good\" expect=\"redirect tls=yes\"/>\n"
        "  </outbound>\n\n"
        "  <disclosure>\n"
        "    <rule ref=\"LEAK-2\" when=\"server=good\" next-hop=\"tls\" sender=\"tls\"/>\n"
        "  </disclosure>\n"
        "</matrix>\n",
        name);
  return fmt::format(
      "<matrix name=\"{0}\">\n"
      "  <axis setting=\"client-level\" values=\"require verify\"/>\n"
      "  <axis peer=\"client\" values=\"plain\"/>\n"
      "  <axis peer=\"server\" values=\"good {0}\"/>\n\n"
      "  <inbound>\n"
      "    <rule ref=\"IN-2\" when=\"client=plain\" expect=\"accept tls=no\"/>\n"
      "  </inbound>\n\n"
      "  <outbound>\n"
      "    <rule ref=\"OUT-3\" when=\"client-level=require server=good\" expect=\"redirect "
      "tls=yes\"/>\n"
      "    <rule ref=\"OUT-4\" when=\"client-level=verify server=good\" expect=\"redirect "
      "tls=yes\"/>\n"
      "    <rule ref=\"{1}\" when=\"server={0}\" expect=\"{2}\"/>\n"
      "  </outbound>\n\n"
      "  <disclosure>\n"
      "    <rule ref=\"LEAK-3\" when=\"client-level=require\" next-hop=\"tls\" sender=\"tls\"/>\n"
      "    <rule ref=\"LEAK-4\" when=\"client-level=verify\" next-hop=\"tls\" sender=\"tls\"/>\n"
      "  </disclosure>\n"
      "</matrix>\n",
      name, peer.hold ? "OUT-9" : "OUT-6", peer.hold ? "hold" : "redirect tls=yes");
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
