#pragma once

#include "messages/codec.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// Logs and files of runs. They never enter the journal; the journal holds
/// their reference. Source: DESIGN 2, spec/testing.md 2.8.
namespace troupe {

/// Where durable bytes are, and what they must hash to.
struct artifact_ref {
  std::string name;       ///< "<stage>.log" or a relative path without "..".
  uint64_t length = 0;    ///< Bytes of content, before compression.
  uint64_t stored = 0;    ///< Bytes on disk.
  std::string sha256;     ///< Of the content, lower-case hexadecimal.
  bool truncated = false; ///< The middle was cut (1 MB + 19 MB kept).

  static constexpr auto type_name = "troupe::artifact_ref";
  static constexpr auto fields = std::tuple{
    field{"name", &artifact_ref::name},           field{"length", &artifact_ref::length},
    field{"stored", &artifact_ref::stored},       field{"sha256", &artifact_ref::sha256},
    field{"truncated", &artifact_ref::truncated},
  };
};

/// Names one artifact or log of one run.
struct artifact_key {
  job_id job;
  uint32_t run = 0;
  std::string name;

  static constexpr auto type_name = "troupe::artifact_key";
  static constexpr auto fields = std::tuple{
    field{"job", &artifact_key::job},
    field{"run", &artifact_key::run},
    field{"name", &artifact_key::name},
  };
};

/// Command: bytes of an open artifact. Repeating an offset is harmless.
struct write_artifact {
  artifact_key key;
  uint64_t offset = 0; ///< Of the first byte; a gap is an error.
  std::string bytes;   ///< At most 256 KiB.
  bool is_log = false; ///< Logs are capped (head and tail kept) and can be followed while open.

  static constexpr auto type_name = "troupe::write_artifact";
  static constexpr auto fields = std::tuple{
    field{"key", &write_artifact::key},
    field{"offset", &write_artifact::offset},
    field{"bytes", &write_artifact::bytes},
    field{"is_log", &write_artifact::is_log},
  };
};

/// Command: no more bytes; compress, fsync, and answer the reference. Repeatable.
struct close_artifact {
  artifact_key key;

  static constexpr auto type_name = "troupe::close_artifact";
  static constexpr auto fields = std::tuple{field{"key", &close_artifact::key}};
};

/// Query: bytes from an offset; waits for more while the artifact is open.
struct read_artifact {
  artifact_key key;
  uint64_t from = 0;
  uint32_t max_bytes = 65536; ///< At most 1 MiB.
  caf::timespan wait{0};      ///< At most 30 s.

  static constexpr auto type_name = "troupe::read_artifact";
  static constexpr auto fields = std::tuple{
    field{"key", &read_artifact::key},
    field{"from", &read_artifact::from},
    field{"max_bytes", &read_artifact::max_bytes},
    field{"wait", &read_artifact::wait},
  };
};

/// Reply to `read_artifact`.
struct artifact_chunk {
  std::string bytes;
  uint64_t from = 0; ///< Offset of the first byte; larger than asked if the cut middle was skipped.
  uint64_t next = 0; ///< The `from` of the next read.
  bool complete = false; ///< Closed, and nothing after `next`.

  static constexpr auto type_name = "troupe::artifact_chunk";
  static constexpr auto fields = std::tuple{
    field{"bytes", &artifact_chunk::bytes},
    field{"from", &artifact_chunk::from},
    field{"next", &artifact_chunk::next},
    field{"complete", &artifact_chunk::complete},
  };
};

/// Query: what one run left.
struct list_artifacts {
  job_id job;
  uint32_t run = 0;

  static constexpr auto type_name = "troupe::list_artifacts";
  static constexpr auto fields = std::tuple{
    field{"job", &list_artifacts::job},
    field{"run", &list_artifacts::run},
  };
};

/// Reply to `list_artifacts`, ordered by name; open ones have no hash yet.
struct artifact_list {
  std::vector<artifact_ref> artifacts;

  static constexpr auto type_name = "troupe::artifact_list";
  static constexpr auto fields = std::tuple{field{"artifacts", &artifact_list::artifacts}};
};

} // namespace troupe
