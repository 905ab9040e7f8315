#include "suite.h"

/*
 * A certificate made once with OpenSSL's ECDSA, and what becomes of it when bytes are
 * replaced. The signature is checked last, so every other cause shows without a new
 * one. Well-signed certificates that break one rule each: test/simulator/devcrypto.
 */

static const char anchor_hex[] =
    "308201493081f1a00302010202103144b1defcf7561087015f8d830d6501300a06082a8648ce3d0403023014"
    "3112301006035504030c097465737420726f6f743020170d3230303130313030303030305a180f3230353030"
    "3630313030303030305a30143112301006035504030c097465737420726f6f743059301306072a8648ce3d02"
    "0106082a8648ce3d030107034200040de448dd3df0ad9a3929fa109b568fe06d6cd9848cdea2f7748dcf7a2e"
    "bf8c3273f53be53f2d20dbeb8060601bf08d846f13bd5e7b77696683d4ce12355495b4a3233021300f060355"
    "1d130101ff040530030101ff300e0603551d0f0101ff040403020106300a06082a8648ce3d04030203470030"
    "44022011f58898e336bcd72832d157723db2a378c2e4b5d6d0d280fe33c57450fa1388022017e0998f289d96"
    "2765aa5443ada01880ca011d8dc332890a23050e66a1fb8863";

static const char leaf_hex[] =
    "3082016a30820111a00302010202103144b1defcf7561087015f8d830d6501300a06082a8648ce3d04030230"
    "143112301006035504030c097465737420726f6f74301e170d3236303130313030303030305a170d32383132"
    "33313233353935395a30153113301106035504030c0a7465737420636c6f75643059301306072a8648ce3d02"
    "0106082a8648ce3d030107034200048ecb66c688e1b7422693bd9c69f1a6eefa30a10a95332853a377d313d6"
    "e296c62233323ac71c2b46b4f5a3eaf8da2a28ec2b417fb8503065ba7ca682a51beccaa3443042300c060355"
    "1d130101ff04023000300e0603551d0f0101ff04040302030830220603551d250101ff0418301606146982bb"
    "999a8181b3e2918dabeeb5a68ae4ecff32300a06082a8648ce3d0403020347003044022014034ab2248f36d6"
    "5943a4c05dc4b2e4a4fea1ee98be30f2f93e0eb10cee82cc02202f0b6e64b3b971c080903772f5b42ec47bf7"
    "c1140bda5bc2597f877b8f7ccbc2";

struct fixture {
  struct device device;
  uint8_t anchor[512], leaf[512];
  struct dc_bytes anchor_bytes, leaf_bytes;
  struct dc_certificate_rules rules;
  uint8_t role[DC_ROLE_MAX];
};

/* Where `pattern` stands; the length when it does not. */
static size_t find(struct dc_bytes bytes, const char *digits) {
  uint8_t pattern[64];
  size_t length = from_hex(digits, pattern);
  for (size_t at = 0; at + length <= bytes.length; at++)
    if (memcmp(bytes.data + at, pattern, length) == 0) return at;
  return bytes.length;
}

static void start(struct fixture *fixture) {
  device_start(&fixture->device, 130);
  fixture->anchor_bytes.data = fixture->anchor;
  fixture->anchor_bytes.length = from_hex(anchor_hex, fixture->anchor);
  fixture->leaf_bytes.data = fixture->leaf;
  fixture->leaf_bytes.length = from_hex(leaf_hex, fixture->leaf);
  /* The role is what follows the extended key usage's headers. */
  size_t at = find(fixture->leaf_bytes, "0603551d250101ff04") + 13;
  fixture->rules.role.length = fixture->leaf[at];
  memcpy(fixture->role, fixture->leaf + at + 1, fixture->rules.role.length);
  fixture->rules.role.data = fixture->role;
  fixture->rules.key_usage = DC_KEY_USAGE_KEY_AGREEMENT;
  fixture->rules.issued_not_before = 0;
  fixture->rules.time_floor = 1800000000; /* January 2027 */
}

static int verify(struct fixture *fixture, struct dc_certificate *certificate) {
  return dc_verify_certificate(&fixture->device.dc, fixture->leaf_bytes, fixture->anchor_bytes,
                               &fixture->rules, certificate);
}

static int is_zero(const struct dc_certificate *certificate) {
  static const struct dc_certificate zero;
  return memcmp(certificate, &zero, sizeof zero) == 0;
}

static void good(struct suite *suite) {
  struct fixture fixture;
  struct dc_certificate certificate;
  start(&fixture);
  CHECK_STATUS(suite, 0, verify(&fixture, &certificate));
  CHECK(suite, certificate.not_before == 1767225600 && certificate.not_after == 1861919999);
  CHECK(suite, certificate.public_key[0] == 0x04);
  device_stop(&fixture.device);
}

