/* Statuses and error objects. A function that can fail returns an ag_status and, unless it is AG_OK, has filled the
 * ag_error it was given. An ag_error never fails to be filled: when its texts cannot be allocated it says
 * "out of memory" and keeps class and codes. */
#ifndef AG_BASE_ERROR_H
#define AG_BASE_ERROR_H

#include "base/alloc.h"
#include <stdarg.h>

typedef enum ag_status {
    AG_OK = 0,
    AG_ERROR, /* err is filled */
    AG_NOMEM, /* err is filled with class AG_EXC_MEMORY */
} ag_status;

/* One entry a class of ag.exc that C raises, with its parent: X(constant suffix, Lua name, parent suffix).
 * The Lua names mirror sqlalchemy.exc and sqlalchemy.orm.exc. ORDER ag_exc: parents stand before children. */
#define AG_EXC_LIST(X)                                                                                                 \
    X(ERROR, "Error", ERROR)            /* SQLAlchemyError */                                                          \
    X(ARGUMENT, "ArgumentError", ERROR) /* wrong argument to a function */                                             \
    X(DUPLICATE_COLUMN, "DuplicateColumnError", ARGUMENT)                                                              \
    X(CONSTRAINT_COLUMN_NOT_FOUND, "ConstraintColumnNotFoundError", ARGUMENT)                                          \
    X(NO_FOREIGN_KEYS, "NoForeignKeysError", ARGUMENT)                                                                 \
    X(AMBIGUOUS_FOREIGN_KEYS, "AmbiguousForeignKeysError", ARGUMENT)                                                   \
    X(NO_SUCH_MODULE, "NoSuchModuleError", ARGUMENT)                                                                   \
    X(OBJECT_NOT_EXECUTABLE, "ObjectNotExecutableError", ARGUMENT)                                                     \
    X(COMPILE, "CompileError", ERROR)                                                                                  \
    X(UNSUPPORTED_COMPILATION, "UnsupportedCompilationError", COMPILE)                                                 \
    X(CIRCULAR_DEPENDENCY, "CircularDependencyError", ERROR)                                                           \
    X(IDENTIFIER, "IdentifierError", ERROR)                                                                            \
    X(INVALID_REQUEST, "InvalidRequestError", ERROR)                                                                   \
    X(ILLEGAL_STATE_CHANGE, "IllegalStateChangeError", INVALID_REQUEST)                                                \
    X(NO_INSPECTION_AVAILABLE, "NoInspectionAvailable", INVALID_REQUEST)                                               \
    X(PENDING_ROLLBACK, "PendingRollbackError", INVALID_REQUEST)                                                       \
    X(RESOURCE_CLOSED, "ResourceClosedError", INVALID_REQUEST)                                                         \
    X(NO_SUCH_COLUMN, "NoSuchColumnError", INVALID_REQUEST)                                                            \
    X(AMBIGUOUS_COLUMN, "AmbiguousColumnError", INVALID_REQUEST)                                                       \
    X(NO_RESULT_FOUND, "NoResultFound", INVALID_REQUEST)                                                               \
    X(MULTIPLE_RESULTS_FOUND, "MultipleResultsFound", INVALID_REQUEST)                                                 \
    X(NO_REFERENCE, "NoReferenceError", INVALID_REQUEST)                                                               \
    X(NO_REFERENCED_TABLE, "NoReferencedTableError", NO_REFERENCE)                                                     \
    X(NO_REFERENCED_COLUMN, "NoReferencedColumnError", NO_REFERENCE)                                                   \
    X(NO_SUCH_TABLE, "NoSuchTableError", INVALID_REQUEST)                                                              \
    X(UNREFLECTABLE_TABLE, "UnreflectableTableError", INVALID_REQUEST)                                                 \
    X(UNBOUND_EXECUTION, "UnboundExecutionError", INVALID_REQUEST)                                                     \
    X(DETACHED_INSTANCE, "DetachedInstanceError", INVALID_REQUEST) /* orm.exc */                                       \
    X(UNMAPPED, "UnmappedError", INVALID_REQUEST)                  /* orm.exc */                                       \
    X(UNMAPPED_INSTANCE, "UnmappedInstanceError", UNMAPPED)                                                            \
    X(UNMAPPED_CLASS, "UnmappedClassError", UNMAPPED)                                                                  \
    X(OBJECT_DELETED, "ObjectDeletedError", INVALID_REQUEST)                                                           \
    X(STALE_DATA, "StaleDataError", ERROR)                                                                             \
    X(FLUSH, "FlushError", ERROR)                                                                                      \
    X(OBJECT_DEREFERENCED, "ObjectDereferencedError", ERROR)                                                           \
    X(TIMEOUT, "TimeoutError", ERROR) /* the pool's */                                                                 \
    X(MEMORY, "OutOfMemoryError", ERROR)                                                                               \
    X(STATEMENT, "StatementError", ERROR)                                                                              \
    X(DBAPI, "DBAPIError", STATEMENT)                                                                                  \
    X(INTERFACE, "InterfaceError", DBAPI)                                                                              \
    X(DATABASE, "DatabaseError", DBAPI)                                                                                \
    X(DATA, "DataError", DATABASE)                                                                                     \
    X(OPERATIONAL, "OperationalError", DATABASE)                                                                       \
    X(INTEGRITY, "IntegrityError", DATABASE)                                                                           \
    X(INTERNAL, "InternalError", DATABASE)                                                                             \
    X(PROGRAMMING, "ProgrammingError", DATABASE)                                                                       \
    X(NOT_SUPPORTED, "NotSupportedError", DATABASE)

