#ifndef JSWRAP_DEVCRYPTO_AEAD_H
#define JSWRAP_DEVCRYPTO_AEAD_H

#include "jsvar.h"

JsVar *jswrap_devcrypto_aeadEncrypt(JsVar *key, JsVar *nonce, JsVar *aad, JsVar *plaintext);
JsVar *jswrap_devcrypto_aeadDecrypt(JsVar *key, JsVar *nonce, JsVar *aad, JsVar *ciphertext);
JsVar *jswrap_devcrypto_aeadEncryptKey(JsVar *arguments);
JsVar *jswrap_devcrypto_aeadDecryptKey(JsVar *arguments);
JsVar *jswrap_devcrypto_aeadEncryptSequence(JsVar *key, JsVar *sequence, JsVar *aad,
                                            JsVar *plaintext);

#endif