/* The port's clock raises the floor, never lowers it. */
static void floor_and_clock(struct suite *suite) {
  struct fixture fixture;
  struct dc_certificate certificate;
  start(&fixture);
  fixture.device.port.now = 1861919999;
  CHECK_STATUS(suite, 0, verify(&fixture, &certificate));
  fixture.device.port.now++;
  CHECK_STATUS(suite, DC_ERR_CERTIFICATE_EXPIRED, verify(&fixture, &certificate));
  CHECK(suite, is_zero(&certificate));
  fixture.device.port.now = 5;
  fixture.rules.time_floor = 1861920000;
  CHECK_STATUS(suite, DC_ERR_CERTIFICATE_EXPIRED, verify(&fixture, &certificate));
  fixture.device.dc.port.time = NULL;
  CHECK_STATUS(suite, DC_ERR_CERTIFICATE_EXPIRED, verify(&fixture, &certificate));
  fixture.rules.time_floor = 0;
  CHECK_STATUS(suite, 0, verify(&fixture, &certificate));
  fixture.rules.issued_not_before = 1767225601;
  CHECK_STATUS(suite, DC_ERR_CERTIFICATE_TOO_OLD, verify(&fixture, &certificate));
  device_stop(&fixture.device);
}

struct patch {
  int in_anchor;
  const char *find, *replace; /* the same length */
  int status;
};

static const struct patch patches[] = {
    {1, "0101ff04053003", "0101ff04053103", DC_ERR_CERTIFICATE_ANCHOR},
    {1, "03020106", "03020102", DC_ERR_CERTIFICATE_ANCHOR},
    {1, "03020106", "03020906", DC_ERR_CERTIFICATE_ANCHOR},
    {1, "a003020102", "a003020101", DC_ERR_CERTIFICATE_ANCHOR},
    {1, "03551d13", "03551d1e", DC_ERR_CERTIFICATE_ANCHOR},
    {0, "a003020102", "a003020101", DC_ERR_CERTIFICATE_VERSION},
    {0, "2a8648ce3d040302", "2a8648ce3d040303", DC_ERR_CERTIFICATE_ALGORITHM},
    {0, "7465737420726f6f74", "7465737420726f6f75", DC_ERR_CERTIFICATE_ISSUER},
    {0, "323630313031", "323630323330", DC_ERR_CERTIFICATE_VALIDITY},
    {0, "323630313031", "323930313031", DC_ERR_CERTIFICATE_VALIDITY},
    {0, "3238313233313233", "3236313233313233", DC_ERR_CERTIFICATE_EXPIRED},
    {0, "2a8648ce3d030107", "2a8648ce3d030108", DC_ERR_CERTIFICATE_PUBLIC_KEY},
    {0, "03551d0f", "03551d25", DC_ERR_CERTIFICATE_DUPLICATE_EXTENSION},
    {0, "03551d13", "03551d1e", DC_ERR_CERTIFICATE_CRITICAL_EXTENSION},
    {0, "03020308", "03020388", DC_ERR_CERTIFICATE_KEY_USAGE},
    {0, "03020308", "03020708", DC_ERR_CERTIFICATE_KEY_USAGE},
    {0, "03020308", "03020808", DC_ERR_CERTIFICATE_ENCODING},
    {0, "03551d250101ff", "03551d25010101", DC_ERR_CERTIFICATE_ENCODING},
    {0, "03551d250101ff", "03551d25010100", DC_ERR_CERTIFICATE_ENCODING},
};

static void patched(struct suite *suite) {
  for (size_t i = 0; i < sizeof patches / sizeof patches[0]; i++) {
    const struct patch *patch = &patches[i];
    struct fixture fixture;
    struct dc_certificate certificate;
    start(&fixture);
    struct dc_bytes bytes = patch->in_anchor ? fixture.anchor_bytes : fixture.leaf_bytes;
    uint8_t *memory = patch->in_anchor ? fixture.anchor : fixture.leaf;
    size_t at = find(bytes, patch->find);
    CHECK(suite, at < bytes.length);
    if (at < bytes.length) from_hex(patch->replace, memory + at);
    CHECK_STATUS(suite, patch->status, verify(&fixture, &certificate));
    CHECK(suite, is_zero(&certificate));
    device_stop(&fixture.device);
  }
}

