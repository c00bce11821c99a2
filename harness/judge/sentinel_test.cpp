#include "judge/sentinel.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <set>
#include <vector>

namespace postern {
namespace {

struct Sightings {
  std::vector<std::string> tokens;
  std::vector<std::string> codings;
  SentinelScan scan{[this](const std::string& token, const char* coding, std::uint64_t) {
    tokens.push_back(token);
    codings.emplace_back(coding);
  }};
};

std::string base64(const std::string& text) {
  std::string out(text.size() * 2 + 8, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

TEST(Sentinel, TokensDiffer) {
  std::set<std::string> tokens;
  for (std::uint64_t index = 0; index < 10000; ++index) {
    const std::string token = make_token(7, index);
    ASSERT_EQ(token.size(), kTokenSize);
    ASSERT_EQ(token.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567"), std::string::npos);
    tokens.insert(token);
  }
  EXPECT_EQ(tokens.size(), 10000U);
  EXPECT_NE(make_token(7, 1), make_token(8, 1));
}

TEST(Sentinel, IsFoundWhereverTheStreamIsCut) {
  const std::string token = make_token(1, 1);
  const std::string text = "MAIL FROM:<" + token + "@client.test>\r\nRCPT";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sightings seen;
    seen.scan.feed(text.substr(0, cut));
    seen.scan.feed(text.substr(cut));
    ASSERT_EQ(seen.tokens, std::vector<std::string>{token}) << "cut at " << cut;
    ASSERT_EQ(seen.codings, std::vector<std::string>{"plain"});
  }
}

TEST(Sentinel, IsFoundByteByByte) {
  const std::string token = make_token(1, 2);
  Sightings seen;
  for (char c : "sentine sentinel!" + token + "." + token) seen.scan.feed(std::string(1, c));
  EXPECT_EQ(seen.tokens, (std::vector<std::string>{token, token}));
}

TEST(Sentinel, IsFoundInBase64AtEveryAlignmentAndCut) {
  const std::string token = make_token(1, 3);
  for (std::size_t lead = 0; lead < 6; ++lead) {
    std::string coded = base64(std::string(lead, '\xff') + token);
    for (std::size_t line_end = 0; line_end <= coded.size(); line_end += 5) {
      std::string text = coded;
      text.insert(line_end, "\r\n");
      for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Sightings seen;
        seen.scan.feed(text.substr(0, cut));
        seen.scan.feed(text.substr(cut));
        ASSERT_EQ(seen.tokens, std::vector<std::string>{token})
            << "lead " << lead << " line end " << line_end << " cut " << cut;
        ASSERT_EQ(seen.codings, std::vector<std::string>{"base64"});
      }
    }
  }
}

TEST(Sentinel, IsFoundInQuotedPrintable) {
  const std::string token = make_token(1, 4);
  std::string coded = token;
  coded.insert(11, "=\r\n");
  coded.replace(3, 1, "=74");  // The t of sentinel.
  for (std::size_t cut = 0; cut <= coded.size(); ++cut) {
    Sightings seen;
    seen.scan.feed(coded.substr(0, cut));
    seen.scan.feed(coded.substr(cut) + "\r\n");
    ASSERT_EQ(seen.tokens, std::vector<std::string>{token}) << "cut at " << cut;
  }
}

TEST(Sentinel, IsNotSeenWhereItIsNot) {
  Sightings seen;
  seen.scan.feed("sentinel sentinelABC sentinel12345678901 c2VudGluZWw= =");
  seen.scan.feed(std::string(100000, 's'));
  EXPECT_TRUE(seen.tokens.empty());
}

}  // namespace
}  // namespace postern
