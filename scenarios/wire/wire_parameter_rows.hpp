// The parameters of wire faults, a list for each: the part of the fault table that is about keys.
//
// Each row says how its value is read into an effect, what a bare number means (Toxiproxy's unit),
// and what holds without the key. Constant data; included by wire_fault_table.cpp only.
#pragma once

#include "scenarios/wire/wire_effect.hpp"
#include "scenarios/wire/wire_parameters.hpp"

namespace scenarios::wire_rows {

using namespace std::chrono_literals;
namespace j = json;
using reader = wire_parameter_reader;
using effect = wire_effect;

inline constexpr std::int64_t bytes_max = std::int64_t{1} << 40;

inline constexpr json_types time_or_number = j::integer | j::string;

inline constexpr wire_parameter dir_of(std::string_view initial) {
  return {"dir",
          j::string,
          {},
          initial,
          false,
          "whose bytes: c2s (of who dialled the proxy), s2c, or both, each counted by itself",
          [](reader& r, effect& e) { r.choice(e.dir, direction_words); }};
}
inline constexpr wire_parameter lasts{"for",
                                      j::string,
                                      {},
                                      {},
                                      false,
                                      "how long it holds (without it: until healed)",
                                      [](reader& r, effect& e) {
                                        std::chrono::nanoseconds read{};
                                        r.duration(read, 1ms);
                                        if (r.is_above_zero(read)) e.lasts = read;
                                      }};

inline constexpr wire_parameter latency_rows[] = {
    {"latency",
     time_or_number,
     "ms",
     {},
     true,
     "every byte comes so much later, in order",
     [](reader& r, effect& e) { r.duration(e.latency, 1ms); }},
    {"jitter", time_or_number, "ms", "0ms", false,
     "up to so much more or less, drawn for each chunk",
     [](reader& r, effect& e) { r.duration(e.jitter, 1ms); }},
    {"distribution",
     j::string,
     {},
     "uniform",
     false,
     "of the jitter: uniform within it, normal with it as deviation, pareto with it as mean",
     [](reader& r, effect& e) { r.choice(e.distribution, distribution_words); }},
    dir_of("s2c"),
    lasts,
};
inline constexpr wire_parameter bandwidth_rows[] = {
    {"rate",
     time_or_number,
     "KB/s",
     {},
     true,
     "bytes a second: \"64KiB\", or a number of KB/s (1 KB is 1000 bytes)",
     [](reader& r, effect& e) { r.rate(e.rate); }},
    dir_of("s2c"),
    lasts,
};
inline constexpr wire_parameter slicer_rows[] = {
    {"average_size",
     j::number,
     "bytes",
     {},
     false,
     "pieces of so many bytes on average",
     [](reader& r, effect& e) { r.count(e.average_size, {1, bytes_max}); }},
    {"size_variation", j::number, "bytes", "0", false,
     "up to so many more or less; below the average",
     [](reader& r, effect& e) { r.count(e.size_variation, {0, bytes_max}); }},
    {"cuts",
     j::array,
     "bytes",
     {},
     false,
     "exact offsets in the stream where a piece ends",
     [](reader& r, effect& e) { r.offsets(e.cuts); }},
    {"delay", time_or_number, "µs", "0us", false, "the pause behind each piece",
     [](reader& r, effect& e) { r.duration(e.delay, 1us); }},
    dir_of("s2c"),
    lasts,
};
inline constexpr wire_parameter slow_close_rows[] = {
    {"delay",
     time_or_number,
     "ms",
     {},
     true,
     "so much later the other side learns of the end",
     [](reader& r, effect& e) { r.duration(e.delay, 1ms); }},
    dir_of("s2c"),
    lasts,
};
inline constexpr wire_parameter timeout_rows[] = {
    {"timeout", time_or_number, "ms", "0ms", false,
     "closes the connection after so long; 0: never, nothing gets through until it is healed",
     [](reader& r, effect& e) { r.duration(e.timeout, 1ms); }},
    dir_of("s2c"),
    lasts,
};
inline constexpr wire_parameter reset_peer_rows[] = {
    {"timeout", time_or_number, "ms", "0ms", false, "so long after the rule fired",
     [](reader& r, effect& e) { r.duration(e.timeout, 1ms); }},
    dir_of("s2c"),
};
inline constexpr wire_parameter limit_data_rows[] = {
    {"bytes",
     j::number,
     "bytes",
     {},
     true,
     "so many get through, counted from where the rule fired",
     [](reader& r, effect& e) { r.count(e.bytes, {0, bytes_max}); }},
    {"then",
     j::string,
     {},
     "fin",
     false,
     "what comes behind them: fin closes the connection, rst resets it, blackhole leaves it open",
     [](reader& r, effect& e) { r.choice(e.then, ending_words); }},
    dir_of("s2c"),
};
inline constexpr wire_parameter only_dir_rows[] = {dir_of("s2c")};
inline constexpr wire_parameter truncate_rows[] = {
    {"bytes", j::number, "bytes", "0", false,
     "of a datagram: so many of its first bytes are left; not on streams",
     [](reader& r, effect& e) { r.count(e.bytes, {0, bytes_max}); }, wire_carrier::datagram,
     "a stream is cut at the place of the rule: \"when\": { \"after_bytes\": 10 }"},
    dir_of("s2c"),
};
inline constexpr wire_parameter corrupt_rows[] = {
    {"bytes", j::number, "bytes", "1", false, "how many bytes are changed",
     [](reader& r, effect& e) { r.count(e.bytes, {1, bytes_max}); }},
    {"xor",
     j::number,
     {},
     "255",
     false,
     "the bits that are turned over in each of them",
     [](reader& r, effect& e) {
       std::uint64_t bits = e.bits;
       r.count(bits, {1, 255});
       e.bits = static_cast<std::uint8_t>(bits);
     }},
    {"set",
     j::data,
     {},
     {},
     false,
     "what is put in their place instead; its length counts",
     [](reader& r, effect& e) { r.data(e.data); }},
    {"offset", j::number, "bytes", "0", false, "of a datagram: the first byte that is changed",
     [](reader& r, effect& e) { r.count(e.offset, {0, bytes_max}); }, wire_carrier::datagram,
     "in a stream `when` says where: { \"after_bytes\": 10 }"},
    dir_of("s2c"),
};
inline constexpr wire_parameter insert_rows[] = {
    {"data",
     j::data,
     {},
     {},
     true,
     "what comes in between; on datagrams: a datagram of its own",
     [](reader& r, effect& e) { r.data(e.data); }},
    dir_of("s2c"),
};
inline constexpr wire_parameter duplicate_rows[] = {
    {"bytes", j::number, "bytes", "0", false, "of a stream: so many come twice; needed there",
     [](reader& r, effect& e) { r.count(e.bytes, {1, 1 << 20}); }, wire_carrier::stream,
     "a datagram comes again as a whole: leave it out"},
    {"copies",
     j::number,
     {},
     "1",
     false,
     "how often it comes again",
     [](reader& r, effect& e) { r.count(e.copies, {1, 1000}); }},
    dir_of("s2c"),
};
inline constexpr wire_parameter drop_rows[] = {
    {"bytes", j::number, "bytes", "0", false, "of a stream: so many are taken out; needed there",
     [](reader& r, effect& e) { r.count(e.bytes, {1, bytes_max}); }, wire_carrier::stream,
     "a datagram is lost as a whole: leave it out; wire.truncate shortens it"},
    dir_of("s2c"),
};
inline constexpr wire_parameter reorder_rows[] = {
    {"window",
     j::number,
     {},
     "2",
     false,
     "so many datagrams change places among themselves",
     [](reader& r, effect& e) { r.count(e.window, {2, 1000}); }},
    {"perm",
     j::array,
     {},
     {},
     false,
     "the order in which they come; without it drawn by the seed",
     [](reader& r, effect& e) { r.order(e.order, 1000); }},
    {"delay", time_or_number, "ms", "100ms", false,
     "those that wait for others go on alone after so long",
     [](reader& r, effect& e) { r.duration(e.delay, 1ms); }},
    dir_of("s2c"),
};
inline constexpr wire_parameter partition_rows[] = {
    {"kind",
     j::string,
     {},
     "stopped",
     false,
     "stopped: bytes are taken and held; slowed: rate and latency; jammed: nothing is read",
     [](reader& r, effect& e) { r.choice(e.kind, partition_words); }},
    {"rate",
     time_or_number,
     "KB/s",
     {},
     false,
     "of a slowed one: bytes a second",
     [](reader& r, effect& e) { r.rate(e.rate); }},
    {"latency",
     time_or_number,
     "ms",
     {},
     false,
     "of a slowed one: every byte comes so much later",
     [](reader& r, effect& e) { r.duration(e.latency, 1ms); }},
    dir_of("both"),
    lasts,
};
inline constexpr wire_parameter blackhole_rows[] = {dir_of("both"), lasts};
inline constexpr wire_parameter backpressure_rows[] = {
    {"rate", time_or_number, "KB/s", "0", false, "reads so slowly; without it not at all",
     [](reader& r, effect& e) { r.rate(e.rate); }},
    dir_of("c2s"),
    lasts,
};
inline constexpr wire_parameter only_lasts_rows[] = {lasts};
inline constexpr wire_parameter accept_delay_rows[] = {
    {"delay",
     time_or_number,
     "ms",
     {},
     true,
     "so long nobody reads, and nobody dials the server",
     [](reader& r, effect& e) { r.duration(e.delay, 1ms); }},
};
inline constexpr wire_parameter close_on_accept_rows[] = {
    {"then",
     j::string,
     {},
     "fin",
     false,
     "fin: an end of the stream; rst: a reset",
     [](reader& r, effect& e) { r.choice(e.then, std::span(ending_words).first(2)); }},
};
inline constexpr wire_parameter heal_rows[] = {
    {"fault",
     j::string,
     {},
     {},
     false,
     "the id of the fault that ends (without it: all)",
     [](reader& r, effect& e) { r.text(e.target); }},
};

}  // namespace scenarios::wire_rows
