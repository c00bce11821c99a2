#include "junit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "failure_text.hpp"
#include "results_file.hpp"
#include "shown_text.hpp"
#include "stability.hpp"
#include "whole_file.hpp"
#include "xml_text.hpp"

namespace postern::reports {

namespace {

constexpr std::size_t kMessageColumns = 500;

/// Entry is one test case: where its worst run stands in the results file.
struct Entry {
  ResultsReader::Spot spot;
  Verdict verdict = Verdict::kPass;
  double seconds = 0;
  int runs = 0, not_passed = 0;
  std::string gateway, ending;  ///< Of its first run.
  std::string unstable;         ///< How runs ended that did not end alike; empty: they did.
};

struct Suite {
  std::string name;
  Facts settings;
  std::vector<Entry> entries;
};

struct Counts {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  double seconds = 0;

  void add(Verdict verdict, double took) {
    ++tests;
    seconds += took;
    if (verdict == Verdict::kFail) ++failures;
    if (verdict == Verdict::kSkip) ++skipped;
    if (verdict == Verdict::kError || verdict == Verdict::kInconclusive ||
        verdict == Verdict::kInvalid) {
      ++errors;
    }
  }
};

// Of several runs of a case the one with the highest rank is shown.
int rank(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSkip:
      return 0;
    case Verdict::kPass:
      return 1;
    case Verdict::kInvalid:
      return 2;
    case Verdict::kInconclusive:
      return 3;
    case Verdict::kError:
      return 4;
    case Verdict::kFail:
      return 5;
  }
  return 4;
}

/// Index is the first pass: everything that must be known before the first byte is written.
struct Index {
  std::vector<Suite> suites;
  std::string trouble;  ///< Why the run as a whole is in error; empty: it is not.

  explicit Index(ResultsReader& reader);

 private:
  void add(const CaseResult& result, const ResultsReader::Spot& spot);