typedef enum ag_exc {
#define X(id, name, parent) AG_EXC_##id,
    AG_EXC_LIST(X)
#undef X
        AG_EXC_COUNT
} ag_exc;

/* Lua name of a class, its parent (AG_EXC_ERROR's parent is itself). Static strings. */
const char *ag_exc_name(ag_exc cls);
ag_exc ag_exc_parent(ag_exc cls);

/* Zero-initialised means "no error" (texts then come from libc). Texts belong to the error and are freed by ag_error_clear; each may be NULL.
 * They may hold database text of any length and are NUL-terminated. */
typedef struct ag_error {
    const ag_alloc *alloc;
    ag_exc cls;
    bool set;
    bool disconnect; /* the connection is lost: the pool invalidates */
    bool retryable;  /* the whole transaction may be run again (40001, 40P01, 517 …) */
    bool nomem;      /* texts are missing because memory ran out */
    int code;        /* the driver's own code: SQLite extended result code, else 0 */
    char sqlstate[6];
    int64_t host_value; /* id of a host error value (a Lua error that passed through the core), 0 = none */
    char *message;
    char *detail, *hint;
    char *constraint, *table, *column, *schema;
} ag_error;

/* An error that owns nothing yet; its texts will come from alloc. */
void ag_error_init(ag_error *err, const ag_alloc *alloc);
void ag_error_clear(ag_error *err); /* frees texts, keeps the allocator, unset */
/* The message, never NULL. Borrowed from err. */
const char *ag_error_message(const ag_error *err);
/* Fill err (clearing what it held) and return AG_ERROR, or AG_NOMEM when cls is AG_EXC_MEMORY.
 * Formats: printf's; the arguments may be texts of err. err may be NULL (then only the status is returned). */
ag_status ag_fail(ag_error *err, ag_exc cls, const char *fmt, ...) AG_PRINTF(3, 4);
ag_status ag_failv(ag_error *err, ag_exc cls, const char *fmt, va_list ap);
/* "out of memory"; allocates nothing. Returns AG_NOMEM. */
ag_status ag_fail_nomem(ag_error *err);
/* Replace one text field: ag_error_text(err, &err->detail, s, len). Failure to allocate sets nomem and leaves NULL. */
void ag_error_text(ag_error *err, char **field, const char *s, size_t len);
/* Move src into dst (dst cleared first); src is then unset. */
void ag_error_move(ag_error *dst, ag_error *src);
/* Deep copy, texts from dst's allocator. */
void ag_error_copy(ag_error *dst, const ag_error *src);

/* ---- nearest-name hints: "did you mean 'select'?" ----
 * Returns the candidate with the smallest edit distance to name, the first of equals, or NULL when none is near (distance
 * > 1 + len/3, or nothing in common). Swapped neighbours are one edit, a difference of case half of one. Names over 63
 * bytes are never near. names: count NUL-terminated strings; the result is one of them. */
const char *ag_nearest(const char *name, const char *const *names, size_t count);

/* Propagate any status but AG_OK. */
#define AG_TRY(expr)                                                                                                   \
    do {                                                                                                               \
        ag_status try_status_ = (expr);                                                                                \
        if (try_status_ != AG_OK)                                                                                      \
            return try_status_;                                                                                        \
    } while (0)

#endif
