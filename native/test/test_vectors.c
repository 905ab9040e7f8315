#include "suite.h"

/* Published vectors, one primitive each. */

static void hash(struct suite *suite) {
  uint8_t expected[DC_HASH_SIZE], out[DC_HASH_SIZE];
  /* FIPS 180-4, example "abc" */
  from_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", expected);
  CHECK_STATUS(suite, 0, dc_hash_compute(TEXT("abc"), out));
  CHECK(suite, memcmp(expected, out, sizeof out) == 0);
  struct dc_bytes nothing = {NULL, 0};
  from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", expected);
  CHECK_STATUS(suite, 0, dc_hash_compute(nothing, out));
  CHECK(suite, memcmp(expected, out, sizeof out) == 0);
}

static void hkdf(struct suite *suite) {
  uint8_t secret[22], expected[DC_KEY_SIZE], out[DC_KEY_SIZE];
  struct dc_bytes nothing = {NULL, 0};
  /* RFC 5869 appendix A.3: no salt, no info; the first 16 of its 42 bytes */
  memset(secret, 0x0b, sizeof secret);
  from_hex("8da4e775a563c18f715f802a063c5a31", expected);
  CHECK_STATUS(suite, 0, dc_hkdf(secret, sizeof secret, nothing, out));
  CHECK(suite, memcmp(expected, out, sizeof out) == 0);
  /* Secret and info of RFC 5869 appendix A.1 without its salt; value from OpenSSL */
  uint8_t info[10];
  struct dc_bytes info_bytes = {info, from_hex("f0f1f2f3f4f5f6f7f8f9", info)};
  from_hex("abbafb13f5c1bc489d4203135817956d", expected);
  CHECK_STATUS(suite, 0, dc_hkdf(secret, sizeof secret, info_bytes, out));
  CHECK(suite, memcmp(expected, out, sizeof out) == 0);
}

static void key_wrap(struct suite *suite) {
  uint8_t kek[DC_KEY_SIZE], key[DC_KEY_SIZE], wrapped[DC_WRAPPED_SIZE];
  uint8_t out[DC_WRAPPED_SIZE], opened[DC_KEY_SIZE];
  static const uint8_t zero[DC_KEY_SIZE] = {0};
  /* RFC 3394 section 4.1 */
  from_hex("000102030405060708090a0b0c0d0e0f", kek);
  from_hex("00112233445566778899aabbccddeeff", key);
  from_hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5", wrapped);
  CHECK_STATUS(suite, 0, dc_key_wrap(kek, key, out));
  CHECK(suite, memcmp(wrapped, out, sizeof out) == 0);
  CHECK_STATUS(suite, 0, dc_key_unwrap(kek, wrapped, opened));
  CHECK(suite, memcmp(key, opened, sizeof key) == 0);
  for (size_t i = 0; i < DC_WRAPPED_SIZE; i++) {
    memcpy(out, wrapped, sizeof out);
    out[i] ^= 0x80;
    CHECK_STATUS(suite, DC_ERR_DECRYPT, dc_key_unwrap(kek, out, opened));
    CHECK(suite, memcmp(zero, opened, sizeof zero) == 0);
  }
}

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 1 to 4: those with
 * keys of 128 and nonces of 96 bits. */
static const struct {
  const char *key, *nonce, *aad, *plaintext, *sealed;
} gcm_cases[] = {
    {"00000000000000000000000000000000", "000000000000000000000000", "", "",
     "58e2fccefa7e3061367f1d57a4e7455a"},
    {"00000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000",
     "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
    {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
     "4d5c2af327cd64a62cf35abd2ba6fab4"},
    {"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
     "5bc94fbc3221a5db94fae95ae7121a47"},
};

static void gcm(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint8_t nonce[DC_NONCE_SIZE], aad[20], plaintext[64], expected[80], out[80], opened[64];
  device_start(&device, 1);
  CHECK_STATUS(suite, 0, dc_generate_key(&device.dc, DC_USAGE_ENCRYPT | DC_USAGE_DECRYPT, &key));
  for (size_t i = 0; i < sizeof gcm_cases / sizeof gcm_cases[0]; i++) {
    from_hex(gcm_cases[i].key, slot_of(&device, key)->secret);
    from_hex(gcm_cases[i].nonce, nonce);
    struct dc_bytes aad_bytes = {aad, from_hex(gcm_cases[i].aad, aad)};
    struct dc_bytes plain_bytes = {plaintext, from_hex(gcm_cases[i].plaintext, plaintext)};
    struct dc_bytes sealed = {expected, from_hex(gcm_cases[i].sealed, expected)};
    CHECK_STATUS(suite, 0, dc_aead_encrypt(&device.dc, key, nonce, aad_bytes, plain_bytes, out));
    CHECK(suite, memcmp(expected, out, sealed.length) == 0);
    CHECK_STATUS(suite, 0, dc_aead_decrypt(&device.dc, key, nonce, aad_bytes, sealed, opened));
    CHECK(suite, memcmp(plaintext, opened, plain_bytes.length) == 0);
  }
  device_stop(&device);
}

static void ecdsa(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint8_t expected[DC_SIGNATURE_SIZE], signature[DC_SIGNATURE_SIZE];
  device_start(&device, 2);
  CHECK_STATUS(suite, 0, dc_open_device_key(&device.dc, &key));
  /* RFC 6979 appendix A.2.5, SHA-256 */
  struct dc_slot *slot = slot_of(&device, key);
  from_hex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", slot->secret);
  from_hex("0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
           "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
           slot->public_key);
  CHECK_STATUS(suite, 0, dc_ec_check_pair(&device.dc, slot->secret, slot->public_key));
  from_hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
           "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
           expected);
  CHECK_STATUS(suite, 0, dc_sign_message(&device.dc, key, TEXT("sample"), signature));
  CHECK(suite, memcmp(expected, signature, sizeof signature) == 0);
  CHECK_STATUS(suite, 0,
               dc_verify_message(&device.dc, slot->public_key, TEXT("sample"), expected));
  device_stop(&device);
}

static void crc32(struct suite *suite) {
  /* The check value of CRC-32/ISO-HDLC */
  CHECK(suite, dc_crc32((const uint8_t *)"123456789", 9) == 0xcbf43926u);
}

void test_vectors(struct suite *suite) {
  hash(suite);
  hkdf(suite);
  key_wrap(suite);
  gcm(suite);
  ecdsa(suite);
  crc32(suite);
}
