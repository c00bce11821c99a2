#include "clear_text_totals.hpp"

namespace gateway {

void ClearTextTotals::count(const std::string& host, const std::string& cause) {
  ++totals_[{host, cause}];
}

void ClearTextTotals::write(Journal& journal) const {
  for (const auto& [key, count] : totals_) {
    journal.add(JournalLine("clear-text-total")
                    .add("host", key.first)
                    .add("cause", key.second)
                    .add("count", count));
  }
}

}  // namespace gateway
