/* Operations: work that may wait or may need the host. Engine and orm expose everything that touches a connection
 * as an ag_op; the binding drives it (binding/host.c): step, then as it says wait (poll(2) or the engine's wait
 * hook) or run a callback, and step again until it is done or has failed.
 *
 * An op is embedded as the first member of its own struct; init functions fill it, ag_op_clear releases what it
 * holds. Clearing an op that is not finished abandons it: it releases without waiting (connection draining,
 * statement cancelled). */
#ifndef AG_ENGINE_OP_H
#define AG_ENGINE_OP_H

#include "base/step.h"
#include "value/value.h"

typedef struct ag_op ag_op;

/* A request to the host (AG_STEP_CALL): run callback `fn` with what `what` says in `args`; answer with
 * ag_op_answer. It may yield, query (on other handles or, where the op says so, this one) and raise. */
typedef enum ag_call_kind {
    AG_CALL_EVENT,   /* args: an event struct of engine/events.h or orm's; answer may replace text/params */
    AG_CALL_DEFAULT, /* a column default / onupdate function; answer: a value */
    AG_CALL_VERSION, /* version_id_generator; answer: a value */
    AG_CALL_CONVERT, /* a host value (AG_V_HOST) that needs process_bind_param; answer: a value */
    AG_CALL_CREATOR, /* creator / do_connect hook */
    AG_CALL_OTHER,
} ag_call_kind;

typedef struct ag_call {
    ag_call_kind kind;
    int64_t fn; /* the host's id of the callback */
    void *args; /* op-owned, lives until the answer */
    /* the answer, filled by the host before the next step */
    bool failed; /* the callback raised: error is filled, host_value identifies the original error value */
    bool has_value;
    ag_value value; /* bytes live until the step after next */
    ag_error error;
} ag_call;

struct ag_op {
    ag_step (*step)(ag_op *op, ag_error *err);
    void (*clear)(ag_op *op); /* release everything; safe in any state; idempotent */
    ag_wait wait;             /* valid after AG_STEP_WAIT */
    ag_call call;             /* valid after AG_STEP_CALL */
    const char *name;         /* "connect", "execute", "flush": for messages */
    int line;                 /* AG_CO_* resume point of step */
    bool finished;
    bool calling; /* the last step returned AG_STEP_CALL: a callback runs, its answer is due */
};

/* Zero *op (not what follows it) and set what an init function has to. */
void ag_op_init(ag_op *op, const char *name, ag_step (*step)(ag_op *, ag_error *), void (*clear)(ag_op *));
/* Step with checks (stepping a finished op is an error). */
ag_step ag_op_step(ag_op *op, ag_error *err);
/* Release what the op holds; harmless on a zeroed or cleared op. */
void ag_op_clear(ag_op *op);
/* Step `child` as a part of `parent`: waits and calls of the child become the parent's, the host's answer goes
 * back to the child. Use inside AG_CO_AWAIT or AG_CO_TRY. */
ag_step ag_op_sub(ag_op *parent, ag_op *child, ag_error *err);
/* After AG_STEP_CALL came back: AG_STEP_FAILED with the callback's error in err when it raised, else AG_STEP_DONE. */
ag_step ag_op_answer(ag_op *op, ag_error *err);
/* Drive an op to its end with poll(2) and no host: C tests, tools. AG_STEP_CALL fails. */
ag_status ag_op_run(ag_op *op, ag_error *err) AG_NODISCARD;

/* Private to the operations on a connection: who is inside. */
struct ag_connection;
typedef struct ag_gate {
    ag_op *op;
    struct ag_connection *conn;
    struct ag_gate *outer, **head;
    struct ag_pool *pool; /* counted; the head is in it, not in the connection */
} ag_gate;

/* ---- pure hooks: a protected call into the host that may not yield ---- */
typedef struct ag_host ag_host;
typedef enum ag_hook {
    AG_HOOK_BIND, /* TypeDecorator/UserDefinedType/JSON value -> wire value; arg: type id */
    AG_HOOK_RESULT,
    AG_HOOK_LITERAL,
    AG_HOOK_COMPILE, /* custom construct: returns text pieces and nodes */
    AG_HOOK_NAMING,  /* naming convention token */
    AG_HOOK_LOG,     /* one echo line */
    AG_HOOK_WAKE,    /* token: wake whoever parked on it */
} ag_hook;
struct ag_host {
    void *ud;
    /* in/out are hook-specific structs documented beside their users. AG_ERROR with err filled when the host raised. */
    ag_status (*call)(ag_host *h, ag_hook hook, int64_t fn, void *inout, ag_error *err);
    bool has_scheduler; /* engine-independent default: false = poll */
};

#endif
