#include "scenarios/isolation.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include "engine/errno_name.hpp"
#include "engine/event.hpp"
#include "engine/seam.hpp"
#include "scenarios/mailbox.hpp"
#include "scenarios/services/descriptor.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

// The end of the thread is looked for, not waited for by a request: one that stays pending on the
// loop's ring would hold up every drain of the scenarios that share it, and count in a cancel of
// all. A sleep costs no submission.
constexpr uring::duration look_every = 2ms;

std::string refusal(std::string_view what, int error) {
  const char* name = uring::errno_name(error);
  std::string text =
      fmt::format("needs a network namespace of its own: {}: {}", what,
                  name != nullptr ? std::string(name) : fmt::format("errno {}", error));
  if (error == EPERM)
    text += "; run as root, or inside `unshare --user --map-root-user`, to have CAP_SYS_ADMIN";
  return text;
}

// The loopback of a new namespace is down. Empty when it is up.
std::string raise_loopback() {
  const descriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  if (!any.is_open() || ::ioctl(any.get(), SIOCGIFFLAGS, &request) != 0)
    return refusal("looking at lo", errno);
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ::ioctl(any.get(), SIOCSIFFLAGS, &request) == 0 ? "" : refusal("raising lo", errno);
}

class isolated_run {
 public:
  isolated_run(const uring::loop& outer, uring::ring_mode mode, std::shared_ptr<const plan> what,
               const run_options& options)
      : kernel_(outer.kernel()), mode_(mode), what_(std::move(what)), options_(options) {
    options_.stop = &stop_;
    thread_ = std::thread([this] { live(); });
  }
  isolated_run(const isolated_run&) = delete;
  isolated_run& operator=(const isolated_run&) = delete;
  ~isolated_run() { thread_.join(); }

  [[nodiscard]] bool has_ended() const { return ended_.load(std::memory_order_acquire); }
  // After the end: the result, or why there is none.
  std::optional<scenario_result>& result() { return result_; }
  [[nodiscard]] const std::string& refused() const { return refused_; }

  void interrupt() {
    mail_.post([this] { stop_.request_stop(); });
  }

 private:
  void live() {
    prctl(PR_SET_NAME, "scenario", 0UL, 0UL, 0UL);
    if (what_->private_net) leave();
    if (refused_.empty()) run();
    ended_.store(true, std::memory_order_release);
  }

  void leave() {
    if (::unshare(CLONE_NEWNET) != 0) {
      refused_ = refusal("unshare(CLONE_NEWNET)", errno);
    } else {
      refused_ = raise_loopback();
    }
  }

  // The ring is made here, so that its workers are in the namespace, too.
  void run() {
    uring::loop_options how;
    how.ring.entries = 256;
    how.ring.mode = mode_;
    how.kernel = &kernel_;
    int error = 0;
    const std::unique_ptr<uring::loop> loop = uring::loop::open(how, error);
    if (loop == nullptr) {
      const char* name = uring::errno_name(-error);
      refused_ = fmt::format("needs a ring of its own: {}", name != nullptr ? name : "refused");
      return;
    }
    const auto seam = make_recording_seam(*loop);
    loop->set_seam(seam.get());
    mail_.open(*loop);
    result_ = loop->run(run_in_place(*loop, what_, options_, {}, &mail_));
    mail_.close();
    loop->set_seam(nullptr);
  }

  const uring::capabilities kernel_;
  const uring::ring_mode mode_;
  const std::shared_ptr<const plan> what_;
  run_options options_;
  uring::stop_source stop_;  // of the thread's
  std::optional<scenario_result> result_;
  std::string refused_;

  // Shared between the threads while both run.
  std::atomic<bool> ended_{false};
  mailbox mail_;
  std::thread thread_;
};

}  // namespace

uring::task<scenario_result> run_isolated(uring::loop& on, std::shared_ptr<const plan> what,
                                          run_options options) {
  struct interrupt_link : uring::stop_callback {
    explicit interrupt_link(isolated_run& whom)
        : stop_callback([](uring::stop_callback& c) noexcept {
            static_cast<interrupt_link&>(c).target.interrupt();
          }),
          target(whom) {}
    isolated_run& target;
  };
  isolated_run apart(on, on.io().mode(), what, options);
  {
    interrupt_link interrupted(apart);
    if (options.stop != nullptr) interrupted.link(*options.stop);
    while (!apart.has_ended()) co_await on.sleep_for(look_every);
  }
  if (apart.result()) co_return *std::move(apart.result());
  co_return co_await run_in_place(on, std::move(what), options, apart.refused());
}

}  // namespace scenarios
