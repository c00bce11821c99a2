#include "directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace postern::certs {
namespace {

// The first line of every file written here. PEM readers pass over what precedes BEGIN.
constexpr std::string_view kMark = "# Written by postern certs";

/// OutputFile is one file to be written.
struct OutputFile {
  std::string name;
  std::string text;
  mode_t mode = 0644;
};

/// Folder is an open directory: its files are reached through it, whatever its path comes to mean.
class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {
    // With a slash at its end the path would be its own parent, and made for all to read.
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
    std::error_code ignored;  // what matters shows when the folder is opened
    const std::filesystem::path parent = std::filesystem::path(path_).parent_path();
    if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
    if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) fail("");
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor_ < 0) fail("");
  }
  ~Folder() { ::close(descriptor_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// expect_free throws where `name` is there and was not written by us.
  void expect_free(const std::string& name) const {
    struct stat facts {};
    if (::fstatat(descriptor_, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return;
      fail(name);
    }
    if (!S_ISREG(facts.st_mode)) fail(name, "is there and is no regular file; it is left alone");
    const int file =
        ::openat(descriptor_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) fail(name);
    std::array<char, kMark.size()> head{};
    const ssize_t length = ::read(file, head.data(), head.size());
    ::close(file);
    if (length != static_cast<ssize_t>(kMark.size()) ||
        std::string_view(head.data(), head.size()) != kMark) {
      fail(name, "is there and was not written by postern certs; it is left alone");
    }
  }

  /// text_of gives the text of a file that was written by us; "" where `name` is anything else.
  std::string text_of(const std::string& name) const {
    const int file =
        ::openat(descriptor_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return {};
    std::string text;
    std::array<char, 4096> piece{};
    ssize_t length = 0;
    while ((length = ::read(file, piece.data(), piece.size())) > 0)
      text.append(piece.data(), static_cast<std::size_t>(length));
    ::close(file);
    return text.starts_with(kMark) ? text : "";
  }

  void remove(const std::string& name) const {
    if (::unlinkat(descriptor_, name.c_str(), 0) != 0 && errno != ENOENT) fail(name);
  }

  /// replace writes beside the old file and takes its place, so that no reader meets half a file,
  /// and the mode holds from the first byte.
  void replace(const OutputFile& file) const {
    const std::string beside = "." + file.name + "." + random_word();
    const int descriptor =
        ::openat(descriptor_, beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                 file.mode);
    if (descriptor < 0) fail(file.name);
    int error = write_all(descriptor, file.text);
    if (::close(descriptor) != 0 && error == 0) error = errno;
    if (error == 0 &&
        ::renameat(descriptor_, beside.c_str(), descriptor_, file.name.c_str()) != 0) {
      error = errno;
    }
    if (error == 0) return;
    ::unlinkat(descriptor_, beside.c_str(), 0);
    errno = error;
    fail(file.name);
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& reason) const {
    const std::string where = name.empty() ? path_ : path_ + "/" + name;
    throw std::runtime_error(fmt::format("{}: {}", where, reason));
  }
  [[noreturn]] void fail(const std::string& name) const {
    fail(name, std::generic_category().message(errno));
  }

  static std::string random_word() {
    std::array<unsigned char, 8> bytes{};
    if (RAND_bytes(bytes.data(), bytes.size()) != 1) throw std::runtime_error("no random bytes");
    std::string word;
    for (const unsigned char byte : bytes) word += fmt::format("{:02x}", byte);
    return word;
  }

  /// write_all returns 0 or the error's number.
  static int write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor, text.data(), text.size());
      if (written < 0 && errno != EINTR) return errno;
      if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
  }

  std::string path_;
  int descriptor_ = -1;
};

/// one_line makes text fit for a comment line and a cell of a table.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '|') c = ' ';
  }
  return text;
}

std::string marked(const std::string& about, const std::string& pem) {
  return fmt::format("{}. {}\n{}", kMark, one_line(about), pem);
}

std::string time_text(const ASN1_TIME* time) {
  std::tm when{};
  if (ASN1_TIME_to_tm(time, &when) != 1) throw std::runtime_error("a date cannot be read");
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}Z", when.tm_year + 1900, when.tm_mon + 1,
                     when.tm_mday, when.tm_hour, when.tm_min);
}

