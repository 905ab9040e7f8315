#include "der.h"

#include <string.h>

int dc_bytes_equal(struct dc_bytes a, struct dc_bytes b) {
  return a.length == b.length && memcmp(dc_data(a), dc_data(b), a.length) == 0;
}

int dc_der_is(struct dc_bytes input, uint8_t tag) {
  return input.length > 0 && input.data[0] == tag;
}

/* Sizes of header and contents; -1 for a form that is not the shortest, or not all there. */
static int measure(struct dc_bytes input, size_t *header, size_t *length) {
  if (input.length < 2) return -1;
  size_t more = 0;
  *length = input.data[1];
  if (*length >= 0x80) {
    more = *length & 0x7fu; /* 0 would be the indefinite form */
    if (more < 1 || more > 2 || input.length < 2 + more) return -1;
    *length = more == 1 ? input.data[2] : (size_t)(input.data[2] << 8 | input.data[3]);
    if (*length < (more == 1 ? 0x80u : 0x100u)) return -1;
  }
  *header = 2 + more;
  return *length <= input.length - *header ? 0 : -1;
}

static int take(struct dc_bytes *input, uint8_t tag, size_t *header, struct dc_bytes *element) {
  size_t length;
  if (!dc_der_is(*input, tag) || measure(*input, header, &length) != 0) return -1;
  element->data = input->data;
  element->length = *header + length;
  input->data += element->length;
  input->length -= element->length;
  return 0;
}

int dc_der_read_whole(struct dc_bytes *input, uint8_t tag, struct dc_bytes *element) {
  size_t header;
  return take(input, tag, &header, element);
}

int dc_der_read(struct dc_bytes *input, uint8_t tag, struct dc_bytes *contents) {
  size_t header;
  if (take(input, tag, &header, contents) != 0) return -1;
  contents->data += header;
  contents->length -= header;
  return 0;
}

int dc_der_read_unsigned(struct dc_bytes *input, uint8_t *out, size_t size) {
  struct dc_bytes value;
  if (dc_der_read(input, DC_DER_INTEGER, &value) != 0 || value.length == 0) return -1;
  if (value.data[0] >= 0x80) return -1; /* negative */
  if (value.data[0] == 0 && value.length > 1) {
    if (value.data[1] < 0x80) return -1; /* not the shortest */
    value.data++;
    value.length--;
  }
  if (value.length > size) return -1;
  memset(out, 0, size - value.length);
  memcpy(out + size - value.length, value.data, value.length);
  return 0;
}

/* Days from 1970-01-01 in the Gregorian calendar, from year 0 on. */
static int64_t days_from_civil(int year, int month, int day) {
  int64_t years = month <= 2 ? year - 1 : year; /* years begin in March: leap days come last */
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return years * 365 + years / 4 - years / 100 + years / 400 + of_year - 719468;
}

static int days_in_month(int year, int month) {
  static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return days[month - 1] + (month == 2 && leap);
}

/* Two digits; -1 when they are none. */
static int two_digits(const uint8_t *at) {
  if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9') return -1;
  return (at[0] - '0') * 10 + (at[1] - '0');
}

/* "MMDDHHMMSSZ" of a year. */
static int read_rest(int year, const uint8_t *at, int64_t *seconds) {
  int month = two_digits(at), day = two_digits(at + 2), hour = two_digits(at + 4);
  int minute = two_digits(at + 6), second = two_digits(at + 8);
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return -1;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return -1;
  if (at[10] != 'Z') return -1;
  *seconds = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
  return 0;
}

int dc_der_read_time(struct dc_bytes *input, int64_t *seconds) {
  struct dc_bytes text;
  if (dc_der_is(*input, DC_DER_UTC_TIME)) {
    if (dc_der_read(input, DC_DER_UTC_TIME, &text) != 0 || text.length != 13) return -1;
    int year = two_digits(text.data);
    if (year < 0) return -1;
    return read_rest(year + (year < 50 ? 2000 : 1900), text.data + 2, seconds);
  }
  if (dc_der_read(input, DC_DER_GENERALIZED_TIME, &text) != 0 || text.length != 15) return -1;
  int century = two_digits(text.data), year = two_digits(text.data + 2);
  if (century < 0 || year < 0) return -1;
  year += century * 100;
  if (year < 2050) return -1; /* those are written as UTCTime */
  return read_rest(year, text.data + 4, seconds);
}
