#ifndef AG_COMPILE_MD5_H
#define AG_COMPILE_MD5_H

#include <stddef.h>

/* The last four hexadecimal digits of text's MD5, and a NUL. */
void ag_md5_tail(char out[5], const char *text, size_t n);

#endif
