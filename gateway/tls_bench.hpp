// For tests: a folder for certificates, and both ends of a handshake in memory.
#pragma once

#include <openssl/ssl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "mint.hpp"

namespace gateway {

// TlsFolder is removed at its end, with what was written into it.
class TlsFolder {
 public:
  TlsFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "gateway-tls-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TlsFolder() { std::filesystem::remove_all(path_); }
  TlsFolder(const TlsFolder&) = delete;
  TlsFolder& operator=(const TlsFolder&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  // write_pair writes NAME.pem and NAME.key.
  void write_pair(const std::string& name, const PemPair& pair) const {
    write(name + ".pem", pair.certificate);
    write(name + ".key", pair.key);
  }

 private:
  std::string path_;
};

// shake_hands joins the two, each of which knows which end it is, and tells whether both are
// through.
inline bool shake_hands(SSL* client, SSL* server) {
  BIO* left = nullptr;
  BIO* right = nullptr;
  BIO_new_bio_pair(&left, 1 << 16, &right, 1 << 16);
  SSL_set_bio(client, left, left);
  SSL_set_bio(server, right, right);
  for (int turn = 0; turn < 10; ++turn) {
    const int done = SSL_do_handshake(client);
    if (SSL_do_handshake(server) == 1 && done == 1) return true;
  }
  return false;
}

}  // namespace gateway
