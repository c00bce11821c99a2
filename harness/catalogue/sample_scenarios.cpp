#include "catalogue/sample_scenarios.hpp"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace postern {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRequirements = R"xml(<requirements>
  <requirement id="IN-1" source="test" level="MUST">One.</requirement>
  <requirement id="OUT-1" source="test" level="MUST">Two.</requirement>
</requirements>
)xml";

constexpr const char* kPeers = R"xml(<peers>
  <peer role="client" name="good-cert" certificate="client-good" trust="root"/>
  <peer role="client" name="plain" starttls="never"/>
  <peer role="server" name="good" certificate="server-good"/>
  <peer role="server" name="expired" like="good" certificate="server-expired"/>
</peers>
)xml";

constexpr const char* kMatrix = R"xml(<matrix name="small">
  <axis setting="server-level" values="attempt require"/>
  <axis setting="client-level" values="attempt verify"/>
  <axis peer="client" values="plain good-cert"/>
  <axis peer="server" values="good expired"/>
  <inbound>
    <rule ref="IN-1" when="server-level=attempt" expect="accept"/>
    <rule ref="IN-1" when="server-level=require client=good-cert" expect="accept tls=yes"/>
    <rule ref="IN-1" when="server-level=require client=plain" expect="drop reply=530" policy="drop | refuse"/>
  </inbound>
  <outbound>
    <rule ref="OUT-1" when="client-level=attempt" expect="redirect tls=yes"/>
    <rule ref="OUT-1" when="client-level=verify server=good" expect="redirect tls=yes"/>
    <rule ref="OUT-1" when="client-level=verify server=expired" expect="hold code=4.7.5" letter="hold"/>
  </outbound>
  <disclosure>
    <rule ref="OUT-1" when="client-level=attempt|verify" next-hop="tls" sender="tls"/>
  </disclosure>
</matrix>
)xml";

constexpr const char* kStory = R"xml(<story name="hello" ref="IN-1" why="it is said">
  <gateway server-level="attempt"/>
  <client>
    <hear reply="220"/>
    <say>EHLO client.example</say>
    <hear reply="250" offers="STARTTLS" lacks="AUTH"/>
    <say raw="STARTTLS\r\nRSET\r\n" split="3 10"/>
    <hear reply="220"/>
    <starttls may="fail" trust="root" asked="no"/>
    <deliver/>
    <say>QUIT</say>
    <hear reply="221"/>
    <end/>
  </client>
  <server peer="good"/>
  <expect inbound="accept tls=yes" outbound="redirect tls=yes" next-hop="tls"/>
</story>
)xml";

constexpr const char* kGateway = R"xml(<gateway name="sample" about="a gateway" grade="letter">
  <version><arg>gw</arg><arg>--version</arg></version>
  <requires program="gw"/>
  <file name="gw.conf" mode="0640">
    listen = ${listen.address}:${listen.port}
      cert = ${certificate.gateway} ${key.gateway} ${trust.root}
    level = ${server-level} ${client-certificate} ${client-level}
    route ${route.domain} ${route.host} ${route.address}:${route.port}
  </file>
  <setting name="server-level" is="none">off</setting>
  <setting name="server-level" is="attempt">may</setting>
  <setting name="server-level" is="require">encrypt</setting>
  <setting name="client-certificate">${value}</setting>
  <setting name="client-level">${value}</setting>
  <setting name="clear-fallback-delay"/>
  <cannot when="server-level=none client-certificate!=none" why="it has no word for it"/>
  <start namespace="pid"><arg>${program.postern-gateway}</arg><arg>${dir}/gw.conf</arg></start>
  <ready from="stderr" match="listening on (?P&lt;address&gt;\S+):(?P&lt;port&gt;\d+)" within="500ms"/>
  <stop signal="INT" within="2s"/>
  <hasten second-attempt="no"/>
  <record from="file" file="log/mail.log">
    <event kind="delivered">sent to (?P&lt;recipient&gt;\S+)</event>
  </record>
  <queue line="^(?P&lt;recipient&gt;\S+)$"><arg>gw</arg><arg>queue</arg></queue>
</gateway>
)xml";

std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

const certs::Authority& authority() {
  static const auto kAuthority = [] {
    Problems problems;
    auto loaded = certs::Authority::load(POSTERN_SOURCE_DIR "/certs/authority.xml", problems);
    if (!loaded) throw std::runtime_error(problems.text());
    return loaded;
  }();
  return *kAuthority;
}

}  // namespace

void SampleScenarios::make_directory() {
  std::string pattern = (fs::temp_directory_path() / "postern-sample-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make " + pattern);
  directory_ = pattern;
}

SampleScenarios::SampleScenarios(const std::string& directory) {
  make_directory();
  fs::copy(directory, directory_, fs::copy_options::recursive);
}

SampleScenarios::SampleScenarios() {
  make_directory();
  write("requirements.xml", kRequirements);
  write("peers.xml", kPeers);
  write("matrix.xml", kMatrix);
  write("hello.xml", kStory);
  write("gateway.xml", kGateway);
}

SampleScenarios::~SampleScenarios() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void SampleScenarios::write(const std::string& file, const std::string& text) {
  fs::create_directories(fs::path(directory_ + "/" + file).parent_path());
  std::ofstream(directory_ + "/" + file, std::ios::binary) << text;
}

void SampleScenarios::replace(const std::string& file, const std::string& from,
                              const std::string& to) {
  std::string text = content_of(directory_ + "/" + file);
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::invalid_argument(from);
  write(file, text.replace(at, from.size(), to));
}

std::string SampleScenarios::read(const std::string& file) const {
  return content_of(directory_ + "/" + file);
}

std::unique_ptr<Catalogue> SampleScenarios::load() {
  Problems problems;
  auto catalogue = load_catalogue(directory_, authority(), problems);
  problems_ = problems.text();
  const std::string prefix = directory_ + "/";
  for (std::size_t at = 0; (at = problems_.find(prefix, at)) != std::string::npos;) {
    problems_.erase(at, prefix.size());
  }
  return catalogue;
}

std::string SampleScenarios::problems() const {
  return problems_;
}

}  // namespace postern