  std::unordered_map<std::string, std::size_t> suites_by_name_;
  std::unordered_map<std::string, std::size_t> entries_by_id_;
};

Index::Index(ResultsReader& reader) {
  while (const auto result = reader.next()) {
    if (!result->control) add(*result, reader.spot());
  }
  for (const std::string& remark : reader.remarks()) trouble += remark + "\n";
  if (reader.footer() && !reader.footer()->reason.empty()) {
    trouble += reader.footer()->reason + "\n";
  } else if (reader.footer() && reader.footer()->interrupted) {
    trouble += "the run was interrupted\n";
  }
  if (!trouble.empty()) trouble.pop_back();
  entries_by_id_.clear();
  // Runs that passed but not alike are no pass.
  for (Suite& suite : suites)
    for (Entry& entry : suite.entries)
      if (!entry.unstable.empty() && rank(entry.verdict) <= rank(Verdict::kPass))
        entry.verdict = Verdict::kFail;
}

void Index::add(const CaseResult& result, const ResultsReader::Spot& spot) {
  const auto suite = suites_by_name_.emplace(result.suite, suites.size());
  if (suite.second) suites.push_back({result.suite, result.settings, {}});
  // Of settings that differ from case to case the suite says nothing.
  Facts& settings = suites[suite.first->second].settings;
  settings.erase(std::remove_if(settings.begin(), settings.end(),
                                [&](const auto& fact) {
                                  return std::find(result.settings.begin(), result.settings.end(),
                                                   fact) == result.settings.end();
                                }),
                 settings.end());
  std::vector<Entry>& entries = suites[suite.first->second].entries;
  const auto found = entries_by_id_.emplace(result.id, entries.size());
  if (found.second) entries.emplace_back();
  Entry& entry = entries[found.first->second];
  ++entry.runs;
  const std::string ending = ending_text(result);
  if (entry.runs == 1) {
    entry.gateway = result.gateway;
    entry.ending = ending;
  } else if (entry.unstable.empty() && entry.ending != ending && entry.gateway == result.gateway) {
    entry.unstable = "unstable: " + entry.ending + "; another time " + ending;
  }
  const bool passed = result.verdict == Verdict::kPass || result.verdict == Verdict::kSkip;
  if (!passed) ++entry.not_passed;
  if (entry.runs > 1 && rank(result.verdict) <= rank(entry.verdict)) return;
  entry.spot = spot;
  entry.verdict = result.verdict;
  entry.seconds = result.seconds;
}

void add_property(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += "<property";
  append_xml_attribute(out, "name", name);
  append_xml_attribute(out, "value", value);
  out += "/>\n";
}

void add_counts(std::string& out, const Counts& counts, bool with_skipped) {
  out += fmt::format(" tests=\"{}\" failures=\"{}\" errors=\"{}\"", counts.tests, counts.failures,
                     counts.errors);
  if (with_skipped) out += fmt::format(" skipped=\"{}\"", counts.skipped);
  out += fmt::format(" time=\"{:.3f}\"", counts.seconds);
}

std::string dotted(std::string suite) {
  std::replace(suite.begin(), suite.end(), '/', '.');
  return suite;
}

void add_leg_properties(std::string& out, const std::string& leg, const Leg& of) {
  add_property(out, leg + ".expected", of.expected);
  add_property(out, leg + ".observed", of.observed.word.empty() ? "" : of.observed.text());
  add_property(out, leg + ".grade", of.grade);
  add_property(out, leg + ".requirement", of.requirement);
  add_property(out, leg + ".rule", of.rule);
  std::string evidence;
  for (const std::string& item : of.evidence) evidence += (evidence.empty() ? "" : " ") + item;
  add_property(out, leg + ".evidence", evidence);
}

void add_case_properties(std::string& out, const CaseResult& result, const Entry& entry) {
  out += "<properties>\n";
  add_property(out, "verdict", word(result.verdict));
  add_property(out, "grade", result.grade);
  for (const auto& [name, value] : result.settings) add_property(out, name, value);
  add_property(out, "client", result.client);
  add_property(out, "server", result.server);
  add_property(out, "gateway", result.gateway);
  add_leg_properties(out, "inbound", result.inbound);
  add_leg_properties(out, "outbound", result.outbound);
  if (entry.runs > 1) {
    add_property(out, "runs", std::to_string(entry.runs));
    add_property(out, "runs-not-passed", std::to_string(entry.not_passed));
    add_property(out, "unstable", entry.unstable);
  }
  out += "</properties>\n";
}

// One line of at most kMessageColumns.
std::string message_of(const std::string& reason) {
  const std::string text = shown(reason);
  const std::vector<std::string> pieces = cut_columns(text, kMessageColumns - 1);
  return pieces.size() > 1 ? pieces.front() + "…" : text;
}

// Head and tail of a text that is too long, cut at line ends where there are any.
std::string trimmed(const std::string& text) {
  if (text.size() <= kTranscriptLimit) return text;
  constexpr std::size_t kHalf = kTranscriptLimit / 2 - 64;  // Leaves room for the note.
  std::size_t head = text.rfind('\n', kHalf);
  head = head == std::string::npos ? kHalf : head + 1;
  std::size_t tail = text.find('\n', text.size() - kHalf);
  tail = tail == std::string::npos ? text.size() - kHalf : tail + 1;
  return text.substr(0, head) +
         fmt::format("… {} bytes are left out here; the results file has them …\n", tail - head) +
         text.substr(tail);
}

void add_verdict(std::string& out, const CaseResult& result) {
  if (result.verdict == Verdict::kPass) return;
  const char* element = "error";
  if (result.verdict == Verdict::kFail) element = "failure";
  if (result.verdict == Verdict::kSkip) element = "skipped";
  out += fmt::format("<{}", element);
  append_xml_attribute(out, "type", word(result.verdict));
  append_xml_attribute(out, "message", message_of(result.reason));
  out += '>';
  std::string text;
  if (!result.file.empty()) text = fmt::format("{}:{}: ", shown(result.file), result.line);
  text += result.verdict == Verdict::kSkip ? shown(result.reason) : failure_summary(result);
  if (result.verdict != Verdict::kSkip && !result.rerun.empty()) {
    text += "\nRun this case again\n  " + shown(result.rerun) + "\n";
  }
  append_xml(out, text);
  out += fmt::format("</{}>\n", element);
}

void add_case(std::string& out, const CaseResult& result, const Entry& entry,
              JUnitFlavour flavour) {
  out += "<testcase";
  append_xml_attribute(out, "name", result.name);
  append_xml_attribute(out, "classname", dotted(result.suite));
  out += fmt::format(" time=\"{:.3f}\"", result.seconds);
  if (flavour == JUnitFlavour::kCommon && !result.file.empty()) {
    append_xml_attribute(out, "file", result.file);
    out += fmt::format(" line=\"{}\"", result.line);
  }
  out += ">\n";
  if (flavour == JUnitFlavour::kCommon) add_case_properties(out, result, entry);
  add_verdict(out, result);
  if (result.verdict != Verdict::kPass) {
    const std::string transcript = trimmed(transcript_text(result));
    if (!transcript.empty()) {
      out += "<system-out>";
      append_xml(out, transcript);
      out += "</system-out>\n";
    }
  }
  out += "</testcase>\n";
}

void open_suite(std::string& out, const std::string& name, const Counts& counts,
                const RunHeader& header, std::size_t number) {
  out += "<testsuite";
  append_xml_attribute(out, "name", name);
  add_counts(out, counts, true);
  append_xml_attribute(out, "timestamp", header.started);
  append_xml_attribute(out, "hostname", header.host);
  append_xml_attribute(out, "id", std::to_string(number));
  out += ">\n";
}

void add_suite_properties(std::string& out, const RunHeader& header, const Facts& settings) {
  out += "<properties>\n";
  add_property(out, "gateway", header.gateway);
  add_property(out, "postern", header.postern);
  add_property(out, "openssl", header.openssl);
  add_property(out, "seed", std::to_string(header.seed));
  add_property(out, "command", header.command);
  for (const auto& [name, value] : settings) add_property(out, name, value);
  out += "</properties>\n";
}

Counts counts_of(const Suite& suite) {
  Counts counts;
  for (const Entry& entry : suite.entries) counts.add(entry.verdict, entry.seconds);
  return counts;
}

// The run itself as a test case in error, so that a report of half a run is never green.
void add_trouble(std::string& out, const std::string& trouble, const RunHeader& header,
                 std::size_t number) {
  Counts counts;
  counts.add(Verdict::kError, 0);
  open_suite(out, "postern", counts, header, number);
  add_suite_properties(out, header, {});
  out += "<testcase name=\"run\" classname=\"postern\" time=\"0.000\">\n<error type=\"error\"";
  append_xml_attribute(out, "message", message_of(trouble));
  out += '>';
  append_xml(out, trouble);
  out += "</error>\n</testcase>\n</testsuite>\n";
}

}  // namespace

void write_junit(const std::string& results, const std::string& path, JUnitFlavour flavour) {
  ResultsReader reader(results);
  const Index index(reader);
  const RunHeader& header = reader.header();
  Counts all;
  for (const Suite& suite : index.suites) {
    for (const Entry& entry : suite.entries) all.add(entry.verdict, entry.seconds);
  }
  if (!index.trouble.empty()) all.add(Verdict::kError, 0);

  WholeFile file(path);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"postern\"";
  add_counts(out, all, flavour == JUnitFlavour::kCommon);
  out += ">\n";
  std::size_t number = 0;
  for (const Suite& suite : index.suites) {
    open_suite(out, suite.name, counts_of(suite), header, number++);
    add_suite_properties(out, header, suite.settings);
    for (const Entry& entry : suite.entries) {
      CaseResult result = reader.read_again(entry.spot);
      if (result.verdict != entry.verdict) result.reason = entry.unstable;
      result.verdict = entry.verdict;
      add_case(out, result, entry, flavour);
      file.append(out);
      out.clear();
    }
    out += "</testsuite>\n";
  }
  if (!index.trouble.empty()) add_trouble(out, index.trouble, header, number);
  file.append(out + "</testsuites>\n");
  file.commit();
}

}  // namespace postern::reports
