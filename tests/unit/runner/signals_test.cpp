#include "runner/signals.hpp"

#include <unistd.h>
#include <catch2/catch_test_macros.hpp>
#include <semaphore>

using namespace runner;

TEST_CASE("signals: the watch takes them, and the thread that made it is not disturbed") {
  std::binary_semaphore ended{0};
  std::binary_semaphore described{0};
  const signal_watch watch([&] { ended.release(); }, [&] { described.release(); });
  CHECK(watch.received() == 0);
  ::kill(::getpid(), SIGUSR1);
  described.acquire();
  CHECK(watch.received() == 0);
  ::kill(::getpid(), SIGTERM);
  ended.acquire();
  CHECK(watch.received() == SIGTERM);
}

TEST_CASE("signals: their meaning comes back with the end of the watch") {
  sigset_t before;
  sigset_t during;
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    const signal_watch watch([] {}, [] {});
    pthread_sigmask(SIG_SETMASK, nullptr, &during);
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(sigismember(&before, SIGINT) == 0);
  CHECK(sigismember(&during, SIGINT) == 1);
  CHECK(sigismember(&after, SIGINT) == 0);
}
