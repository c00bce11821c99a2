#include "sample_results.hpp"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "results_file.hpp"

namespace postern::reports {

namespace {

Outcome outcome_from(const std::string& text) {
  std::istringstream words(text);
  Outcome outcome;
  words >> outcome.word;
  std::string fact;
  while (words >> fact) {
    const auto equals = fact.find('=');
    outcome.facts.emplace_back(fact.substr(0, equals), fact.substr(equals + 1));
  }
  return outcome;
}

void name_case(CaseResult& result) {
  result.suite = "tls-modes";
  for (const auto& [name, value] : result.settings)
    result.suite.append("/").append(name).append("=").append(value);
  result.name = "client=" + result.client + "/server=" + result.server;
  result.id = result.suite + "/" + result.name;
  result.rerun = "postern run '" + result.id + "'";
}

// The client's half of a session in which all goes well, TLS from the second EHLO on.
std::vector<Line> client_lines() {
  return {
      {310, 1, "client", "peer", "clear", "connect", "127.12.0.7 to 127.11.0.1 port 40025"},
      {640, 1, "client", "gateway", "clear", "data", "220 mx.gateway.test ESMTP\r\n"},
      {655, 1, "client", "peer", "clear", "data", "EHLO client.example\r\n"},
      {790, 1, "client", "gateway", "clear", "data",
       "250-mx.gateway.test\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n250-STARTTLS\r\n"
       "250 ENHANCEDSTATUSCODES\r\n"},
      {800, 1, "client", "peer", "clear", "data", "STARTTLS\r\n"},
      {905, 1, "client", "gateway", "clear", "data", "220 2.0.0 Ready to start TLS\r\n"},
      {2480, 1, "client", "", "tls", "handshake",
       "TLS 1.3, TLS_AES_256_GCM_SHA384, no client certificate asked for"},
      {2495, 1, "client", "peer", "tls", "data", "EHLO client.example\r\n"},
      {2610, 1, "client", "gateway", "tls", "data",
       "250-mx.gateway.test\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n"},
      {2620, 1, "client", "peer", "tls", "data",
       "MAIL FROM:<from-q7d2mzk5xw3b6tnc4hvj@sender.test>\r\n"},
      {2711, 1, "client", "gateway", "tls", "data", "250 2.1.0 Ok\r\n"},
      {2718, 1, "client", "peer", "tls", "data",
       "RCPT TO:<to-q7d2mzk5xw3b6tnc4hvj@c4711.next-hop.test>\r\n"},
      {2809, 1, "client", "gateway", "tls", "data", "250 2.1.5 Ok\r\n"},
      {2815, 1, "client", "peer", "tls", "data", "DATA\r\n"},
      {2893, 1, "client", "gateway", "tls", "data", "354 End data with <CR><LF>.<CR><LF>\r\n"},
      {2904, 1, "client", "peer", "tls", "data",
       "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nFrom: from-q7d2mzk5xw3b6tnc4hvj@sender.test\r\n"
       "X-Postern: q7d2mzk5xw3b6tnc4hvj\r\nSubject: A message of the matrix\r\n\r\n"
       "q7d2mzk5xw3b6tnc4hvj\r\nGr\xFC\xDF"
       "e \x1B[1m\r\nq7d2mzk5xw3b6tnc4hvj\r\n.\r\n"},
      {4120, 1, "client", "gateway", "tls", "data", "250 2.0.0 Queued as 7A41\r\n"},
      {4131, 1, "client", "peer", "tls", "data", "QUIT\r\n"},
      {4222, 1, "client", "gateway", "tls", "data", "221 2.0.0 Bye\r\n"},
      {4302, 1, "client", "gateway", "tls", "close", "closed after close_notify"},
  };
}

// The server's half: the gateway delivers although the certificate has expired.
std::vector<Line> server_lines() {
  return {
      {4410, 1, "server", "gateway", "clear", "connect", "127.11.0.1 to 127.13.0.7 port 40125"},
      {4433, 1, "server", "peer", "clear", "data", "220 mx.c4711.next-hop.test ESMTP\r\n"},
      {4560, 1, "server", "gateway", "clear", "data", "EHLO mx.gateway.test\r\n"},
      {4571, 1, "server", "peer", "clear", "data",
       "250-mx.c4711.next-hop.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n"},
      {4660, 1, "server", "gateway", "clear", "data", "STARTTLS\r\n"},
      {4668, 1, "server", "peer", "clear", "data", "220 2.0.0 Ready to start TLS\r\n"},
      {6210, 1, "server", "", "tls", "handshake",
       "TLS 1.3, TLS_AES_256_GCM_SHA384, shown: expired, SNI mx.c4711.next-hop.test"},
      {6320, 1, "server", "gateway", "tls", "data", "EHLO mx.gateway.test\r\n"},
      {6331, 1, "server", "peer", "tls", "data",
       "250-mx.c4711.next-hop.test\r\n250 PIPELINING\r\n"},
      {6440, 1, "server", "gateway", "tls", "data",
       "MAIL FROM:<from-q7d2mzk5xw3b6tnc4hvj@sender.test>\r\n"},
      {6449, 1, "server", "", "tls", "leak",
       "the token of this message, where LEAK-4 allows nothing"},
      {6460, 1, "server", "peer", "tls", "data", "250 2.1.0 Ok\r\n"},
      {6550, 1, "server", "gateway", "tls", "data",
       "RCPT TO:<to-q7d2mzk5xw3b6tnc4hvj@c4711.next-hop.test>\r\n"},
      {6559, 1, "server", "peer", "tls", "data", "250 2.1.5 Ok\r\n"},
      {6640, 1, "server", "gateway", "tls", "data", "DATA\r\n"},
      {6648, 1, "server", "peer", "tls", "data", "354 Go ahead\r\n"},
      {6752, 1, "server", "gateway", "tls", "data",
       "Received: from client.example (127.12.0.7)\r\n by mx.gateway.test with ESMTPS id 7A41\r\n"
       "Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nFrom: from-q7d2mzk5xw3b6tnc4hvj@sender.test\r\n"
       "X-Postern: q7d2mzk5xw3b6tnc4hvj\r\nSubject: A message of the matrix\r\n\r\n"
       "q7d2mzk5xw3b6tnc4hvj\r\nGr\xFC\xDF"
       "e \x1B[1m\r\nq7d2mzk5xw3b6tnc4hvj\r\n.\r\n"},
      {6771, 1, "server", "peer", "tls", "data", "250 2.0.0 Taken\r\n"},
      {6880, 1, "server", "gateway", "tls", "data", "QUIT\r\n"},
      {6888, 1, "server", "peer", "tls", "data", "221 2.0.0 Bye\r\n"},
      {6961, 1, "server", "gateway", "tls", "close", "closed after close_notify"},
  };
}

}  // namespace

RunHeader sample_header() {
  RunHeader header;
  header.started = "2026-03-02T10:00:00";
  header.host = "builder";
  header.postern = "0.1.0";
  header.openssl = "OpenSSL 3.0.22";
  header.gateway = "reference 0.1.0";
  header.command = "postern run scenarios";
  header.seed = 18446744073709551615U;
  header.axes = {{"server-level", {"none", "attempt", "require"}},
                 {"client-certificate", {"none", "request", "require"}},
                 {"client-level", {"none", "attempt", "require", "verify"}},
                 {"client", {"plain", "starttls", "expired-cert"}},
                 {"server", {"plain", "good", "expired"}}};
  return header;
}

CaseResult sample_failure() {
  CaseResult result = sample_pass();
  result.server = "expired";
  name_case(result);
  result.verdict = Verdict::kFail;
  result.grade = "";
  result.reason = "outbound: expected hold code=4.7.5, got redirect tls=yes connection=1";
  result.details = {
      "leak: the message was seen inside TLS (plain) on connection 1 to the next hop, at about "
      "byte "
      "87; LEAK-4 allows nothing: Client level verify: inside TLS only, and only after the "
      "certificate of that connection verified for this next hop."};
  result.outbound.requirement = "OUT-5";
  result.outbound.requirement_text =
      "Where OUT-3 or OUT-4 is not met the message is not redirected: not even MAIL is disclosed "
      "to "
      "that server; it stays queued with the reason on record.";
  result.outbound.rule = "scenarios/matrices/tls-modes.xml:71";
  result.outbound.expected = "hold code=4.7.5";
  result.outbound.letter = "hold";
  result.outbound.observed = outcome_from("redirect tls=yes connection=1");
  result.outbound.grade = "";
  result.outbound.evidence = {};
  result.line = 71;
  result.events = client_lines();
  for (Line& line : server_lines()) result.events.push_back(std::move(line));
  result.record = {
      R"({"event":"received","time":"2026-03-02T10:00:01.004Z","queue-id":"7A41","tls":"TLSv1.3"})",
      R"({"event":"relayed","time":"2026-03-02T10:00:01.006Z","queue-id":"7A41","attempt":1,)"
      R"("next-hop":"mx.c4711.next-hop.test","tls":"TLSv1.3","verified":false})"};
  return result;
}

CaseResult sample_pass() {
  CaseResult result = matrix_case("require none verify", "starttls", "good", "accept tls=yes",
                                  "redirect tls=yes connection=1");
  result.inbound.requirement = "IN-3";
  result.inbound.requirement_text =
      "require: STARTTLS is offered; a client that goes on without it is refused and its "
      "connection "
      "is dropped; no message is accepted in clear text.";
  result.inbound.rule = "scenarios/matrices/tls-modes.xml:44";
  result.inbound.evidence = {"session-end"};
  result.outbound.requirement = "OUT-4";
  result.outbound.requirement_text =
      "verify: the message is redirected only over TLS and only to a server whose certificate "
      "verifies.";
  result.outbound.rule = "scenarios/matrices/tls-modes.xml:70";
  result.outbound.evidence = {"record", "fence"};
  result.line = 70;
  result.seconds = 0.006731;
  result.events = client_lines();
  result.record = {"relayed \x01\xFF\"\\ as it came"};
  return result;
}

CaseResult matrix_case(const std::string& levels, const std::string& client,
                       const std::string& server, const std::string& inbound,
                       const std::string& outbound) {
  CaseResult result;
  std::istringstream words(levels);
  for (const char* name : {"server-level", "client-certificate", "client-level"}) {
    std::string value;
    words >> value;
    result.settings.emplace_back(name, value);
  }
  result.client = client;
  result.server = server;
  name_case(result);
  result.kind = "matrix";
  result.gateway = "reference";
  result.verdict = Verdict::kPass;
  result.grade = "form";
  result.inbound.expected = inbound;
  result.inbound.observed = outcome_from(inbound);
  result.inbound.grade = "form";
  result.outbound.expected = outbound;
  result.outbound.observed = outcome_from(outbound);
  result.outbound.grade = "form";
  result.file = "scenarios/matrices/tls-modes.xml";
  result.line = 44;
  result.seconds = 0.004;
  return result;
}

TemporaryFile::TemporaryFile() {
  std::string name = (std::filesystem::temp_directory_path() / "postern-reports-XXXXXX").string();
  const int descriptor = ::mkstemp(name.data());
  if (descriptor >= 0) ::close(descriptor);
  path_ = name;
}

TemporaryFile::~TemporaryFile() {
  std::remove(path_.c_str());
}

std::string TemporaryFile::text() const {
  std::ifstream in(path_, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void TemporaryFile::write(const std::string& text) const {
  std::ofstream(path_, std::ios::binary) << text;
}

void write_results(const std::string& path, const std::vector<CaseResult>& cases) {
  ResultsWriter writer(path, sample_header());
  for (const CaseResult& result : cases) writer.write(result);
  RunFooter footer;
  footer.seconds = 1.5;
  footer.exit_code = 1;
  footer.counters = {{"handshakes", "2"}};
  footer.notes = {"a note"};
  writer.finish(footer);
}

}  // namespace postern::reports
