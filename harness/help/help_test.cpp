#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "help/help.hpp"
#include "help/tree.hpp"

namespace postern::help {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A program with one of everything.
class Help : public ::testing::Test {
 protected:
  Help() {
    app_.add_option("--place", text_, "Where it is")->type_name("FOLDER");
    auto* mail = app_.add_subcommand("mail", "Send a [short] letter: it's quick");
    mail->add_option("-k,--kind", text_, "Its kind")->check(CLI::IsMember({"red", "blue"}));
    mail->add_option("--count", number_, "How many")
        ->check(CLI::Range(1, 9))
        ->capture_default_str();
    mail->add_option("--gateway", text_, "Through which")->type_name("GATEWAY");
    mail->add_flag("--now", flag_, "At once");
    mail->add_option("files", files_, "What is in it")->type_name("FILE")->required();
    mail->footer("Exit codes: 0 sent.\nExample:\n  post mail --now a\\b.txt");
  }

  Command mail() { return read(app_).commands.at(0); }

  CLI::App app_{"post sends letters", "post"};
  std::string text_;
  unsigned number_ = 3;
  bool flag_ = false;
  std::vector<std::string> files_;
};

TEST_F(Help, ReadsWhatTheTreeKnows) {
  const Command command = mail();
  EXPECT_EQ(command.path, "post mail");
  ASSERT_EQ(command.words.size(), 1U);
  EXPECT_TRUE(command.words[0].required && command.words[0].many);
  ASSERT_EQ(command.options.size(), 5U);
  EXPECT_THAT(command.options[1].names, ElementsAre("-k", "--kind"));
  EXPECT_THAT(command.options[1].choices, ElementsAre("red", "blue"));
  EXPECT_EQ(command.options[2].range, "1 - 9");
  EXPECT_EQ(command.options[2].fallback, "3");
  EXPECT_EQ(command.options[3].value, "GATEWAY");
  EXPECT_EQ(command.options[4].value, "");
}

TEST_F(Help, SaysWhatIsAllowedAndWhatCountsOtherwise) {
  EXPECT_EQ(about_of(mail().options[1]), "Its kind (red, blue)");
  EXPECT_EQ(about_of(mail().options[2]), "How many (1 - 9; default: 3)");
  EXPECT_EQ(about_of(mail().options[4]), "At once");
  EXPECT_EQ(usage_of(mail()), "[OPTIONS] files...");
}

TEST(Wrapped, CutsAtBlanksAndKeepsLongWords) {
  EXPECT_THAT(wrapped("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrapped("a incomprehensible b", 5), ElementsAre("a", "incomprehensible", "b"));
  EXPECT_THAT(wrapped("", 5), ElementsAre(""));
}

TEST_F(Help, TextStaysWithinEightyColumns) {
  Command command = mail();
  command.options[1].about =
      "a long story that goes on and on, and on, and then on again, until it ends";
  command.notes =
      "Exit codes: a sentence that is longer than any terminal is wide, for sure, by far, and "
      "ends.";
  const std::string shown = text_of(command);
  for (std::size_t from = 0; from < shown.size();) {
    const std::size_t end = shown.find('\n', from);
    EXPECT_LE(end - from, 80U) << shown.substr(from, end - from);
    from = end + 1;
  }
}

TEST_F(Help, TextNamesAnOptionBesideOrAboveWhatItIsAbout) {
  EXPECT_THAT(text(app_), HasSubstr("\n  --place FOLDER            Where it is\n"));
  Command command = mail();
  command.options[1].names = {"-k", "--kind-of-everything"};
  EXPECT_THAT(text_of(command),
              HasSubstr("\n  -k, --kind-of-everything TEXT\n                            Its kind"));
}

TEST_F(Help, ManualEscapesWhatRoffWouldTake) {
  const std::string manual = manual_of(read(app_), "1.2", "2026-01-02");
  EXPECT_THAT(manual, HasSubstr(".EX\npost mail \\-\\-now a\\eb.txt\n.EE\n"));
  EXPECT_THAT(manual, HasSubstr("\\fB\\-k\\fR, \\fB\\-\\-kind\\fR \\fITEXT\\fR\n"));
  Command dotted = read(app_);
  dotted.about = ".dot begins it";
  EXPECT_THAT(manual_of(dotted, "1.2", "2026-01-02"), HasSubstr("\n\\&.dot begins it\n"));
}

TEST_F(Help, ZshQuotesWhatWouldEndAPartOfASpec) {
  const std::string script = zsh_of(read(app_));
  EXPECT_THAT(script, HasSubstr("'mail:Send a \\[short\\] letter\\: it'\\''s quick'\n"));
  EXPECT_THAT(script, HasSubstr("'(-k --kind)--kind=[Its kind]:TEXT:(red blue)'"));
  EXPECT_THAT(script, HasSubstr("'*:files:_files'"));
  EXPECT_THAT(script, HasSubstr("'--gateway=[Through which]:GATEWAY:_post_ask GATEWAY'"));
}

}  // namespace
}  // namespace postern::help
