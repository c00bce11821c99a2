#include "ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "shown_text.hpp"

namespace postern::reports {

namespace {

// A line is: time (8) space lane gap lane gap lane.
constexpr std::size_t kTime = 8;
constexpr std::size_t kLanes = 3;

std::size_t gap_of(std::size_t width) {
  return (std::max(width, kLeastLadderColumns) - kTime - 1 - kLanes) / 2;
}

// What is drawn of one event's data, in lines, and of one case, in events.
constexpr std::size_t kDataHead = 9, kDataTail = 3;
constexpr std::size_t kEventsHead = 150, kEventsTail = 50;

/// Pen is how the bytes of one phase are drawn.
struct Pen {
  const char* shaft;
  const char* lane;
};
constexpr Pen kClear = {"─", "│"};
constexpr Pen kHandshake = {"╌", "│"};
constexpr Pen kTls = {"═", "║"};

const Pen& pen_of(const std::string& phase) {
  if (phase == "tls") return kTls;
  return phase == "handshake" ? kHandshake : kClear;
}

// Data as its lines, each shown. A last line without CRLF says so: the wire had none.
std::vector<std::string> data_lines(std::string_view bytes) {
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find("\r\n");
    if (end == std::string_view::npos) {
      lines.push_back(shown(bytes) + " (no CRLF)");
      break;
    }
    lines.push_back(shown(bytes.substr(0, end)));
    bytes.remove_prefix(end + 2);
  }
  if (lines.size() > kDataHead + kDataTail + 1) {
    const std::size_t hidden = lines.size() - kDataHead - kDataTail;
    const auto first = lines.begin() + static_cast<std::ptrdiff_t>(kDataHead);
    *first = fmt::format("… {} more lines …", hidden);
    lines.erase(first + 1, first + static_cast<std::ptrdiff_t>(hidden));
  }
  return lines;
}

// What an event other than data says.
std::string description(const Line& line) {
  const std::string text = shown(line.text);
  std::string what = line.kind;
  if (line.kind == "note" || line.kind == "close") return text.empty() ? what : text;
  if (line.kind == "reset" && text == "refused") return "refuses the connection";
  if (line.kind == "reset" || line.kind == "timeout") {
    what = line.kind == "reset" ? "resets the connection" : "nothing came within the time limit";
    return text.empty() || text == "reset" || text == "time limit" ? what : what + ": " + text;
  }
  if (line.kind == "connect") what = fmt::format("connection {}", line.connection);
  if (line.kind == "alert") what = "TLS alert";
  if (line.kind == "leak") what = "LEAK";
  if (line.kind == "differs") what = "DIFFERS";
  return text.empty() ? what : what + ": " + text;
}

class Drawing {
 public:
  explicit Drawing(std::size_t gap) : gap_(gap), text_(gap - 5) {}

  void draw(const Line& line);
  void left_out(std::size_t events);
  void mark(const Line& line);
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  enum class Toward { kRight, kLeft };
  /// Side is one gap with its outer lane.
  struct Side {
    std::map<std::pair<std::string, int>, std::string> open;  ///< Connection to the lane it draws.
    int latest = 0;  ///< The highest number of a connection so far.
    std::string lane() const { return open.empty() ? "·" : open.rbegin()->second; }
  };

  void arrow(bool inbound, Toward toward, const Pen& pen, const std::vector<std::string>& texts);
  void rule(bool inbound, const std::string& title, const std::string& text, bool agreed);
  void note(bool inbound, const std::string& text);
  void row(bool inbound, const std::string& gap);
  void follow(const Line& line);
  std::string label(const Line& line) const;

  std::size_t gap_, text_;  ///< Columns between two lanes, and of text beside an arrow.
  Side client_, server_;
  std::string time_;
  std::vector<std::string> lines_;
};

std::string time_text(std::int64_t microseconds) {
  const double milliseconds = static_cast<double>(microseconds) / 1000;
  return milliseconds < 10000 ? fmt::format("{:{}.3f}", milliseconds, kTime)
                              : fmt::format("{:{}.1f}", milliseconds, kTime);
}

void Drawing::row(bool inbound, const std::string& gap) {
  const std::string other = repeated(" ", gap_);
  lines_.push_back(padded(time_, kTime) + " " + client_.lane() + (inbound ? gap : other) + "│" +
                   (inbound ? other : gap) + server_.lane());
  time_.clear();
}

// Draws lines of text with the arrow beside the first; a line too long for the gap goes on below.
void Drawing::arrow(bool inbound, Toward toward, const Pen& pen,
                    const std::vector<std::string>& texts) {
  bool pointed = false;
  for (const std::string& text : texts) {
    const std::vector<std::string> pieces = cut_columns(text, text_);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const bool last = i + 1 == pieces.size();
      if (toward == Toward::kLeft) {
        const std::string head = "◀" + repeated(pen.shaft, 2) + " ";
        row(inbound, padded((pointed ? "    " : head) + pieces[i], gap_));
        pointed = true;
      } else if (pointed || !last) {
        row(inbound, padded(" " + pieces[i], gap_));
      } else {
        row(inbound, padded(" " + pieces[i] + " ", gap_ - 1, pen.shaft) + "▶");
        pointed = true;
      }
    }
  }
}

