// The steps of every strand of a finished plan, followed in the order in which they run: what can't
// go well, whatever happens at run time.
//
// The plan is looked at, not the file, so that blocks, branches, macros and proxies are seen
// through. Linear in the steps, but for what is done again for each block around them.
#pragma once

#include "scenarios/plan.hpp"

namespace scenarios {

struct case_context;

// Each tells what is wrong in all strands of `in.into`.

void check_descriptors(case_context& in);
/// Times that don't fit (times.cpp).
void check_times(case_context& in);
/// Conditions that are known, and with which nothing ends well (conditions.cpp).
void check_conditions(case_context& in);
/// Servers that nobody dials often enough (dialers.cpp).
void check_dialers(case_context& in);
/// What they do to descriptors in steps that belong to no actor of the plan: a macro that nobody
/// calls.
void check_descriptors(case_context& in, const block& steps);

}  // namespace scenarios
