/* A reader of YLMAP, a plain text die map, as an example of a plugin in C.
 *
 *   YLMAP 1
 *   LOT L001
 *   WAFER W01
 *   INSERTION CP1          optional
 *   ORIGIN -3 -2           column and row of the last map line's first character
 *   MAP
 *   .1121.                 one line for each row, highest row first;
 *   111211                 '.' no die, '0'..'9' bins 0..9, 'A'..'Z' bins 10..35
 *   END
 *
 * LOT to END may repeat. A map line with an unknown character loses that die only (YMAP-0002);
 * a map without WAFER or END is dropped (YMAP-0003, YMAP-0004). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/sdk/yieldloop_plugin.h"

enum { kNameSize = 64, kMaxRows = 4096 };

typedef struct line {
  const char* text;
  size_t size;
  uint64_t offset;
} line;

typedef struct parser {
  const char* bytes;
  size_t size;
  size_t position;
  const yieldloop_sink_v1* sink;
  char wafer[kNameSize];
  long origin_x;
  long origin_y;
  int stopped;
} parser;

static int next_line(parser* p, line* out) {
  if (p->position >= p->size) return 0;
  out->offset = p->position;
  out->text = p->bytes + p->position;
  const char* end = memchr(out->text, '\n', p->size - p->position);
  out->size = end ? (size_t)(end - out->text) : p->size - p->position;
  p->position += out->size + (end ? 1 : 0);
  while (out->size > 0 && (out->text[out->size - 1] == '\r' || out->text[out->size - 1] == ' ')) {
    --out->size;
  }
  return 1;
}

static void reject(parser* p, uint64_t offset, const char* id, const char* message) {
  if (!p->stopped) p->stopped = p->sink->put_reject(p->sink->self, offset, id, message);
}

static void put_fact(parser* p, const char* key, const char* value) {
  /* A program that is older than put_fact has a shorter sink. */
  const size_t needed = offsetof(yieldloop_sink_v1, put_fact) + sizeof(p->sink->put_fact);
  if (!p->stopped && p->sink->struct_size >= needed) {
    p->stopped = p->sink->put_fact(p->sink->self, key, value);
  }
}

/* Copies what follows "KEY " into value; 0 when the line is another one or the value too long. */
static int take(const line* l, const char* key, char* value, size_t value_size) {
  const size_t key_size = strlen(key);
  if (l->size <= key_size + 1 || memcmp(l->text, key, key_size) != 0 || l->text[key_size] != ' ') {
    return 0;
  }
  const size_t size = l->size - key_size - 1;
  if (size >= value_size || memchr(l->text, '\0', l->size)) return 0;
  memcpy(value, l->text + key_size + 1, size);
  value[size] = '\0';
  return 1;
}

static int is_line(const line* l, const char* text) {
  return l->size == strlen(text) && memcmp(l->text, text, l->size) == 0;
}

static int bin_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  return -1;
}

static void put_row(parser* p, const line* row, long y) {
  for (size_t i = 0; i < row->size && !p->stopped; ++i) {
    if (row->text[i] == '.') continue;
    const int bin = bin_of(row->text[i]);
    const long x = p->origin_x + (long)i;
    if (bin < 0) {
      reject(p, row->offset + i, "YMAP-0002",
             "A die has a character that is no bin; it was dropped.");
    } else if (x < INT16_MIN || x > INT16_MAX || y < INT16_MIN || y > INT16_MAX) {
      reject(p, row->offset + i, "YMAP-0005",
             "A die lies outside the map's range; it was dropped.");
    } else {
      p->stopped = p->sink->put_die(p->sink->self, p->wafer, (int16_t)x, (int16_t)y, (uint16_t)bin);
    }
  }
}

/* Reads the rows after MAP; the map counts only when its END is there. */
static void read_map(parser* p, uint64_t map_offset) {
  line* rows = malloc(kMaxRows * sizeof(line));
  size_t count = 0;
  int ended = 0;
  line l;
  while (rows && !ended && next_line(p, &l)) {
    if (is_line(&l, "END")) {
      ended = 1;
    } else if (count < kMaxRows) {
      rows[count++] = l;
    } else {
      break;
    }
  }
  if (!ended) {
    reject(p, map_offset, "YMAP-0004", "A map has no END and was dropped.");
  } else if (p->wafer[0] == '\0') {
    reject(p, map_offset, "YMAP-0003", "A map has no WAFER and was dropped.");
  } else {
    for (size_t i = 0; i < count; ++i) put_row(p, &rows[i], p->origin_y + (long)(count - 1 - i));
  }
  free(rows);
  p->wafer[0] = '\0';
}

static void read_header(parser* p, const line* l) {
  char value[kNameSize];
  if (take(l, "LOT", value, sizeof value)) {
    put_fact(p, "lot", value);
  } else if (take(l, "WAFER", value, sizeof value)) {
    memcpy(p->wafer, value, sizeof value);
  } else if (take(l, "INSERTION", value, sizeof value)) {
    put_fact(p, "insertion", value);
  } else if (take(l, "ORIGIN", value, sizeof value)) {
    char* end = NULL;
    p->origin_x = strtol(value, &end, 10);
    p->origin_y = strtol(end, &end, 10);
    if (*end != '\0' || labs(p->origin_x) > 100000 || labs(p->origin_y) > 100000) {
      p->origin_x = p->origin_y = 0;
      reject(p, l->offset, "YMAP-0006", "An ORIGIN is not two numbers and was taken as 0 0.");
    }
  } else if (l->size > 0) {
    reject(p, l->offset, "YMAP-0001", "A line is not known and was dropped.");
  }
}

static int sniff(const char* name, const unsigned char* head, size_t size) {
  (void)name;
  return size >= 8 && memcmp(head, "YLMAP 1", 7) == 0 && (head[7] == '\n' || head[7] == '\r') ? 2
                                                                                              : 0;
}

static int read_file(const unsigned char* bytes, size_t size, const yieldloop_sink_v1* sink,
                     char* error, size_t error_size) {
  parser p = {(const char*)bytes, size, 0, sink, {0}, 0, 0, 0};
  line l;
  if (!sniff("", bytes, size) || !next_line(&p, &l)) {
    snprintf(error, error_size, "The file does not begin with \"YLMAP 1\".");
    return 1;
  }
  while (!p.stopped && next_line(&p, &l)) {
    if (is_line(&l, "MAP")) {
      read_map(&p, l.offset);
    } else {
      read_header(&p, &l);
    }
  }
  return 0;
}

const yieldloop_reader_v1* yieldloop_plugin_reader(uint32_t host_abi) {
  static const yieldloop_reader_v1 reader = {
      sizeof(yieldloop_reader_v1), "ylmap", "YLMAP die map", "*.ylmap", sniff, read_file};
  return host_abi == YIELDLOOP_PLUGIN_ABI ? &reader : NULL;
}
