// The readiness condition `file`: inotify, so that nothing is looked at in vain.

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "scenarios/services/readiness.hpp"

namespace scenarios {
namespace {

using namespace std::chrono_literals;

// Where inotify can't be had (its limits are per user and easily reached), time has to do.
constexpr uring::duration without_inotify = 20ms;
constexpr std::uint32_t changes = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB |
                                  IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

// The directory of `path`, or of its parents the nearest that exists.
std::string nearest_directory(std::string path) {
  for (;;) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    if (slash == 0) return "/";
    path.resize(slash);
    struct stat found{};
    if (stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return path;
  }
}

// False when the watch itself is gone, with its directory.
bool discard_events(int inotify) {
  std::array<char, 4096> events;
  bool watching = true;
  for (;;) {
    const ssize_t count = read(inotify, events.data(), events.size());
    if (count <= 0) return watching;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      inotify_event event;
      std::memcpy(&event, events.data() + at, sizeof(event));
      watching = watching && (event.mask & (IN_IGNORED | IN_MOVE_SELF)) == 0;
      at += sizeof(event) + event.len;
    }
  }
}

}  // namespace

std::optional<readiness::file_stamp> readiness::stamp_of(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return file_stamp{found.st_dev, found.st_ino,
                    found.st_mtim.tv_sec * 1'000'000'000LL + found.st_mtim.tv_nsec};
}

bool readiness::appeared() const {
  const auto now = stamp_of(spec_.file);
  return now && now != file_before_;
}

uring::task<void> readiness::await_file(uring::stop_source& stop) {
  const descriptor inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  std::string watched;
  int watch = -1;
  for (;;) {
    // First the watch, then the look: what happens between the two is not missed.
    const std::string directory = nearest_directory(spec_.file);
    if (directory != watched || watch < 0) {
      if (watch >= 0) inotify_rm_watch(inotify.get(), watch);
      watch = inotify_add_watch(inotify.get(), directory.c_str(), changes);
      watched = directory;
      if (watch >= 0 && nearest_directory(spec_.file) != watched) continue;
    }
    file_appeared_ = appeared();
    if (file_appeared_ || stop.stop_requested()) co_return;
    if (watch >= 0) {
      co_await loop_.poll_add(inotify.get(), POLLIN).cancel_on(stop);
      if (!discard_events(inotify.get())) watched.clear();
    } else {
      co_await loop_.sleep_for(without_inotify).cancel_on(stop);
    }
  }
}

}  // namespace scenarios
