// The pages as HTML: templates of page/ filled in. It is the only file that knows the template
// library.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "certificates_page.hpp"
#include "delivery.hpp"
#include "form.hpp"
#include "level_rewrite.hpp"
#include "recent_sessions.hpp"
#include "values.hpp"

namespace gateway::web {

// Frame is what stands around every page.
struct Frame {
  std::string language = "en";
  std::string gateway;  // its name
  std::string csrf;     // of the visit; empty: nobody has logged in
  std::string path;     // of the page
  std::string heading;
  std::string status;   // what was done; may be empty
  std::string error;    // what was not; may be empty
  std::string details;  // the error's own words
};

// EncryptionView is what the page "TLS encryption" shows.
struct EncryptionView {
  unsigned generation = 0;  // of the settings in force
  Levels in_force;
  Levels chosen;
  std::optional<Duration> clear_fallback_delay;
  bool has_client_ca = false;
  std::size_t own_networks = 0;  // client networks, and routes, with settings of their own
  std::size_t own_routes = 0;
};

std::string login_page(const Frame& frame);
std::string message_page(const Frame& frame);
std::string encryption_page(const Frame& frame, const EncryptionView& view);

// consequences_part is the part of that page that changes with what is chosen.
std::string consequences_part(const std::string& language, const EncryptionView& view);

// QueueView is what the page "Queue" shows.
struct QueueView {
  std::size_t count = 0;
  std::vector<Delivery::Waiting> shown;  // the oldest of them
};
std::string queue_page(const Frame& frame, const QueueView& view);

// Question is asked before something is gone for good.
struct Question {
  std::string text;
  std::string action;  // where the answer goes
  Fields fields;       // what goes with it
};
std::string question_page(const Frame& frame, const Question& question);

std::string certificates_page(const Frame& frame, const std::vector<CertificateRow>& rows);

std::string sessions_page(const Frame& frame, const RecentSessions& recent);

// sessions_table is the part of that page that changes by itself.
std::string sessions_table(const std::string& language, const RecentSessions& recent);

// style and script are the files that every page asks for.
std::string style();
std::string script();

}  // namespace gateway::web
