// faulty_gateway FAULT SETTINGS-FILE MARK | faulty_gateway --queue DIRECTORY
// The mark is for whoever looks for its processes.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "relay.hpp"

namespace faulty {
namespace {

/// Listener is where clients are served.
struct Listener {
  int socket = -1;
  unsigned short port = 0;
};

Listener listen_at(const std::string& address) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  ::inet_pton(AF_INET, address.c_str(), &where.sin_addr);
  void* const generic = &where;
  socklen_t size = sizeof where;
  Listener made;
  made.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(made.socket, static_cast<sockaddr*>(generic), size) != 0 ||
      ::listen(made.socket, 128) != 0 ||
      ::getsockname(made.socket, static_cast<sockaddr*>(generic), &size) != 0)
    std::exit(9);
  made.port = ntohs(where.sin_port);
  return made;
}

void accept_all(Relay& relay, int listener) {
  for (int connections = 1;; ++connections) {
    sockaddr_in where{};
    void* const generic = &where;
    socklen_t size = sizeof where;
    const int socket = ::accept(listener, static_cast<sockaddr*>(generic), &size);
    if (socket < 0) return;
    if (connections == 3 && relay.fault() == Fault::kCrashesOnThirdConnection) std::abort();
    char client[INET_ADDRSTRLEN];
    ::inet_ntop(AF_INET, &where.sin_addr, client, sizeof client);
    std::thread([&relay, socket, from = std::string(client)] {
      relay.serve(socket, from);
    }).detach();
  }
}

[[noreturn]] void pause_for_ever() {
  while (true) ::pause();
}

// at_stop ends the process at once; its threads have nothing to lose, the queue is on disk.
[[noreturn]] void at_stop(Relay& relay) {
  if (relay.fault() == Fault::kHangsAtStop) pause_for_ever();
  if (relay.fault() == Fault::kCrashesAtStop) std::abort();
  relay.stop();
  ::_exit(relay.fault() == Fault::kExitsWith3AtStop ? 3 : 0);
}

int run(Fault fault, const std::string& file) {
  // Threads inherit the mask: only this one takes the signal.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  Settings settings;
  if (!settings.read(file)) {
    std::cerr << file << ": cannot be read\n";
    return 2;
  }
  if (fault == Fault::kExitsBeforeReady) {
    std::cerr << "this gateway ends before it is ready\n";
    return 7;
  }
  if (fault == Fault::kNeverReady) pause_for_ever();
  const std::string address = settings.get("listen");
  Relay relay(std::move(settings), fault);
  const Listener listener = listen_at(address);
  if (fault == Fault::kClosesItsPort) ::close(listener.socket);
  relay.record("ready " + address + ":" + std::to_string(listener.port));
  if (fault == Fault::kExitsAfterReady) ::_exit(7);
  std::thread(accept_all, std::ref(relay), listener.socket).detach();
  int signal = 0;
  ::sigwait(&stop, &signal);
  at_stop(relay);
}

}  // namespace
}  // namespace faulty

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--queue" && argc == 3) {
    faulty::Relay::list_queue(argv[2]);
    return 0;
  }
  faulty::Fault fault = faulty::Fault::kNone;
  if (argc == 4 && faulty::fault_of(first, fault)) return faulty::run(fault, argv[2]);
  std::cerr << "usage: faulty_gateway FAULT SETTINGS-FILE MARK, or --queue DIRECTORY; faults:\n"
            << faulty::fault_words();
  return 2;
}
