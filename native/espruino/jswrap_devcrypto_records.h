#ifndef JSWRAP_DEVCRYPTO_RECORDS_H
#define JSWRAP_DEVCRYPTO_RECORDS_H

#include "jsvar.h"

JsVar *jswrap_devcrypto_writeRecord(JsVar *id, JsVar *content);
JsVar *jswrap_devcrypto_readRecord(JsVar *id);
JsVar *jswrap_devcrypto_eraseRecord(JsVar *id);
JsVar *jswrap_devcrypto_eraseAll(void);
JsVar *jswrap_devcrypto_ringAppend(JsVar *entry);
JsVar *jswrap_devcrypto_ringPeek(JsVar *index);
JsVar *jswrap_devcrypto_ringDrop(JsVar *count);
JsVar *jswrap_devcrypto_ringCount(void);

#endif
