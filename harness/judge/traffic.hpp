#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What passed on the connections of a case, octet by octet and beneath TLS. It is judged by
// nothing: it is kept for whoever wants to look at a case with other tools.

namespace postern {

enum class Side;

/// Traffic is bounded: from the first piece on that would exceed kLimit octets, data is only
/// counted.
struct Traffic {
  static constexpr std::size_t kLimit = std::size_t{8} * 1024 * 1024;

  enum class Kind { kOpened, kData, kShut, kReset };

  /// Stream is one connection. Its ends are "address" and port, as the sockets had them.
  struct Stream {
    Side side;
    int connection = 0;
    std::string client_address, server_address;
    std::uint16_t client_port = 0, server_port = 0;
  };

  /// Piece is what one call of read or write passed, or the end of one direction.
  struct Piece {
    std::int64_t at = 0;     ///< Microseconds since the configuration was staged.
    std::size_t stream = 0;  ///< Index into `streams`.
    bool by_client = false;  ///< By the end that opened the connection.
    Kind kind = Kind::kData;
    std::string bytes;
  };

  std::vector<Stream> streams;
  std::vector<Piece> pieces;  ///< In the order in which they passed.
  std::size_t held = 0;       ///< Octets in `pieces`.
  std::size_t left_out = 0;   ///< Octets that are not.
  std::string secrets;        ///< Of TLS, in the NSS key log format, a line each.
};

}  // namespace postern
