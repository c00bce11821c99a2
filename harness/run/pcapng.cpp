#include "run/pcapng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <string_view>
#include <vector>

#include "judge/observation.hpp"

namespace postern {
namespace {

// Blocks are written in little-endian order, which their magic number says
// (draft-ietf-opsawg-pcapng §4.1); what goes into a packet is in network order.
void put16(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value & 0xff);
  out += static_cast<char>(value >> 8 & 0xff);
}

void put32(std::string& out, std::uint32_t value) {
  put16(out, value & 0xffff);
  put16(out, value >> 16);
}

void net16(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}

void net32(std::string& out, std::uint32_t value) {
  net16(out, value >> 16);
  net16(out, value & 0xffff);
}

void pad(std::string& out) {
  out.append((4 - out.size() % 4) % 4, '\0');
}

constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A, kInterface = 1, kPacket = 6, kSecrets = 0xA;
constexpr std::uint32_t kComment = 1, kApplication = 4;
constexpr std::uint32_t kLinkTypeRaw = 101, kTlsKeyLog = 0x544c534b;

void block(std::string& out, std::uint32_t type, std::string body) {
  pad(body);
  const auto size = static_cast<std::uint32_t>(body.size() + 12);
  put32(out, type);
  put32(out, size);
  out += body;
  put32(out, size);
}

void option(std::string& body, std::uint32_t code, std::string_view text) {
  pad(body);
  put16(body, code);
  put16(body, static_cast<std::uint32_t>(text.size()));
  body += text;
  pad(body);
}

std::string section_header() {
  std::string body;
  put32(body, 0x1A2B3C4D);
  put16(body, 1);
  put16(body, 0);
  body.append(8, '\xff');  // The length of the section is not told.
  option(body, kApplication, "Postern " POSTERN_VERSION);
  put32(body, 0);
  std::string out;
  block(out, kSectionHeader, std::move(body));
  body.clear();
  put16(body, kLinkTypeRaw);
  put16(body, 0);
  put32(body, 0);  // Packets are whole.
  block(out, kInterface, std::move(body));
  return out;
}

// checksum is the one of RFC 1071.
std::uint32_t checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    const auto high = static_cast<unsigned char>(bytes[i]);
    const auto low = i + 1 < bytes.size() ? static_cast<unsigned char>(bytes[i + 1]) : 0U;
    sum += static_cast<std::uint32_t>(high << 8) + low;
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

void set16(std::string& out, std::size_t at, std::uint32_t value) {
  out[at] = static_cast<char>(value >> 8 & 0xff);
  out[at + 1] = static_cast<char>(value & 0xff);
}

/// End is one end of a stream.
struct End {
  boost::asio::ip::address address;
  std::uint32_t port = 0;
  std::uint32_t next = 0;  ///< Sequence number of its next octet.
  bool shut = false;

  std::string octets() const {
    std::string out;
    if (address.is_v4())
      for (const unsigned char octet : address.to_v4().to_bytes()) out += static_cast<char>(octet);
    else
      for (const unsigned char octet : address.to_v6().to_bytes()) out += static_cast<char>(octet);
    return out;
  }
};

constexpr std::uint32_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPush = 0x08, kAck = 0x10;
constexpr std::uint32_t kTcp = 6;

// segment is one TCP segment (RFC 9293 §3.1) with its checksum.
std::string segment(const End& from, const End& to, std::uint32_t flags, std::string_view data) {
  std::string out;
  net16(out, from.port);
  net16(out, to.port);
  net32(out, from.next);
  net32(out, (flags & kAck) != 0 ? to.next : 0);
  net16(out, 5 << 12 | flags);
  net16(out, 65535);
  net32(out, 0);
  out += data;
  std::string pseudo = from.octets() + to.octets();
  net32(pseudo, static_cast<std::uint32_t>(out.size()));
  net32(pseudo, kTcp);
  set16(out, 16, checksum(pseudo + out));
  return out;
}

std::string packet(const End& from, const End& to, std::uint32_t flags, std::string_view data) {
  const std::string tcp = segment(from, to, flags, data);
  std::string out;
  if (from.address.is_v4()) {
    net16(out, 0x4500);
    net16(out, static_cast<std::uint32_t>(20 + tcp.size()));
    net32(out, 0x4000);  // Not to be fragmented.
    net16(out, 64 << 8 | kTcp);
    net16(out, 0);
    out += from.octets() + to.octets();
    set16(out, 10, checksum(out));
  } else {
    net32(out, 0x60000000);
    net16(out, static_cast<std::uint32_t>(tcp.size()));
    net16(out, kTcp << 8 | 64);
    out += from.octets() + to.octets();
  }
  return out + tcp;
}

const char* name_of(Side side) {
  switch (side) {
    case Side::kClient:
      return "from the client to the gateway";
    case Side::kServer:
      return "from the gateway to the next hop";
    case Side::kSender:
      break;
  }
  return "from the gateway to the sender's mailbox";
}

/// Capture writes streams as packets.
class Capture {
 public:
  Capture(const Traffic& traffic, std::int64_t epoch) : traffic_(traffic), epoch_(epoch) {
    for (const Traffic::Stream& stream : traffic.streams) {
      ends_.push_back({boost::asio::ip::make_address(stream.client_address), stream.client_port});
      ends_.push_back({boost::asio::ip::make_address(stream.server_address), kSmtp});
    }
  }

