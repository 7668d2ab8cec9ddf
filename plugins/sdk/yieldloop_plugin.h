/* The whole contract between the program and a plugin it did not compile: plain C, one
 * exported function, one table. Members are only ever appended; struct_size says how many
 * of them the plugin (or the program) knew. A plugin sees the bytes and a sink, never a C++
 * type of ours.
 *
 * Strings are UTF-8, NUL-terminated; those of the table live as long as the plugin is loaded,
 * those passed in a call live as long as the call.
 *
 * A plugin keeps no state between calls: sniff and read may be called from several threads at
 * once, each call with its own bytes and sink. It throws nothing across this border.
 *
 * See docs/plugins.md and plugins/example_reader. */
#ifndef YIELDLOOP_PLUGIN_H
#define YIELDLOOP_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define YIELDLOOP_PLUGIN_ABI 1u

#if defined(_WIN32)
#define YIELDLOOP_PLUGIN_EXPORT __declspec(dllexport)
#else
#define YIELDLOOP_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

/* Where a reader puts what it found. Every function returns 0, or non-zero when the reader must
 * stop (cancelled, or the disk is full): it then returns 0 from read without an error.
 *
 * put_die: one tested die. wafer is the wafer's name within its lot; x and y are the prober's
 *   column and row, x right and y up with the notch down; hard_bin as the tester wrote it.
 * put_reject: one piece of input that was dropped: where it began (bytes from the start of the
 *   file), an id of the plugin's own that never changes (four capital letters, '-', four digits:
 *   "YMAP-0002") and one sentence.
 * put_fact: holds for every die put after it, until it is put again. Keys: "lot", "insertion"
 *   (default "PROBE"), "tester", "probe_card"; other keys are kept as attributes. */
/* NOLINTNEXTLINE(readability-identifier-naming): C. */
typedef struct yieldloop_sink_v1 {
  uint32_t struct_size;
  void* self;
  int (*put_die)(void* self, const char* wafer, int16_t x, int16_t y, uint16_t hard_bin);
  int (*put_reject)(void* self, uint64_t byte_offset, const char* id, const char* message);
  int (*put_fact)(void* self, const char* key, const char* value);
} yieldloop_sink_v1;

/* id: lower case letters, digits, '_' and '-'; never changes; stored with the data it read.
 * title: for menus and reports. patterns: for file dialogs, "*.ylmap *.txt". */
/* NOLINTNEXTLINE(readability-identifier-naming): C. */
typedef struct yieldloop_reader_v1 {
  uint32_t struct_size;
  const char* id;
  const char* title;
  const char* patterns;
  /* 0 no, 1 maybe, 2 certain; by the file's name and its first bytes. Never fails. */
  int (*sniff)(const char* name, const unsigned char* head, size_t size);
  /* 0, or non-zero with a message in error[0..error_size) when the whole file is unreadable. One
   * bad record is a put_reject, never an error. Nothing is kept of a file that ends in an
   * error. */
  int (*read)(const unsigned char* bytes, size_t size, const yieldloop_sink_v1* sink, char* error,
              size_t error_size);
} yieldloop_reader_v1;

/* The one exported function. Returns NULL when the plugin cannot serve host_abi. */
YIELDLOOP_PLUGIN_EXPORT const yieldloop_reader_v1* yieldloop_plugin_reader(uint32_t host_abi);

#ifdef __cplusplus
}
#endif
#endif
