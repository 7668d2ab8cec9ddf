/// \file
/// Compares the results of the tests of a lot with what its TSR say of them and with each other, so
/// that a damaged TEST_NUM, RESULT or TEST_FLG does not pass in silence where it can be told.
///
/// Damage is rare and a tester's habit is not: what a few of many tests or results show is a
/// reject, what many show is how this tester writes. A reject here drops nothing.
///
/// - TSR: executions, TEST_MIN, TEST_MAX and TST_SUMS are believed when they agree with nearly all
///   tests. Sums are compared within what adding in single precision loses.
/// - A test with one result in the whole lot: its TEST_NUM or TEST_TXT is damaged when every other
///   test has a TSR and it has none, or when it stands where another test stands in other parts.
/// - A PTR whose RESULT is no number although TEST_FLG calls it valid, or that TEST_FLG calls
///   invalid although a number is there, when the lot has next to none of them.
///
/// What cannot be told: a change of RESULT in a file without TST_SUMS that leaves a number, and
/// with them one that is smaller than their rounding; a change of TEST_FLG from one verdict to
/// another.
///
/// Source: "Standard Test Data Format (STDF) Specification", version 4, Teradyne, "Test Synopsis
/// Record", "Parametric Test Record".
#pragma once

#include <vector>

#include "ingest/readers/stdf/result_rows.h"
#include "ingest/readers/stdf/summary_check.h"
#include "ingest/readers/stdf/test_catalogue.h"

namespace yieldloop::ingest::stdf {

/// Appends what does not agree.
void check_tests(const TestCatalogue& tests, const DoubtfulResults& doubtful,
                 std::vector<Disagreement>& out);

}  // namespace yieldloop::ingest::stdf
