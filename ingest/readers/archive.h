/// \file
/// Files inside zip and tar archives, one after the other.
///
/// An archive is told by its first bytes. Its members are unpacked into memory, never to disk:
/// their names are data, whatever they look like. The limits hold for all members together.
///
/// Source: POSIX.1-2017 pax (tar); PKWARE APPNOTE 6.3 (zip); read through libarchive.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ingest/readers/input.h"

namespace yieldloop::ingest {

enum class Archive : std::uint8_t { kNone, kZip, kTar };

/// Looks at the first 512 bytes.
Archive archive_of(Bytes head);
/// "zip", "tar".
std::string_view to_word(Archive archive);

/// One file of an archive.
struct Member {
  std::string name;     ///< As the archive says it; "member N" where it says none.
  bool regular = true;  ///< Neither link nor device.
};

/// Gets each member with its content, or with the reason why it cannot be had: READ-0008 for an
/// encrypted one, READ-0009 for a damaged one. Folders are left out. An error ends the walk.
using TakeMember = std::function<Status(const Member& member, Result<std::string> content)>;

/// Errors, after the members that came before: kFormat (READ-0005) when the archive is damaged or
/// cut short, READ-0004 when it unpacks to more than the limits, READ-0007 when it holds too many
/// files; kNoData (READ-0010) when it holds none; those of `take` and of ByteSource::read.
/// REQUIRES: archive_of(input.head()) is not kNone.
Status walk_archive(SentInput& input, const UnpackLimits& limits, const TakeMember& take);

/// Wrappers that an archive stands for: a compressed tar is one, not two.
unsigned wrappers_of(const SentInput& input, Archive archive);

/// READ-0006.
Error wrapped_too_often(std::string_view name);

}  // namespace yieldloop::ingest
