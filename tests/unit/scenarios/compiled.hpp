// Compiling scenario texts in tests: the plans, and what was told as text.
//
// Only for the unit tests of the compiler. Plans keep their source alive, so a `compiled` may be
// kept as long as one likes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scenarios/compile.hpp"
#include "scenarios/diagnostic.hpp"
#include "scenarios/plan.hpp"

namespace scenarios {

struct compiled {
  std::vector<std::shared_ptr<const plan>> plans;
  std::string told;                // rendered diagnostics
  std::vector<std::string> codes;  // "E0301", in the order of the file

  const plan& only() const { return *plans.at(0); }
  const strand_plan& strand(std::size_t actor) const { return *only().actors.at(actor).body; }
};

inline compiled compile(const std::string& text, const compile_options& options = {}) {
  compiled made;
  diagnostics out;
  made.plans = compile_source(source::from_text("test.json", text), options, out);
  made.told = render(out);
  for (const diagnostic& each : out.sorted()) made.codes.emplace_back(name(each.id));
  return made;
}

/// A client with these steps, beside a server that says nothing.
inline std::string client_with(const std::string& steps) {
  return R"({ "actors": {
    "srv": { "server": "tcp://127.0.0.1:0", "do": [ { "recv": { "eof": true } } ] },
    "c1": { "client": "${srv.addr}", "do": [ )" +
         steps + " ] } } }";
}

}  // namespace scenarios
