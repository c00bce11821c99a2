#include "form.hpp"

#include <gtest/gtest.h>

namespace gateway::web {
namespace {

TEST(Form, IsReadAsBrowsersWriteIt) {
  const auto form = parse_form("server-level=require&x=a+b%26%3D%e3%81%82&empty=&bare");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->at("server-level"), "require");
  EXPECT_EQ(form->at("x"), "a b&=\xe3\x81\x82");
  EXPECT_EQ(form->at("empty"), "");
  EXPECT_EQ(form->at("bare"), "");
  EXPECT_TRUE(parse_form("")->empty());
}

TEST(Form, IsRefusedWhereItCannotBeMeant) {
  EXPECT_FALSE(parse_form("a=%4"));
  EXPECT_FALSE(parse_form("a=%zz"));
  EXPECT_FALSE(parse_form("a=1&a=2"));
  std::string many;
  for (int i = 0; i < 65; ++i) many += "f" + std::to_string(i) + "=1&";
  EXPECT_FALSE(parse_form(many));
}

TEST(Form, ReadsFilesAsBrowsersSendThem) {
  const std::string type = "multipart/form-data; boundary=--x";
  const auto form = parse_multipart(
      "----x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n"
      "----x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.p12\"\r\n"
      "Content-Type: application/x-pkcs12\r\n\r\n\r\n--not it\r\n\r\n"
      "----x\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n----x--\r\n",
      type);
  ASSERT_TRUE(form);
  EXPECT_EQ(form->at("csrf"), "abc");
  EXPECT_EQ(form->at("file"), "\r\n--not it\r\n");
  EXPECT_EQ(form->at("empty"), "");
  for (const char* bad : {"", "x", "----x", "----x\r\n", "----x\r\n\r\n\r\n----x--",
                          "----x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb"}) {
    EXPECT_FALSE(parse_multipart(bad, type)) << bad;
  }
  EXPECT_FALSE(parse_multipart("----x--", "multipart/form-data"));
}

TEST(Form, FindsACookieAmongOthers) {
  EXPECT_EQ(cookie_value("a=1; visit-8025=abc; visit=x", "visit-8025"), "abc");
  EXPECT_EQ(cookie_value("a=1; visit-8025=abc", "visit"), "");
  EXPECT_EQ(cookie_value("", "visit"), "");
}

TEST(Form, AnswersInTheLanguageLikedBetter) {
  EXPECT_EQ(preferred_language("ja,en-US;q=0.7,en;q=0.3"), "ja");
  EXPECT_EQ(preferred_language("en-GB,en;q=0.9,ja;q=0.8"), "en");
  EXPECT_EQ(preferred_language("fr,ja-JP;q=0.5"), "ja");
  EXPECT_EQ(preferred_language("fr"), "en");
  EXPECT_EQ(preferred_language(""), "en");
  EXPECT_EQ(preferred_language("ja;q=0"), "en");
}

TEST(Form, TakesATargetApart) {
  EXPECT_EQ(path_of("/encryption?lang=ja"), "/encryption");
  EXPECT_EQ(query_of("/encryption?lang=ja"), "lang=ja");
  EXPECT_EQ(query_of("/encryption"), "");
}

// DNS rebinding: a name that somebody else has made to point here is not ours.
TEST(Form, KnowsItsOwnHosts) {
  for (const char* own : {"127.0.0.1:8025", "127.0.0.1", "[::1]:8025", "[::1]", "localhost:8025",
                          "LOCALHOST", "gw.example.test", "Gw.Example.Test:8025"}) {
    EXPECT_TRUE(is_own_host(own, "gw.example.test")) << own;
  }
  for (const char* other : {"", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example",
                            "[::1", "[::1]evil", "[evil]:80", "gw.example.test.evil.example"}) {
    EXPECT_FALSE(is_own_host(other, "gw.example.test")) << other;
  }
  EXPECT_FALSE(is_own_host("", ""));
}

TEST(Form, KnowsItsOwnOrigin) {
  EXPECT_TRUE(is_own_origin("", "127.0.0.1:8025"));
  EXPECT_TRUE(is_own_origin("http://127.0.0.1:8025", "127.0.0.1:8025"));
  EXPECT_TRUE(is_own_origin("https://gw.example.test", "gw.example.test"));
  EXPECT_FALSE(is_own_origin("null", "127.0.0.1:8025"));
  EXPECT_FALSE(is_own_origin("http://127.0.0.1:8026", "127.0.0.1:8025"));
  EXPECT_FALSE(is_own_origin("http://evil.example", "127.0.0.1:8025"));
}

}  // namespace
}  // namespace gateway::web
