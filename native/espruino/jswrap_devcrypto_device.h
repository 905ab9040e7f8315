#ifndef JSWRAP_DEVCRYPTO_DEVICE_H
#define JSWRAP_DEVCRYPTO_DEVICE_H

#include "jsvar.h"

JsVar *jswrap_devcrypto_openDeviceKey(void);
JsVar *jswrap_devcrypto_nextDeviceCounter(void);
JsVar *jswrap_devcrypto_exportBaseIv(JsVar *key);
JsVar *jswrap_devcrypto_reserveSequence(JsVar *key);
JsVar *jswrap_devcrypto_keepSession(JsVar *key);
JsVar *jswrap_devcrypto_resumeSession(void);
JsVar *jswrap_devcrypto_resetReason(void);

#endif
