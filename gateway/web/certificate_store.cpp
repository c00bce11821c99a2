#include "certificate_store.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "durable_file.hpp"
#include "smtp_command.hpp"

namespace gateway::web {
namespace {

namespace fs = std::filesystem;
using Kind = StoredCertificate::Kind;

constexpr std::size_t kMostStored = 200;
constexpr int kKeyMode = 0600;
constexpr int kPublicMode = 0644;

// plain_name makes a file name of a subject or a host name.
std::string plain_name(const std::string& wish) {
  constexpr std::size_t kLongest = 60;
  std::string name;
  for (const char c : lower_case(wish)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (plain && !(name.empty() && c == '.')) name += c;
    if (!plain && !name.empty() && name.back() != '-') name += '-';
  }
  name = name.substr(0, kLongest);
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
  return name.empty() ? "certificate" : name;
}

std::string wish_of(const CertificateFacts& facts) {
  if (!facts.is_ca && !facts.names.empty()) return facts.names.front();
  const auto common = facts.subject.find("CN=");
  if (common == std::string::npos) return facts.subject;
  return facts.subject.substr(common + 3, facts.subject.find(',', common) - common - 3);
}

}  // namespace

std::string CertificateStore::read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.good() && !in.eof()) throw Refusal("file-unreadable", path);
  return text;
}

std::vector<StoredCertificate> CertificateStore::all() const {
  std::vector<StoredCertificate> found;
  const auto look = [&](const std::string& part) {
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(folder_ + "/" + part, absent)) {
      const fs::path& path = entry.path();
      const bool request = path.extension() == ".csr";
      if (path.extension() != ".pem" && !request) continue;
      StoredCertificate one;
      one.kind = request ? Kind::request : part == "ca" ? Kind::authority : Kind::own;
      one.name = path.stem().string();
      one.path = path.string();
      if (part == "own") one.key = (path.parent_path() / one.name).string() + ".key";
      try {
        if (!request) one.facts = facts_in(read_text(one.path));
      } catch (const Refusal& error) {
        one.error = error;
      }
      found.push_back(std::move(one));
    }
  };
  look("own");
  look("ca");
  std::sort(found.begin(), found.end(), [](const StoredCertificate& a, const StoredCertificate& b) {
    return std::pair(a.kind, a.name) < std::pair(b.kind, b.name);
  });
  return found;
}

std::string CertificateStore::fresh_name(const std::string& part, const std::string& wish) const {
  if (all().size() >= kMostStored) {
    throw Refusal("many-kept", std::to_string(kMostStored));
  }
  const std::string plain = plain_name(wish);
  const auto taken = [&](const std::string& name) {
    const std::string path = folder_ + "/" + part + "/" + name;
    return fs::exists(path + ".pem") || fs::exists(path + ".csr") || fs::exists(path + ".key");
  };
  std::string name = plain;
  for (int i = 2; taken(name); ++i) name = plain + "-" + std::to_string(i);
  return name;
}

std::string CertificateStore::add(const OwnCertificate& certificate) const {
  const std::string name = fresh_name("own", wish_of(facts_in(certificate.chain).front()));
  const std::string path = folder_ + "/own/" + name;
  write_durably(path + ".key", certificate.key, kKeyMode);
  write_durably(path + ".pem", certificate.chain, kPublicMode);
  return name;
}

std::string CertificateStore::add(const SigningRequest& request, const std::string& wish) const {
  const std::string name = fresh_name("own", wish);
  const std::string path = folder_ + "/own/" + name;
  write_durably(path + ".key", request.key, kKeyMode);
  write_durably(path + ".csr", request.request, kPublicMode);
  return name;
}

std::string CertificateStore::add_authorities(const std::vector<std::string>& certificates) const {
  std::string text;
  for (const auto& certificate : certificates) text += certificate;
  const std::string name = fresh_name("ca", wish_of(facts_in(text).front()));
  write_durably(folder_ + "/ca/" + name + ".pem", text, kPublicMode);
  return name;
}

void CertificateStore::complete(const StoredCertificate& request,
                                const OwnCertificate& certificate) const {
  write_durably(folder_ + "/own/" + request.name + ".pem", certificate.chain, kPublicMode);
  fs::remove(request.path);
}

void CertificateStore::remove(const StoredCertificate& certificate) const {
  fs::remove(certificate.path);
  if (!certificate.key.empty()) fs::remove(certificate.key);
}

}  // namespace gateway::web
