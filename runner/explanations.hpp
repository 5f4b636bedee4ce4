// What each word of the scenario language means, said from the tables that the checker itself uses.
//
// A word may mean several things (`recv` is a stream op and a submission; `timeout` a modifier and
// a key): all of them are told. Made on demand from constant tables; callable from anywhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runner {

/// Texts, one a meaning, lines of at most 100 columns; none when nobody knows the word.
std::vector<std::string> explain(std::string_view word);
/// For a did-you-mean.
std::vector<std::string> explainable_words();
/// All words, grouped by what they are.
std::string explanation_index();

// The kinds of words, one function pair each. A kind answers all its meanings of a word.
struct word_kind {
  std::string_view title;  ///< "Stream ops"
  std::vector<std::string> (*words)();
  void (*explain)(std::string_view word, std::vector<std::string>& into);
};

// explain_steps.cpp
void explain_step(std::string_view word, std::vector<std::string>& into);
void explain_opcode(std::string_view word, std::vector<std::string>& into);
// explain_families.cpp
std::vector<std::string> family_words();
void explain_family(std::string_view word, std::vector<std::string>& into);
// explain_words.cpp: outcomes, verdicts, names of expressions, arguments of steps, field types
std::vector<std::string> result_words();
void explain_result_word(std::string_view word, std::vector<std::string>& into);

}  // namespace runner
