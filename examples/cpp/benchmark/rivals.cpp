// What the hand-written ways share: the course of one connection.
#include "rivals.hpp"

#include <algorithm>

bool echo_end::advance(long count) {
  if (count <= 0) return false;
  done += static_cast<std::size_t>(count);
  if (sending) {
    if (done < length) return true;
    sending = false;
    length = message.size();
    done = 0;
    return true;
  }
  if (!is_client) {
    // Whatever came goes back at once.
    length = done;
    done = 0;
    sending = true;
    return true;
  }
  if (done < length) return true;
  if (answer != message) return false;
  done = 0;
  sending = true;
  return --left > 0;
}

std::vector<echo_end> echo_ends(std::span<const int> clients, std::span<const int> servers,
                                const echo_load& load) {
  std::vector<echo_end> ends(clients.size() + servers.size());
  for (std::size_t i = 0; i < ends.size(); ++i) {
    echo_end& end = ends[i];
    end.is_client = i < clients.size();
    end.fd = end.is_client ? clients[i] : servers[i - clients.size()];
    end.message.assign(load.bytes, static_cast<char>('a' + i % 26));
    end.length = load.bytes;
    if (!end.is_client) continue;
    end.answer.resize(load.bytes);
    end.sending = true;
    end.left = load.messages;
  }
  return ends;
}

echo_tally tally_of(std::span<const echo_end> ends, const echo_load& load) {
  echo_tally tally;
  for (const echo_end& end : ends) {
    if (!end.is_client) continue;
    if (end.left == 0) {
      tally.round_trips += load.messages;
    } else {
      ++tally.failed_clients;
    }
  }
  return tally;
}
