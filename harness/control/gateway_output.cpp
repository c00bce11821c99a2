#include "control/gateway_output.hpp"

#include <charconv>
#include <stdexcept>

namespace postern {

GatewayOutput::GatewayOutput(const GatewayFile& file, std::string ignored_client,
                             std::size_t most_lines,
                             std::function<void(const RecordEvent&)> on_record)
    : ignored_client_(std::move(ignored_client)),
      most_lines_(most_lines),
      on_record_(std::move(on_record)),
      ready_source_(file.ready.from) {
  if (file.ready.how == Ready::How::kLine) {
    ready_pattern_ = std::make_unique<RE2>(file.ready.pattern, RE2::Quiet);
    if (!ready_pattern_->ok()) {
      throw std::invalid_argument(file.ready.place.text() + ": " + ready_pattern_->error());
    }
  }
  for (const Record& record : file.records) {
    readers_.emplace_back(record.from, RecordReader(record.patterns));
  }
}

bool GatewayOutput::gives_port(const GatewayFile& file) {
  if (file.ready.how != Ready::How::kLine) return false;
  const RE2 pattern(file.ready.pattern, RE2::Quiet);
  return pattern.ok() && pattern.NamedCapturingGroups().count("port") != 0;
}

void GatewayOutput::bytes(Source source, std::string_view bytes) {
  splitters_[source].feed(bytes, [this, source](std::string_view text) { line(source, text); });
}

void GatewayOutput::finish(Source source) {
  splitters_[source].finish([this, source](std::string_view text) { line(source, text); });
}

void GatewayOutput::line(Source source, std::string_view line) {
  if (source == Source::kStdout || source == Source::kStderr) {
    if (last_lines_.size() == 2 * most_lines_) {
      last_lines_.erase(last_lines_.begin(),
                        last_lines_.begin() + static_cast<std::ptrdiff_t>(most_lines_));
    }
    last_lines_.emplace_back(line);
  }
  for (const auto& [from, reader] : readers_) {
    RecordEvent event;
    if (from != source || !reader.read(line, event)) continue;
    event.at = std::chrono::steady_clock::now();
    const auto client = event.fields.find("client");
    if (client != event.fields.end() && client->second == ignored_client_) continue;
    if (on_record_) correlation_.complete(std::move(event), on_record_);
  }
  if (ready_pattern_ && !ready_ && source == ready_source_) match_ready(line);
}

void GatewayOutput::match_ready(std::string_view line) {
  const re2::StringPiece text(line.data(), line.size());
  std::vector<re2::StringPiece> groups(
      static_cast<std::size_t>(ready_pattern_->NumberOfCapturingGroups()) + 1);
  if (!ready_pattern_->Match(text, 0, text.size(), RE2::UNANCHORED, groups.data(),
                             static_cast<int>(groups.size()))) {
    return;
  }
  for (const auto& [name, index] : ready_pattern_->NamedCapturingGroups()) {
    const re2::StringPiece& group = groups[static_cast<std::size_t>(index)];
    if (name == "address") address_.assign(group.data(), group.size());
    if (name == "port") std::from_chars(group.data(), group.data() + group.size(), port_);
  }
  ready_ = true;
  if (on_ready) on_ready();
}

}  // namespace postern
