// What the tests of TLS share: running a scenario's text, and certificates that are wrong in one
// way each, made by the openssl program.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <memory>
#include <string>

#include "scenarios/compile.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/interpret.hpp"
#include "scenarios/recorder.hpp"
#include "service_fixture.hpp"

namespace tls_tests {

struct ran {
  scenarios::scenario_result result;
  std::string told;  // every failure, rendered

  bool passed() const { return result.result == scenarios::verdict::passed; }
  bool says(std::string_view text) const { return told.find(text) != std::string::npos; }
};

inline std::string all_told(const scenarios::scenario_result& of) {
  std::string text;
  for (const auto& each : of.failures) text += scenarios::render(each);
  for (const auto& actor : of.actors) {
    for (const auto& step : actor.steps)
      for (const auto& each : step.failures) text += actor.name + ": " + scenarios::render(each);
  }
  return text;
}

/// Runs the one case of a text.
inline ran run(const std::string& text) {
  scenarios::diagnostics told;
  const auto plans =
      scenarios::compile_source(scenarios::source::from_text("test.json", text), {}, told);
  INFO(scenarios::render(told));
  REQUIRE(plans.size() == 1);
  const auto loop = service_tests::open_loop();
  const auto seam = scenarios::make_recording_seam(*loop);
  ran made;
  made.result = loop->run(scenarios::run_scenario(*loop, plans.front(), {}));
  made.told = all_told(made.result);
  return made;
}

#define PASSES(text)                                   \
  do {                                                 \
    const tls_tests::ran done_ = tls_tests::run(text); \
    INFO(done_.told);                                  \
    CHECK(done_.passed());                             \
  } while (false)

/// A server and a client that speak TLS, each with these steps. `tls` is the client's.
inline std::string pair(const std::string& serve, const std::string& dial,
                        const std::string& server_tls = "{}", const std::string& tls = "{}") {
  return R"({ "timeout": "20s", "actors": {
    "srv": { "server": { "address": "tls://127.0.0.1:0", "tls": )" +
         server_tls + R"( }, "do": [ )" + serve + R"( ] },
    "c1": { "client": { "to": "${srv.addr}", "tls": )" +
         tls + R"( }, "do": [ )" + dial + " ] } } }";
}

/// The same, with the handshake as a step of each, for those that are to fail.
inline std::string plain_pair(const std::string& serve, const std::string& dial) {
  return R"({ "timeout": "20s", "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [ )" +
         serve + R"( ] }, "c1": { "client": "${srv.addr}", "do": [ )" + dial + " ] } } }";
}

/// A CA, a good server certificate for good.test, an expired one, one of another CA.
class test_certificates {
 public:
  test_certificates() : directory_(service_tests::open_temp_dir()) {
    make_ca("ca");
    make_ca("other");
    make_leaf("good", "ca", 2);
    make_leaf("expired", "ca", -1);
    make_leaf("foreign", "other", 2);
  }
  ~test_certificates() { directory_->remove(); }
  test_certificates(const test_certificates&) = delete;
  test_certificates& operator=(const test_certificates&) = delete;

  std::string path(const std::string& name) const { return directory_->path() + '/' + name; }
  /// "cert" and "key" of a leaf, as members of a JSON object.
  std::string pair_of(const std::string& leaf) const {
    return "\"cert\": \"" + path(leaf + ".pem") + "\", \"key\": \"" + path(leaf + ".key") + '"';
  }

 private:
  void command(const std::string& line) const {
    const std::string whole = "cd " + directory_->path() + " && openssl " + line + " 2>log";
    INFO(whole);
    REQUIRE(std::system(whole.c_str()) == 0);
  }
  void make_ca(const std::string& name) const {
    command("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
            name + " -keyout " + name + ".key -out " + name + ".pem");
  }
  void make_leaf(const std::string& name, const std::string& ca, int days) const {
    command("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
            " -addext subjectAltName=DNS:good.test -keyout " + name + ".key -out " + name + ".csr");
    command("x509 -req -copy_extensions copy -CAcreateserial -days " + std::to_string(days) +
            " -in " + name + ".csr -CA " + ca + ".pem -CAkey " + ca + ".key -out " + name + ".pem");
  }

  std::unique_ptr<scenarios::temp_dir> directory_;
};

}  // namespace tls_tests