static void arguments(struct suite *suite) {
  struct fixture fixture;
  struct dc_certificate certificate;
  const uint32_t usages[] = {0, 3, 0x88, 0x100, 0x108};
  const int64_t times[] = {-1, 253402300800, INT64_MIN, INT64_MAX};
  start(&fixture);
  for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++) {
    fixture.rules.key_usage = usages[i];
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, verify(&fixture, &certificate));
  }
  fixture.rules.key_usage = DC_KEY_USAGE_KEY_AGREEMENT;
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
    fixture.rules.time_floor = times[i];
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, verify(&fixture, &certificate));
    fixture.rules.time_floor = 0;
    fixture.rules.issued_not_before = times[i];
    CHECK_STATUS(suite, DC_ERR_ARGUMENT, verify(&fixture, &certificate));
    fixture.rules.issued_not_before = 0;
  }
  size_t length = fixture.rules.role.length;
  fixture.rules.role.length = 0;
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, verify(&fixture, &certificate));
  fixture.rules.role.length = DC_ROLE_MAX + 1;
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, verify(&fixture, &certificate));
  fixture.rules.role.length = length - 1;
  CHECK_STATUS(suite, DC_ERR_CERTIFICATE_ROLE, verify(&fixture, &certificate));
  fixture.rules.role.length = length;
  fixture.leaf_bytes.data = NULL;
  CHECK_STATUS(suite, DC_ERR_ARGUMENT, verify(&fixture, &certificate));
  fixture.leaf_bytes.length = 0;
  CHECK_STATUS(suite, DC_ERR_CERTIFICATE_ENCODING, verify(&fixture, &certificate));
  fixture.leaf_bytes = fixture.anchor_bytes;
  CHECK_STATUS(suite, DC_ERR_CERTIFICATE_SELF_ISSUED, verify(&fixture, &certificate));
  device_stop(&fixture.device);
}

/* No cut and no flipped bit is accepted; the sanitizer watches each read. */
static void cuts_and_flips(struct suite *suite) {
  struct fixture fixture;
  struct dc_certificate certificate;
  start(&fixture);
  size_t length = fixture.leaf_bytes.length;
  for (size_t cut = 0; cut < length; cut++) {
    uint8_t exact[512]; /* the end of the array is the end of the bytes */
    fixture.leaf_bytes.data = exact + sizeof exact - cut;
    fixture.leaf_bytes.length = cut;
    memcpy(exact + sizeof exact - cut, fixture.leaf, cut);
    CHECK_STATUS(suite, DC_ERR_CERTIFICATE_ENCODING, verify(&fixture, &certificate));
  }
  fixture.leaf_bytes.data = fixture.leaf;
  fixture.leaf_bytes.length = length;
  for (size_t at = 0; at < length; at++) {
    fixture.leaf[at] ^= (uint8_t)(1u << at % 8);
    int status = verify(&fixture, &certificate);
    CHECK(suite, status <= DC_ERR_CERTIFICATE_ANCHOR && status >= DC_ERR_CERTIFICATE_SIGNATURE);
    CHECK(suite, is_zero(&certificate));
    fixture.leaf[at] ^= (uint8_t)(1u << at % 8);
  }
  CHECK_STATUS(suite, 0, verify(&fixture, &certificate));
  device_stop(&fixture.device);
}

/* The request of a key is the same each time, and is signed by it. */
static void requests(struct suite *suite) {
  struct device device;
  dc_handle key;
  uint8_t first[DC_CSR_MAX], second[DC_CSR_MAX], point[DC_POINT_SIZE];
  size_t length, again;
  device_start(&device, 131);
  struct dc *dc = &device.dc;
  CHECK_STATUS(suite, DC_ERR_KEY, dc_write_csr(dc, 0, first, &length));
  CHECK(suite, length == 0);
  for (unsigned i = 0; i < 8; i++) { /* of all lengths that two integers have */
    CHECK_STATUS(suite, 0, dc_generate_key_pair(dc, DC_USAGE_SIGN, &key));
    CHECK_STATUS(suite, 0, dc_write_csr(dc, key, first, &length));
    CHECK_STATUS(suite, 0, dc_write_csr(dc, key, second, &again));
    CHECK(suite, length == again && memcmp(first, second, length) == 0);
    CHECK(suite, length > 180 && length <= 190 && first[2] == length - 3);
    CHECK_STATUS(suite, 0, dc_export_public_key(dc, key, point));
    CHECK(suite, memcmp(first + 3 + 33, point, sizeof point) == 0);
    CHECK_STATUS(suite, 0, dc_destroy_key(dc, key));
  }
  CHECK_STATUS(suite, 0, dc_generate_key_pair(dc, DC_USAGE_SIGN, &key));
  device.port.random_fails_at = device.port.random_calls + 1;
  CHECK_STATUS(suite, DC_ERR_RANDOM, dc_write_csr(dc, key, first, &length));
  CHECK(suite, length == 0);
  device_stop(&device);
}

void test_certificate(struct suite *suite) {
  good(suite);
  floor_and_clock(suite);
  patched(suite);
  arguments(suite);
  cuts_and_flips(suite);
  requests(suite);
}
