#pragma once

#include <string>

#include "catalogue/story.hpp"
#include "peers/script_step.hpp"
#include "peers/talk.hpp"

// The steps of stories that are about TLS. Each throws StepFailed where it does not hold.

namespace postern {

/// play_starttls does the handshake and looks at what came of it; ScriptEnds where it failed and
/// may.
boost::asio::awaitable<void> play_starttls(Talk& talk, Role role, const Step& step);

/// play_renegotiate asks for a second handshake. Refused, it ends the connection.
boost::asio::awaitable<void> play_renegotiate(Talk& talk, const Step& step);

/// play_hear_alert reads TLS records up to an alert, in clear text or inside TLS.
boost::asio::awaitable<void> play_hear_alert(Talk& talk, const Step& step);

/// play_close ends the sending side, or the half of that which the step names.
boost::asio::awaitable<void> play_close(Talk& talk, const Step& step);

/// data_since gives what the gateway first sent on this connection behind `before`, an index into
/// the events; "" where that is nothing.
std::string data_since(Talk& talk, std::size_t before);

/// expect_no_data fails the step at `place` if the gateway has said something on this connection
/// since there were `before` events.
void expect_no_data(Talk& talk, std::size_t before, const Place& place);

/// ends_as tells whether `ending` is what <end how="…"/> calls `how`.
bool ends_as(const std::string& how, Ending ending);

}  // namespace postern
