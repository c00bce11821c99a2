#include "certificates_page.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "apply.hpp"
#include "services.hpp"

namespace gateway::web {
namespace {

namespace fs = std::filesystem;
using Kind = StoredCertificate::Kind;

std::string folder_of(const std::string& config_path) {
  return (fs::absolute(config_path).parent_path() / "certificates").lexically_normal().string();
}

std::string field(const Fields& form, const std::string& name) {
  const auto found = form.find(name);
  return found == form.end() ? std::string() : found->second;
}

int days_in(const Fields& form) {
  constexpr std::uint64_t kMost = 3650;
  const auto days = parse_number(field(form, "days"));
  if (!days || *days == 0 || *days > kMost) {
    throw Refusal("bad-days", field(form, "days"));
  }
  return static_cast<int>(*days);
}

// same_file: a name of the configuration may lead to a file of the store by another way, such as a
// link.
bool same_file(const std::string& a, const std::string& b) {
  std::error_code absent;
  return a == b || fs::equivalent(a, b, absent);
}

// mark_use notes what the settings in force use these files for.
void mark_use(CertificateRow& row, const TlsConfig& tls) {
  const std::string& path = row.certificate.path;
  const std::string& key = row.certificate.key;
  row.receiving = same_file(path, tls.certificate);
  row.sending = same_file(path, tls.sending_certificate);
  row.key_in_use = !key.empty() && (same_file(key, tls.key) || same_file(key, tls.sending_key));
  row.trusted_clients = same_file(path, tls.client_ca);
  row.trusted_next_hops = same_file(path, tls.next_hop_ca);
}

}  // namespace

CertificatesPage::CertificatesPage(Server& server, std::string config_path, SlowWork& slow_work)
    : server_(server),
      config_path_(std::move(config_path)),
      slow_work_(slow_work),
      store_(folder_of(config_path_)) {}

std::vector<CertificateRow> CertificatesPage::rows() const {
  const TlsConfig& tls = server_.services().settings->config.tls;
  std::vector<CertificateRow> rows;
  const auto add = [&](StoredCertificate certificate, bool stored) {
    CertificateRow row;
    row.certificate = std::move(certificate);
    row.stored = stored;
    mark_use(row, tls);
    rows.push_back(std::move(row));
  };
  for (auto& certificate : store_.all()) add(std::move(certificate), true);
  const auto elsewhere = [&](const std::string& path, Kind kind) {
    const bool known = std::any_of(rows.begin(), rows.end(), [&](const CertificateRow& row) {
      return same_file(row.certificate.path, path);
    });
    if (path.empty() || known) return;
    StoredCertificate certificate{kind, fs::path(path).filename().string(), path, {}, {}, {}};
    try {
      certificate.facts = facts_in(CertificateStore::read_text(path));
    } catch (const Refusal& error) {
      certificate.error = error;
    }
    add(std::move(certificate), false);
  };
  elsewhere(tls.certificate, Kind::own);
  elsewhere(tls.sending_certificate, Kind::own);
  elsewhere(tls.client_ca, Kind::authority);
  elsewhere(tls.next_hop_ca, Kind::authority);
  return rows;
}

std::optional<CertificateRow> CertificatesPage::find(const Fields& form) const {
  const std::string name = field(form, "name");
  const std::string kind = field(form, "kind");
  for (const CertificateRow& row : rows()) {
    const Kind is = row.certificate.kind;
    const char* word = is == Kind::own ? "own" : is == Kind::request ? "request" : "ca";
    if (row.stored && row.certificate.name == name && kind == word) return row;
  }
  return std::nullopt;
}

void CertificatesPage::note(const std::string& action, const std::string& name,
                            const std::string& who) {
  server_.services().journal.add(JournalLine("certificate-action")
                                     .add("action", action)
                                     .add("name", name)
                                     .add("by", "web")
                                     .add("who", who));
}

asio::awaitable<Import> CertificatesPage::read(const Fields& form) {
  std::function<Import()> work = [file = field(form, "file"), password = field(form, "password")] {
    return read_import(file, password);
  };
  return slow_work_.perform(std::move(work));
}

// take_in keeps a certificate with its key; one without a key where it was asked for here.
void CertificatesPage::take_in(const Import& import, const std::string& who) {
  if (!import.key.empty()) {
    note("imported", store_.add(own_certificate(import, import.key)), who);
    return;
  }
  for (const CertificateRow& row : rows()) {
    if (row.certificate.kind != Kind::request) continue;
    const std::string key = CertificateStore::read_text(row.certificate.key);
    for (const std::string& certificate : import.certificates) {
      if (!key_belongs(key, certificate)) continue;
      store_.complete(row.certificate, own_certificate(import, key));
      note("signed", row.certificate.name, who);
      return;
    }
  }
  throw Refusal("no-key");
}

// choose puts a certificate to use: with it the settings come into force anew.
void CertificatesPage::choose(const std::string& action, const Fields& form,
                              const std::string& who) {
  const auto row = find(form);
  const auto relative = [&](const std::string& path) {
    return fs::path(path).lexically_relative(fs::absolute(config_path_).parent_path()).string();
  };
  const bool own = row && row->certificate.kind == Kind::own;
  const bool authority = row && row->certificate.kind == Kind::authority;
  Attributes attributes;
  if (action == "send-none") {
    attributes = {{"sending-certificate", ""}, {"sending-key", ""}};
  } else if (own && (action == "use-receiving" || action == "use-sending")) {
    const std::string prefix = action == "use-sending" ? "sending-" : "";
    attributes = {{prefix + "certificate", relative(row->certificate.path)},
                  {prefix + "key", relative(row->certificate.key)}};
  } else if (authority && (action == "trust-clients" || action == "trust-next-hops")) {
    attributes = {
        {action == "trust-clients" ? "client-ca" : "next-hop-ca", relative(row->certificate.path)}};
  } else {
    throw Refusal("gone-certificate");
  }
  apply_settings(server_, config_path_, attributes, who);
  note(action, row ? row->certificate.name : std::string(), who);
}

asio::awaitable<void> CertificatesPage::act(std::string action, Fields form, std::string who) {
  if (action == "self-signed") {
    const auto names = parse_names(field(form, "names"));
    note("made", store_.add(make_self_signed(names, days_in(form))), who);
  } else if (action == "request") {
    const auto names = parse_names(field(form, "names"));
    note("requested", store_.add(make_request(names), names.front()), who);
  } else if (action == "import") {
    asio::awaitable<Import> reading = read(form);
    take_in(co_await std::move(reading), who);
  } else if (action == "import-ca") {
    asio::awaitable<Import> reading = read(form);
    const Import import = co_await std::move(reading);
    note("ca-imported", store_.add_authorities(import.certificates), who);
  } else if (action == "delete") {
    const auto row = find(form);
    if (!row) throw Refusal("gone-certificate");
    if (row->in_use()) throw Refusal("certificate-in-use");
    store_.remove(row->certificate);
    note("deleted", row->certificate.name, who);
  } else if (action == "use-receiving" || action == "use-sending" || action == "send-none" ||
             action == "trust-clients" || action == "trust-next-hops") {
    choose(action, form, who);
  } else {
    throw std::invalid_argument("no action of certificates is called " + action);
  }
}

}  // namespace gateway::web
