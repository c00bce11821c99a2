#include "html.hpp"

#include <openssl/evp.h>
#include <zlib.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

#include "first_difference.hpp"
#include "page_view.hpp"
#include "results_file.hpp"
#include "shown_text.hpp"
#include "whole_file.hpp"

namespace postern::reports {

namespace {

namespace json = boost::json;

// deflated packs `bytes` as RFC 1950 has it.
std::string deflated(const std::string& bytes) {
  uLongf size = ::compressBound(bytes.size());
  std::string out(size, '\0');
  const int done = ::compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                               reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), 6);
  if (done != Z_OK) throw std::runtime_error("zlib has no memory to pack the cases");
  out.resize(size);
  return out;
}

std::string in_base64(const std::string& bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

/// Texts are the words of the index, each once.
class Texts {
 public:
  std::int64_t place(const std::string& bytes) {
    const auto [entry, is_new] = known_.emplace(bytes, texts_.size());
    if (is_new) texts_.emplace_back(shown(bytes));
    return static_cast<std::int64_t>(entry->second);
  }
  json::array take() { return std::move(texts_); }

 private:
  std::unordered_map<std::string, std::size_t> known_;
  json::array texts_;
};

constexpr Verdict kVerdicts[] = {Verdict::kPass,         Verdict::kFail,    Verdict::kError,
                                 Verdict::kInconclusive, Verdict::kInvalid, Verdict::kSkip};

// What the page finds a case by, in the order in which its script takes it.
json::array entry_of(const CaseResult& result, Texts& texts) {
  std::string settings;
  for (const auto& [name, value] : result.settings) settings += name + "=" + value + " ";
  const auto outcome = [](const Leg& leg) {
    return leg.observed.word.empty() ? "" : short_text(leg.observed);
  };
  const auto differs = first_difference(result);
  const int unmet = (blames(result, result.inbound, result.outbound) ? 1 : 0) |
                    (blames(result, result.outbound, result.inbound) ? 2 : 0) |
                    (result.kind == "matrix" && only_follows(result) ? 4 : 0);
  const bool passed = result.verdict == Verdict::kPass || result.verdict == Verdict::kSkip;
  const std::vector<Requirement> broken = passed ? std::vector<Requirement>() : broken_by(result);
  json::array demands;
  for (const Demand& one : result.demands) demands.emplace_back(texts.place(one.requirement));
  return {static_cast<int>(result.verdict),
          texts.place(result.suite),
          texts.place(result.name),
          texts.place(result.gateway),
          texts.place(settings),
          texts.place(result.client),
          texts.place(result.server),
          texts.place(outcome(result.inbound)),
          texts.place(outcome(result.outbound)),
          texts.place(result.inbound.requirement),
          texts.place(result.outbound.requirement),
          texts.place(result.reason),
          texts.place(result.deviation),
          unmet,
          differs ? static_cast<std::int64_t>(*differs) : -1,
          texts.place(broken.empty() ? "" : broken.front().first),
          std::move(demands)};
}

json::object values_of(const RunHeader& header, json::array& settings) {
  json::object values;
  for (const auto& [name, all] : header.axes) {
    json::array list;
    for (const std::string& value : all) list.emplace_back(value);
    values[name] = std::move(list);
    if (name != "client" && name != "server") settings.emplace_back(name);
  }
  return values;
}

// in_script gives JSON that ends no script element, whatever it holds.
std::string in_script(const json::value& value) {
  std::string out;
  for (const char c : json::serialize(value)) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

/// Packs writes the cases, kPack at a time.
class Packs {
 public:
  explicit Packs(WholeFile& file) : file_(&file) {}
  void add(const std::string& line) {
    lines_ += (held_ == 0 ? "" : "\n") + line;
    if (++held_ == kPack) write();
  }
  void write() {
    if (held_ == 0) return;
    file_->append("<script type=\"text/plain\" id=\"pack-" + std::to_string(number_++) + "\">");
    file_->append(in_base64(deflated(lines_)));
    file_->append("</script>\n");
    lines_.clear();
    held_ = 0;
  }

 private:
  WholeFile* file_;
  std::string lines_;
  std::size_t held_ = 0;
  int number_ = 0;
};

void write_cases(const std::string& results, WholeFile& file) {
  ResultsReader reader(results);
  Packs packs(file);
  Texts texts;
  json::array cases;
  while (const auto result = reader.next()) {
    if (result->control) continue;
    packs.add(reader.line_again(reader.spot()));
    cases.push_back(entry_of(*result, texts));
  }
  packs.write();
  json::object index;
  json::array verdicts, settings;
  for (const Verdict verdict : kVerdicts) verdicts.emplace_back(word(verdict));
  index["values"] = values_of(reader.header(), settings);
  index["settings"] = std::move(settings);
  index["verdicts"] = std::move(verdicts);
  index["pack"] = kPack;
  index["texts"] = texts.take();
  index["cases"] = std::move(cases);
  file.append("<script type=\"application/json\" id=\"index\">" + in_script(index) + "</script>\n");
}

}  // namespace

void write_html(const std::string& results, const std::string& path) {
  const std::string page = page_view(summarize(results));
  const std::size_t cases = page.find(kCasesPlace);
  if (cases == std::string::npos) throw std::logic_error("the page has no place for its cases");
  WholeFile file(path);
  file.append(std::string_view(page).substr(0, cases));
  write_cases(results, file);
  file.append(std::string_view(page).substr(cases + std::string_view(kCasesPlace).size()));
  file.commit();
}

}  // namespace postern::reports
