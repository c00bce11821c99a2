#include "html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <boost/json/parse.hpp>

#include "results_file.hpp"
#include "sample_results.hpp"
#include "summary.hpp"

namespace postern::reports {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using testing::Not;

std::string page_of(const std::vector<CaseResult>& cases) {
  TemporaryFile results, page;
  write_results(results.path(), cases);
  write_html(results.path(), page.path());
  return page.text();
}

// What the script element with this id holds.
std::string script_of(const std::string& page, const std::string& id) {
  const std::size_t at = page.find("id=\"" + id + "\">");
  if (at == std::string::npos) return "";
  const std::size_t begin = page.find('>', at) + 1;
  return page.substr(begin, page.find("</script>", begin) - begin);
}

// The lines of one pack, as a browser would unpack them.
std::string unpacked(const std::string& page, int number) {
  const std::string packed = script_of(page, "pack-" + std::to_string(number));
  std::string bytes(packed.size(), '\0');
  const int length = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                       reinterpret_cast<const unsigned char*>(packed.data()),
                                       static_cast<int>(packed.size()));
  if (length <= 0) return "";
  std::string lines(std::size_t{1} << 20, '\0');
  uLongf size = lines.size();
  EXPECT_EQ(::uncompress(reinterpret_cast<Bytef*>(lines.data()), &size,
                         reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(length)),
            Z_OK);
  lines.resize(size);
  return lines;
}

TEST(Html, SaysFirstWhetherItPassed) {
  const std::string page = page_of({sample_pass(), sample_failure()});
  EXPECT_THAT(page, HasSubstr("<h1>Postern: FAILED</h1>\n<p class=\"counts\">2 cases: 1 pass, 1 "
                              "fail</p>"));
  EXPECT_THAT(page, HasSubstr("<title>Postern: FAILED, reference 0.1.0</title>"));
  EXPECT_LT(page.find("<h1>"), page.find("id=\"grid\""));
}

TEST(Html, FetchesNothing) {
  const std::string page = page_of({sample_failure()});
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
}

TEST(Html, ACellSaysWhatCameOfItAndLeadsToItsCases) {
  const std::string page = page_of({sample_failure(), sample_pass()});
  EXPECT_THAT(
      page,
      HasSubstr("<a class=\"cell sealed wrong\" href=\"#suite=tls-modes%2Fserver-level%3Drequire%2F"
                "client-certificate%3Dnone%2Fclient-level%3Dverify&amp;next-hop=expired\" "
                "aria-label=\"server-level require, client-certificate none, client-level verify; "
                "to expired: redirect tls; 1 case, 1 not as expected\">T!</a>"));
  EXPECT_THAT(page, HasSubstr("from starttls: accept tls; 2 cases\">A</a>"));
}

TEST(Html, HoldsEveryCaseAsTheResultsFileHasIt) {
  std::vector<CaseResult> cases;
  for (std::size_t i = 0; i < kPack + 1; ++i) {
    cases.push_back(sample_pass());
    cases.back().id += std::to_string(i);
  }
  TemporaryFile results, page;
  write_results(results.path(), cases);
  write_html(results.path(), page.path());
  const std::string text = page.text();
  const std::string lines = results.text();
  const std::string both = unpacked(text, 0) + "\n" + unpacked(text, 1);
  EXPECT_THAT(lines, HasSubstr("\n" + both + "\n"));
  EXPECT_EQ(unpacked(text, 2), "");
}

TEST(Html, FindsACaseByWhatTheIndexSaysOfIt) {
  CaseResult taken_along = sample_pass();
  taken_along.control = true;
  const json::value index =
      json::parse(script_of(page_of({taken_along, sample_failure()}), "index"));
  ASSERT_EQ(index.at("cases").as_array().size(), 1U);
  const json::array& entry = index.at("cases").as_array().front().as_array();
  const auto text = [&](std::size_t at) {
    return std::string(index.at("texts").at(entry.at(at).to_number<std::size_t>()).as_string());
  };
  EXPECT_EQ(index.at("verdicts").at(entry.at(0).to_number<std::size_t>()).as_string(), "fail");
  EXPECT_EQ(text(1) + "/" + text(2), sample_failure().id);
  EXPECT_EQ(text(4), "server-level=require client-certificate=none client-level=verify ");
  EXPECT_EQ(text(6), "expired");
  EXPECT_EQ(text(8), "redirect tls");
  EXPECT_EQ(text(10), "OUT-5");
  EXPECT_EQ(entry.at(13).as_int64(), 2);
  EXPECT_GT(entry.at(14).as_int64(), 0);
  EXPECT_EQ(text(15), "OUT-5");
  EXPECT_TRUE(entry.at(16).as_array().empty());
  CaseResult leak = sample_pass();
  leak.demands = {{"LEAK-4", "inside TLS only", "", "outbound", false}};
  const json::value held = json::parse(script_of(page_of({leak}), "index"));
  const auto by = held.at("cases").at(0).at(16).at(0).to_number<std::size_t>();
  EXPECT_EQ(held.at("texts").at(by).as_string(), "LEAK-4");
}

TEST(Html, ListsCasesOfEveryRequirementThatIsBroken) {
  std::vector<CaseResult> cases(kListed + 3, sample_failure());
  CaseResult other = sample_failure();
  other.outbound.requirement = "OUT-9";
  cases.push_back(other);
  const std::string page = page_of(cases);
  const std::size_t group = page.find("<strong>OUT-9</strong>");
  ASSERT_NE(group, std::string::npos);
  EXPECT_LT(page.find("<li><a href=\"#case=", group), page.find("</details>", group));
  EXPECT_THAT(page, HasSubstr("<a href=\"#broken=OUT-5\">All 53 cases</a>"));
}

TEST(Html, NothingOfAPeerEndsUpAsMarkup) {
  CaseResult hostile = sample_failure();
  const std::string attack = "</script><script>alert(1)</script>";
  hostile.reason = attack;
  hostile.name += attack;
  hostile.server = attack;
  hostile.outbound.requirement_text = attack;
  hostile.events.front().text = attack;
  const std::string page = page_of({hostile});
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</script>")));
  EXPECT_THAT(unpacked(page, 0), HasSubstr("alert(1)"));
}

TEST(Html, OfARunThatDidNotEndItSaysSo) {
  TemporaryFile results, page;
  { ResultsWriter(results.path(), sample_header()).write(sample_pass()); }
  write_html(results.path(), page.path());
  EXPECT_THAT(page.text(), HasSubstr("<h1>Postern: UNDECIDED</h1>"));
  EXPECT_THAT(page.text(), HasSubstr("found no footer"));
}

TEST(Html, PutsGatewaysSideBySide) {
  CaseResult other = sample_failure();
  other.gateway = "other";
  const std::string page = page_of({sample_pass(), other});
  EXPECT_THAT(page, HasSubstr("The gateways side by side"));
  EXPECT_THAT(page, HasSubstr("<a href=\"#gateway=other\">other</a>"));
  EXPECT_THAT(page_of({sample_pass()}), Not(HasSubstr("side by side")));
}

}  // namespace
}  // namespace postern::reports
