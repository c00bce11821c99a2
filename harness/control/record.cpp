#include "control/record.hpp"

#include <algorithm>
#include <stdexcept>

namespace postern {

void LineSplitter::add(std::string_view piece) {
  partial_.append(piece.substr(0, kLongest - std::min(kLongest, partial_.size())));
}

void LineSplitter::feed(std::string_view bytes,
                        const std::function<void(std::string_view)>& on_line) {
  while (true) {
    const std::size_t newline = bytes.find('\n');
    if (newline == std::string_view::npos) {
      add(bytes);
      return;
    }
    std::string_view line = bytes.substr(0, newline);
    if (!partial_.empty()) {
      add(line);
      line = partial_;
    }
    line = line.substr(0, kLongest);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    on_line(line);
    partial_.clear();
    bytes.remove_prefix(newline + 1);
  }
}

void LineSplitter::finish(const std::function<void(std::string_view)>& on_line) {
  if (!partial_.empty()) {
    on_line(partial_);
    partial_.clear();
  }
}

RecordReader::RecordReader(const std::vector<RecordPattern>& patterns) {
  RE2::Options options;
  options.set_log_errors(false);
  prefilter_ = std::make_unique<RE2::Set>(options, RE2::UNANCHORED);
  for (const RecordPattern& pattern : patterns) {
    Pattern compiled;
    compiled.event = pattern.event;
    compiled.expression = std::make_unique<RE2>(pattern.pattern, options);
    if (!compiled.expression->ok()) {
      throw std::invalid_argument(pattern.place.text() + ": " + compiled.expression->error());
    }
    for (const auto& [name, index] : compiled.expression->NamedCapturingGroups()) {
      compiled.groups.emplace_back(name, index);
    }
    prefilter_->Add(pattern.pattern, nullptr);
    patterns_.push_back(std::move(compiled));
  }
  if (!patterns_.empty() && !prefilter_->Compile()) {
    throw std::invalid_argument("the patterns of one <record> are too large together");
  }
}

bool RecordReader::read(std::string_view line, RecordEvent& event) const {
  const re2::StringPiece text(line.data(), line.size());
  std::vector<int> matching;
  if (patterns_.empty() || !prefilter_->Match(text, &matching) || matching.empty()) {
    return false;
  }
  const int first = *std::min_element(matching.begin(), matching.end());
  const Pattern& pattern = patterns_[static_cast<std::size_t>(first)];
  std::vector<re2::StringPiece> groups(
      static_cast<std::size_t>(pattern.expression->NumberOfCapturingGroups()) + 1);
  pattern.expression->Match(text, 0, text.size(), RE2::UNANCHORED, groups.data(),
                            static_cast<int>(groups.size()));
  event.kind = pattern.event;
  event.fields.clear();
  for (const auto& [name, index] : pattern.groups) {
    const re2::StringPiece& group = groups[static_cast<std::size_t>(index)];
    if (group.data() != nullptr) {
      event.fields.emplace(name, std::string(group.data(), group.size()));
    }
  }
  event.line.assign(line);
  return true;
}

void Correlation::complete(RecordEvent event,
                           const std::function<void(const RecordEvent&)>& on_event) {
  const auto id = event.fields.find("id");
  if (id == event.fields.end()) {
    on_event(event);
    return;
  }
  Known& known = by_id_[id->second];
  const auto sender = event.fields.find("sender");
  if (sender != event.fields.end()) {
    known.sender = sender->second;
  } else if (!known.sender.empty()) {
    event.fields.emplace("sender", known.sender);
  }
  const auto client = event.fields.find("client");
  if (client != event.fields.end()) known.client = client->second;
  const auto recipient = event.fields.find("recipient");
  if (recipient != event.fields.end()) {
    auto& all = known.recipients;
    if (std::find(all.begin(), all.end(), recipient->second) == all.end()) {
      all.push_back(recipient->second);
    }
    on_event(event);
    return;
  }
  if (known.recipients.empty()) {
    if (!known.client.empty()) event.fields.emplace("client", known.client);
    on_event(event);
    return;
  }
  const std::vector<std::string> recipients = known.recipients;
  for (const std::string& each : recipients) {
    event.fields["recipient"] = each;
    on_event(event);
  }
}

}  // namespace postern
