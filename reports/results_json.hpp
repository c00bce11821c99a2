#pragma once

#include <boost/json/object.hpp>
#include <stdexcept>
#include <string>

#include "result.hpp"

// One line of a results file, parsed, as the struct it stands for. Unknown members are passed over:
// a later minor addition must not make a file unreadable.

namespace postern::reports {

/// WrongMember says which member of a line is wrong: "\"seconds\": found a string, allowed: a
/// number". The reader adds file and line.
class WrongMember : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// type_of gives "header", "case", "footer" or whatever stands there. Throws WrongMember.
std::string type_of(const boost::json::object& line);

/// The three below throw WrongMember where a member is missing or of another kind.
RunHeader header_from(const boost::json::object& line);  ///< Refuses a newer version, too.
CaseResult case_from(const boost::json::object& line);
RunFooter footer_from(const boost::json::object& line);

}  // namespace postern::reports
