/// \file
/// The one place that includes Catch2, so that a move from version 2 to 3 is one edit.
#pragma once

#include <catch2/catch.hpp>

using Catch::Matchers::Contains;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
