// The pure readers and writers of SMTP: lines, commands, data, replies.
#include <gtest/gtest.h>

#include "data_reader.hpp"
#include "line_reader.hpp"
#include "smtp_command.hpp"
#include "smtp_reply.hpp"

namespace gateway {
namespace {

// lines_of feeds the pieces one by one and lists what comes out: text, "!bare" or "!long".
std::vector<std::string> lines_of(const std::vector<std::string>& pieces, std::size_t limit = 64) {
  LineReader reader(limit);
  std::vector<std::string> out;
  for (const auto& piece : pieces) {
    reader.buffer() += piece;
    while (auto line = reader.take()) {
      out.push_back(line->fault == Line::Fault::bare_line_ending ? "!bare"
                    : line->fault == Line::Fault::too_long       ? "!long"
                                                                 : line->text);
    }
  }
  return out;
}

using Lines = std::vector<std::string>;

TEST(LineReader, OnlyCrlfEndsALine) {
  EXPECT_EQ(lines_of({"NOOP\r\nQUIT\r\n"}), (Lines{"NOOP", "QUIT"}));
  EXPECT_EQ(lines_of({"NO", "OP\r", "\nQU"}), (Lines{"NOOP"}));
  EXPECT_EQ(lines_of({"\r\n"}), (Lines{""}));
}

TEST(LineReader, BareLineEndingsAreOneFaultALine) {
  EXPECT_EQ(lines_of({"NOOP\nRSET\r\nQUIT\r\n"}), (Lines{"!bare", "QUIT"}));
  EXPECT_EQ(lines_of({"NOOP\rRSET\r\nQUIT\r\n"}), (Lines{"!bare", "QUIT"}));
  EXPECT_EQ(lines_of({"NOOP\r\r\nQUIT\r\n"}), (Lines{"!bare", "QUIT"}));
  EXPECT_EQ(lines_of({"NOOP\n", "RSET", "\n\n", "X\r", "\nQUIT\r\n"}), (Lines{"!bare", "QUIT"}));
}

TEST(LineReader, ALongLineIsOneFaultAndIsNotKept) {
  EXPECT_EQ(lines_of({std::string(62, 'x') + "\r\n"}), (Lines{std::string(62, 'x')}));
  EXPECT_EQ(lines_of({std::string(63, 'x') + "\r\nQUIT\r\n"}), (Lines{"!long", "QUIT"}));
  LineReader reader(64);
  for (int i = 0; i < 1000; ++i) {
    reader.buffer() += std::string(1000, 'x');
    reader.take();
    EXPECT_LE(reader.buffer().size(), 64U);
  }
  reader.buffer() += "\r\nNOOP\r\n";
  EXPECT_EQ(reader.take()->text, "NOOP");
}

TEST(LineReader, DiscardForgetsAHalfReadFault) {
  LineReader reader(64);
  reader.buffer() = "STARTTLS\nRSET";
  EXPECT_EQ(reader.take()->fault, Line::Fault::bare_line_ending);
  reader.discard();
  EXPECT_FALSE(reader.take());
  reader.buffer() = "EHLO x\r\n";
  EXPECT_EQ(reader.take()->text, "EHLO x");
}

TEST(Command, VerbsInAnyCaseWithTrimmedArguments) {
  EXPECT_EQ(parse_command("starttls ").verb, Verb::starttls);
  EXPECT_EQ(parse_command("Mail FROM:<a@b> ").argument, "FROM:<a@b>");
  EXPECT_EQ(parse_command("MAILX").verb, Verb::unknown);
  EXPECT_EQ(parse_command("").verb, Verb::unknown);
  EXPECT_EQ(parse_command("NOOPx y").name, "NOOPX");
}

std::string path_text(std::string_view argument, std::string_view keyword = "FROM") {
  const auto path = parse_path(argument, keyword);
  if (!path) return "none";
  std::string text = path->mailbox;
  for (const auto& parameter : path->parameters) text += "|" + parameter;
  return text;
}

TEST(Command, Paths) {
  EXPECT_EQ(path_text("FROM:<a@b.test>"), "a@b.test");
  EXPECT_EQ(path_text("from:<>"), "");
  EXPECT_EQ(path_text("FROM: <a@b.test>  SIZE=5 BODY=7BIT"), "a@b.test|SIZE=5|BODY=7BIT");
  EXPECT_EQ(path_text("FROM:<@x,@y:a@b.test>"), "a@b.test");
  EXPECT_EQ(path_text("FROM:<\"a>b\"@c.test>"), "\"a>b\"@c.test");
  EXPECT_EQ(path_text("TO:<a@b.test>", "TO"), "a@b.test");
  EXPECT_EQ(path_text("FROM:a@b.test"), "none");
  EXPECT_EQ(path_text("FROM:<a@b.test"), "none");
  EXPECT_EQ(path_text("FROM:<a@b.test>SIZE=5"), "none");
  EXPECT_EQ(path_text("TO:<a@b.test>"), "none");
}

TEST(Command, Mailboxes) {
  EXPECT_TRUE(is_mailbox("a@b.test"));
  EXPECT_TRUE(is_mailbox("\"a b\"@c.test"));
  EXPECT_FALSE(is_mailbox("a"));
  EXPECT_FALSE(is_mailbox("@b"));
  EXPECT_FALSE(is_mailbox("a@"));
  EXPECT_FALSE(is_mailbox("a b@c.test"));
  EXPECT_FALSE(is_mailbox("a@b c"));
  EXPECT_FALSE(is_mailbox("\xc3\xa9@b.test"));
  EXPECT_TRUE(is_mailbox("\xc3\xa9@b.test", true));
  EXPECT_TRUE(is_mailbox("a@\xc3\xa9.test", true));
  EXPECT_FALSE(is_mailbox("\xc3@b.test", true));
  EXPECT_FALSE(is_mailbox("\xc3\xa9\x7f@b.test", true));
  EXPECT_EQ(domain_of("A@B.Test."), "b.test");
}

// data_of reads wire octets byte by byte and all at once; both must agree.
struct Data {
  std::string content;
  bool ended = false;
  bool bare = false;
  std::size_t used = 0;
};

Data data_of(const std::string& wire) {
  DataReader whole;
  Data data;
  data.used = whole.feed(wire, data.content);
  data.ended = whole.ended();
  data.bare = whole.bare_line_ending();
  DataReader bytes;
  std::string content;
  std::size_t used = 0;
  while (used < wire.size() && !bytes.ended()) {
    used += bytes.feed(std::string_view(wire).substr(used, 1), content);
  }
  EXPECT_EQ(used, data.used);
  EXPECT_EQ(bytes.bare_line_ending(), data.bare);
  if (!data.bare) {
    EXPECT_EQ(content, data.content);
  }
  return data;
}

TEST(DataReader, DotTransparency) {
  const Data data = data_of("a\r\n..b\r\n.c\r\n.\r\nQUIT\r\n");
  EXPECT_TRUE(data.ended);
  EXPECT_FALSE(data.bare);
  EXPECT_EQ(data.content, "a\r\n.b\r\nc\r\n");
  EXPECT_EQ(data.used, std::string("a\r\n..b\r\n.c\r\n.\r\n").size());
  EXPECT_TRUE(data_of(".\r\n").ended);
}

TEST(DataReader, NothingButCrlfDotCrlfEndsTheData) {
  // The forms of SMTP smuggling: each must be read on, and be remembered as bare.
  for (const std::string_view end :
       {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\r\n.\r\r\n", "\r\r\n.\n"}) {
    const Data data = data_of("a" + std::string(end) + "MAIL FROM:<x@y>\r\n.\r\n");
    EXPECT_TRUE(data.bare) << ::testing::PrintToString(end);
    EXPECT_TRUE(data.ended) << ::testing::PrintToString(end);
    EXPECT_EQ(data.used, 1 + end.size() + std::string("MAIL FROM:<x@y>\r\n.\r\n").size());
  }
}

TEST(DataReader, Facts) {
  DataReader reader;
  std::string content;
  reader.feed("Received: a\r\nreceived: b\r\nX: y\r\n\r\nReceived: no\r\n\xc3\xa9\r\n.\r\n",
              content);
  EXPECT_EQ(reader.received_headers(), 2U);
  EXPECT_TRUE(reader.eight_bit());
  EXPECT_EQ(reader.size(), content.size());
  EXPECT_EQ(reader.longest_line(), std::string("Received: no").size());
}

struct Received {
  const char* field;
  bool by_us;
};

TEST(DataReader, OwnReceivedFields) {
  const Received kTable[] = {
      {"Received: from a ([192.0.2.1])\r\n\t(using TLSv1.3)\r\n\tby gw.test with ESMTPS id "
       "1;\r\n\tdate\r\n",
       true},
      {"received: by GW.test id 1; date\r\n", true},
      {"Received: from by ([192.0.2.1]) by gw.test; date\r\n", true},
      {"Received: from gw.test by mx.test; date\r\n", false},
      {"Received: from a (by gw.test) by mx.test; date\r\n", false},
      {"Received: from a (b\\) by gw.test) by mx.test; date\r\n", false},
      {"Received: from a by mx.test; by gw.test\r\n", false},
      {"Received: from by gw.test\r\n", false},
      {"Received: by\r\n", false},
      {"X-Received: by gw.test; date\r\n", false},
  };
  for (const auto& row : kTable) {
    DataReader reader("gw.test");
    std::string content;
    reader.feed(row.field + std::string("X: y\r\n\r\nReceived: by gw.test; date\r\n.\r\n"),
                content);
    EXPECT_EQ(reader.own_received_headers(), row.by_us ? 1U : 0U) << row.field;
  }
  DataReader reader("gw.test");
  std::string content;
  reader.feed("Received: by gw.test\r\n.\r\n", content);
  EXPECT_EQ(reader.own_received_headers(), 1U);
  EXPECT_EQ(reader.received_headers(), 1U);
}

TEST(DataReader, Utf8InHeaders) {
  const auto in_header = [](const std::string& text) {
    DataReader reader;
    std::string content;
    reader.feed(text + "\r\n.\r\n", content);
    EXPECT_TRUE(reader.eight_bit());
    return reader.utf8_header();
  };
  EXPECT_TRUE(in_header("Subject: \xc3\xa9\r\n"));
  EXPECT_FALSE(in_header("Subject: e\r\n\r\n\xc3\xa9"));
  EXPECT_FALSE(in_header("Subject: e\r\n\r\n--b\r\nX: y\r\n\r\n\xc3\xa9"));
  EXPECT_FALSE(in_header("Subject: e\r\n\r\n-- \r\n\xc3\xa9"));
  EXPECT_TRUE(in_header("Subject: e\r\n\r\n--b\r\nX: \xc3\xa9"));
}

TEST(DotStuffer, UndoesWhatTheReaderDoes) {
  const std::string content = ".a\r\n..\r\n.\r\nb.c\r\n";
  for (std::size_t cut = 0; cut <= content.size(); ++cut) {
    DotStuffer stuffer;
    std::string wire = stuffer.stuff(content.substr(0, cut));
    wire += stuffer.stuff(content.substr(cut));
    wire += stuffer.end();
    EXPECT_EQ(data_of(wire).content, content);
    EXPECT_EQ(data_of(wire).used, wire.size());
  }
}

std::string replies_of(std::string buffer) {
  PeerReplyReader reader;
  std::string out;
  for (;;) {
    PeerReply reply;
    switch (reader.take(buffer, reply)) {
      case PeerReplyReader::Status::complete:
        out += std::to_string(reply.code) + ":" + reply.text() + ";";
        continue;
      case PeerReplyReader::Status::incomplete:
        return out;
      case PeerReplyReader::Status::invalid:
        return out + "!";
    }
  }
}

TEST(PeerReply, LinesCodesAndGarbage) {
  EXPECT_EQ(replies_of("220 a\r\n250-b\r\n250 c\r\n"), "220:a;250:b c;");
  EXPECT_EQ(replies_of("250\r\n"), "250:;");
  EXPECT_EQ(replies_of("250-a\r\n"), "");
  EXPECT_EQ(replies_of("250-a\r\n251 b\r\n"), "!");
  EXPECT_EQ(replies_of("hello\r\n"), "!");
  EXPECT_EQ(replies_of("650 x\r\n"), "!");
  EXPECT_EQ(replies_of("25\r\n"), "!");
  EXPECT_EQ(replies_of(std::string(3000, 'x')), "!");
  std::string endless;
  for (int i = 0; i < 10000; ++i) endless += "250-more\r\n";
  EXPECT_EQ(replies_of(endless), "!");
}

TEST(PeerReply, EnhancedCodesAgreeWithTheClass) {
  const auto enhanced = [](const std::string& wire) {
    std::string buffer = wire;
    PeerReply reply;
    PeerReplyReader().take(buffer, reply);
    return reply.enhanced_or("-");
  };
  EXPECT_EQ(enhanced("550 5.1.1 no\r\n"), "5.1.1");
  EXPECT_EQ(enhanced("450 5.1.1 no\r\n"), "-");
  EXPECT_EQ(enhanced("550 no\r\n"), "-");
  EXPECT_EQ(enhanced("550 5.7.10\r\n"), "5.7.10");
}

TEST(Reply, Wire) {
  EXPECT_EQ(Reply(530, "5.7.0", "No").wire(), "530 5.7.0 No\r\n");
  EXPECT_EQ(Reply(250, std::vector<std::string>{"a", "b"}).wire(), "250-a\r\n250 b\r\n");
}

}  // namespace
}  // namespace gateway
