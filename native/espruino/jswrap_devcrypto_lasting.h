#ifndef JSWRAP_DEVCRYPTO_LASTING_H
#define JSWRAP_DEVCRYPTO_LASTING_H

#include "jsvar.h"

JsVar *jswrap_devcrypto_generateKeyPair(JsVar *usage);
JsVar *jswrap_devcrypto_openKey(JsVar *id);
JsVar *jswrap_devcrypto_hasKey(JsVar *id);
JsVar *jswrap_devcrypto_nextCounter(JsVar *id);
JsVar *jswrap_devcrypto_moveCounter(JsVar *id, JsVar *counter);
JsVar *jswrap_devcrypto_eraseKey(JsVar *id);
JsVar *jswrap_devcrypto_writeCsr(JsVar *key);
JsVar *jswrap_devcrypto_verifyCertificate(JsVar *arguments);

#endif
