#include "run/pcapng.hpp"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "judge/observation.hpp"

namespace postern {
namespace {

std::uint32_t u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i > 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes.at(at + i - 1));
  return value;
}

struct Block {
  std::uint32_t type;
  std::string_view body;
};

// The blocks of a file, each with its two lengths alike.
std::vector<Block> blocks(std::string_view file) {
  std::vector<Block> all;
  while (!file.empty()) {
    const std::uint32_t size = u32(file, 4);
    EXPECT_EQ(size % 4, 0U);
    EXPECT_EQ(u32(file, size - 4), size);
    all.push_back({u32(file, 0), file.substr(8, size - 12)});
    file.remove_prefix(size);
  }
  return all;
}

std::uint32_t summed(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])) << (i % 2 == 0 ? 8 : 0);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

Traffic one_stream(const std::string& client, const std::string& server) {
  Traffic traffic;
  traffic.streams.push_back({Side::kClient, 1, client, server, 40001, 2525});
  using Kind = Traffic::Kind;
  traffic.pieces = {{10, 0, true, Kind::kOpened, ""},
                    {20, 0, false, Kind::kData, "220 gw.postern.test\r\n"},
                    {30, 0, true, Kind::kData, "QUIT\r\n"},
                    {40, 0, false, Kind::kShut, ""},
                    {50, 0, true, Kind::kReset, ""}};
  return traffic;
}

TEST(Pcapng, HasThePacketsThatTheOctetsWouldTake) {
  const std::string file = pcapng_of(one_stream("127.0.0.1", "127.0.0.2"), 5'000'000);
  const std::vector<Block> all = blocks(file);
  ASSERT_EQ(all.size(), 2U + 3U + 4U);
  EXPECT_EQ(all[0].type, 0x0A0D0D0AU);
  EXPECT_EQ(all[1].type, 1U);
  const Block& greeting = all[5];
  EXPECT_EQ(greeting.type, 6U);
  EXPECT_EQ(u32(greeting.body, 8), 5'000'020U);
  const std::string_view packet = greeting.body.substr(20, u32(greeting.body, 12));
  EXPECT_EQ(packet.substr(40), "220 gw.postern.test\r\n");
  EXPECT_EQ(packet.substr(20, 2), std::string_view("\0\x19", 2));  // From port 25.
  // RFC 1071: with its checksum in it, a header sums up to nothing but ones.
  EXPECT_EQ(summed(packet.substr(0, 20)), 0xffffU);
  const std::string pseudo = std::string(packet.substr(12, 8)) + std::string("\0\x06", 2) +
                             std::string("\0\x29", 2);  // TCP, 41 octets.
  EXPECT_EQ(summed(pseudo + std::string(packet.substr(20))), 0xffffU);
}

TEST(Pcapng, HasTheSecretsBeforeThePackets) {
  Traffic traffic = one_stream("::1", "::1");
  traffic.secrets = "CLIENT_RANDOM 00 11\n";
  const std::string file = pcapng_of(traffic, 0);
  const std::vector<Block> all = blocks(file);
  ASSERT_GT(all.size(), 3U);
  EXPECT_EQ(all[2].type, 0xAU);
  EXPECT_EQ(all[2].body.substr(8, u32(all[2].body, 4)), "CLIENT_RANDOM 00 11\n");
  EXPECT_EQ(all[3].body.substr(20, 1), "\x60");  // IPv6.
}

TEST(Pcapng, CutsWhatNoPacketCanHold) {
  Traffic traffic = one_stream("127.0.0.1", "127.0.0.2");
  traffic.pieces[1].bytes = std::string(100'000, 'x');
  EXPECT_EQ(blocks(pcapng_of(traffic, 0)).size(), 2U + 3U + 7U + 3U);
}

}  // namespace
}  // namespace postern