  std::string whole() {
    out_ = section_header();
    if (!traffic_.secrets.empty()) {
      std::string body;
      put32(body, kTlsKeyLog);
      put32(body, static_cast<std::uint32_t>(traffic_.secrets.size()));
      block(out_, kSecrets, body + traffic_.secrets);
    }
    for (const Traffic::Piece& piece : traffic_.pieces) draw(piece);
    return std::move(out_);
  }

 private:
  static constexpr std::uint32_t kSmtp = 25;
  static constexpr std::size_t kSegment = 16384;

  void draw(const Traffic::Piece& piece) {
    End& client = ends_[2 * piece.stream];
    End& server = ends_[2 * piece.stream + 1];
    End& from = piece.by_client ? client : server;
    End& to = piece.by_client ? server : client;
    switch (piece.kind) {
      case Traffic::Kind::kOpened: {
        const Traffic::Stream& stream = traffic_.streams[piece.stream];
        write(piece.at, client, server, kSyn, {},
              fmt::format("Connection {} {}. What listens has the port {}, not 25; the packets "
                          "are made from what the peers wrote and read.",
                          stream.connection, name_of(stream.side), stream.server_port));
        ++client.next;
        write(piece.at, server, client, kSyn | kAck, {});
        ++server.next;
        write(piece.at, client, server, kAck, {});
        break;
      }
      case Traffic::Kind::kData:
        for (std::size_t at = 0; at < piece.bytes.size(); at += kSegment) {
          const std::string_view data = std::string_view(piece.bytes).substr(at, kSegment);
          write(piece.at, from, to, kPush | kAck, data);
          from.next += static_cast<std::uint32_t>(data.size());
        }
        break;
      case Traffic::Kind::kShut:
        if (from.shut) break;
        from.shut = true;
        write(piece.at, from, to, kFin | kAck, {});
        ++from.next;
        break;
      case Traffic::Kind::kReset:
        write(piece.at, from, to, kRst | kAck, {});
        break;
    }
  }

  void write(std::int64_t at, const End& from, const End& to, std::uint32_t flags,
             std::string_view data, const std::string& comment = "") {
    const auto time = static_cast<std::uint64_t>(epoch_ + at);
    const std::string bytes = packet(from, to, flags, data);
    std::string body;
    put32(body, 0);
    put32(body, static_cast<std::uint32_t>(time >> 32));
    put32(body, static_cast<std::uint32_t>(time));
    put32(body, static_cast<std::uint32_t>(bytes.size()));
    put32(body, static_cast<std::uint32_t>(bytes.size()));
    body += bytes;
    pad(body);
    if (!comment.empty()) {
      option(body, kComment, comment);
      put32(body, 0);
    }
    block(out_, kPacket, std::move(body));
  }

  const Traffic& traffic_;
  std::int64_t epoch_;
  std::vector<End> ends_;  ///< Of stream i: 2i its client, 2i+1 its server.
  std::string out_;
};

}  // namespace

std::string pcapng_of(const Traffic& traffic, std::int64_t epoch) {
  return Capture(traffic, epoch).whole();
}

}  // namespace postern
