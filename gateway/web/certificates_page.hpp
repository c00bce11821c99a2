// The page "TLS certificates": what can be done with them, apart from how it is shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "certificate_store.hpp"
#include "form.hpp"
#include "server.hpp"
#include "slow_work.hpp"

namespace gateway::web {

// CertificateRow is a certificate of the store, or a file that is in use and stands elsewhere.
struct CertificateRow {
  StoredCertificate certificate;
  bool stored = true;  // in the store: it can be chosen and deleted here
  bool receiving = false;
  bool sending = false;
  bool key_in_use = false;  // with this certificate, or with one that is kept elsewhere
  bool trusted_clients = false;
  bool trusted_next_hops = false;
  bool in_use() const {
    return receiving || sending || key_in_use || trusted_clients || trusted_next_hops;
  }
};

class CertificatesPage {
 public:
  // The store is the folder "certificates" beside the configuration. What is imported is opened by
  // `slow_work`: a file says itself how long that takes.
  CertificatesPage(Server& server, std::string config_path, SlowWork& slow_work);

  // rows are all certificates, requests and authorities, those that are in use elsewhere included.
  std::vector<CertificateRow> rows() const;

  // find is the one of the store that a form names by its kind and name.
  std::optional<CertificateRow> find(const Fields& form) const;

  // act does what a form asks for, and has the journal say so. It throws std::runtime_error, and
  // nothing has changed, where that cannot be; std::invalid_argument where there is no such action.
  asio::awaitable<void> act(std::string action, Fields form, std::string who);

 private:
  asio::awaitable<Import> read(const Fields& form);
  void take_in(const Import& import, const std::string& who);
  void choose(const std::string& action, const Fields& form, const std::string& who);
  void note(const std::string& action, const std::string& name, const std::string& who);

  Server& server_;
  std::string config_path_;
  SlowWork& slow_work_;
  CertificateStore store_;
};

}  // namespace gateway::web
