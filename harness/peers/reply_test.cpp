#include "peers/reply.hpp"

#include <gtest/gtest.h>

namespace postern {
namespace {

Reply read(const std::vector<std::string>& lines) {
  ReplyReader reader;
  for (std::size_t i = 0; i < lines.size(); ++i)
    EXPECT_EQ(reader.add(lines[i]), i + 1 == lines.size());
  return reader.reply();
}

TEST(ReplyReader, ReadsOneLine) {
  const Reply reply = read({"554 5.7.1 Not without a certificate\r\n"});
  EXPECT_EQ(reply.code, 554);
  EXPECT_EQ(reply.enhanced, "5.7.1");
  EXPECT_EQ(reply.problem, "");
  EXPECT_EQ(read({"250\r\n"}).code, 250);
}

TEST(ReplyReader, ReadsManyLinesAndTheirKeywords) {
  const Reply reply = read({"250-gw.test greets\r\n", "250-SIZE 1000\r\n", "250 starttls\r\n"});
  EXPECT_TRUE(reply.offers("STARTTLS"));
  EXPECT_TRUE(reply.offers("SIZE"));
  EXPECT_FALSE(reply.offers("gw.test"));
  EXPECT_FALSE(reply.offers("START"));
}

TEST(ReplyReader, SaysWhatIsWrong) {
  EXPECT_NE(read({"hello\r\n"}).problem, "");
  EXPECT_NE(read({"25 x\r\n"}).problem, "");
  EXPECT_NE(read({"250-a\r\n", "251 b\r\n"}).problem, "");
  EXPECT_NE(read({"250 a\n"}).problem, "");
}

TEST(ReplyReader, IsBounded) {
  ReplyReader reader;
  int lines = 0;
  while (!reader.add("250-x\r\n")) ++lines;
  EXPECT_EQ(lines, 256);
  EXPECT_NE(reader.reply().problem, "");
}

TEST(ReplyPattern, YAndZStandForAnyDigit) {
  EXPECT_TRUE(matches_reply("5yz", 554));
  EXPECT_TRUE(matches_reply("25z", 251));
  EXPECT_TRUE(matches_reply("250", 250));
  EXPECT_FALSE(matches_reply("5yz", 450));
  EXPECT_FALSE(matches_reply("250", 2500));
}

TEST(DotStuffing, DoublesLeadingDots) {
  EXPECT_EQ(dot_stuffed("a\r\n.\r\n..b\r\n"), "a\r\n..\r\n...b\r\n.\r\n");
  EXPECT_EQ(dot_stuffed(""), ".\r\n");
}

TEST(Verb, IsTheFirstWordInUpperCase) {
  EXPECT_EQ(verb_of("mail from:<a@b>\r\n"), "MAIL");
  EXPECT_EQ(verb_of("\r\n"), "");
}

TEST(Name, IsTheVerbOrTheLineAsItStands) {
  EXPECT_EQ(name_of("mail from:<a>\r\n"), "MAIL");
  EXPECT_EQ(name_of("]]>a b\r\n"), "\"]]>a b\"");
  EXPECT_EQ(name_of(std::string("\0noop x\r", 8)), std::string("\"\0noop x\"", 9));
  EXPECT_EQ(name_of("\r\n"), "\"\"");
}

}  // namespace
}  // namespace postern
