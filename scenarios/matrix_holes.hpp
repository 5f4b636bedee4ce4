// Puts the values of one case into the `${matrix.…}` and `${case.…}` of a text.
//
// Used by render.cpp. A value is written as an expression's literal, or as JSON where a text is
// nothing but one reference and JSON of that type may stand there.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "scenarios/key_table.hpp"
#include "scenarios/matrix.hpp"

namespace scenarios {

/// As it is written in a file, where it may be of any type.
nlohmann::ordered_json json_of(const value& of);

class matrix_holes {
 public:
  explicit matrix_holes(const matrix_case& which) : case_(which) {}

  /// `accepts`: the types that are known to be taken where the text stands.
  nlohmann::ordered_json fill(const std::string& text, json_types accepts);

  const matrix_case& which() const { return case_; }
  /// Axes that must stay, because a value of theirs has no literal.
  const std::set<std::string>& kept() const { return kept_; }

 private:
  const matrix_case& case_;
  std::set<std::string> kept_;
};

}  // namespace scenarios
