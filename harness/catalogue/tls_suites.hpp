#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "peer.hpp"

// Cipher suites by OpenSSL's names: the loader and the peers understand one list alike.

namespace postern {

/// use_versions has `context` speak `versions`, which have no gap; false if OpenSSL refuses.
bool use_versions(SSL_CTX* context, const std::vector<TlsVersion>& versions);

/// use_ciphers has `context` allow the suites of `list`, joined by ':'. Names that begin with TLS_
/// are those of TLS 1.3; where the list has none of one kind, that kind stays as it is. It returns
/// false if OpenSSL finds no suite in it.
bool use_ciphers(SSL_CTX* context, const std::string& list);

/// offered_suites names the suites that a peer offers with these versions and this list, which may
/// be empty. `error` says why there are none, where there are none.
std::vector<std::string> offered_suites(const std::vector<TlsVersion>& versions,
                                        const std::string& list, std::string& error);

}  // namespace postern
