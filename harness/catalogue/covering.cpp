#include "catalogue/covering.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "catalogue/shuffle.hpp"

namespace postern {
namespace {

using Columns = std::vector<std::size_t>;

/// combinations_of lists every choice of `strength` of `axes` axes, ascending.
std::vector<Columns> combinations_of(std::size_t axes, std::size_t strength) {
  std::vector<Columns> all;
  Columns columns;
  const auto add = [&](const auto& self, std::size_t from) -> void {
    if (columns.size() == strength) {
      all.push_back(columns);
      return;
    }
    for (std::size_t axis = from; axis < axes; ++axis) {
      columns.push_back(axis);
      self(self, axis + 1);
      columns.pop_back();
    }
  };
  add(add, 0);
  return all;
}

std::size_t strength_of(const CoveringTable& table, unsigned strength) {
  return std::min<std::size_t>(strength, table.axes.size());
}

/// Tuples gives each tuple of values a number, and each row the numbers of those in it.
class Tuples {
 public:
  Tuples(const CoveringTable& table, std::size_t strength) : rows_(table.rows.size()) {
    for (const Columns& columns : combinations_of(table.axes.size(), strength)) {
      std::unordered_map<std::string, std::size_t> known;
      std::string key;
      for (std::size_t row = 0; row < table.rows.size(); ++row) {
        key.clear();
        for (const std::size_t column : columns) key.append(table.rows[row][column]).append("\n");
        const auto [entry, is_new] = known.emplace(key, count_);
        count_ += is_new;
        rows_[row].push_back(entry->second);
      }
    }
  }

  std::size_t count() const { return count_; }
  const std::vector<std::size_t>& of(std::size_t row) const { return rows_[row]; }

 private:
  std::size_t count_ = 0;
  std::vector<std::vector<std::size_t>> rows_;
};

/// choose takes, again and again, a row with the most tuples that no chosen one has. What a row
/// gains never grows, so each waits among its equals until its turn comes, and is counted then.
std::vector<std::size_t> choose(const Tuples& tuples, const std::vector<std::size_t>& order,
                                std::vector<unsigned>& times) {
  const std::size_t most = order.empty() ? 0 : tuples.of(0).size();
  std::vector<std::vector<std::size_t>> waiting(most + 1);
  waiting[most] = order;
  std::vector<std::size_t> chosen;
  for (std::size_t gain = most; gain > 0; --gain) {
    for (std::size_t next = 0; next < waiting[gain].size(); ++next) {
      const std::size_t row = waiting[gain][next];
      const auto& has = tuples.of(row);
      const auto now = static_cast<std::size_t>(std::count_if(
          has.begin(), has.end(), [&](std::size_t tuple) { return times[tuple] == 0; }));
      if (now < gain) {
        waiting[now].push_back(row);
        continue;
      }
      for (const std::size_t tuple : has) ++times[tuple];
      chosen.push_back(row);
    }
  }
  return chosen;
}

}  // namespace

Covering cover(const CoveringTable& table, unsigned strength, std::uint64_t seed) {
  const Tuples tuples(table, strength_of(table, strength));
  std::vector<unsigned> times(tuples.count(), 0);
  const std::vector<std::size_t> chosen = choose(tuples, shuffled(table.rows.size(), seed), times);
  Covering covering;
  covering.tuples = tuples.count();
  // What was taken early may have become superfluous.
  for (const std::size_t row : chosen) {
    const auto& has = tuples.of(row);
    const bool needed =
        std::any_of(has.begin(), has.end(), [&](std::size_t tuple) { return times[tuple] == 1; });
    if (needed) {
      covering.rows.push_back(row);
    } else {
      for (const std::size_t tuple : has) --times[tuple];
    }
  }
  std::sort(covering.rows.begin(), covering.rows.end());
  return covering;
}

std::vector<std::string> uncovered(const CoveringTable& table, const std::vector<std::size_t>& rows,
                                   unsigned strength) {
  std::vector<std::string> holes;
  for (const Columns& columns : combinations_of(table.axes.size(), strength_of(table, strength))) {
    const auto name = [&](const std::vector<std::string>& row) {
      std::string text;
      for (const std::size_t column : columns)
        text += (text.empty() ? "" : " ") + table.axes[column] + "=" + row[column];
      return text;
    };
    std::set<std::string> covered;
    for (const std::size_t row : rows) covered.insert(name(table.rows[row]));
    for (const auto& row : table.rows)
      if (std::string tuple = name(row); covered.insert(tuple).second)
        holes.push_back(std::move(tuple));
  }
  return holes;
}

}  // namespace postern