std::string index_of(const std::vector<const Identity*>& identities,
                     const std::vector<const Trust*>& trusts,
                     const std::vector<const RevocationList*>& crls) {
  std::string text = fmt::format(
      "{}: the test PKI\n\n"
      "Test certificates and their keys. Nobody should believe in these CAs outside a test.\n\n"
      "## What a peer shows\n\n"
      "`NAME.pem` is the chain, leaf first; `NAME.key` its key.\n\n"
      "| name | what it is for | sends | valid (leaf) |\n|---|---|---|---|\n",
      kMark);
  for (const Identity* identity : identities) {
    const X509* leaf = identity->chain.front().get();
    text += fmt::format("| {} | {} | {} | {} to {} |\n", identity->name, one_line(identity->about),
                        identity->chain.size(), time_text(X509_get0_notBefore(leaf)),
                        time_text(X509_get0_notAfter(leaf)));
  }
  text += "\n## What to believe in\n\n| file | what it is for |\n|---|---|\n";
  for (const Trust* trust : trusts) {
    text += fmt::format("| {}.ca.pem | {} |\n", trust->name, one_line(trust->about));
  }
  text += "\n## What is revoked\n\n| file | what it is for |\n|---|---|\n";
  for (const RevocationList* crl : crls) {
    text += fmt::format("| {}.crl.pem | {} |\n", crl->name, one_line(crl->about));
  }
  return text;
}

/// listed_in gives the names of the files that an index may speak of.
std::vector<std::string> listed_in(const std::string& index) {
  std::vector<std::string> names;
  std::istringstream lines(index);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ")) continue;
    const std::string name = line.substr(2, line.find(" |", 2) - 2);
    if (name.find('/') != std::string::npos) continue;
    if (name.ends_with(".pem")) {
      names.push_back(name);
    } else {
      names.push_back(name + ".pem");
      names.push_back(name + ".key");
    }
  }
  return names;
}

std::vector<OutputFile> files_of(const Authority& authority) {
  std::vector<const Identity*> identities;
  std::vector<const Trust*> trusts;
  for (const std::string& name : authority.identity_names()) {
    identities.push_back(authority.identity(name));
  }
  for (const std::string& name : authority.trust_names()) trusts.push_back(authority.trust(name));
  std::vector<const RevocationList*> crls;
  for (const std::string& name : authority.crl_names()) crls.push_back(authority.crl(name));
  std::vector<OutputFile> files{{"INDEX.md", index_of(identities, trusts, crls), 0644}};
  for (const Identity* identity : identities) {
    files.push_back(
        {identity->name + ".pem", marked(identity->about, identity->chain_pem()), 0644});
    files.push_back({identity->name + ".key", marked(identity->about, identity->key_pem()), 0600});
  }
  for (const Trust* trust : trusts) {
    files.push_back({trust->name + ".ca.pem", marked(trust->about, trust->pem()), 0644});
  }
  for (const RevocationList* crl : crls) {
    files.push_back({crl->name + ".crl.pem", marked(crl->about, crl->pem()), 0644});
  }
  return files;
}

}  // namespace

void write_directory(const Authority& authority, const std::string& directory) {
  const std::vector<OutputFile> files = files_of(authority);
  const Folder folder(directory);
  for (const OutputFile& file : files) folder.expect_free(file.name);
  // What is not declared any more is not of this PKI.
  for (const std::string& name : listed_in(folder.text_of("INDEX.md"))) {
    const bool stays = std::any_of(files.begin(), files.end(),
                                   [&](const OutputFile& file) { return file.name == name; });
    if (!stays && !folder.text_of(name).empty()) folder.remove(name);
  }
  for (const OutputFile& file : files) folder.replace(file);
}

void StoredPki::fail(const std::string& name, const std::string& what) const {
  throw std::runtime_error(fmt::format("{}/{}: {}; postern certs {} writes the test PKI anew",
                                       directory_, name, what, directory_));
}

std::shared_ptr<BIO> StoredPki::open(const std::string& name) const {
  std::shared_ptr<BIO> file(BIO_new_file((directory_ + "/" + name).c_str(), "r"), BIO_free);
  if (!file) fail(name, std::generic_category().message(errno));
  return file;
}

std::vector<X509Ptr> StoredPki::certificates(const std::string& name) const {
  const std::shared_ptr<BIO> file = open(name);
  std::vector<X509Ptr> chain;
  while (X509* next = PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr))
    chain.emplace_back(next, X509_free);
  ERR_clear_error();  // That there is no further one is no error.
  if (chain.empty()) fail(name, "it holds no certificate");
  return chain;
}

std::vector<X509Ptr> StoredPki::anchors(const std::string& name) const {
  std::vector<X509Ptr> chain = certificates(name);
  for (const X509Ptr& one : chain)
    if (X509_cmp_current_time(X509_get0_notAfter(one.get())) < 0)
      fail(name, "it expired at " + time_text(X509_get0_notAfter(one.get())));
  return chain;
}

KeyPtr StoredPki::key(const std::string& name, const X509Ptr& certificate) const {
  const std::shared_ptr<BIO> file = open(name);
  KeyPtr key(PEM_read_bio_PrivateKey(file.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key) fail(name, "it holds no private key");
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    fail(name, "it is not the key of the certificate beside it");
  return key;
}

CrlPtr StoredPki::crl(const std::string& name) const {
  const std::shared_ptr<BIO> file = open(name);
  CrlPtr list(PEM_read_bio_X509_CRL(file.get(), nullptr, nullptr, nullptr), X509_CRL_free);
  if (!list) fail(name, "it holds no revocation list");
  return list;
}

}  // namespace postern::certs
