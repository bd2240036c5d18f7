// SPDX-License-Identifier: LGPL-2.1-or-later
/* Comma-separated values. */
#include <string.h>

#include "fixture.h"
#include "model/csv.h"

/* All records: "line: [field] [field]", one behind the other, or what is wrong. */
static gchar *read_all(const gchar *text) {
  SwinCsvReader reader = SWIN_CSV_READER(text);
  g_autoptr(GString) result = g_string_new(NULL);
  while (!swin_csv_reader_at_end(&reader)) {
    g_autoptr(GError) error = NULL;
    g_autoptr(SwinCsvRecord) record = swin_csv_reader_read(&reader, &error);
    if (record == NULL) {
      ck_assert(g_error_matches(error, SWIN_ERROR, SWIN_ERROR_LABELS));
      return g_strdup(error->message);
    }
    g_string_append_printf(result, "%u:", record->line);
    for (guint i = 0; i < record->fields->len; i++) {
      g_string_append_printf(result, "[%s]", (const gchar *)record->fields->pdata[i]);
    }
  }
  return g_string_free(g_steal_pointer(&result), FALSE);
}

static void expect(const gchar *text, const gchar *expected) {
  g_autofree gchar *result = read_all(text);
  ck_assert_msg(strcmp(result, expected) == 0, "%s\nis read as\n%s\nand not as\n%s", text, result,
                expected);
}

START_TEST(records) {
  expect("", "");
  expect("a", "1:[a]");
  expect("a\n", "1:[a]");
  expect("a\r\n", "1:[a]");
  expect("\n", "1:[]");
  expect(",", "1:[][]");
  expect("a,\n,b\n", "1:[a][]2:[][b]");
  expect("a,b\r\nc\n\nd, e ,f", "1:[a][b]2:[c]3:[]4:[d][ e ][f]");
  expect("dr\xc3\xb6i,\xe7\x8c\xab", "1:[dr\xc3\xb6i][\xe7\x8c\xab]");
  expect("a\rb\n", "1:[a\rb]");
}
END_TEST

START_TEST(quotes) {
  expect("\"\"", "1:[]");
  expect("\"a\"", "1:[a]");
  expect("\"a,b\",c\n", "1:[a,b][c]");
  expect("\"say \"\"hi\"\"\",\"\"\"\"\r\nb", "1:[say \"hi\"][\"]2:[b]");
  expect("\"1\n2\r\n3\"\nb", "1:[1\n2\r\n3]4:[b]");
  expect("a,\"\"\nb,\"\"\r\n", "1:[a][]2:[b][]");
}
END_TEST

START_TEST(damage) {
  expect("a\nb\"c\n", "line 2 has a quote in a field that does not begin with one");
  expect("a, \"b\"\n", "line 1 has a quote in a field that does not begin with one");
  expect("a\n\"b\nc\n", "line 2 has a quote that is never closed");
  expect("\"", "line 1 has a quote that is never closed");
  expect("\"a\"\"", "line 1 has a quote that is never closed");
  expect("\"a\nb\" ,c", "line 2 has text between a closing quote and the next comma");
  expect("\"a\"b", "line 1 has text between a closing quote and the next comma");
  expect("\"a\"\rb", "line 1 has text between a closing quote and the next comma");
}
END_TEST

int main(void) {
  const TTest *const tests[] = {records, quotes, damage};
  return fixture_run("csv", tests, G_N_ELEMENTS(tests));
}
