/* SQLSTATE codes: which exception class they raise, and what they say about the connection and the transaction. The
 * codes are PostgreSQL's (Appendix A of its manual, which keeps the SQL standard's classes); drivers for other
 * databases use them where a class exists. */
#ifndef AG_DRIVER_SQLSTATE_H
#define AG_DRIVER_SQLSTATE_H

#include "base/error.h"

/* Exception class of a five-character code (psycopg's table: class 23 IntegrityError, 42 ProgrammingError …);
 * AG_EXC_DATABASE for NULL, empty and unknown ones. */
ag_exc ag_sqlstate_class(const char *sqlstate);
/* 40001, 40P01: the transaction may be run again as a whole. */
bool ag_sqlstate_is_retryable(const char *sqlstate);
/* The server ended or refused the connection (08000 08001 08003 08004 08006, 57P01 57P02 57P03 57P05, 25P03, 25P04).
 * 08P01 is not one of them: a wrong parameter count says so on a healthy connection. */
bool ag_sqlstate_is_disconnect(const char *sqlstate);
/* Write the code into a filled error and set its retryable and disconnect flags (never clears one). */
void ag_sqlstate_set(ag_error *err, const char *sqlstate);

#endif