// The border between clear text and TLS, or where it should have been: ruled from lane to lane,
// what is known about it below.
void Drawing::rule(bool inbound, const std::string& title, const std::string& text, bool agreed) {
  const std::string stroke = agreed ? "═" : "╌";
  const std::string gap = padded(repeated(stroke, 2) + " " + title + " ", gap_, stroke);
  const std::string other = repeated(" ", gap_);
  const std::string head = padded(time_, kTime) + " ";
  lines_.push_back(inbound ? head + "╞" + gap + "╡" + other + server_.lane()
                           : head + client_.lane() + other + "╞" + gap + "╡");
  time_.clear();
  if (text.empty()) return;
  for (const std::string& piece : wrap_words(text, gap_ - 4)) {
    row(inbound, padded("   " + piece, gap_));
  }
}

void Drawing::note(bool inbound, const std::string& text) {
  std::string mark = " • ";
  for (const std::string& piece : wrap_words(text, gap_ - 4)) {
    row(inbound, padded(mark + piece, gap_));
    mark = "   ";
  }
}

// Whose line it is, where that is not plain: the mailbox shares the right gap with the next hop,
// and a side may have more than one connection.
std::string Drawing::label(const Line& line) const {
  if (line.side == "sender") return "[sender's mailbox] ";
  const Side& side = line.side == "client" ? client_ : server_;
  return side.latest > 1 && line.connection > 0 ? fmt::format("[{}] ", line.connection) : "";
}

// Keeps the lane: it begins with the connection, doubles with TLS, ends with the connection.
void Drawing::follow(const Line& line) {
  if (line.connection == 0) return;
  Side& side = line.side == "client" ? client_ : server_;
  const std::pair<std::string, int> key(line.side, line.connection);
  if (line.kind == "close" || line.kind == "reset") {
    side.open.erase(key);
  } else if (line.phase == "tls") {
    side.open[key] = kTls.lane;
  } else {
    side.open.emplace(key, kClear.lane);
  }
}

void Drawing::draw(const Line& line) {
  time_ = time_text(line.at);
  const bool inbound = line.side == "client";
  if (line.side == "record") {
    note(false, "gateway: " + shown(line.text));
    return;
  }
  if (line.side == "client") client_.latest = std::max(client_.latest, line.connection);
  if (line.side == "server") server_.latest = std::max(server_.latest, line.connection);
  // An ending is drawn while its lane is still there.
  const bool ends = line.kind == "close" || line.kind == "reset";
  if (!ends) follow(line);
  if (line.kind == "handshake") {
    const bool agreed = line.phase == "tls";
    rule(inbound, label(line) + (agreed ? "TLS begins" : "TLS fails"), shown(line.text), agreed);
  } else if (line.from.empty()) {
    note(inbound, label(line) + description(line));
  } else {
    std::vector<std::string> texts =
        line.kind == "data" ? data_lines(line.text) : wrap_words(description(line), text_ - 4);
    if (texts.empty()) texts = {"(nothing)"};
    texts.front().insert(0, label(line));
    const bool rightward = inbound == (line.from == "peer");
    arrow(inbound, rightward ? Toward::kRight : Toward::kLeft, pen_of(line.phase), texts);
  }
  if (ends) follow(line);
}

void Drawing::mark(const Line& line) {
  time_.clear();
  row(line.side == "client", padded(" ▼ The first that differs", gap_));
}

void Drawing::left_out(std::size_t events) {
  time_.clear();
  row(true, padded(fmt::format(" … {} more events …", events), gap_));
}

}  // namespace

std::vector<std::string> ladder(std::vector<Line> events, std::optional<std::size_t> differs,
                                std::size_t width) {
  if (events.empty()) return {};
  std::stable_sort(events.begin(), events.end(),
                   [](const Line& a, const Line& b) { return a.at < b.at; });
  const std::size_t gap = gap_of(width);
  Drawing drawing(gap);
  // What differs is drawn wherever it stands.
  const bool whole = events.size() <= kEventsHead + kEventsTail;
  std::size_t hidden = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const bool middle = !whole && i >= kEventsHead && i < events.size() - kEventsTail;
    if (middle && i != differs) {
      ++hidden;
      continue;
    }
    if (hidden > 0) drawing.left_out(hidden);
    hidden = 0;
    if (i == differs) drawing.mark(events[i]);
    drawing.draw(events[i]);
  }

  std::vector<std::string> lines = drawing.take();
  const std::string head = padded("      ms client", kTime + 1 + 1 + gap - 3) + "gateway";
  lines.insert(lines.begin(), padded(head, kTime + 1 + kLanes + 2 * gap - 6) + "server");
  return lines;
}

}  // namespace postern::reports
