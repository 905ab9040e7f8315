#include "suite.h"

/* ECDH-ES+A128KW from one device to another, and the points it must refuse. */

struct pair {
  struct device sender, receiver;
  dc_handle receiver_key, cek;
  uint8_t receiver_public[DC_POINT_SIZE];
};

static void pair_start(struct suite *suite, struct pair *pair) {
  device_start(&pair->sender, 30);
  device_start(&pair->receiver, 31);
  CHECK_STATUS(suite, 0, dc_open_device_key(&pair->receiver.dc, &pair->receiver_key));
  CHECK_STATUS(suite, 0, dc_export_public_key(&pair->receiver.dc, pair->receiver_key,
                                              pair->receiver_public));
  CHECK_STATUS(suite, 0,
               dc_generate_key(&pair->sender.dc, DC_USAGE_CARRIED | DC_USAGE_WRAP, &pair->cek));
}

static void pair_stop(struct pair *pair) {
  device_stop(&pair->sender);
  device_stop(&pair->receiver);
}

static int unwrap(struct pair *pair, const uint8_t *point, size_t length, const char *context,
                  const uint8_t *wrapped, dc_handle *key) {
  struct dc_bytes ephemeral = {point, length};
  struct dc_bytes info = {(const uint8_t *)context, strlen(context)};
  return dc_key_agreement_unwrap(&pair->receiver.dc, pair->receiver_key, ephemeral, info, wrapped,
                                 DC_USAGE_DECRYPT, key);
}

/* Until both signs of y have been seen, each also with the other sign. */
static void both_forms(struct suite *suite) {
  struct pair pair;
  unsigned seen[2] = {0, 0};
  pair_start(suite, &pair);
  for (int round = 0; round < 64 && (seen[0] == 0 || seen[1] == 0); round++) {
    uint8_t out[DC_AGREED_SIZE], compressed[DC_COMPRESSED_POINT_SIZE];
    dc_handle plain, shorter, wrong;
    CHECK_STATUS(suite, 0, dc_key_agreement_wrap(&pair.sender.dc, pair.receiver_public,
                                                 TEXT("context"), pair.cek, out));
    unsigned odd = out[DC_POINT_SIZE - 1] & 1u;
    seen[odd]++;
    memcpy(compressed, out, sizeof compressed);
    compressed[0] = (uint8_t)(2u + odd);
    const uint8_t *wrapped = out + DC_POINT_SIZE;
    CHECK_STATUS(suite, 0, unwrap(&pair, out, DC_POINT_SIZE, "context", wrapped, &plain));
    CHECK_STATUS(suite, 0, unwrap(&pair, compressed, 33, "context", wrapped, &shorter));
    const uint8_t *cek = slot_of(&pair.sender, pair.cek)->secret;
    CHECK(suite, memcmp(slot_of(&pair.receiver, plain)->secret, cek, DC_KEY_SIZE) == 0);
    CHECK(suite, memcmp(slot_of(&pair.receiver, shorter)->secret, cek, DC_KEY_SIZE) == 0);
    /* The other y has the same x, and ECDH uses x only: no failure, and no matter. */
    compressed[0] ^= 1;
    CHECK_STATUS(suite, 0, unwrap(&pair, compressed, 33, "context", wrapped, &wrong));
    CHECK_STATUS(suite, 0, dc_destroy_key(&pair.receiver.dc, plain));
    CHECK_STATUS(suite, 0, dc_destroy_key(&pair.receiver.dc, shorter));
    CHECK_STATUS(suite, 0, dc_destroy_key(&pair.receiver.dc, wrong));
  }
  CHECK(suite, seen[0] > 0 && seen[1] > 0);
  pair_stop(&pair);
}

static void forgeries(struct suite *suite) {
  struct pair pair;
  uint8_t out[DC_AGREED_SIZE];
  dc_handle key = 9;
  pair_start(suite, &pair);
  CHECK_STATUS(suite, 0, dc_key_agreement_wrap(&pair.sender.dc, pair.receiver_public,
                                               TEXT("context"), pair.cek, out));
  CHECK_STATUS(suite, DC_ERR_DECRYPT, unwrap(&pair, out, 65, "other", out + 65, &key));
  CHECK(suite, key == 0);
  for (size_t i = DC_POINT_SIZE; i < DC_AGREED_SIZE; i++) {
    out[i] ^= 4;
    CHECK_STATUS(suite, DC_ERR_DECRYPT, unwrap(&pair, out, 65, "context", out + 65, &key));
    out[i] ^= 4;
  }
  CHECK_STATUS(suite, 0, unwrap(&pair, out, 65, "context", out + 65, &key));
  CHECK(suite, taken_slots(&pair.receiver) == 2 && free_slots_are_empty(&pair.receiver));
  pair_stop(&pair);
}

/* p, p + 1 (x not below p), infinity, x without a y, y of another x, wrong first byte. */
static const char *const bad_points[] = {
    "02ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    "03ffffffff00000001000000000000000000000001000000000000000000000000",
    "00",
    "020000000000000000000000000000000000000000000000000000000000000001",
    "",
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4",
    "040000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000",
    "056b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "066b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
};

static void refused_points(struct suite *suite) {
  struct pair pair;
  static const uint8_t wrapped[DC_WRAPPED_SIZE] = {0};
  pair_start(suite, &pair);
  for (size_t i = 0; i < sizeof bad_points / sizeof bad_points[0]; i++) {
    uint8_t point[DC_POINT_SIZE] = {0}, out[DC_AGREED_SIZE];
    dc_handle key = 9;
    size_t length = from_hex(bad_points[i], point);
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, unwrap(&pair, point, length, "c", wrapped, &key));
    CHECK(suite, key == 0);
    CHECK_STATUS(suite, DC_ERR_ARGUMENT,
                 dc_key_agreement_wrap(&pair.sender.dc, point, TEXT("c"), pair.cek, out));
  }
  CHECK(suite, taken_slots(&pair.receiver) == 1 && free_slots_are_empty(&pair.receiver));
  pair_stop(&pair);
}

/* The points with x = 5; y from OpenSSL, its negative is p - y. */
static void decompression(struct suite *suite) {
  struct device device;
  uint8_t compressed[DC_COMPRESSED_POINT_SIZE], expected[DC_POINT_SIZE], out[DC_POINT_SIZE];
  device_start(&device, 32);
  from_hex("020000000000000000000000000000000000000000000000000000000000000005", compressed);
  from_hex("040000000000000000000000000000000000000000000000000000000000000005"
           "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc", expected);
  CHECK_STATUS(suite, 0, dc_ec_decompress(&device.dc, compressed, out));
  CHECK(suite, memcmp(expected, out, sizeof out) == 0);
  compressed[0] = 3;
  from_hex("040000000000000000000000000000000000000000000000000000000000000005"
           "ba6dbc4555a7e7fa016ec431667e8521ee35afc49b265c3accbea3f7cdb70433", expected);
  CHECK_STATUS(suite, 0, dc_ec_decompress(&device.dc, compressed, out));
  CHECK(suite, memcmp(expected, out, sizeof out) == 0);
  for (unsigned first = 0; first < 256; first++) {
    compressed[0] = (uint8_t)first;
    int known = first == 2 || first == 3;
    CHECK_STATUS(suite, known ? 0 : DC_ERR_ARGUMENT,
                 dc_ec_decompress(&device.dc, compressed, out));
  }
  device_stop(&device);
}

void test_agreement(struct suite *suite) {
  both_forms(suite);
  forgeries(suite);
  refused_points(suite);
  decompression(suite);
}
