#ifndef JSWRAP_DEVCRYPTO_H
#define JSWRAP_DEVCRYPTO_H

#include "jsvar.h"

void jswrap_devcrypto_kill(void);
JsVar *jswrap_devcrypto_generateRandom(JsVar *length);
JsVar *jswrap_devcrypto_hashCompute(JsVar *input);
JsVar *jswrap_devcrypto_generateKey(JsVar *usage);
JsVar *jswrap_devcrypto_destroyKey(JsVar *key);
JsVar *jswrap_devcrypto_exportPublicKey(JsVar *key);
JsVar *jswrap_devcrypto_signMessage(JsVar *key, JsVar *message);
JsVar *jswrap_devcrypto_verifyMessage(JsVar *public_key, JsVar *message, JsVar *signature);
JsVar *jswrap_devcrypto_keyAgreementWrap(JsVar *public_key, JsVar *kdf_context, JsVar *carried);
JsVar *jswrap_devcrypto_keyAgreementUnwrap(JsVar *arguments);
JsVar *jswrap_devcrypto_deriveKey(JsVar *key, JsVar *info, JsVar *usage);

#endif
