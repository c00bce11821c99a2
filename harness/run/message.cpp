#include "run/message.hpp"

#include <fmt/core.h>

namespace postern {

std::string make_message(const std::string& token, const std::string& sender,
                         const std::string& recipient, unsigned long long number) {
  return fmt::format(
      "From: <{1}>\r\n"
      "To: <{2}>\r\n"
      "Subject: Postern, message {3}\r\n"
      "Date: Tue, 06 Jan 2026 10:00:00 +0000\r\n"
      "Message-ID: <message-{3}@client.postern.test>\r\n"
      "X-Postern-Token: {0}\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=us-ascii\r\n"
      "\r\n"
      "{0} stands at the start of this message.\r\n"
      ".\r\n"
      "..a line that begins with two dots, after one that is a single dot.\r\n"
      "\r\n"
      "In the middle stands {0} too.\r\n"
      "A line of trailing space \r\n"
      "\tand one with a tab before it.\r\n"
      "\r\n"
      "At the end stands {0}\r\n",
      token, sender, recipient, number);
}

}  // namespace postern
