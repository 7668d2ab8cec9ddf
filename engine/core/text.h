/// \file
/// Small things done to texts in more than one place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yieldloop {

std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);
/// ASCII only.
bool equals_ignoring_case(std::string_view a, std::string_view b);
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Whole text or nothing; accepts a leading '+', refuses blanks, "nan" and "inf".
std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<double> parse_real(std::string_view text);

/// `*` and `?`; compares the whole text, case-sensitively.
bool matches_glob(std::string_view text, std::string_view pattern);

/// &, <, >, " and ' as entities, for HTML and XML.
std::string escape_markup(std::string_view text);
/// Control characters and quotes as \n, \t, \", \xNN: one log line stays one line.
std::string escape_controls(std::string_view text);
/// For a terminal or a page: control characters (C1 too) as \n, \t, \xNN and invalid UTF-8 as
/// U+FFFD; quotes stay. What a file says can neither break the line nor steer the terminal.
std::string one_line(std::string_view text);
/// Invalid UTF-8 bytes become U+FFFD, so that JSON and Qt take what a tester wrote.
std::string to_valid_utf8(std::string_view bytes);

}  // namespace yieldloop
