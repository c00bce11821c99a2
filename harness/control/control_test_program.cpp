// The little programs that the tests of this room run as gateways under test. The first argument
// says which.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "control/pid_namespace.hpp"
#include "control/process.hpp"

namespace {

using postern::Process;
using postern::Program;

void say(const std::string& text) {
  if (::write(1, text.data(), text.size()) < 0) ::_exit(9);
}

// stubborn ignores everything that can be ignored, the end of its input too.
[[noreturn]] void stubborn() {
  for (int number = 1; number < 32; ++number) ::signal(number, SIG_IGN);
  say("ready\n");
  while (true) ::pause();
}

// sessions leaves a child in a session of its own, as some mail servers do.
[[noreturn]] void sessions() {
  int told[2];
  if (::pipe(told) != 0) ::_exit(9);
  if (::fork() == 0) {
    ::setsid();
    ::close(told[0]);
    ::close(told[1]);
    ::close(1);
    ::close(2);
    while (true) ::pause();
  }
  ::close(told[1]);
  char none;
  if (::read(told[0], &none, 1) != 0) ::_exit(9);
  stubborn();
}

// descriptors tells what it was started with: open descriptors, signals, process group.
void descriptors() {
  std::string text = "open";
  for (int fd = 0; fd < 256; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) text += " " + std::to_string(fd);
  }
  struct sigaction pipe_action {};
  ::sigaction(SIGPIPE, nullptr, &pipe_action);
  sigset_t mask;
  ::sigprocmask(SIG_SETMASK, nullptr, &mask);
  int death = 0;
  ::prctl(PR_GET_PDEATHSIG, &death);
  text += pipe_action.sa_handler == SIG_DFL ? "\nsigpipe default" : "\nsigpipe not default";
  text += ::sigismember(&mask, SIGUSR1) == 1 ? "\nmask blocked" : "\nmask empty";
  text += ::getpgrp() == ::getpid() ? "\ngroup own" : "\ngroup shared";
  say(text + "\ndeath signal " + std::to_string(death) + "\n");
  for (char** each = environ; *each != nullptr; ++each) {
    if (std::strncmp(*each, "PATH=", 5) != 0) say(std::string(*each) + "\n");
  }
}

// smtp greets whoever connects to its address and port, answers one command, and says who it was.
[[noreturn]] void smtp(const char* address, const char* port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  ::inet_pton(AF_INET, address, &where.sin_addr);
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  void* const generic = &where;
  if (::bind(listener, static_cast<sockaddr*>(generic), sizeof where) != 0 ||
      ::listen(listener, 8) != 0) {
    ::_exit(9);
  }
  while (true) {
    socklen_t size = sizeof where;
    const int peer = ::accept(listener, static_cast<sockaddr*>(generic), &size);
    char from[INET_ADDRSTRLEN];
    ::inet_ntop(AF_INET, &where.sin_addr, from, sizeof from);
    say(std::string("end ") + from + "\n");
    const std::string greeting = "220-one line\r\n220 gw.test ESMTP\r\n", bye = "221 bye\r\n";
    char command[64];
    if (::write(peer, greeting.data(), greeting.size()) < 0 ||
        ::read(peer, command, sizeof command) < 0 || ::write(peer, bye.data(), bye.size()) < 0) {
      ::_exit(9);
    }
    ::close(peer);
  }
}

// send gives one datagram to the socket at a path, as syslog(3) does.
void send(const char* path, const std::string& text) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  std::strncpy(where.sun_path, path, sizeof where.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  const void* const generic = &where;
  if (::sendto(socket, text.data(), text.size(), 0, static_cast<const sockaddr*>(generic),
               sizeof where) < 0)
    ::_exit(9);
}

boost::asio::awaitable<void> supervise_until_killed(std::string self, std::string what, bool own) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Program program;
  program.arguments = {self, what};
  program.own_pid_namespace = own;
  const auto process = Process::start(executor, program);
  co_await process->read(Process::Output::kStdout);
  const int pid = process->pid();
  const int child = what == "sessions" ? postern::first_child_of(pid) : pid;
  say(std::to_string(pid) + " " + std::to_string(child) + "\n");
  co_await process->ended();
}

// supervise starts another of these programs as the harness would, names its pids, and goes on
// until it is killed itself.
void supervise(const std::string& self, const std::string& what, bool own_pid_namespace) {
  boost::asio::io_context context(1);
  boost::asio::co_spawn(context, supervise_until_killed(self, what, own_pid_namespace),
                        boost::asio::detached);
  context.run();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "stubborn") stubborn();
  if (what == "sessions") sessions();
  if (what == "descriptors") descriptors();
  if (what == "smtp" && argc == 4) smtp(argv[2], argv[3]);
  if (what == "send" && argc == 4) send(argv[2], argv[3]);
  if (what == "supervise" && argc == 4) supervise(argv[0], argv[2], argv[3] == std::string("own"));
  return 0;
}
