#ifndef DC_NODE_LASTING_H
#define DC_NODE_LASTING_H

#include "call.h"

/* Of DeviceCrypto: what outlasts a reset, and the certificates that go with it. */

napi_value keep_session(struct call *call);
napi_value resume_session(struct call *call);
napi_value reset_reason(struct call *call);
napi_value generate_key_pair(struct call *call);
napi_value open_key(struct call *call);
napi_value has_key(struct call *call);
napi_value next_counter(struct call *call);
napi_value move_counter(struct call *call);
napi_value erase_key(struct call *call);
napi_value write_csr(struct call *call);
napi_value verify_certificate(struct call *call);
napi_value write_record(struct call *call);
napi_value read_record(struct call *call);
napi_value erase_record(struct call *call);
napi_value erase_all(struct call *call);
napi_value ring_append(struct call *call);
napi_value ring_peek(struct call *call);
napi_value ring_drop(struct call *call);
napi_value ring_count(struct call *call);

#endif
